package import KirimRooms
package import KirimWire

/// Names a request to the journal.
package struct StoreID: Hashable, Sendable, RawRepresentable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What the journal knows about one server: where a core starts, and goes on after the outbox was renumbered.
package struct LocalState: Hashable, Sendable {
    package var server: KnownServer
    /// The address that is to lead to this server once its key has proved itself there; `nil`: it does already.
    package var address: String?
    package var lastPost: PostNumber?
    /// The highest number that may have been sent.
    package var offered: PostNumber?
    /// In order.
    package var undecided: [OutboxRow]
    package var spans: [RoomName: HistorySpan]

    package init(
        server: KnownServer,
        lastPost: PostNumber?,
        offered: PostNumber?,
        undecided: [OutboxRow],
        spans: [RoomName: HistorySpan]
    ) {
        self.server = server
        self.lastPost = lastPost
        self.offered = offered
        self.undecided = undecided
        self.spans = spans
    }

    package init(
        of server: KnownServer,
        in journal: any ClientJournal
    ) throws(JournalError) {
        self.server = server
        lastPost = try journal.lastPost(of: server)
        offered = try journal.offered(of: server)
        undecided = try journal.undecided(of: server)
        spans = [:]
        for room in server.rooms + [.lobby] {
            spans[room] = try journal.span(of: room, from: server)
        }
    }
}

/// What a client core asks of its journal. They are to be carried out one after the other, in order.
package enum StoreRequest: Hashable, Sendable {
    /// With the address that is to lead there. Result: `state`.
    case pin(PublicKey, at: String?)
    /// Result: `state`.
    case renewOutbox(OutboxID)
    /// Also without posts: to learn what other faces appended, or to send what is there. Result: `rows`.
    case enqueue([Post], after: PostNumber?, offering: Bool)
    /// How far the outbox was offered, by all faces. Result: `offered`.
    case offered
    case decide([PostNumber: PostDecision])
    /// What was decided last about posts of the outbox. Result: `decided`.
    case decided(limit: Int)
    case apply([Entry], RoomName)
    case forget(RoomName, beyond: SequenceNumber)
    /// Which rooms the faces together want to read. Result: `rooms`.
    case rooms
    case addRoom(RoomName)
    case removeRoom(RoomName)
    case setName(MemberName)
    case setToken([UInt8]?)
    /// Result: `span`.
    case span(RoomName)
    /// Result: `entries`.
    case history(RoomName, before: SequenceNumber?, limit: Int)

    /// Does what is asked. Blocks as long as the journal does.
    package func perform(
        for server: KnownServer,
        on journal: any ClientJournal
    ) throws(JournalError) -> StoreResult {
        switch self {
        case .pin(let key, let address):
            let pinned = try journal.pin(server, key: key, at: address)
            return .state(try LocalState(of: pinned, in: journal))
        case .renewOutbox(let outbox):
            let renewed = try journal.renewOutbox(of: server, to: outbox)
            return .state(try LocalState(of: renewed, in: journal))
        case .enqueue(let posts, let known, let offering):
            return .rows(
                try journal.enqueue(posts, to: server, after: known, offering: offering)
            )
        case .offered: return .offered(try journal.offered(of: server))
        case .decide(let decisions): try journal.decide(decisions, of: server)
        case .decided(let limit):
            return .decided(try journal.decided(of: server, limit: limit))
        case .apply(let entries, let room): try journal.apply(entries, of: room, from: server)
        case .forget(let room, let last):
            try journal.forget(room, beyond: last, from: server)
        case .rooms: return .rooms(try journal.rooms(of: server))
        case .addRoom(let room): try journal.addRoom(room, to: server)
        case .removeRoom(let room): try journal.removeRoom(room, from: server)
        case .setName(let name): try journal.setName(name, of: server)
        case .setToken(let token): try journal.setToken(token, of: server)
        case .span(let room): return .span(try journal.span(of: room, from: server))
        case .history(let room, let before, let limit):
            return .entries(
                try journal.history(of: room, from: server, before: before, limit: limit)
            )
        }
        return .done
    }
}

/// What the journal did.
package enum StoreResult: Hashable, Sendable {
    case done
    case state(LocalState)
    case rows([OutboxRow])
    case offered(PostNumber?)
    case decided([OutboxRow])
    case rooms([RoomName])
    case span(HistorySpan?)
    case entries([Entry])
}
