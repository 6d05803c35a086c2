import KirimNoise
import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire
import Testing

@Suite("A turn of the whole server")
struct TurnTests {
    private struct Dice: RandomNumberGenerator, Sendable {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    @Test("what plain clients get and what the others get goes out by turns")
    func byTurns() {
        var dice = Dice(state: 1)
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
            versions: [.one]
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
}
