import KirimClientCore
import KirimNoise
import KirimRooms
import KirimServerCore
import KirimSimulation
import KirimTransport
import KirimWire

/// A real server core and real client cores on a network that loses and delays, all in one thread.
final class Town {
    private(set) var now = Instant.start
    private var server: ServerCore
    private let key: StaticKey
    private let rooms = MemoryRoomJournal()
    private var people: [Person] = []
    private var arrivals = 0
    private var dice: Dice
    private var onTheWay: [Packet] = []
    var loss = 0.0
    /// Nothing arrives at the server.
    var isCut = false

    static let home = Address(ip: .v4(0x0A00_0001), port: 12345)

    final class Person {
        var core: ClientCore
        let identity: StaticKey
        let journal: MemoryClientJournal
        let ip: UInt32
        var sockets: UInt32 = 0
        var events: [ClientEvent] = []
        fileprivate var tickets: UInt64 = 0

        init(
            _ core: consuming ClientCore,
            identity: StaticKey,
            journal: MemoryClientJournal,
            ip: UInt32
        ) {
            self.core = core
            self.identity = identity
            self.journal = journal
            self.ip = ip
        }

        var texts: [String] {
            events.compactMap {
                guard case .entry(let entry, _) = $0, entry.kind == .text else { return nil }
                return entry.text
            }
        }

        var numbers: [UInt64] {
            events.compactMap {
                if case .entry(let entry, _) = $0 { entry.sequence.rawValue } else { nil }
            }
        }

        var accepted: Int {
            events.reduce(0) { count, event in
                if case .decided(_, .accepted) = event { count + 1 } else { count }
            }
        }
    }

    private struct Packet {
        var at: Instant
        var bytes: [UInt8]
        var from: Address
        var to: Address
    }

    init(seed: UInt64) throws {
        dice = Dice(seed: seed)
        key = StaticKey(dice: &dice)
        server = ServerCore(
            identity: key,
            snapshot: try rooms.snapshot(),
            configuration: ServerCore.Configuration(),
            dice: Dice(seed: seed &+ 1)
        )
    }

    private func fork() -> Dice { Dice(seed: dice.next()) }

    /// The server dies and comes back with its journal.
    func restartServer() throws {
        server = ServerCore(
            identity: key,
            snapshot: try rooms.snapshot(),
            configuration: ServerCore.Configuration(),
            dice: fork()
        )
    }

    /// Whoever comes with an identity is here again, with that journal.
    func arrive(
        _ name: String,
        as identity: StaticKey? = nil,
        journal: MemoryClientJournal? = nil
    ) throws -> Person {
        let identity = identity ?? StaticKey(dice: &dice)
        let journal = journal ?? MemoryClientJournal(dice: fork())
        var known = try journal.server(at: "town")
        known.name = MemberName(name)
        let local = try LocalState(of: known, in: journal)
        let core = ClientCore(
            identity: identity,
            local: local,
            configuration: ClientCore.Configuration(),
            dice: fork()
        )
        let person = Person(
            core,
            identity: identity,
            journal: journal,
            ip: 0x0A00_0100 + UInt32(arrivals)
        )
        arrivals += 1
        people.append(person)
        person.core.connect(to: [Self.home], at: now)
        drain(person)
        return person
    }

    /// The process is killed.
    func kill(_ person: Person) { people.removeAll { $0 === person } }

    /// What the server has accepted in the lobby from members, in order.
    var log: [String] {
        let query = EntryQuery(
            room: .lobby,
            from: SequenceNumber(rawValue: 1),
            entryLimit: .max,
            byteLimit: .max
        )
        return ((try? rooms.entries(query)) ?? []).filter { $0.kind == .text }.map(\.text)
    }

    func post(_ texts: [String], by person: Person, to room: RoomName = .lobby) {
        person.tickets += 1
        person.core.post(
            texts.map { Post(room: room, authored: WallTime(milliseconds: 0), text: $0) },
            ticket: Ticket(rawValue: person.tickets),
            at: now
        )
        drain(person)
    }

