import KirimClientCore
import KirimServerCore
import KirimSimulation
import KirimTransport
import KirimWire
import Testing

/// The watch over memory sees what it should, and barks.
@Suite("The watch over memory")
struct MemoryWatchTests {
    private static func run(_ cluster: Cluster) -> Violation? {
        do throws(Violation) {
            try cluster.run(active: .seconds(30), patience: .seconds(240))
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "a limit of the server's that is set too low is found broken",
        arguments: [
            "transport.connections", "transport.openings", "transport.largest.sentPackets",
            "transport.largest.streams", "transport.timers", "chat.sessions", "chat.members",
            "chat.tailEntries", "chat.tailBytes", "chat.subscriptions", "chat.replies",
            "chat.outboxes", "chat.committingBytes",
        ]
    )
    func server(_ part: String) throws {
        let cluster = Cluster(seed: 3, faults: .none, size: .small)
        cluster.memory.serverLimit.set(part, to: 0)
        let violation = try #require(Self.run(cluster))
        #expect(violation.promise == .boundedMemory)
        #expect(violation.sentence.contains(part))
    }

    @Test(
        "a limit of a client's that is set too low is found broken",
        arguments: [
            "transport.connections", "transport.largest.sentPackets", "chat.posts", "chat.asked",
            "chat.subscriptions", "chat.rooms", "chat.stores",
        ]
    )
    func client(_ part: String) throws {
        let cluster = Cluster(seed: 3, faults: .none, size: .small)
        cluster.memory.clientLimit.set(part, to: 0)
        let violation = try #require(Self.run(cluster))
        #expect(violation.promise == .boundedMemory)
        #expect(violation.sentence.contains(part))
    }

    @Test("runs meet the limits that they draw, and silent readers")
    func limitsAreMet() {
        var looks = 0
        let wanted: Set = ["chat.tailEntries", "chat.roomMembers", "plain.clients"]
        var parts: Set<String> = []
        // Which seeds meet which is chance; that some do is not.
        for seed in 1...200 as ClosedRange<UInt64> {
            if looks > 100, parts == wanted { break }
            let cluster = Cluster(seed: seed, faults: [.sleep, .cut, .disk, .plain], size: .full)
            #expect(Self.run(cluster) == nil, "seed \(seed)")
            looks += cluster.memory.silentLooks
            for part in wanted where cluster.memory.isMet(part) { parts.insert(part) }
        }
        #expect(looks > 100)
        #expect(parts == wanted)
    }

    private static var watch: MemoryWatch { MemoryWatch(server: .init(), client: .init()) }
    private static let connection = ConnectionHandle(rawValue: 1)

    private static func at(_ second: Int64) -> Instant {
        Instant.start.advanced(by: .seconds(second))
    }

    private static func check(
        _ watch: inout MemoryWatch,
        _ load: ConnectionLoad,
        bytesInFlight: Int = 0,
        heard: Int64,
        at second: Int64
    ) throws(Violation) {
        let address = Address(ip: .loopback, port: 1)
        let link = LinkState(
            path: Path(socket: SocketID(rawValue: 0), remote: address),
            roundTrip: nil,
            packetsLost: 0,
            packetsSent: 0,
            lastHeard: at(heard),
            bytesInFlight: bytesInFlight,
            congestionWindow: 12_000
        )
        let reader = ServerCore.ReaderLoad(connection: connection, link: link, load: load)
        try watch.check(readers: [reader], at: at(second))
    }

    @Test("a silent reader may cost a window and probes, and nothing else")
    func silentReader() throws {
        var watch = Self.watch
        var load = ConnectionLoad()
        load.streams = 2
        try Self.check(&watch, load, heard: 0, at: 5)
        load.pieces = 5
        try Self.check(&watch, load, heard: 0, at: 10)
        try Self.check(&watch, load, bytesInFlight: 60_000, heard: 0, at: 30)
        var fuller = watch
        let violation = #expect(throws: Violation.self) {
            try Self.check(&fuller, load, bytesInFlight: 80_000, heard: 0, at: 30)
        }
        #expect(violation?.promise == .boundedMemory)
        // Five, and what three packets repeat: of each of two streams and of 31 packets of the smallest size.
        load.pieces = 104
        try Self.check(&watch, load, heard: 0, at: 31)
        load.pieces = 105
        #expect(throws: Violation.self) { try Self.check(&watch, load, heard: 0, at: 31) }
    }

    @Test("each silence is measured anew")
    func silence() throws {
        var watch = Self.watch
        var load = ConnectionLoad()
        try Self.check(&watch, load, heard: 0, at: 20)
        load.streams = 5
        try Self.check(&watch, load, heard: 21, at: 60)
        load.streams = 6
        #expect(throws: Violation.self) { try Self.check(&watch, load, heard: 21, at: 90) }
    }

    @Test("what is left at rest is found")
    func rest() throws {
        let watch = Self.watch
        var load = ServerCore.Load()
        try watch.checkRest(server: load, hasDeadReaders: false)
        load.chat.heldPosts = 1
        try watch.checkRest(server: load, hasDeadReaders: true)
        #expect(throws: Violation.self) {
            try watch.checkRest(server: load, hasDeadReaders: false)
        }
        load.chat.heldPosts = 0
        load.chat.reservedNames = 1
        #expect(throws: Violation.self) { try watch.checkRest(server: load, hasDeadReaders: true) }
    }
}
