import KirimClientCore
import KirimLoad
import KirimNoise
import KirimRooms
import KirimServerCore
import KirimSimulation
import KirimTransport
import KirimWire

/// A server core and client cores that all read the lobby, without a network between them.
final class Crowd {
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private var server: ServerCore
    private let journal = MemoryRoomJournal()
    private var readers: [Reader] = []
    private var commit: (id: CommitID, outcomes: [JournalOutcome])?
    /// What the server sent, and what was sent to it, and is not there yet.
    private var down: [Transmit] = []
    private var up: [(bytes: [UInt8], path: Path)] = []
    private var said = 0

    private static let door = Address(ip: .v4(0x0A00_0001), port: 12_345)
    private static let socket = SocketID(rawValue: 0)

    private final class Reader {
        var core: ClientCore
        var journal: FleetingJournal

        init(_ core: consuming ClientCore, _ journal: FleetingJournal) {
            self.core = core
            self.journal = journal
        }
    }

    /// The server's packets are sealed and opened by `cipher`, the readers' by swift-crypto.
    init(of count: Int, cipher: (any PacketCipher)?) throws {
        var dice = Dice(seed: 1)
        var configuration = ServerCore.Configuration()
        configuration.endpoint.connectionLimit = count + 1
        configuration.endpoint.transport.cipher = cipher
        configuration.endpoint.handshakes = Rate(perSecond: 1_000_000, burst: 1_000_000)
        // Who hears of whom is not what is measured.
        configuration.presenceAudience = 0
        server = ServerCore(
            identity: StaticKey(dice: &dice),
            snapshot: try journal.snapshot(),
            configuration: configuration,
            dice: dice.fork("server")
        )
        for number in 0..<count {
            var own = dice.fork("reader", number)
            let journal = FleetingJournal(outbox: OutboxID(rawValue: own.next() | 1), name: nil)
            let reader = Reader(
                ClientCore(
                    identity: StaticKey(dice: &own),
                    local: journal.state,
                    configuration: ClientCore.Configuration(),
                    dice: own
                ),
                journal
            )
            reader.core.useSocket(Self.socket, at: now)
            reader.core.connect(to: [Self.door], at: now)
            readers.append(reader)
            drain(number)
            if number % 16 == 15 { settle() }
        }
        settle()
        for _ in 0..<4 { rest() }
    }

    // MARK: - What is measured

    /// An entry of the lobby is durable; nobody has it yet.
    func write() {
        said += 1
        let text = Message(stamp: now.nanoseconds, number: UInt32(said), client: 0).text(size: 120)
        server.broadcast(text, at: now, wall: WallTime(milliseconds: 1_700_000_000_000))
        work()
    }

    /// The server sends it to all readers.
    func fanOut() {
        guard let commit else { return }
        self.commit = nil
        server.committed(
            commit.id,
            .success(commit.outcomes),
            at: now,
            wall: WallTime(milliseconds: 1_700_000_000_000)
        )
        work()
    }

    /// The readers get it, and their acknowledgements are on their way.
    func read() -> Int {
        deliver()
        now = now.advanced(by: .milliseconds(30))
        for number in readers.indices {
            readers[number].core.timePassed(to: now)
            drain(number)
        }
        return up.count
    }

    /// The server takes what is on its way.
    func takeIn() {
        for (bytes, path) in up {
            server.receive(bytes, on: path, at: now, wall: WallTime(milliseconds: 0))
        }
        up.removeAll(keepingCapacity: true)
        work()
    }

    /// Somebody posts; the post is on its way.
    func post() {
        said += 1
        let text = Message(stamp: now.nanoseconds, number: UInt32(said), client: 0).text(size: 120)
        let post = Post(room: .lobby, authored: WallTime(milliseconds: 0), text: text)
        readers[0].core.post([post], ticket: Ticket(rawValue: UInt64(said)), at: now)
        drain(0)
    }

    /// Everything has arrived, and some time goes by.
    func rest() {
        settle()
        now = now.advanced(by: .milliseconds(30))
        server.timePassed(to: now, wall: WallTime(milliseconds: 0))
        for number in readers.indices {
            readers[number].core.timePassed(to: now)
            drain(number)
        }
        settle()
    }

    // MARK: - The network

    private func settle() {
        repeat {
            takeIn()
            fanOut()
            deliver()
        } while !up.isEmpty || !down.isEmpty || commit != nil
    }

    private func work() {
        while let output = server.nextOutput(at: now) {
            switch output {
            case .transmit(let transmit): down.append(transmit)
            case .commit(let id, let writes):
                if let outcomes = try? journal.commit(writes) { commit = (id, outcomes) }
            case .read(let id, let query):
                server.entriesRead(
                    id,
                    Result { () throws(JournalError) in try journal.entries(query) },
                    at: now
                )
            case .lookUp(let id, let member, let outbox):
                server.authorFound(
                    id,
                    Result { () throws(JournalError) in try journal.nextPost(of: member, in: outbox)
                    },
                    at: now
                )
            case .note: break
            }
        }
    }

    private func deliver() {
        let arrived = down
        down.removeAll(keepingCapacity: true)
        for transmit in arrived {
            guard case .v4(let bits) = transmit.path.remote.ip else { continue }
            let number = Int(bits - 0x0A01_0000)
            let path = Path(socket: Self.socket, remote: Self.door)
            readers[number].core.receive(transmit.bytes, on: path, at: now)
            drain(number)
        }
    }

    private func drain(_ number: Int) {
        let reader = readers[number]
        while let output = reader.core.nextOutput(at: now) {
            switch output {
            case .transmit(let transmit):
                let ip = IPAddress.v4(0x0A01_0000 + UInt32(number))
                let path = Path(socket: Self.socket, remote: Address(ip: ip, port: 5_000))
                up.append((transmit.bytes, path))
            case .store(let id, let request, _):
                reader.core.stored(id, .success(reader.journal.perform(request)), at: now)
            case .wantsSocket, .mayClose, .event: break
            }
        }
    }
}
