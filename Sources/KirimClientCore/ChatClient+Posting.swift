package import KirimRooms
import KirimTransport
package import KirimWire

// Posts: into the outbox, to the server, and its decisions back.
extension ChatClient {
    /// Puts posts into the outbox: all of them, or none. The answer is `posted` or `postFailed`.
    package mutating func post(_ posts: [Post], ticket: Ticket, at now: Instant) {
        if let refusal = refusal(of: posts) {
            tell(.postFailed(ticket, .refused(refusal)))
            return
        }
        storage.toAdd.append(Storage.Addition(ticket: ticket, posts: posts))
    }

    /// What the server would refuse in any case is not worth a row, nor what does not fit a record.
    private func refusal(of posts: [Post]) -> Refusal? {
        let limit = min(limits.messageBytes, UInt64(ChatLimits.standard.messageBytes))
        var bytes = outbox.textBytes
        for post in posts {
            if UInt64(post.text.utf8.count) > limit { return .messageTooLong }
            if post.text.isEmpty, post.kind != .delete { return .empty }
            if !post.kind.isForMembers { return .notAllowed }
            if post.kind.needsReference, post.reference == nil { return .noSuchEntry }
            // No log reaches so far, and the record could not say it.
            if let reference = post.reference, reference.rawValue >= ByteWriter.largestVarint {
                return .noSuchEntry
            }
            bytes += post.text.utf8.count
        }
        // Decisions that cannot be written down take room as the posts did that they are about.
        let count =
            outbox.posts.count + storage.postsToAdd + storage.keptCount + posts.count
        guard count <= configuration.outboxLimit, bytes <= configuration.outboxByteLimit else {
            return .tooManyRequests
        }
        return nil
    }

    /// Lets the transport send what the window of unaccepted posts allows.
    mutating func offerPosts() {
        guard session?.isReady == true, let posts = session?.posts else { return }
        let window = outbox.window(limits)
        let end = firstHeld.map { min($0, window) } ?? window
        switch posts {
        case .closed:
            open(stream: ChatStream.posts, at: outbox.nextNumber.rawValue)
            offer(upTo: end.rawValue, on: ChatStream.posts)
            session?.postsOffered(below: end)
        case .open(let offered, _) where offered < end:
            offer(upTo: end.rawValue, on: ChatStream.posts)
            session?.postsOffered(below: end)
        case .open, .waiting: break
        }
    }

    /// The first post to a room of which the server has not said yet that we are in it. It waits for that answer,
    /// and those behind it with it, because they are decided in order: a round trip.
    private var firstHeld: PostNumber? {
        let rooms = unclear + readers.filter { !$0.isMember }.map(\.name)
        guard !rooms.isEmpty else { return nil }
        return outbox.posts.first { rooms.contains($0.post.room) }?.number
    }

    /// From the first undecided one: after a delay that the server asked for, or because it forgot.
    mutating func offerPostsAgain() {
        if case .open? = session?.posts { drop(stream: ChatStream.posts) }
        session?.postsClosed()
        offerPosts()
    }

    mutating func decided(_ decisions: [PostNumber: PostDecision], at now: Instant) {
        session?.postDecided(at: now)
        for (number, decision) in decisions.sorted(by: { $0.key < $1.key }) {
            // What was never offered is not what the server speaks of.
            guard outbox.isOffered(number), let post = outbox.decide(number) else { continue }
            storage.toKeep.append(Storage.Kept(post: post, decision: decision))
        }
        offerPosts()
    }

    mutating func postponed(_ refusal: Refusal, milliseconds: UInt64, at now: Instant) {
        guard session?.isReady == true, !outbox.isEmpty else { return }
        // An hour at most: a server that means longer is better asked again.
        let delay = Duration.milliseconds(Int64(min(max(milliseconds, 10), 3_600_000)))
        if case .open? = session?.posts { drop(stream: ChatStream.posts) }
        session?.postsPostponed(until: now.advanced(by: delay))
        // What nobody can notice nobody need be told.
        if delay >= .milliseconds(100) { tell(.postponed(refusal, retryAfter: delay)) }
    }

    /// When posts are to be offered again.
    var postsDeadline: Instant? {
        guard let session, session.isReady else { return nil }
        if case .waiting(let until) = session.posts { return until }
        guard !outbox.isEmpty else { return nil }
        return session.postsArrived?.advanced(by: configuration.decisionPatience)
    }
}
