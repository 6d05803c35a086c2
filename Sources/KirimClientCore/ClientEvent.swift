package import KirimRooms
package import KirimTransport
package import KirimWire

/// Names a wish, so that its answer finds the way back. The caller counts them up.
package struct Ticket: Hashable, Sendable, RawRepresentable, Comparable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (a: Ticket, b: Ticket) -> Bool { a.rawValue < b.rawValue }
}

/// Names a post as long as the core lives. Its number may change (a renewed outbox); this does not.
package struct LocalPostID: Hashable, Sendable, RawRepresentable, Comparable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (a: LocalPostID, b: LocalPostID) -> Bool { a.rawValue < b.rawValue }
}

/// A post of the outbox.
package struct LocalPost: Hashable, Sendable {
    package var id: LocalPostID
    package var number: PostNumber
    package var post: Post

    package init(id: LocalPostID, number: PostNumber, post: Post) {
        self.id = id
        self.number = number
        self.post = post
    }
}

/// What a face is told, in the order in which it happened.
package enum ClientEvent: Hashable, Sendable {
    case phase(ConnectionPhase)
    /// The server's key was pinned; nothing vouched for it.
    case firstContact(PublicKey)
    case welcomed(Member, server: String)
    /// The server does not take us in now, and why; it is asked again by itself.
    case notWelcome(Refusal)
    /// In the outbox, durably. Rows that were there at the start, and other faces' rows, are told too.
    case queued(LocalPost)
    /// All posts of the wish are queued, in this order.
    case posted(Ticket, [LocalPostID])
    /// None of the wish's posts is queued.
    case postFailed(Ticket, PostFailure)
    case decided(LocalPost, PostDecision)
    /// The server takes no posts now; they are offered again by themselves.
    case postponed(Refusal, retryAfter: Duration)
    /// The next entry of its room: no gap, no repeat. `mine`: the post that it was.
    case entry(Entry, mine: LocalPostID?)
    /// What the room held when it was asked has been told.
    case caughtUp(RoomName)
    /// The room's log is shorter than what was read of it.
    case setBack(RoomName)
    case presence(RoomName, MemberID, MemberName, Presence, online: UInt64)
    case joined(RoomName)
    /// `nil`: as wished.
    case left(RoomName, Refusal?)
    case renamed(MemberName)
    /// Another name than the wished one was given, and why.
    case nameRefused(MemberName, Refusal)
    case answered(Ticket, Answer)
    /// A write failed. Posts are told apart (``postFailed(_:_:)``).
    case storageFailed(JournalError)
}

/// What a face may ask for beside posting.
package enum ClientRequest: Hashable, Sendable {
    /// Become a member, and read the room from now on. Answer: `done`.
    case join(RoomName)
    /// Answer: `done`.
    case leave(RoomName)
    /// Answer: `done`.
    case create(RoomName)
    /// Answer: `rooms`.
    case listRooms
    /// Answer: `members`.
    case listMembers(RoomName)
    /// Answer: `done`.
    case rename(MemberName)
    /// At most `limit` entries before `before` (`nil`: the newest). From the journal where that reaches, or
    /// while there is no connection. Answer: `entries`, the oldest first.
    case page(RoomName, before: SequenceNumber?, limit: Int)
}

/// The answer to a wish.
package enum Answer: Hashable, Sendable {
    case done
    case rooms([RoomSummary])
    case members(RoomName, [MemberStatus])
    case entries([Entry])
    case refused(Refusal)
    case failed(JournalError)
}

/// Why posts did not get into the outbox.
package enum PostFailure: Hashable, Sendable {
    case refused(Refusal)
    case notStored(JournalError)
}

/// How things stand between the client and the server.
///
///     idle --connect--> connecting --opened--> connected <--heard/quiet--> silent
///                        ^   |  ^                  |
///                        |   v  +------closed------+
///                     unreachable              any --stop--> stopped,  any --disconnect--> idle
package enum ConnectionPhase: Hashable, Sendable {
    case idle
    case connecting
    case connected
    /// Connected, and the server owes an answer; last heard then.
    case silent(since: Instant)
    /// Still being tried.
    case unreachable
    case stopped(ClientEndpoint.Stop)
}