    func ask(_ request: ClientRequest, by person: Person) -> Ticket {
        person.tickets += 1
        let ticket = Ticket(rawValue: person.tickets)
        person.core.ask(request, ticket: ticket, at: now)
        drain(person)
        return ticket
    }

    /// Lets time pass until `isDone`, at most so long; returns whether it was.
    func run(for limit: Duration, until isDone: () -> Bool = { false }) -> Bool {
        let end = now.advanced(by: limit)
        while !isDone() {
            let next = ([server.deadline] + people.map { $0.core.deadline } + onTheWay.map(\.at))
                .compactMap { $0 }.min()
            guard let next, next <= end else {
                now = end
                return isDone()
            }
            now = max(now, next)
            deliver()
            server.timePassed(to: now, wall: WallTime(milliseconds: now.nanoseconds / 1_000_000))
            drainServer()
            for person in people {
                person.core.timePassed(to: now)
                drain(person)
            }
        }
        return true
    }

    private func deliver() {
        let due = onTheWay.filter { $0.at <= now }
        onTheWay.removeAll { $0.at <= now }
        for packet in due {
            if packet.to == Self.home {
                if isCut { continue }
                let path = Path(socket: SocketID(rawValue: 1), remote: packet.from)
                server.receive(
                    packet.bytes,
                    on: path,
                    at: now,
                    wall: WallTime(milliseconds: now.nanoseconds / 1_000_000)
                )
            } else if let person = people.first(where: { .v4($0.ip) == packet.to.ip }) {
                let socket = SocketID(rawValue: UInt32(packet.to.port))
                person.core.receive(
                    packet.bytes,
                    on: Path(socket: socket, remote: Self.home),
                    at: now
                )
                drain(person)
            }
        }
        drainServer()
    }

    private func send(_ bytes: [UInt8], from: Address, to: Address) {
        guard Double.random(in: 0..<1, using: &dice) >= loss else { return }
        let delay = Duration.milliseconds(Int.random(in: 15...30, using: &dice))
        onTheWay.append(Packet(at: now.advanced(by: delay), bytes: bytes, from: from, to: to))
    }

    private func drain(_ person: Person) {
        while let output = person.core.nextOutput(at: now) {
            switch output {
            case .transmit(let transmit):
                let from = Address(
                    ip: .v4(person.ip),
                    port: UInt16(transmit.path.socket.rawValue)
                )
                send(transmit.bytes, from: from, to: transmit.path.remote)
            case .wantsSocket:
                person.sockets += 1
                person.core.useSocket(SocketID(rawValue: 40_000 + person.sockets), at: now)
            case .mayClose: break
            case .store(let id, let request, let server):
                do throws(JournalError) {
                    let result = try request.perform(for: server, on: person.journal)
                    person.core.stored(id, .success(result), at: now)
                } catch {
                    person.core.stored(id, .failure(error), at: now)
                }
            case .event(let event): person.events.append(event)
            }
        }
    }

    private func drainServer() {
        let wall = WallTime(milliseconds: now.nanoseconds / 1_000_000)
        while let output = server.nextOutput(at: now) {
            switch output {
            case .transmit(let transmit):
                send(transmit.bytes, from: Self.home, to: transmit.path.remote)
            case .commit(let id, let writes):
                let outcomes = caught { () throws(JournalError) in try rooms.commit(writes) }
                server.committed(id, outcomes, at: now, wall: wall)
            case .read(let id, let query):
                let entries = caught { () throws(JournalError) in try rooms.entries(query) }
                server.entriesRead(id, entries, at: now)
            case .lookUp(let id, let member, let outbox):
                let next = caught { () throws(JournalError) in
                    try rooms.nextPost(of: member, in: outbox)
                }
                server.authorFound(id, next, at: now)
            case .note: break
            }
        }
    }

    private func caught<T>(_ body: () throws(JournalError) -> T) -> Result<T, JournalError> {
        do throws(JournalError) { return .success(try body()) } catch { return .failure(error) }
    }
}
