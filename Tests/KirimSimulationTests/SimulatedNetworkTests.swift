import KirimSimulation
import KirimWire
import Testing

@Suite("The simulated network")
struct SimulatedNetworkTests {
    /// One client and one server on lines of the given kind; numbered datagrams go from one to the other.
    struct Line {
        var network: SimulatedNetwork
        let client: SimulatedNetwork.HostID
        let server: SimulatedNetwork.HostID
        let serverAddress = Address(ip: .v4(0x0A00_0001), port: 12_345)
        var now = Instant.start

        init(
            seed: UInt64 = 1,
            up: LinkConditions = LinkConditions(),
            down: LinkConditions = LinkConditions(),
            router: (outer: IPAddress, idleLimit: Duration)? = nil
        ) {
            network = SimulatedNetwork(dice: Dice(seed: seed))
            server = network.addHost(
                [serverAddress.ip],
                up: LinkConditions(),
                down: LinkConditions()
            )
            client = network.addHost([.v4(0xC0A8_0002)], up: up, down: down, behind: router)
        }

        /// Sends `count` datagrams, `spacing` apart, and returns all that arrived within a minute after.
        mutating func send(
            _ count: Int,
            size: Int = 100,
            spacing: Duration = .milliseconds(10)
        ) -> [SimulatedNetwork.Delivery] {
            var arrived: [SimulatedNetwork.Delivery] = []
            for number in 0..<count {
                var writer = ByteWriter(capacity: size)
                writer.integer(UInt32(number))
                writer.pad(to: size)
                network.send(writer.bytes, from: client, port: 4_000, to: serverAddress, at: now)
                now = now.advanced(by: spacing)
                while let delivery = network.nextDelivery(at: now) { arrived.append(delivery) }
            }
            now = now.advanced(by: .seconds(60))
            while let delivery = network.nextDelivery(at: now) { arrived.append(delivery) }
            return arrived
        }
    }

    static func number(_ delivery: SimulatedNetwork.Delivery) -> UInt32? {
        var reader = ByteReader(delivery.bytes)
        return try? reader.integer()
    }

    static func conditions(_ change: (inout LinkConditions) -> Void) -> LinkConditions {
        var conditions = LinkConditions()
        change(&conditions)
        return conditions
    }

    @Test("a quiet line brings everything, once, unchanged, in order, after its delay")
    func quiet() {
        var line = Line(up: Self.conditions { $0.delay = .milliseconds(5) })
        let arrived = line.send(50)
        #expect(arrived.compactMap(Self.number) == Array(0..<50))
        #expect(arrived.allSatisfy { $0.isIntact && $0.bytes.count == 100 })
        #expect(arrived.allSatisfy { $0.from == Address(ip: .v4(0xC0A8_0002), port: 4_000) })
        #expect(line.network.inFlight == 0)
    }

    @Test("random loss happens at its rate")
    func loss() {
        var line = Line(up: Self.conditions { $0.loss = 0.2 })
        let arrived = line.send(5_000)
        #expect((3_850...4_150).contains(arrived.count))
        #expect(line.network.counters.lost[.random] == 5_000 - arrived.count)
    }

    @Test("bursts lose the share of time that is bad, and lose in runs")
    func bursts() {
        var line = Line(
            up: Self.conditions {
                $0.bursts = .init(
                    meanGood: .milliseconds(900),
                    meanBad: .milliseconds(100),
                    loss: 1
                )
            }
        )
        let numbers = line.send(20_000).compactMap(Self.number)
        let lost = 20_000 - numbers.count
        #expect((1_600...2_400).contains(lost))
        let runs = zip(numbers, numbers.dropFirst()).count { $0.1 > $0.0 + 1 }
        // At 10 ms a datagram a bad spell of 100 ms takes ten; alone they would make 1,800 runs.
        #expect(runs < lost / 5)
    }

    @Test("jitter reorders; without jitter nothing overtakes")
    func jitter() {
        var line = Line(up: Self.conditions { $0.jitter = .milliseconds(50) })
        let numbers = line.send(1_000).compactMap(Self.number)
        #expect(numbers.sorted() == Array(0..<1_000))
        #expect(zip(numbers, numbers.dropFirst()).count { $0.1 < $0.0 } > 200)
    }

    @Test("duplication happens at its rate, and the copies are equal")
    func duplication() {
        var line = Line(up: Self.conditions { $0.duplication = 0.25 })
        let arrived = line.send(4_000)
        #expect((4_850...5_150).contains(arrived.count))
        #expect(Set(arrived.map(\.origin)).count == 4_000)
    }

    @Test("corruption flips bits and keeps the length; truncation shortens")
    func damage() {
        var line = Line(up: Self.conditions { $0.corruption = 0.1 })
        let flipped = line.send(4_000).filter { !$0.isIntact }
        #expect((320...480).contains(flipped.count))
        #expect(flipped.allSatisfy { $0.bytes.count == 100 })
        line = Line(up: Self.conditions { $0.truncation = 0.1 })
        let cut = line.send(4_000).filter { !$0.isIntact }
        #expect((320...480).contains(cut.count))
        #expect(cut.allSatisfy { $0.bytes.count < 100 })
    }

