import KirimNoise
import KirimTestKit
import KirimTransport
import KirimWire
import Testing

/// What happens to handshakes for which there is no time now.
@Suite("Many at the door")
struct StormTests {
    @Test("when all come at once each has its handshake in its turn, and need not knock again")
    func inTurn() throws {
        var door = Crowd(Rate(perSecond: 100, burst: 4))
        let opens = try (0..<40).map { try door.open(from: $0) }
        let start = door.now
        for (number, open) in opens.enumerated() { door.knock(open, from: number) }
        #expect(door.handshakes == 4)
        for _ in 0..<100 where door.server.load.waiting > 0 {
            let next = door.server.deadline
            let moment = try #require(next)
            #expect(moment > door.now)
            door.wait(until: moment)
        }
        #expect(door.handshakes == 40)
        #expect(door.server.counters.limited == 0)
        let took = start.duration(to: door.now)
        #expect(took > .milliseconds(340) && took < .milliseconds(380))
    }

    @Test("an OPEN that comes again while it waits is no other one")
    func onceEach() throws {
        var door = Crowd(Rate(perSecond: 1, burst: 1))
        let first = try door.open(from: 1)
        let second = try door.open(from: 2)
        door.knock(first, from: 1)
        for _ in 0..<3 { door.knock(second, from: 2) }
        #expect(door.handshakes == 1)
        #expect(door.server.load.waiting == 1)
        // Its ephemeral key was in the clear: what somebody else sends under it keeps nobody out.
        var nonsense = second
        nonsense.noise[40] ^= 1
        door.knock(nonsense, from: 2)
        #expect(door.server.load.waiting == 2)
        #expect(door.server.counters.limited == 0)
    }

    @Test("no more wait than the server has room for; nonsense and many from one place do not wait")
    func bounded() throws {
        var door = Crowd(Rate(perSecond: 1, burst: 1))
        let limit = ServerEndpoint.Load(limitsOf: .init(), streams: 1).waiting
        for number in 0..<limit + 101 { door.knock(try door.open(from: number), from: number) }
        #expect(door.server.load.waiting == limit)
        #expect(door.server.counters.limited == 100)

        // The machine's own programs leave room for others.
        var own = Crowd(Rate(perSecond: 1, burst: 1), isLoopback: true)
        for _ in 0..<limit {
            own.wait(until: own.now.advanced(by: .microseconds(500)))
            own.knock(try own.open(from: 1), from: 1)
        }
        #expect(own.server.load.waiting == limit / 4 * 3)
        #expect(own.server.counters.limited > 100)

        var other = Crowd(Rate(perSecond: 1, burst: 1))
        let opens = try (0..<10).map { _ in try other.open(from: 1) }
        for open in opens { other.knock(open, from: 1) }
        // One had its handshake: a burst is five.
        #expect(other.server.load.waiting == 4)
        var forged = try other.open(from: 2)
        forged.cookie[6] ^= 1
        other.knock(forged, from: 2)
        #expect(other.server.load.waiting == 4)
        #expect(other.server.counters.badCookies == 1)
    }
}

/// A server, and strangers with good cookies and nonsense behind them: a handshake is begun for each.
private struct Crowd: ~Copyable {
    var server: ServerEndpoint
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private var nothing = Shelf()
    private var keys: UInt64 = 0

    private let network: UInt32

    init(_ handshakes: Rate, isLoopback: Bool = false) {
        network = isLoopback ? 0x7F00_0000 : 0x0A00_0000
        var configuration = ServerEndpoint.Configuration()
        configuration.handshakes = handshakes
        configuration.startedAt = 1_700_000_000
        var dice = SeededDice(seed: 1)
        server = ServerEndpoint(
            identity: StaticKey(dice: &dice),
            configuration: configuration,
            dice: SeededDice(seed: 2)
        )
    }

    /// Those that were begun.
    var handshakes: UInt64 { server.counters.handshakes + server.counters.handshakesFailed }

    private func path(_ number: Int) -> Path {
        Path(
            socket: SocketID(rawValue: 1),
            remote: Address(ip: .v4(network + UInt32(number)), port: 40_000)
        )
    }

    /// HELLO, CHALLENGE, and what goes on from there.
    mutating func open(from number: Int) throws -> OpenPacket {
        keys += 1
        var writer = ByteWriter(capacity: 32)
        for _ in 0..<4 { writer.integer(keys) }
        let hello = HelloPacket(ephemeral: writer.bytes, versions: [.one, .grease(1)])
        server.receive(hello.bytes, on: path(number), at: now)
        let sent = server.nextTransmit(at: now, source: &nothing)
        let answer = try #require(sent)
        let challenge = try ChallengePacket(parsing: answer.bytes)
        let rest = [UInt8](repeating: 0, count: OpenPacket.noiseSize - writer.bytes.count)
        return OpenPacket(
            version: .one,
            clientIndex: 1,
            cookie: challenge.cookie,
            noise: writer.bytes + rest
        )
    }

    mutating func knock(_ open: OpenPacket, from number: Int) {
        server.receive(open.bytes, on: path(number), at: now)
        drain()
    }

    mutating func wait(until moment: Instant) {
        now = max(now, moment)
        server.timePassed(to: now)
        drain()
    }

    private mutating func drain() {
        while server.nextEvent() != nil {}
        while server.nextTransmit(at: now, source: &nothing) != nil {}
    }
}
