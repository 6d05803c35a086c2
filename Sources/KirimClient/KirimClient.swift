import KirimClientCore
public import KirimRooms
public import KirimWire
import NIOPosix

/// One person's presence on one server: sends, receives, remembers, and finds the server again.
///
///     let chat = try await KirimClient.connect(to: .local, as: "ani")
///     try await chat.send("halo!").accepted()
///     for await event in chat.events {
///         if case .entry(let entry, _) = event { print(entry.text) }
///     }
///
/// The client goes on by itself through lost packets, changed addresses, sleep, and restarts of the server;
/// only ``Event/stopped(_:)`` needs somebody. All methods may be called from any task.
public final class KirimClient: Sendable {
    /// The address that was connected to.
    public let address: ServerAddress
    /// The public key of this device: who it is, on every server.
    public let identity: PublicKey

    private let engine: Engine

    init(_ engine: Engine, address: ServerAddress) {
        self.engine = engine
        self.address = address
        identity = engine.identity
    }

    deinit {
        // A client that was let go without a word says goodbye all the same.
        let engine = engine
        Task { await engine.close() }
    }

    /// Opens the outbox and the history, and goes to find the server.
    ///
    /// - Parameters:
    ///   - address: Where the server is; with a key, no other server is accepted there.
    ///   - name: The wished name; `nil` for the one borne there before, or any that is free. Where it is
    ///     taken, the server gives a free one: see ``Event/welcomed(_:server:)``.
    ///   - options: Everything else.
    /// - Returns: The client, at work.
    /// - Throws: ``KirimError``.
    public static func connect(
        to address: ServerAddress,
        as name: String? = nil,
        options: Options = Options()
    ) async throws -> KirimClient {
        var wished: MemberName?
        if let name {
            guard let checked = MemberName(name) else { throw KirimError(.nameNotAllowed) }
            wished = checked
        }
        let belongings = try await NIOThreadPool.singleton.runIfActive { [wished] in
            try Belongings(address: address, name: wished, options: options)
        }
        let engine = Engine(belongings, address: address, options: options)
        do {
            try await engine.start()
            if options.waitForServer { try await engine.welcomed() }
        } catch {
            await engine.close()
            throw error
        }
        return KirimClient(engine, address: address)
    }

    /// What happens, from the moment of ``connect(to:as:options:)`` on. There is one stream: tasks that read
    /// it at the same time share its events between them. It ends when the client is closed.
    ///
    /// A reader that is thousands of events behind is waited for: entries stay at the server meanwhile.
    public var events: AsyncStream<Event> {
        let buffer = engine.events
        return AsyncStream { await buffer.next() }
    }

    /// Puts a post into the outbox, and returns when it is durable there; the sending goes on by itself,
    /// also offline, also in the next run.
    ///
    /// - Parameters:
    ///   - text: At most 65,536 bytes of UTF-8, kept byte for byte.
    ///   - room: A room that this client has joined.
    ///   - kind: What it is; the kinds that need one bring a `reference`.
    ///   - reference: The entry that it edits, deletes, answers or reacts to.
    /// - Returns: The way to wait for the server's word.
    /// - Throws: ``KirimError`` with ``KirimError/Code/refused`` (too long, empty),
    ///   ``KirimError/Code/storage`` or ``KirimError/Code/closed``.
    @discardableResult
    public func send(
        _ text: String,
        to room: RoomName = .lobby,
        kind: EntryKind = .text,
        reference: SequenceNumber? = nil
    ) async throws -> Receipt {
        let post = Post(
            room: room,
            kind: kind,
            reference: reference,
            authored: WallTime(milliseconds: Machine.wallMilliseconds()),
            text: text
        )
        guard let receipt = try await engine.post([post]).first else {
            throw KirimError(.failed("the outbox did not take the message"))
        }
        return receipt
    }

    /// Puts several texts into the outbox at once, in one write: all of them, in this order, or none.
    ///
    /// - Throws: As ``send(_:to:kind:reference:)`` does.
    @discardableResult
    public func send(_ texts: [String], to room: RoomName = .lobby) async throws -> [Receipt] {
        guard !texts.isEmpty else { return [] }
        let time = WallTime(milliseconds: Machine.wallMilliseconds())
        return try await engine.post(texts.map { Post(room: room, authored: time, text: $0) })
    }