    @Test("what is longer than the path's MTU vanishes, and nothing else does")
    func mtu() {
        var line = Line(up: Self.conditions { $0.mtu = 1_252 })
        #expect(line.send(10, size: 1_252).count == 10)
        #expect(line.send(10, size: 1_253).isEmpty)
        #expect(line.network.counters.lost[.tooBig] == 10)
    }

    @Test("a rate spaces datagrams out, and a full queue drops the rest")
    func rate() {
        // 100 bytes and 28 of headers at 1,024 kbit/s take 1 ms each.
        var line = Line(
            up: Self.conditions {
                $0.rate = 1_024_000
                $0.queue = 1_000
            }
        )
        let arrived = line.send(100, spacing: .zero)
        #expect((7...10).contains(arrived.count))
        #expect(line.network.counters.lost[.queueFull] == 100 - arrived.count)
    }

    @Test("a cut is one-way, and ends")
    func cuts() {
        var line = Line()
        line.network.cut(line.client, up: true, down: false)
        #expect(line.send(5).isEmpty)
        line.network.cut(line.client, up: false, down: true)
        #expect(line.send(5).count == 5)
        line.network.cut(line.client, up: false, down: false)
        #expect(line.send(5).count == 5)
    }

    @Test("a partition separates the groups until it heals")
    func partitions() {
        var line = Line()
        line.network.partition([[line.client], [line.server]])
        #expect(line.send(5).isEmpty)
        line.network.partition([])
        #expect(line.send(5).count == 5)
    }

    @Test("an address that nobody has receives nothing, and a moved host is found at its new one")
    func moves() {
        var line = Line()
        line.network.move(line.client, to: [.v4(0xC0A8_0099)])
        #expect(line.send(1).first?.from.ip == .v4(0xC0A8_0099))
        line.network.send(
            [1],
            from: line.server,
            port: 12_345,
            to: Address(ip: .v4(0xC0A8_0002), port: 4_000),
            at: line.now
        )
        line.now = line.now.advanced(by: .seconds(1))
        #expect(line.network.nextDelivery(at: line.now) == nil)
        #expect(line.network.counters.unroutable == 1)
    }

    /// Sends from the server to what it saw as the client's address.
    private func isAnswered(_ line: inout Line, at address: Address) -> Bool {
        line.network.send([1], from: line.server, port: 12_345, to: address, at: line.now)
        line.now = line.now.advanced(by: .seconds(1))
        return line.network.nextDelivery(at: line.now)?.host == line.client
    }

    @Test("a router lets answers in, to the port it chose, from whom was spoken to, until silence")
    func router() throws {
        var line = Line(router: (outer: .v4(0x0505_0505), idleLimit: .seconds(90)))
        let seen = try #require(line.send(1).first?.from)
        #expect(seen.ip == .v4(0x0505_0505))
        #expect(isAnswered(&line, at: seen))
        // From another address than the one that was spoken to.
        line.network.inject([1], from: Address(ip: .v4(1), port: 1), to: seen, at: line.now)
        line.now = line.now.advanced(by: .seconds(1))
        #expect(line.network.nextDelivery(at: line.now) == nil)
        line.now = line.now.advanced(by: .seconds(91))
        #expect(!isAnswered(&line, at: seen))
        #expect(line.network.counters.translatorRefused == 2)
    }

    @Test("a rebound router gives another port, and drops what comes to the old one")
    func rebinding() throws {
        var line = Line(router: (outer: .v4(0x0505_0505), idleLimit: .seconds(600)))
        let before = try #require(line.send(1).first?.from)
        line.network.rebind(line.client, to: .v4(0x0606_0606))
        let after = try #require(line.send(1).first?.from)
        #expect(after.ip == .v4(0x0606_0606))
        #expect(!isAnswered(&line, at: before))
        #expect(isAnswered(&line, at: after))
    }

    @Test("an injected datagram bears the source that its sender wished for")
    func spoofing() {
        var line = Line()
        let victim = Address(ip: .v4(0x0808_0808), port: 0)
        line.network.inject([9, 9], from: victim, to: line.serverAddress, at: line.now)
        line.now = line.now.advanced(by: .seconds(1))
        #expect(line.network.nextDelivery(at: line.now)?.from == victim)
    }

    @Test(
        "the same seed gives the same trace, another seed another",
        arguments: NetworkPreset.allCases
    )
    func determinism(_ preset: NetworkPreset) {
        func run(_ seed: UInt64) -> TraceHash {
            var line = Line(seed: seed, up: preset.up, down: preset.down)
            _ = line.send(500, spacing: .milliseconds(7))
            return line.network.trace
        }
        #expect(run(5) == run(5))
        #expect(run(5) != run(6))
    }
}
