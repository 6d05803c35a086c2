import KirimNoise
import KirimRooms
import KirimServerCore
import KirimTestKit
import KirimTransport
import KirimWire
import Testing

@Suite("A turn of the whole server")
struct TurnTests {
    @Test("what plain clients get and what the others get goes out by turns")
    func byTurns() {
        var dice = SeededDice(seed: 1)
        let identity = StaticKey(dice: &dice)
        var snapshot = JournalSnapshot()
        snapshot.rooms = [.init(name: .lobby, last: .zero, members: [])]
        var core = ServerCore(
            identity: identity,
            snapshot: snapshot,
            configuration: ServerCore.Configuration(),
            dice: dice
        )
        let (now, wall) = (Instant.start, WallTime(milliseconds: 0))
        func path(_ port: Int) -> Path {
            let address = Address(ip: .loopback, port: UInt16(port))
            return Path(socket: SocketID(rawValue: 0), remote: address)
        }
        for port in 50_000..<50_010 { core.receive([0x61], on: path(port), at: now, wall: wall) }
        var journal = PaperJournal()
        var isPlain: [Bool] = []
        func finishTurn() {
            while let output = core.nextOutput(at: now) {
                switch output {
                case .commit(let id, let writes):
                    let outcomes = journal.commit(writes)
                    core.committed(id, .success(outcomes), at: now, wall: wall)
                case .transmit(let transmit):
                    isPlain.append(!PacketType.claims(transmit.bytes))
                default: break
                }
            }
        }
        finishTurn()
        isPlain = []
        core.broadcast("halo", at: now, wall: wall)
        let hello = HelloPacket(
            ephemeral: Array(repeating: 1, count: PublicKey.size),
            versions: [.one, .grease(1)]
        )
        for port in 60_000..<60_010 {
            core.receive(hello.bytes, on: path(port), at: now, wall: wall)
        }
        finishTurn()
        #expect(isPlain.filter(\.self).count == 10)
        #expect(isPlain.count == 20)
        let firstHalf = isPlain.prefix(10).filter(\.self).count
        #expect((4...6).contains(firstHalf))
    }

    @Test("whoever is put out is gone when the turn ends, also where nothing may be sent")
    func putOutUnproved() {
        var dice = SeededDice(seed: 7)
        let member = StaticKey(dice: &dice)
        var snapshot = JournalSnapshot()
        snapshot.rooms = [.init(name: .lobby, last: .zero, members: [])]
        var core = ServerCore(
            identity: StaticKey(dice: &dice),
            snapshot: snapshot,
            configuration: ServerCore.Configuration(),
            dice: dice
        )
        var client = ClientEndpoint(
            identity: member,
            configuration: TransportConfiguration(),
            dice: dice
        )
        var now = Instant.start
        let wall = WallTime(milliseconds: 0)
        let server = Address(ip: .v4(0x0A00_00FE), port: 12_345)
        let socket = SocketID(rawValue: 0)
        var source = Nothing()
        /// Carries datagrams until both are quiet; only to the server where `answers` is false.
        func exchange(from address: Address, answers: Bool) {
            var isQuiet = false
            while !isQuiet {
                isQuiet = true
                client.timePassed(to: now)
                while let event = client.nextEvent() {
                    isQuiet = false
                    if case .wantsSocket = event { client.useSocket(socket, at: now) }
                }
                while let transmit = client.nextTransmit(at: now, source: &source) {
                    isQuiet = false
                    let path = Path(socket: socket, remote: address)
                    core.receive(transmit.bytes, on: path, at: now, wall: wall)
                }
                while let output = core.nextOutput(at: now) {
                    guard case .transmit(let transmit) = output, answers else { continue }
                    isQuiet = false
                    let path = Path(socket: socket, remote: server)
                    client.receive(transmit.bytes, on: path, at: now)
                }
            }
        }
        client.connect(to: [server], trusting: nil, token: nil, secret: nil, at: now)
        exchange(from: Address(ip: .v4(0x0A00_0001), port: 40_000), answers: true)
        #expect(core.load.chat.sessions == 1)
        // It moves, and the server spends on the challenge all that it may send there unproved.
        client.networkChanged(at: now)
        exchange(from: Address(ip: .v4(0x0A00_0002), port: 40_000), answers: false)
        for _ in 0..<5 {
            now = now.advanced(by: .milliseconds(100))
            core.timePassed(to: now, wall: wall)
            while core.nextOutput(at: now) != nil {}
        }
        core.kick(member.publicKey, at: now, wall: wall)
        var goodbyes = 0
        while let output = core.nextOutput(at: now) {
            if case .transmit = output { goodbyes += 1 }
        }
        #expect(goodbyes == 0)
        #expect(core.load.transport.largest.events == 0)
        #expect(core.load.chat.sessions == 0)
    }

    /// Not empty: what has no size has no place in memory either, which ThreadSanitizer takes for one.
    private struct Nothing: RecordSource {
        private var asked = 0
        func record(_: UInt64, stream: UInt64, of: ConnectionHandle) -> RecordLookup { .gone }
    }
}
