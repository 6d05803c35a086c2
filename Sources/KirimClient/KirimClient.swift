public import KirimRooms
public import KirimWire

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

    init(address: ServerAddress, identity: PublicKey) {
        self.address = address
        self.identity = identity
    }

    /// Opens the outbox and the history, and goes to find the server.
    ///
    /// - Parameters:
    ///   - address: Where the server is; with a key, no other server is accepted there.
    ///   - name: The wished name; `nil` for the one borne there before, or any that is free. Where it is
    ///     taken, the server gives a free one: see ``Event/welcomed(_:server:)``.
    ///   - options: Everything else.
    /// - Throws: ``KirimError``.
    public static func connect(
        to address: ServerAddress,
        as name: String? = nil,
        options: Options = Options()
    ) async throws -> KirimClient {
        throw KirimError(code: .unreachable, message: "Not built yet.")
    }

    /// What happens, from the moment of ``connect(to:as:options:)`` on. There is one stream: the tasks
    /// that read it share its events between them. It ends when the client is closed.
    public var events: AsyncStream<Event> { AsyncStream { $0.finish() } }

    /// Puts a post into the outbox, and returns when it is durable there; the sending goes on by itself,
    /// also offline, also in the next run.
    ///
    /// - Parameters:
    ///   - text: At most 65,536 bytes of UTF-8, kept byte for byte.
    ///   - room: A room that this client has joined.
    ///   - kind: What it is; the kinds that need one bring a `reference`.
    ///   - reference: The entry that it edits, deletes, answers or reacts to.
    /// - Throws: ``KirimError`` with ``KirimError/Code/refused`` (too long, empty),
    ///   ``KirimError/Code/storage`` or ``KirimError/Code/closed``.
    @discardableResult
    public func send(
        _ text: String,
        to room: RoomName = .lobby,
        kind: EntryKind = .text,
        reference: SequenceNumber? = nil
    ) async throws -> Receipt {
        throw KirimError(code: .closed, message: "Not built yet.")
    }

    /// Puts several texts into the outbox at once, in one write: all of them, in this order, or none.
    public func send(_ texts: [String], to room: RoomName = .lobby) async throws -> [Receipt] {
        throw KirimError(code: .closed, message: "Not built yet.")
    }

    /// Posts in the outbox without a decision, in order: those of earlier runs too.
    public func queued() async -> [QueuedPost] { [] }

    /// Waits until the server has decided about everything that is in the outbox now.
    ///
    /// - Throws: ``KirimError`` with ``KirimError/Code/closed``; `CancellationError`.
    public func drained() async throws {}

    /// Becomes a member of the room, making it if nobody has, and reads it from now on, in later runs too.
    /// Waits for the server. - Throws: ``KirimError``.
    public func join(_ room: RoomName) async throws {}

    /// Reads the room no more and is no member of it. The lobby cannot be left.
    public func leave(_ room: RoomName) async throws {}

    /// Makes the room, without joining it; it may exist.
    public func create(_ room: RoomName) async throws {}

    /// The rooms that this client reads, in the order in which they were joined.
    public func joinedRooms() async -> [RoomName] { [] }

    /// All rooms of the server.
    public func rooms() async throws -> [RoomSummary] { [] }

    /// Everybody in the room, in a stable order.
    public func members(of room: RoomName) async throws -> [MemberStatus] { [] }

    /// Older entries of a room that this client reads, the oldest first: from this machine's history, or from
    /// the server where that does not reach.
    ///
    /// - Parameters:
    ///   - room: The room.
    ///   - before: Where to begin, going back; `nil` for the newest.
    ///   - limit: At most so many, 1 to 500.
    public func history(
        of room: RoomName,
        before: SequenceNumber? = nil,
        limit: Int = 50
    ) async throws -> [Entry] { [] }

    /// Binds another name to this key, for all its clients.
    ///
    /// - Throws: ``KirimError`` with ``KirimError/Code/refused`` where the name is taken.
    public func rename(to name: MemberName) async throws {}

    /// Tells others whether somebody is at the keyboard. `online` and `away` only.
    public func setPresence(_ presence: Presence) async {}

    /// Who this client is on the server; `nil` before the first welcome.
    public func me() async -> Member? { nil }

    /// How things stand now.
    public func link() async -> LinkStatus { LinkStatus(phase: .connecting) }

    /// Says goodbye, and lets go of sockets and files. Posts without a decision stay in the outbox.
    public func close() async {}

    func decision(about id: QueuedPost.ID) async throws -> PostDecision {
        throw KirimError(code: .closed, message: "Not built yet.")
    }
}
