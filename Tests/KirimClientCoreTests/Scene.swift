import KirimClientCore
import KirimRooms
import KirimSimulation
import KirimTransport
import KirimWire

/// A chat client on a stage: a journal in memory, a transport that brings everything at once, and a server
/// that says what the test lets it say, in real bytes.
struct Scene {
    var chat: ChatClient
    let journal: MemoryClientJournal
    var now = Instant.start
    var events: [ClientEvent] = []
    /// What was asked on the present connection, in order.
    var requests: [Request] = []
    /// What was brought on the present connection, in order.
    var posts: [PostNumber] = []
    var datagrams: [Signal] = []
    var reconnects = 0
    /// Store requests wait here while the disk is slow.
    var isDiskSlow = false
    var waiting: [(StoreID, StoreRequest, KnownServer)] = []
    private var connection = ConnectionHandle(rawValue: 0)
    private var positions: [UInt64: UInt64] = [:]
    private var nextReply: UInt64 = 0
    private var tickets: UInt64 = 0

    static let key = key(1)
    static let me = Member(id: MemberID(rawValue: 7), key: key(2), name: name("ani"))

    static func key(_ byte: UInt8) -> PublicKey {
        PublicKey(bytes: [UInt8](repeating: byte, count: 32)) ?? Scene.key
    }
    static func name(_ text: String) -> MemberName { MemberName(text) ?? Scene.me.name }

    init(
        journal: MemoryClientJournal = MemoryClientJournal(dice: Dice(seed: 1)),
        configuration: ChatClient.Configuration = ChatClient.Configuration(),
        address: String = "test",
        isFirstContact: Bool = false
    ) throws {
        self.journal = journal
        var server = try journal.server(at: address)
        if server.key == nil, !isFirstContact { server = try journal.pin(server, key: Self.key) }
        chat = ChatClient(
            try LocalState(of: server, in: journal),
            configuration: configuration,
            outboxIDs: [OutboxID(rawValue: 91), OutboxID(rawValue: 92)]
        )
        run()
    }

    /// A new connection is ready.
    mutating func open() {
        connection = ConnectionHandle(rawValue: connection.rawValue + 1)
        positions = [:]
        nextReply = 0
        requests = []
        posts = []
        chat.opened(connection, serverKey: Self.key, at: now)
        run()
    }

    /// A new connection, a welcome, and the lobby's subscription begun after `first - 1`.
    mutating func enter(nextPost: UInt64 = 1, first: UInt64 = 1, last: UInt64 = 0) {
        open()
        welcome(nextPost: nextPost)
        subscribed(first: first, last: last)
    }

    mutating func welcome(nextPost: UInt64 = 1, limits: WireLimits = WireLimits(.standard)) {
        say(
            .welcome(
                id { if case .hello = $0 { true } else { false } },
                member: Self.me,
                nextPost: PostNumber(rawValue: nextPost),
                server: "test",
                limits: limits
            )
        )
    }

    mutating func subscribed(_ room: RoomName = .lobby, first: UInt64, last: UInt64) {
        let index = requests.lastIndex {
            if case .subscribe(_, room, _, _) = $0 { true } else { false }
        }
        guard let index, case .subscribe(let stream, _, _, _) = requests[index] else { return }
        say(
            .subscribed(
                RequestID(rawValue: UInt64(index)),
                stream: stream,
                room: room,
                first: SequenceNumber(rawValue: first),
                last: SequenceNumber(rawValue: last)
            )
        )
    }

    /// The newest request of a kind.
    func id(where matches: (Request) -> Bool) -> RequestID {
        RequestID(rawValue: UInt64(requests.lastIndex(where: matches) ?? 9_999))
    }

    mutating func say(_ reply: Reply) { say(bytes: reply.bytes) }

    mutating func say(bytes: [UInt8], number: UInt64? = nil) {
        bring(bytes, stream: ChatStream.control, number: number ?? nextReply)
        nextReply += 1
    }

    mutating func skipReplyNumber() { nextReply += 1 }

    /// An entry of a room arrives on the newest subscription's stream.
    mutating func entry(
        _ number: UInt64,
        _ text: String = "hi",
        room: RoomName = .lobby,
        authored: Int64 = 5,
        id: PostID? = nil
    ) {
        let request = requests.last {
            if case .subscribe(_, room, _, _) = $0 { true } else { false }
        }
        guard case .subscribe(let stream, _, _, _)? = request else { return }
        let entry = Self.entry(number, text, room: room, authored: authored, id: id)
        bring(entry.bytes, stream: stream, number: number)
    }

