package import KirimWire

/// A server as one person knows it: one row for each server key, found by any address that led to it.
package struct KnownServer: Hashable, Sendable {
    /// The journal's own handle.
    package var row: Int64
    /// The key that was pinned at the first contact; `nil` before it.
    package var key: PublicKey?
    /// Names this outbox in every post; drawn when the row was made, and anew by ``ClientJournal/renewOutbox(of:to:)``.
    package var outbox: OutboxID
    /// The name last borne, or wished for, there.
    package var name: MemberName?
    /// Lets the next connect skip a round trip. Bound to the address it was given to.
    package var token: [UInt8]?
    /// The invitation that lets this key into a closed server, again and again once it was used.
    package var invitation: [UInt8]?
    /// The rooms to read again at the next start, in the order they were joined.
    package var rooms: [RoomName]

    package init(
        row: Int64,
        key: PublicKey?,
        outbox: OutboxID,
        name: MemberName?,
        token: [UInt8]?,
        invitation: [UInt8]?,
        rooms: [RoomName]
    ) {
        self.row = row
        self.key = key
        self.outbox = outbox
        self.name = name
        self.token = token
        self.invitation = invitation
        self.rooms = rooms
    }
}

/// A post in the outbox, and what the server decided about it, once it did.
package struct OutboxRow: Hashable, Sendable {
    package var number: PostNumber
    package var post: Post
    package var decision: PostDecision?

    package init(number: PostNumber, post: Post, decision: PostDecision?) {
        self.number = number
        self.post = post
        self.decision = decision
    }
}

/// The part of a room's log that is kept here: always one piece without a gap.
package struct HistorySpan: Hashable, Sendable {
    package var first: SequenceNumber
    package var last: SequenceNumber

    package init(first: SequenceNumber, last: SequenceNumber) {
        self.first = first
        self.last = last
    }
}

/// What keeps a person's outbox and history. Several faces (processes) use one at once.
///
/// Calls block; the shell makes them off its event loop. Rules every journal keeps, tested by one suite:
/// each call is one durable transaction; numbers of an outbox are dense from 1 whichever face asks;
/// applying an entry twice changes nothing.
package protocol ClientJournal: AnyObject, Sendable {
    /// The server that this address (as typed, canonical) led to last time; a new row at the first time.
    func server(at address: String) throws(JournalError) -> KnownServer
    /// The server that has this key, which a person or an address vouched for; a new row at the first time. No
    /// address leads to it because of this: only ``pin(_:key:at:)`` does that, when the key has proved itself.
    func server(bearing key: PublicKey) throws(JournalError) -> KnownServer
    /// Binds the row to the key that proved itself. Where another row has the key, posts that are
    /// still undecided move over to the end of its outbox with new numbers, as does a new invitation, the address leads there
    /// from now on, and that row is returned. `address`: where the key proved itself, which leads to the row from
    /// now on, too. A row without a key that it led to goes the same way; one with another key stays as it is,
    /// with what waits for that key.
    func pin(
        _ server: KnownServer,
        key: PublicKey,
        at address: String?
    ) throws(JournalError) -> KnownServer
    /// Draws another outbox number and gives all undecided posts new numbers from 1, none of them offered,
    /// because the server has seen posts of this outbox that are not in it (a restored backup), or has
    /// forgotten some.
    func renewOutbox(
        of server: KnownServer,
        to outbox: OutboxID
    ) throws(JournalError) -> KnownServer
    /// Appends posts. Returns every row after `known`: these, and before them what other faces appended.
    /// `offering`: from now on all of the outbox may have been sent (``offered(of:)``).
    func enqueue(
        _ posts: [Post],
        to server: KnownServer,
        after known: PostNumber?,
        offering: Bool
    ) throws(JournalError) -> [OutboxRow]
    /// The highest number of the present outbox that may have been sent; `nil` for none. What the server has
    /// beyond it came from another copy of this journal.
    func offered(of server: KnownServer) throws(JournalError) -> PostNumber?
    /// All rows without a decision, in order.
    func undecided(of server: KnownServer) throws(JournalError) -> [OutboxRow]
    /// The newest rows with a decision, at most `limit`, in order.
    func decided(of server: KnownServer, limit: Int) throws(JournalError) -> [OutboxRow]
    /// The highest number ever given out in the present outbox; `nil` for none.
    func lastPost(of server: KnownServer) throws(JournalError) -> PostNumber?
    func decide(
        _ decisions: [PostNumber: PostDecision],
        of server: KnownServer
    ) throws(JournalError)
    /// Keeps entries of one room. They join the span at one of its ends, or start it.
    func apply(_ entries: [Entry], of room: RoomName, from server: KnownServer) throws(JournalError)
    /// Lets go of the entries beyond `last`: the server's log was set back to there, and goes on differently.
    func forget(
        _ room: RoomName,
        beyond last: SequenceNumber,
        from server: KnownServer
    ) throws(JournalError)
    func span(of room: RoomName, from server: KnownServer) throws(JournalError) -> HistorySpan?
    /// At most `limit` entries before `before` (all if `nil`), the oldest first.
    func history(
        of room: RoomName,
        from server: KnownServer,
        before: SequenceNumber?,
        limit: Int
    ) throws(JournalError) -> [Entry]
    /// The rooms to read again, in the order they were joined, as all faces together have left them.
    func rooms(of server: KnownServer) throws(JournalError) -> [RoomName]
    /// Puts a room at the end, unless it is there. The rooms of other faces stay.
    func addRoom(_ room: RoomName, to server: KnownServer) throws(JournalError)
    func removeRoom(_ room: RoomName, from server: KnownServer) throws(JournalError)
    func setName(_ name: MemberName, of server: KnownServer) throws(JournalError)
    func setToken(_ token: [UInt8]?, of server: KnownServer) throws(JournalError)
    func setInvitation(_ invitation: [UInt8], of server: KnownServer) throws(JournalError)
}

extension ClientJournal {
    package func pin(
        _ server: KnownServer,
        key: PublicKey
    ) throws(JournalError) -> KnownServer {
        try pin(server, key: key, at: nil)
    }
}

extension JournalError {
    /// Another face of the same person renewed the outbox or merged it into another, so the numbers
    /// that this face holds name other posts now. Calls that speak of numbers throw it and change
    /// nothing; ``ClientJournal/server(at:)`` gives what to start again from.
    package static let outboxMoved = JournalError.failed(
        "Another window of yours has renumbered the messages that wait to be sent."
    )
}