    /// Posts in the outbox without a decision, in order: those of earlier runs too.
    public func queued() async -> [QueuedPost] { await engine.queued() }

    /// The way to wait for each of ``queued()``.
    package func waiting() async -> [Receipt] { await engine.waiting() }

    /// Waits until the server has decided about everything that is in the outbox now.
    ///
    /// - Throws: ``KirimError`` with ``KirimError/Code/closed``, or why the client stopped;
    ///   `CancellationError`.
    public func drained() async throws { try await engine.drained() }

    /// Becomes a member of the room, making it if nobody has, and reads it from now on, in later runs too.
    ///
    /// - Throws: ``KirimError``: ``KirimError/Code/refused``, ``KirimError/Code/timedOut``.
    public func join(_ room: RoomName) async throws { _ = try await engine.ask(.join(room)) }

    /// Wishes to be in the room from now on, in later runs too, and returns when the wish is on disk. The server is
    /// asked as soon as it can be, before it gets the posts to that room; where it says no for ever,
    /// ``Event/left(_:_:)`` says why.
    package func enter(_ room: RoomName) async throws { try await engine.enter(room) }

    /// Reads the room no more and is no member of it. The lobby cannot be left.
    ///
    /// - Throws: ``KirimError``: ``KirimError/Code/refused``, ``KirimError/Code/timedOut``.
    public func leave(_ room: RoomName) async throws { _ = try await engine.ask(.leave(room)) }

    /// Makes the room, without joining it; it may exist.
    ///
    /// - Throws: ``KirimError``: ``KirimError/Code/refused``, ``KirimError/Code/timedOut``.
    public func create(_ room: RoomName) async throws { _ = try await engine.ask(.create(room)) }

    /// The rooms that this client reads, in the order in which they were joined.
    public func joinedRooms() async -> [RoomName] { await engine.joinedRooms() }

    /// All rooms of the server.
    ///
    /// - Throws: ``KirimError``: ``KirimError/Code/refused``, ``KirimError/Code/timedOut``.
    public func rooms() async throws -> [RoomSummary] {
        guard case .rooms(let rooms) = try await engine.ask(.listRooms) else { return [] }
        return rooms
    }

    /// Everybody in the room, who is here first; at most 1,000.
    ///
    /// - Throws: ``KirimError``: ``KirimError/Code/refused``, ``KirimError/Code/timedOut``.
    public func members(of room: RoomName) async throws -> [MemberStatus] {
        guard case .members(_, let members) = try await engine.ask(.listMembers(room)) else {
            return []
        }
        return members
    }

    /// Older entries of a room that this client reads, the oldest first: from this machine's history, or from
    /// the server where that does not reach.
    ///
    /// - Parameters:
    ///   - room: The room.
    ///   - before: Where to begin, going back; `nil` for the newest.
    ///   - limit: At most so many, 1 to 500.
    /// - Returns: Entries without a gap, up to the one before `before`; none at the log's beginning.
    /// - Throws: ``KirimError``: ``KirimError/Code/refused``, ``KirimError/Code/timedOut``,
    ///   ``KirimError/Code/storage``.
    public func history(
        of room: RoomName,
        before: SequenceNumber? = nil,
        limit: Int = 50
    ) async throws -> [Entry] {
        let answer = try await engine.ask(.page(room, before: before, limit: limit))
        guard case .entries(let entries) = answer else { return [] }
        return entries
    }

    /// Binds another name to this key, for all its clients.
    ///
    /// - Throws: ``KirimError`` with ``KirimError/Code/refused`` where the name is taken.
    public func rename(to name: MemberName) async throws { _ = try await engine.ask(.rename(name)) }

    /// Tells others whether somebody is at the keyboard. `online` and `away` only.
    public func setPresence(_ presence: Presence) async {
        guard presence != .offline else { return }
        await engine.setPresence(presence)
    }

    /// Who this client is on the server; `nil` before the first welcome.
    public func me() async -> Member? { await engine.me() }

    /// How things stand now.
    public func link() async -> LinkStatus { await engine.link() }

    /// Says goodbye, and lets go of sockets and files. Posts without a decision stay in the outbox.
    public func close() async { await engine.close() }
}