    static func entry(
        _ number: UInt64,
        _ text: String = "hi",
        room: RoomName = .lobby,
        authored: Int64 = 5,
        id: PostID? = nil
    ) -> Entry {
        Entry(
            sequence: SequenceNumber(rawValue: number),
            post: Post(room: room, authored: WallTime(milliseconds: authored), text: text),
            author: .member(me.id, me.name),
            id: id,
            received: WallTime(milliseconds: 6)
        )
    }

    mutating func bring(_ bytes: [UInt8], stream: UInt64, number: UInt64) {
        chat.received(
            .record(stream: stream, number: number, bytes: bytes),
            on: connection,
            at: now
        )
        run()
    }

    /// Entries of a page, as they come.
    mutating func bring(entries numbers: [UInt64], stream: UInt64) {
        for number in numbers {
            bring(Self.entry(number).bytes, stream: stream, number: number)
        }
    }

    mutating func arrived(postsBelow number: UInt64) {
        chat.received(
            .acknowledged(stream: ChatStream.posts, below: number),
            on: connection,
            at: now
        )
        run()
    }

    mutating func arrived(requestsBelow number: Int) {
        chat.received(
            .acknowledged(stream: ChatStream.control, below: UInt64(number)),
            on: connection,
            at: now
        )
        run()
    }

    mutating func close() {
        chat.received(.closed(.reset), on: connection, at: now)
        run()
    }

    mutating func pass(_ duration: Duration) {
        now = now.advanced(by: duration)
        chat.timePassed(to: now)
        run()
    }

    mutating func post(_ texts: String...) { post(texts) }

    mutating func post(_ texts: [String], room: RoomName = .lobby) {
        tickets += 1
        let posts = texts.map { Post(room: room, authored: WallTime(milliseconds: 1), text: $0) }
        chat.post(posts, ticket: Ticket(rawValue: tickets), at: now)
        run()
    }

    @discardableResult
    mutating func ask(_ request: ClientRequest) -> Ticket {
        tickets += 1
        chat.ask(request, ticket: Ticket(rawValue: tickets), at: now)
        run()
        return Ticket(rawValue: tickets)
    }

    /// Wishes to be in a room.
    mutating func enter(_ room: RoomName) {
        tickets += 1
        chat.enter(room, ticket: Ticket(rawValue: tickets))
        run()
    }

    /// Joins a room, and the server lets it.
    mutating func join(_ room: RoomName) {
        ask(.join(room))
        say(.done(id { $0 == .join(room) }))
    }

    mutating func decide(_ number: UInt64, _ decision: PostDecision) {
        say(.decided([PostNumber(rawValue: number): decision]))
    }

    /// Accepts a post at a place in the lobby.
    mutating func accept(_ number: UInt64, at place: UInt64) {
        decide(number, .accepted(.lobby, SequenceNumber(rawValue: place)))
    }

    mutating func run() {
        while let command = chat.nextCommand() {
            switch command {
            case .open(let stream, let first, _): positions[stream] = first
            case .offer(let end, let stream, _): fetch(stream, upTo: end)
            case .drop(let stream, _): positions[stream] = nil
            case .send(let bytes, _): datagrams += (try? [Signal(parsing: bytes)]) ?? []
            case .reconnect: reconnects += 1
            case .store(let id, let request):
                waiting.append((id, request, chat.knownServer))
                if !isDiskSlow { work() }
            case .tell(let event): events.append(event)
            }
        }
    }

    /// The disk does what waits.
    mutating func work() {
        while !waiting.isEmpty {
            let (id, request, server) = waiting.removeFirst()
            do throws(JournalError) {
                chat.stored(id, .success(try request.perform(for: server, on: journal)), at: now)
            } catch {
                chat.stored(id, .failure(error), at: now)
            }
        }
    }

    private mutating func fetch(_ stream: UInt64, upTo end: UInt64) {
        guard let first = positions[stream], first < end else { return }
        for number in first..<end {
            guard case .bytes(let bytes) = chat.record(number, stream: stream, of: connection)
            else {
                continue
            }
            if stream == ChatStream.control {
                if let request = try? Request(parsing: bytes) { requests.append(request) }
            } else if (try? Post(parsing: bytes)) != nil {
                posts.append(PostNumber(rawValue: number))
            }
        }
        positions[stream] = end
    }
}

extension Scene {
    /// Numbers of the lobby's entries that were told, in order.
    var told: [UInt64] {
        events.compactMap {
            if case .entry(let entry, _) = $0 { entry.sequence.rawValue } else { nil }
        }
    }

    var decisions: [PostDecision] {
        events.compactMap { if case .decided(_, let decision) = $0 { decision } else { nil } }
    }

    func answer(_ ticket: Ticket) -> Answer? {
        for case .answered(ticket, let answer) in events { return answer }
        return nil
    }
}
