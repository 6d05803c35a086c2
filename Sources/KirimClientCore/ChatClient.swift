import DequeModule
package import KirimRooms
package import KirimTransport
package import KirimWire

/// The chat of one client, above the transport: a local view of the rooms, and the outbox.
///
/// - Facts in: ``opened(_:serverKey:at:)``, ``received(_:on:at:)``, ``stored(_:_:at:)``, ``timePassed(to:)``.
/// - Wishes in: ``post(_:ticket:at:)``, ``ask(_:ticket:at:)``, ``setPresence(_:at:)``.
/// - Work out: ``nextCommand()`` until `nil`. Records are asked for through ``record(_:stream:of:)``.
/// - One ``deadline``.
///
/// What is said on a connection is said again on the next one: the chat's messages mean the same however often
/// they are repeated, so a lost connection loses nothing (PROTOCOL.md §6).
package struct ChatClient {
    let configuration: Configuration
    var server: KnownServer
    /// The address that is to lead to the server once its key has proved itself.
    var address: String?
    var outbox = Outbox()
    /// In the order of joining; the lobby is always there.
    var readers: [RoomReader] = []
    var session: Session?
    var me: Member?
    var limits: WireLimits
    var commands: Deque<Command> = []
    var storage = Storage()
    var wishes: [Wish] = []
    var presence = PresenceTeller()
    /// Rooms of posts that are not read here. The journal is asked whether another face has joined them.
    var unclear: [RoomName] = []
    /// When the journal is asked once more which rooms the faces want.
    var lookAgain: Instant?
    /// The server has not heard yet that another name is wished for.
    var isNameWished = false
    /// Numbers for outboxes to come, drawn beforehand.
    var outboxIDs: [OutboxID]
    /// The face is far behind: no room is read, and the cursors stay where they are.
    var isReadingPaused = false
    package private(set) var counters = Counters()

    /// What the owner is to do, in this order.
    package enum Command: Hashable, Sendable {
        case open(stream: UInt64, at: UInt64, of: ConnectionHandle)
        case offer(upTo: UInt64, on: UInt64, of: ConnectionHandle)
        case drop(stream: UInt64, of: ConnectionHandle)
        case send(datagram: [UInt8], to: ConnectionHandle)
        /// Make a new connection in place of this one.
        case reconnect
        case store(StoreID, StoreRequest)
        case tell(ClientEvent)
    }

    /// What went wrong on the server's side. Only ever grows.
    package struct Counters: Hashable, Sendable {
        /// Records and datagrams that made no sense.
        package var malformed: UInt64 = 0
        /// Records of streams that nobody reads (any more).
        package var stray: UInt64 = 0
    }

    package init(
        _ local: LocalState,
        configuration: Configuration,
        outboxIDs: [OutboxID]
    ) {
        self.configuration = configuration
        self.outboxIDs = outboxIDs
        server = local.server
        address = local.address
        limits = WireLimits(.standard)
        _ = adopt(local)
    }

    /// Takes over rows, rooms and spans; returns posts that other faces had decided meanwhile.
    mutating func adopt(_ local: LocalState) -> [LocalPost] {
        // A wish that no server has granted yet is not in the journal.
        let name = server.name ?? local.server.name
        server = local.server
        server.name = name
        let (fresh, gone) = outbox.renumber(
            local.undecided,
            last: local.lastPost,
            offered: local.offered
        )
        for post in fresh { tell(.queued(post)) }
        for room in [.lobby] + local.server.rooms where index(of: room) == nil {
            readers.append(
                RoomReader(
                    name: room,
                    isMember: room == .lobby,
                    span: local.spans[room],
                    patience: configuration.gapPatience
                )
            )
        }
        return gone
    }

    package mutating func nextCommand() -> Command? {
        if commands.isEmpty { prepareStorage() }
        return commands.popFirst()
    }
}

// MARK: - Questions

