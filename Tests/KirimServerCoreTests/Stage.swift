// swift-format-ignore-file: NeverForceUnwrap

import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire

/// A chat, a journal in memory, and clients that see what a transport without loss would bring them.
struct Stage {
    var chat: Chat
    var journal = PaperJournal()
    var now = Instant.start
    var wall = WallTime(milliseconds: 1_000)
    var notes: [ServerNote] = []
    var relayed: [Entry] = []
    var clients: [ConnectionHandle: Client] = [:]
    /// Commits that were asked for, in order; answered by ``turn()`` unless ``holdsCommits``.
    var commits: [(id: CommitID, writes: [JournalWrite])] = []
    var holdsCommits = false
    var fails: JournalError?
    var reads = 0
    private var nextConnection: UInt64 = 1
    let configuration: ServerCore.Configuration

    struct Client {
        var number: UInt64 = 0
        var replies: [Reply] = []
        var streams: [UInt64: (next: UInt64, end: UInt64)] = [:]
        var records: [UInt64: [UInt64: [UInt8]]] = [:]
        var signals: [Signal] = []
        var closed: CloseCode?
        var stalled: Set<UInt64> = []
        /// A reader that takes nothing more.
        var isStuck = false
    }

    init(_ change: (inout ServerCore.Configuration) -> Void = { _ in }) {
        var configuration = ServerCore.Configuration()
        change(&configuration)
        self.configuration = configuration
        chat = Chat(journal.snapshot, configuration: configuration, salt: 1)
    }

    /// The server is killed and starts again with what was kept.
    mutating func restart() {
        chat = Chat(journal.snapshot, configuration: configuration, salt: 1)
        clients = [:]
        commits = []
    }

    static func key(_ seed: UInt8) -> PublicKey {
        PublicKey(bytes: Array(repeating: seed, count: 32))!
    }

    static func address(_ seed: UInt8) -> Address {
        Address(ip: .v4(0x0A00_0000 | UInt32(seed)), port: 5_000)
    }

    mutating func connect(_ seed: UInt8, from place: UInt8? = nil) -> ConnectionHandle {
        let connection = ConnectionHandle(rawValue: nextConnection)
        nextConnection += 1
        clients[connection] = Client()
        chat.opened(
            connection,
            by: Self.key(seed),
            from: Self.address(place ?? seed),
            redeemed: nil,
            at: now
        )
        turn()
        return connection
    }

    /// Connects and says hello.
    mutating func arrive(
        _ seed: UInt8,
        _ name: String? = nil,
        outbox: UInt64? = nil
    ) -> ConnectionHandle {
        let connection = connect(seed)
        let outbox = OutboxID(rawValue: outbox ?? UInt64(seed))
        ask(
            .hello(name: name.flatMap { MemberName($0) }, outbox: outbox, agent: "test"),
            connection
        )
        return connection
    }

    mutating func say(_ request: Request, _ connection: ConnectionHandle) {
        let number = clients[connection]!.number
        clients[connection]!.number += 1
        happen(
            .record(stream: ChatStream.control, number: number, bytes: request.bytes),
            connection
        )
    }

    mutating func ask(_ request: Request, _ connection: ConnectionHandle) {
        say(request, connection)
        turn()
    }

    mutating func happen(_ event: ConnectionEvent, _ connection: ConnectionHandle) {
        chat.happened(event, on: connection, at: now, wall: wall)
    }

    mutating func post(
        _ number: UInt64,
        _ text: String,
        _ connection: ConnectionHandle,
        room: RoomName = .lobby,
        kind: EntryKind = .text,
        reference: UInt64? = nil
    ) {
        let post = Post(
            room: room,
            kind: kind,
            reference: reference.map { SequenceNumber(rawValue: $0) },
            authored: wall,
            text: text
        )
        happen(
            .record(stream: ChatStream.posts, number: number, bytes: post.bytes),
            connection
        )
    }

    /// Ends turns until nothing is left to do.
    mutating func turn() {
        while true {
            chat.settle(at: now)
            var isIdle = true
            while let effect = chat.nextEffect() {
                isIdle = false
                take(effect)
            }
            deliver()
            if !holdsCommits, !commits.isEmpty {
                isIdle = false
                answerCommit()
            }
            if isIdle, chat.isSettled { return }
        }
    }

    mutating func answerCommit() {
        let commit = commits.removeFirst()
        let result: Result<[JournalOutcome], JournalError> =
            fails.map { .failure($0) } ?? .success(journal.commit(commit.writes))
        chat.committed(commit.id, result, at: now, wall: wall)
    }

    private mutating func take(_ effect: Chat.Effect) {
        switch effect {
        case .open(let stream, let first, let connection):
            clients[connection]?.streams[stream] = (first, first)
        case .offer(let end, let stream, let connection):
            guard let old = clients[connection]?.streams[stream] else { return }
            clients[connection]?.streams[stream] = (old.next, max(old.end, end))
        case .resume(let stream, let connection): clients[connection]?.stalled.remove(stream)
        case .drop(let stream, let connection): clients[connection]?.streams[stream] = nil
        case .send(let bytes, let connection):
            if let signal = try? Signal(parsing: bytes) {
                clients[connection]?.signals.append(signal)
            }
        case .close(let connection, let code, _):
            clients[connection]?.closed = code
            happen(.closed(.local), connection)
        case .relay(let entry): relayed.append(entry)
        case .output(.note(let note)): notes.append(note)
        case .output(.commit(let id, let writes)): commits.append((id, writes))
        case .output(.read(let id, let query)):
            reads += 1
            let result: Result<[Entry], JournalError> =
                fails.map { .failure($0) } ?? .success(journal.entries(query))
            chat.shelved(id, result, at: now, wall: wall)
        case .output(.lookUp(let id, let member, let outbox)):
            let result: Result<PostNumber, JournalError> =
                fails.map { .failure($0) } ?? .success(journal.nextPost(of: member, in: outbox))
            chat.outboxFound(id, result, at: now, wall: wall)
        case .output(.transmit): break
        }
    }

