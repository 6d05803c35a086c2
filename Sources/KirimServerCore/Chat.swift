import DequeModule
package import KirimRooms
package import KirimTransport
package import KirimWire

/// The chat of a server without its transport: members, rooms, sessions, and what is to be kept.
///
/// - Facts in: what happened on a connection, what the journal did, what a plain client said, time.
/// - Wishes in: the operator's.
/// - Work out: ``settle(at:)``, then ``nextEffect()`` until `nil`.
/// - It is the ``RecordSource`` of every stream: a room's tail, a shelf of old entries, kept replies.
///
/// Nothing is told to anybody before it is durable: a fact leads to a write, the write's outcome to
/// entries and replies.
package struct Chat {
    let configuration: ServerCore.Configuration
    var directory: Directory
    var rooms: [RoomName: Room] = [:]
    /// In the order of their making.
    var roomOrder: [RoomName] = []
    var sessions: [ConnectionHandle: Session] = [:]
    var outboxes: [OutboxKey: Outbox] = [:]
    var bans: BanList
    var ledger = Ledger()
    var shelf = Shelf()
    /// Why reads failed, as far as that was told.
    var unreadReasons: [JournalError] = []
    var effects: Deque<Effect> = []

    /// Keys whose enrolment is being committed, and the hellos that wait for it.
    var enrolling: [PublicKey: [Greeting]] = [:]
    var enrolments: PrefixPaces
    /// Outboxes that the journal is asked about, and the hellos that wait for it.
    var lookups: [(id: LookupID, outbox: OutboxKey, greetings: [Greeting])] = []
    var nextLookup: UInt64 = 1
    /// Whoever was put out, and until when.
    var kicked: [(key: PublicKey, until: Instant)] = []
    /// Rooms whose making is being committed.
    var creating: Set<RoomName> = []
    /// Members whose joining is being committed.
    var joining: [RoomName: Set<MemberID>] = [:]
    /// Decisions that go out at the end of the turn.
    var decisions: [ConnectionHandle: [PostNumber: PostDecision]] = [:]
    var dirtyRooms: [RoomName] = []
    /// Outboxes whose posts wait here for their member's rate.
    var throttled: [(outbox: OutboxKey, until: Instant)] = []
    var nextSweep: Instant?
    /// Members that spoke of their presence, and when the others may be told of it.
    var unannounced: [MemberID: Instant] = [:]

    /// A hello that waits.
    struct Greeting {
        var connection: ConnectionHandle
        var request: RequestID
        var outbox: OutboxID
        var name: MemberName?
    }

    /// What the chat wants done.
    package enum Effect: Hashable, Sendable {
        case open(UInt64, at: UInt64, ConnectionHandle)
        case offer(upTo: UInt64, UInt64, ConnectionHandle)
        case resume(UInt64, ConnectionHandle)
        case drop(UInt64, ConnectionHandle)
        case send([UInt8], ConnectionHandle)
        case close(ConnectionHandle, CloseCode, reason: String)
        /// An entry of the lobby, for plain clients.
        indirect case relay(Entry)
        /// Large, and seldom beside the offers of a fan-out, as the others are small: so it stands elsewhere.
        indirect case output(ServerCore.Output)
    }

    /// `salt`: what nobody outside knows.
    package init(
        _ snapshot: JournalSnapshot,
        configuration: ServerCore.Configuration,
        salt: UInt64
    ) {
        self.configuration = configuration
        enrolments = PrefixPaces(configuration.enrolments, salt: salt)
        directory = Directory(snapshot.members, limits: configuration.limits)
        bans = BanList(snapshot.bans)
        for room in snapshot.rooms {
            rooms[room.name] = Room(room)
            roomOrder.append(room.name)
            for member in room.members { directory[member]?.rooms.append(room.name) }
        }
        if rooms[.lobby] == nil {
            rooms[.lobby] = Room(.lobby)
            roomOrder.insert(.lobby, at: 0)
        }
    }

    // MARK: - Facts

    package mutating func opened(
        _ connection: ConnectionHandle,
        by key: PublicKey,
        from address: Address,
        redeemed invitation: [UInt8]?,
        at now: Instant
    ) {
        if let invitation { ledger.add([.redeem(invitation, key)], .housekeeping) }
        if let (code, reason) = reasonToStayOut(key, address, at: now) {
            if code == .banned { note(.turnedAway(address, .banned)) }
            return close(connection, code, reason)
        }
        let pace = Pace(
            Rate(perSecond: configuration.requestsPerSecond, burst: configuration.requestBurst)
        )
        sessions[connection] = Session(
            key: key,
            openedAt: now,
            address: address,
            pace: pace
        )
        effects.append(.open(ChatStream.control, at: 0, connection))
        if nextSweep == nil { nextSweep = now.advanced(by: Self.sweepInterval) }
    }

    package mutating func happened(
        _ event: ConnectionEvent,
        on connection: ConnectionHandle,
        at now: Instant,
        wall: WallTime
    ) {
        guard let isClosing = sessions[connection]?.isClosing else { return }
        if isClosing {
            if case .closed = event { closed(connection) }
            return
        }
        switch event {
        case .record(ChatStream.control, let number, let bytes):
            receiveRequest(number, bytes, from: connection, at: now, wall: wall)
        case .record(ChatStream.posts, let number, let bytes):
            receivePost(PostNumber(rawValue: number), bytes, from: connection, at: now, wall: wall)
        case .record:
            close(connection, .violation, "There is no such stream.")
        case .datagram(let bytes):
            // Who is gone is what the server sees: nobody reads along and says of itself that it is away.
            guard case .presence(let presence)? = try? Signal(parsing: bytes), presence != .offline
            else { return }
            sessions[connection]?.isAway = presence == .away
            sessions[connection]?.isSilent = false
            if let member = sessions[connection]?.member { unannounced[member] = .start }
        case .acknowledged(ChatStream.control, let below):
            sessions[connection]?.replies.acknowledged(below: below)
        case .acknowledged(let stream, let below):
            finishSubscription(stream, read: below, of: connection)
        case .moved(let path):
            sessions[connection]?.address = path.remote
            if bans.contains(path.remote.ip) {
                return close(connection, .banned, "You are banned from this server.")
            }
            // Two sockets that send by turns move with every packet: a log is not written for each.
            guard sessions[connection]?.moves.take(at: now) == nil else { break }
            if let name = name(on: connection) { note(.moved(name, path.remote)) }
        case .closed:
            closed(connection)
        }
    }

    private mutating func closed(_ connection: ConnectionHandle) {
        guard let session = sessions.removeValue(forKey: connection) else { return }
        shelf.forget(connection)
        decisions[connection] = nil
        for subscription in session.streams {
            subscription.room.readers.remove(subscription.stream, of: connection)
        }
        guard let member = session.member else { return }
        directory[member]?.connections.removeAll { $0 == connection }
        if let outbox = session.outbox { releaseOutbox(outbox) }
        if directory[member]?.connections.isEmpty == true, let name = directory[member]?.member.name
        {
            directory[member]?.since = nil
            note(.departed(name, session.address))
        }
        refreshPresence(of: member)
    }

    // MARK: - Work

    /// Ends a turn: answers gather into records, readers are offered what is new, one commit and some
    /// reads are asked for.
    package mutating func settle(at now: Instant) {
        if !decisions.isEmpty { flushDecisions() }
        if !unannounced.isEmpty { announcePresence(at: now) }
        for name in dirtyRooms {
            guard let room = rooms[name], room.isDirty else { continue }
            rooms[name]?.isDirty = false
            for reader in room.readers.all {
                let end = min(room.last, reader.until ?? room.last).next
                effects.append(.offer(upTo: end.rawValue, reader.stream, reader.connection))
            }
        }
        dirtyRooms.removeAll(keepingCapacity: true)
        if let (id, writes) = ledger.begin(at: now) {
            effects.append(.output(.commit(id, writes)))
        }
        while let (id, query) = shelf.begin(at: now) {
            effects.append(.output(.read(id, query)))
        }
    }

    package mutating func nextEffect() -> Effect? { effects.popFirst() }

    /// Whether nothing is left to do in this turn.
    package var isSettled: Bool { effects.isEmpty }

    /// When ``settle(at:)`` or the sweep has something to do.
    package var deadline: Instant? {
        let waits = [
            ledger.deadline, shelf.deadline, sessions.isEmpty ? nil : nextSweep,
            unannounced.values.min(),
        ]
        return (waits.compactMap(\.self) + throttled.map(\.until)).min()
    }

    // MARK: - Small parts

    mutating func note(_ note: ServerNote) { effects.append(.output(.note(note))) }

    mutating func close(_ connection: ConnectionHandle, _ code: CloseCode, _ reason: String) {
        guard sessions[connection]?.isClosing != true else { return }
        sessions[connection]?.isClosing = true
        effects.append(.close(connection, code, reason: reason))
    }

    func name(on connection: ConnectionHandle) -> MemberName? {
        sessions[connection]?.member.flatMap { directory[$0]?.member.name }
    }

    /// Puts a reply on the control stream. Whoever leaves too many unread is closed, and reconnects.
    mutating func reply(_ reply: Reply, to connection: ConnectionHandle) {
        guard sessions[connection]?.isClosing == false else { return }
        sessions[connection]?.replies.append(reply.bytes)
        guard let replies = sessions[connection]?.replies else { return }
        if replies.count > configuration.replyRecords
            || replies.byteCount > configuration.replyBytes
        {
            return close(connection, .tooSlow, "Replies pile up unread.")
        }
        effects.append(.offer(upTo: replies.end, ChatStream.control, connection))
    }

    mutating func flushDecisions() {
        let due = decisions.sorted { $0.key.rawValue < $1.key.rawValue }
        decisions.removeAll(keepingCapacity: true)
        for (connection, all) in due {
            let ordered = all.sorted { $0.key < $1.key }
            for start in stride(from: 0, to: ordered.count, by: Reply.decisionsPerReply) {
                let part = ordered[start..<min(start + Reply.decisionsPerReply, ordered.count)]
                let pairs = part.map { ($0.key, $0.value) }
                reply(.decided(Dictionary(uniqueKeysWithValues: pairs)), to: connection)
            }
        }
    }

    /// Takes a committed entry into its room, and to whom it concerns.
    mutating func place(_ entry: Entry) {
        rooms[entry.room]?.append(entry, limits: configuration.limits)
        dirtyRooms.append(entry.room)
        if entry.room == .lobby { effects.append(.relay(entry)) }
    }
}

extension Chat: RecordSource {
    package mutating func record(
        _ number: UInt64,
        stream: UInt64,
        of connection: ConnectionHandle
    ) -> RecordLookup {
        guard let session = sessions[connection] else { return .gone }
        if stream == ChatStream.control {
            return session.replies[number].map(extended) ?? .gone
        }
        guard let subscription = session.streams[stream: stream] else { return .gone }
        let room = subscription.room
        if let recent = room.recent(number) { return extended(recent.bytes) }
        guard number > 0, number <= room.last.rawValue else { return .gone }
        let end = min(room.firstInTail, subscription.until?.next.rawValue ?? .max)
        if let old = shelf.entry(number, in: room.name, before: end) {
            return extended(old)
        }
        shelf.want(number, in: room.name, for: .stream(connection, stream))
        return .later
    }

    private func extended(_ message: [UInt8]) -> RecordLookup {
        let extensions = configuration.extensions
        return .bytes(extensions.isEmpty ? message : message + extensions)
    }
}