extension ChatClient {
    /// Posts without a decision.
    package var queuedCount: Int { outbox.posts.count }
    package var queued: [LocalPost] { Array(outbox.posts) }
    package var firstQueued: LocalPost? { outbox.posts.first }
    package var lastQueued: LocalPost? { outbox.posts.last }
    /// The rooms that are read, in the order of joining.
    package var joinedRooms: [RoomName] { readers.map(\.name) }
    /// The connection in use.
    package var connection: ConnectionHandle? { session?.connection }
    /// Who we are there.
    package var member: Member? { me }
    package var knownServer: KnownServer { server }
    /// Whether the server owes us something: a decision, an answer.
    package var isWaiting: Bool {
        guard let session else { return false }
        return !outbox.isEmpty || !session.asked.isEmpty
    }
    /// The last entry of the room that was told.
    package func cursor(of room: RoomName) -> SequenceNumber? {
        index(of: room).flatMap { readers[$0].cursor }
    }

    package var deadline: Instant? {
        var times = [presence.deadline, storage.deadline, postsDeadline, helloDeadline, lookAgain]
        if session?.isReady == true { times += readers.map(\.deadline) }
        return times.compactMap { $0 }.min()
    }

    /// When a server that did not take us in is asked again.
    private var helloDeadline: Instant? {
        if case .refused(let until)? = session?.stage { until } else { nil }
    }

    func index(of room: RoomName) -> Int? { readers.firstIndex { $0.name == room } }
}

// MARK: - Facts

extension ChatClient {
    /// A new connection is ready; older ones mean nothing from now on.
    package mutating func opened(
        _ connection: ConnectionHandle,
        serverKey: PublicKey,
        at now: Instant
    ) {
        endSession()
        session = Session(connection: connection)
        if server.key == nil || address != nil {
            storage.pinning = serverKey
            return
        }
        if storage.isRenumbering { return }
        greet()
    }

    /// Something on a connection. What comes on another than the newest was asked for again on that one.
    package mutating func received(
        _ event: ConnectionEvent,
        on connection: ConnectionHandle,
        at now: Instant
    ) {
        guard session?.connection == connection else { return }
        switch event {
        case .record(let stream, let number, let bytes):
            if stream == ChatStream.control {
                receiveControl(bytes, number: number, at: now)
            } else {
                receiveEntry(bytes, number: number, stream: stream, at: now)
            }
        case .datagram(let bytes): receiveSignal(bytes)
        case .acknowledged(let stream, let number):
            switch stream {
            case ChatStream.control: session?.control.acknowledged(below: number)
            case ChatStream.posts: session?.postsArrived(below: number, at: now)
            default: break
            }
        case .moved: break
        case .closed: endSession()
        }
    }

    package mutating func timePassed(to now: Instant) {
        storage.timePassed(to: now)
        if presence.isDue(at: now) { tellPresence() }
        if let due = helloDeadline, due <= now { reconnect() }
        if let due = lookAgain, due <= now {
            lookAgain = nil
            storage.toLookUp.isForAll = true
        }
        guard session?.isReady == true else { return }
        if let due = postsDeadline, due <= now { offerPostsAgain() }
        for index in readers.indices {
            guard let due = readers[index].deadline, due <= now else { continue }
            if let stream = readers[index].stream {
                abandon(stream)
                readers[index].gaveUp()
            } else {
                // Due once: should something else stand in the way, its end is what reading waits for.
                readers[index].pause()
            }
            read(index, at: now)
        }
    }

    /// The next connect is faster with it.
    package mutating func keep(token: [UInt8]) {
        server.token = token
        storage.token = token
    }

    /// Forgets what belonged to the connection.
    package mutating func endSession() {
        session = nil
        for index in readers.indices { readers[index].pause() }
        for index in wishes.indices { wishes[index].pause() }
    }

    private mutating func receiveSignal(_ bytes: [UInt8]) {
        guard
            case .presenceOf(let room, let id, let name, let state, let online)? =
                try? Signal(parsing: bytes)
        else {
            counters.malformed += 1
            return
        }
        guard index(of: room) != nil else { return }
        tell(.presence(room, id, name, state, online: online))
    }

