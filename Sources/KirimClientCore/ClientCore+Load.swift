import KirimRooms
package import KirimTransport
import KirimWire

extension ClientCore {
    /// What a client keeps in memory, part by part.
    package struct Load: Hashable, BitwiseCopyable, Sendable {
        package var transport = ClientEndpoint.Load()
        package var chat = ChatClient.Load()
        /// Outputs that the shell has not taken. None after a turn.
        package var unfinished = 0

        package init() {}

        /// The most that the configuration allows when a turn has ended, for a person with so many faces on
        /// one journal.
        package init(limitsOf configuration: Configuration, faces: Int) {
            // Requests and posts.
            transport = ClientEndpoint.Load(limitsOf: configuration.transport, streams: 2)
            chat = ChatClient.Load(limitsOf: configuration.chat, faces: faces)
        }
    }

    /// Costs a look at everything that is counted: for tests and simulations.
    package var load: Load {
        var load = Load()
        load.transport = endpoint.load
        load.chat = chat.load
        load.unfinished = outputs.count
        return load
    }
}

extension ChatClient {
    /// What the chat of a client keeps in memory. Where a part says "of one", it is the most that any has.
    package struct Load: Hashable, BitwiseCopyable, Sendable {
        /// Posts without a decision, and those that wait to be added. ``Configuration/outboxLimit`` for each
        /// face of the person, since all of them see all posts; and as many again, since a face that was away
        /// learns of new posts before it learns that all it knew were decided for others.
        package var posts = 0
        /// Bytes of the undecided ones. ``Configuration/outboxByteLimit`` as often.
        package var postBytes = 0
        /// Decided posts whose entries are known as ours. 1,024.
        package var decidedPosts = 0
        /// Decisions that are not written down yet. They count with the posts when more of these are wished for, so
        /// they are bounded as these are.
        package var keptDecisions = 0
        /// Requests that the server has not acknowledged. 256; then the connection is made anew.
        package var requests = 0
        /// Requests that it has not answered. 1,024; then the connection is made anew.
        package var asked = 0
        /// Subscriptions: one for each room that is read, and each page under way.
        package var subscriptions = 0
        /// Replies that came before an earlier one. 4,096; then the connection is made anew.
        package var earlyReplies = 0
        /// Rooms that the person has joined.
        package var rooms = 0
        /// Entries of one room that came before an earlier one. 4,096; then they are asked for again.
        package var earlyEntries = 0
        /// Their bytes. 512 KiB, and one entry.
        package var earlyBytes = 0
        /// Entries of one room that were told and wait for the journal, or are with it. 4,096 and what one
        /// packet sets free, twice; then reading pauses.
        package var unstoredEntries = 0
        /// Wishes without an answer. ``Configuration/wishLimit``.
        package var wishes = 0
        /// Entries of one page that came. 500.
        package var pageEntries = 0
        /// Requests that the journal has not answered.
        package var stores = 0
        /// What the turn has not done yet. None after it.
        package var unfinished = 0

        package init() {}

        /// The most that the configuration allows at the end of a turn.
        package init(limitsOf configuration: Configuration, faces: Int) {
            posts = configuration.outboxLimit * 2 * faces
            postBytes = configuration.outboxByteLimit * 2 * faces
            decidedPosts = Outbox.decidedLimit
            keptDecisions = posts
            requests = ControlStream.requestLimit
            asked = Session.askedLimit
            rooms = ChatLimits.standard.rooms
            subscriptions = rooms + configuration.wishesInFlight
            earlyReplies = ControlStream.earlyLimit
            earlyEntries = RoomReader.earlyLimit
            earlyBytes = RoomReader.earlyByteLimit + RecordFrame.recordLimit
            unstoredEntries = 2 * (RoomReader.unstoredLimit + RoomReader.earlyLimit + 1)
            wishes = configuration.wishLimit
            pageEntries = ChatClient.pageLimit
            stores = rooms * 4
        }
    }

    package var load: Load {
        var load = Load()
        load.posts = outbox.posts.count + storage.postsToAdd
        load.postBytes = outbox.textBytes
        load.decidedPosts = outbox.decidedCount
        load.keptDecisions = storage.keptCount
        load.requests = session?.control.requestCount ?? 0
        load.asked = session?.asked.count ?? 0
        load.subscriptions = session?.streams.count ?? 0
        load.earlyReplies = session?.control.earlyCount ?? 0
        load.rooms = readers.count
        load.wishes = wishes.count
        load.stores = storage.pending.count
        load.unfinished = commands.count
        for reader in readers {
            load.earlyEntries = max(load.earlyEntries, reader.earlyCount)
            load.earlyBytes = max(load.earlyBytes, reader.earlyBytes)
            let unstored = reader.unstored.count + reader.storing.count
            load.unstoredEntries = max(load.unstoredEntries, unstored)
        }
        for wish in wishes { load.pageEntries = max(load.pageEntries, wish.found.count) }
        return load
    }
}