    /// What a transport without loss does: asks for every record that is offered, and acknowledges it.
    private mutating func deliver() {
        for connection in clients.keys.sorted(by: { $0.rawValue < $1.rawValue })
        where clients[connection]?.isStuck == false {
            for stream in clients[connection]!.streams.keys.sorted() {
                drain(stream, connection)
            }
        }
    }

    private mutating func drain(_ stream: UInt64, _ connection: ConnectionHandle) {
        while let (next, end) = clients[connection]?.streams[stream], next < end,
            clients[connection]?.stalled.contains(stream) == false
        {
            switch chat.record(next, stream: stream, of: connection) {
            case .bytes(let bytes):
                clients[connection]?.records[stream, default: [:]][next] = bytes
                if stream == ChatStream.control, let reply = try? Reply(parsing: bytes) {
                    clients[connection]?.replies.append(reply)
                }
            case .later:
                clients[connection]?.stalled.insert(stream)
                return
            case .gone: break
            }
            clients[connection]?.streams[stream] = (next + 1, end)
            happen(.acknowledged(stream: stream, below: next + 1), connection)
        }
    }

    // What a client has seen.

    func replies(_ connection: ConnectionHandle) -> [Reply] { clients[connection]?.replies ?? [] }

    func welcome(_ connection: ConnectionHandle) -> (member: Member, next: PostNumber)? {
        for case .welcome(_, let member, let next, _, _) in replies(connection) {
            return (member, next)
        }
        return nil
    }

    /// The texts of a stream's entries, in order of their numbers.
    func texts(
        _ stream: UInt64,
        _ connection: ConnectionHandle,
        room: RoomName = .lobby
    ) -> [String] {
        (clients[connection]?.records[stream] ?? [:]).sorted { $0.key < $1.key }.compactMap {
            try? Entry(parsing: $0.value, room: room, sequence: SequenceNumber(rawValue: $0.key))
                .text
        }
    }

    /// Everything decided, as the client was told last.
    func decisions(_ connection: ConnectionHandle) -> [UInt64: PostDecision] {
        var all: [UInt64: PostDecision] = [:]
        for case .decided(let some) in replies(connection) {
            for (number, decision) in some { all[number.rawValue] = decision }
        }
        return all
    }

    func log(_ room: RoomName = .lobby) -> [Entry] { journal.logs[room] ?? [] }

    func said(_ room: RoomName = .lobby) -> [String] {
        log(room).filter { $0.kind != .notice }.map(\.text)
    }
}

/// A journal on paper: the rules of ``RoomJournal`` in the simplest form.
struct PaperJournal {
    var snapshot = JournalSnapshot()
    var logs: [RoomName: [Entry]] = [:]
    var decided: [PostID: PostDecision] = [:]

    init() { snapshot.rooms = [.init(name: .lobby, last: .zero, members: [])] }

    mutating func commit(_ writes: [JournalWrite]) -> [JournalOutcome] { writes.map { keep($0) } }

    private mutating func keep(_ write: JournalWrite) -> JournalOutcome {
        switch write {
        case .append(let draft):
            if let id = draft.id, let past = decided[id] { return .repeated(past) }
            let room = draft.post.room
            let sequence = SequenceNumber(rawValue: UInt64(logs[room]?.count ?? 0) + 1)
            logs[room, default: []].append(Entry(draft, at: sequence))
            change(room) { $0.last = sequence }
            if let id = draft.id { decided[id] = .accepted(room, sequence) }
            return .appended(sequence)
        case .refuse(let id, let refusal):
            if let past = decided[id] { return .repeated(past) }
            decided[id] = .refused(refusal)
        case .enrol(let member): snapshot.members.append(member)
        case .rename(let id, let name):
            for place in snapshot.members.indices where snapshot.members[place].id == id {
                snapshot.members[place].name = name
            }
        case .create(let name):
            if !snapshot.rooms.contains(where: { $0.name == name }) {
                snapshot.rooms.append(.init(name: name, last: .zero, members: []))
            }
        case .join(let name, let id):
            change(name) { if !$0.members.contains(id) { $0.members.append(id) } }
        case .leave(let name, let id): change(name) { $0.members.removeAll { $0 == id } }
        case .ban(let ban): snapshot.bans.append(ban)
        case .unban(let ban): snapshot.bans.removeAll { $0 == ban }
        case .redeem(let id, let key): snapshot.invitations.append(.init(id: id, key: key))
        }
        return .done
    }

    private mutating func change(_ name: RoomName, _ body: (inout JournalSnapshot.Room) -> Void) {
        for place in snapshot.rooms.indices where snapshot.rooms[place].name == name {
            body(&snapshot.rooms[place])
        }
    }

    func entries(_ query: EntryQuery) -> [Entry] {
        let all = logs[query.room] ?? []
        return Array(all.dropFirst(Int(query.from.rawValue) - 1).prefix(query.entryLimit))
    }

    func nextPost(of member: MemberID, in outbox: OutboxID) -> PostNumber {
        let numbers = decided.keys.filter { $0.member == member && $0.outbox == outbox }.map(
            \.number
        )
        return numbers.max()?.next ?? .first
    }
}
