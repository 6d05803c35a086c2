import KirimRooms
import KirimTransport
import KirimWire

extension Chat {
    /// What the chat of a server keeps in memory. Where a part says "of one", it is the most that any has.
    package struct Load: Hashable, BitwiseCopyable, Sendable {
        /// Connections that have been announced: bounded by the transport.
        package var sessions = 0
        /// ``ChatLimits/members``.
        package var members = 0
        /// Names that nobody bears yet, while their commit is under way: one for each request that waits.
        package var reservedNames = 0
        /// ``ChatLimits/rooms``, those that are being made among them.
        package var rooms = 0
        /// Members of one room, the lobby left out, which has everybody. ``ChatLimits/roomMembers``.
        package var roomMembers = 0
        /// Entries in the tail of one room. ``ChatLimits/tailEntries``.
        package var tailEntries = 0
        /// Their bytes. ``ChatLimits/tailBytes``, or a single entry.
        package var tailBytes = 0
        /// Subscriptions of one connection, each a cursor. ``ChatLimits/subscriptions``.
        package var subscriptions = 0
        /// Readers of rooms that are nobody's subscription. None.
        package var strayReaders = 0
        /// Outboxes of those who are here, or whose posts are being committed.
        package var outboxes = 0
        /// Early posts of one outbox. ``ChatLimits/postsInFlight``.
        package var heldPosts = 0
        /// Their bytes. ``ChatLimits/postBytesInFlight``, and one post.
        package var heldBytes = 0
        /// Decisions of one outbox that are answered from memory. 128.
        package var rememberedDecisions = 0
        /// Outboxes that wait for their member's rate.
        package var throttled = 0
        /// Members whose presence is to be told later: one for each connection.
        package var unannounced = 0
        /// Posts of one connection that came before the welcome. ``ChatLimits/postsInFlight``.
        package var earlyPosts = 0
        /// Their bytes. ``ChatLimits/postBytesInFlight``, or one post.
        package var earlyBytes = 0
        /// Requests of one connection that wait for an earlier one. 256.
        package var earlyRequests = 0
        /// Requests of one connection whose commit is under way. 64.
        package var waitingRequests = 0
        /// Replies that one connection has not acknowledged. ``ServerCore/Configuration/replyRecords``; the
        /// one above it closes the connection.
        package var replies = 0
        /// Their bytes. ``ServerCore/Configuration/replyBytes``, and one reply.
        package var replyBytes = 0
        /// Hellos that wait for the journal: one for each connection.
        package var greetings = 0
        /// Bytes of what waits for the journal. ``ServerCore/Configuration/gatheredBytes``, one addition, and
        /// as much again of what the server writes of its own accord: notices, bans, used invitations.
        package var gatheredBytes = 0
        /// Bytes of the commit under way: what was gathered before it.
        package var committingBytes = 0
        /// Old entries that were read back, in blocks. 64.
        package var shelfBlocks = 0
        /// Their bytes. 8 MiB.
        package var shelfBytes = 0
        /// Reads under way. 4.
        package var shelfReads = 0
        /// Streams and outboxes that wait for a read: one for each, and the records that a packet bundles.
        package var shelfWaits = 0
        /// Waits of streams that were ended. None.
        package var strayWaits = 0
        /// What the turn has not done yet. None after it.
        package var unfinished = 0

        package init() {}

        /// The most that the configuration allows at the end of a turn, if the transport has at most so many
        /// connections.
        package init(limitsOf configuration: ServerCore.Configuration, connections: Int) {
            let limits = configuration.limits
            let record = RecordFrame.recordLimit
            sessions = connections
            members = limits.members
            reservedNames = connections * Chat.waitingLimit
            rooms = limits.rooms + 1
            roomMembers = limits.roomMembers
            tailEntries = limits.tailEntries
            tailBytes = max(limits.tailBytes, record)
            subscriptions = limits.subscriptions
            outboxes = 2 * connections
            heldPosts = limits.postsInFlight
            heldBytes = limits.postBytesInFlight + record
            rememberedDecisions = Outbox.memory
            throttled = outboxes
            unannounced = connections
            earlyPosts = limits.postsInFlight
            earlyBytes = max(limits.postBytesInFlight, record)
            earlyRequests = Int(Session.Requests.reach)
            waitingRequests = Chat.waitingLimit
            replies = configuration.replyRecords + 1
            replyBytes = configuration.replyBytes + record
            greetings = 2 * connections
            gatheredBytes = configuration.gatheredBytes + 2 * record
            committingBytes = gatheredBytes
            shelfBlocks = Shelf.blockLimit
            shelfBytes = Shelf.blockByteLimit + record
            shelfReads = Shelf.readsAtOnce
            shelfWaits =
                connections * (limits.subscriptions + ConnectionLoad.bundledRecords) + outboxes
        }
    }

    /// Costs a look at each session, outbox and room.
    package var load: Load {
        var load = Load()
        load.sessions = sessions.count
        load.members = directory.count
        load.reservedNames = directory.reservedNames
        load.rooms = rooms.count + creating.count
        load.throttled = throttled.count
        load.unannounced = unannounced.count
        load.greetings =
            lookups.reduce(0) { $0 + $1.greetings.count }
            + enrolling.values.reduce(0) { $0 + $1.count + 1 }
        load.gatheredBytes = ledger.gatheredBytes
        load.committingBytes = ledger.committingBytes
        load.unfinished = effects.count + decisions.count + dirtyRooms.count
        countSessions(&load)
        countRooms(&load)
        countOutboxes(&load)
        countShelf(&load)
        return load
    }

    private func countSessions(_ load: inout Load) {
        for session in sessions.values {
            load.subscriptions = max(load.subscriptions, session.streams.count)
            load.earlyPosts = max(load.earlyPosts, session.early.posts.count)
            load.earlyBytes = max(load.earlyBytes, session.early.byteCount)
            load.earlyRequests = max(load.earlyRequests, session.requests.count)
            load.waitingRequests = max(load.waitingRequests, session.waiting)
            load.replies = max(load.replies, session.replies.count)
            load.replyBytes = max(load.replyBytes, session.replies.byteCount)
            load.strayReaders -= session.streams.count
        }
    }

    private func countRooms(_ load: inout Load) {
        for room in rooms.values {
            if room.name != .lobby { load.roomMembers = max(load.roomMembers, room.members.count) }
            load.tailEntries = max(load.tailEntries, room.tailCount)
            load.tailBytes = max(load.tailBytes, room.tailBytes)
            load.strayReaders += room.readers.count
        }
    }

    private func countOutboxes(_ load: inout Load) {
        load.outboxes = outboxes.count
        for outbox in outboxes.values {
            load.heldPosts = max(load.heldPosts, outbox.heldCount)
            load.heldBytes = max(load.heldBytes, outbox.heldBytes)
            load.rememberedDecisions = max(load.rememberedDecisions, outbox.rememberedCount)
        }
    }

    private func countShelf(_ load: inout Load) {
        load.shelfBlocks = shelf.blockCount
        load.shelfBytes = shelf.blockBytes
        load.shelfReads = shelf.readCount
        for reader in shelf.waitingReaders {
            load.shelfWaits += 1
            if case .stream(let connection, let stream) = reader,
                sessions[connection]?.streams[stream: stream] == nil
            {
                load.strayWaits += 1
            }
        }
    }
}