    private mutating func receiveControl(_ bytes: [UInt8], number: UInt64, at now: Instant) {
        do {
            try session?.control.receive(bytes, number: number)
        } catch .tooLong {
            reconnect()
            return
        } catch {
            counters.malformed += 1
        }
        while let (number, reply) = session?.control.next() { take(reply, number: number, at: now) }
    }

    // What the transport is to do with the present connection; nothing without one.

    mutating func open(stream: UInt64, at first: UInt64) {
        guard let connection else { return }
        commands.append(.open(stream: stream, at: first, of: connection))
    }

    mutating func offer(upTo end: UInt64, on stream: UInt64) {
        guard let connection else { return }
        commands.append(.offer(upTo: end, on: stream, of: connection))
    }

    mutating func drop(stream: UInt64) {
        guard let connection else { return }
        commands.append(.drop(stream: stream, of: connection))
    }

    mutating func send(_ signal: Signal) {
        guard let connection else { return }
        commands.append(.send(datagram: signal.bytes, to: connection))
    }

    mutating func countStray() { counters.stray += 1 }
    mutating func countMalformed() { counters.malformed += 1 }

    mutating func tell(_ event: ClientEvent) { commands.append(.tell(event)) }

    /// The connection is of no use any more.
    mutating func reconnect() {
        endSession()
        commands.append(.reconnect)
    }
}

// MARK: - Records

extension ChatClient: RecordSource {
    package mutating func record(
        _ number: UInt64,
        stream: UInt64,
        of connection: ConnectionHandle
    ) -> RecordLookup {
        guard let session, session.connection == connection else { return .gone }
        switch stream {
        case ChatStream.control:
            return session.control.bytes(of: number).map(extended) ?? .gone
        case ChatStream.posts:
            // Decided ones need not be repeated; numbers of other faces' decided posts are not here.
            guard let post = outbox.post(PostNumber(rawValue: number)) else { return .gone }
            return extended(post.post.bytes)
        default: return .gone
        }
    }

    private func extended(_ message: [UInt8]) -> RecordLookup {
        let extensions = configuration.extensions
        return .bytes(extensions.isEmpty ? message : message + extensions)
    }
}

// MARK: - Small parts

extension ChatClient {
    package struct Configuration: Sendable {
        /// Entries that a room which is new to us begins with. Two screens.
        package var history: UInt64 = 50
        /// A subscription that brings nothing for so long while something is missing is asked for again.
        package var gapPatience: Duration = .seconds(30)
        /// Posts that have arrived and are not decided after so long are offered again. Far above any
        /// server's commit.
        package var decisionPatience: Duration = .seconds(20)
        /// Wait after a failed write before it is tried again.
        package var storeRetry: Duration = .seconds(5)
        /// Wait before something that the server refused for a passing reason is asked for again.
        package var askAgain: Duration = .seconds(5)
        /// Undecided posts in memory, and bytes of their texts: what a piped file may queue.
        package var outboxLimit = 100_000
        package var outboxByteLimit = 268_435_456
        /// Wishes that wait for an answer, and how many of them are with the server at once.
        package var wishLimit = 256
        package var wishesInFlight = 16
        /// What the operator sees this program named as.
        package var agent = "kirim"
        /// Whole extensions (PROTOCOL.md §6) behind each request and post, for readers to pass over: none that mean
        /// something exist.
        package var extensions: [UInt8] = []

        package init() {}
    }
}

/// When a member's presence is told: at once and, because datagrams get lost, three times more.
struct PresenceTeller {
    private(set) var presence = Presence.online
    private var repeats: [Duration] = []
    private var due: Instant?

    static let schedule: [Duration] = [.seconds(2), .seconds(10), .seconds(30)]

    var deadline: Instant? { due }

    mutating func tell(_ presence: Presence, at now: Instant) {
        self.presence = presence
        repeats = Self.schedule
        due = now
    }

    /// Whether to say it now; plans the next time.
    mutating func isDue(at now: Instant) -> Bool {
        guard let time = due, time <= now else { return false }
        due = repeats.isEmpty ? nil : now.advanced(by: repeats.removeFirst())
        return true
    }
}
