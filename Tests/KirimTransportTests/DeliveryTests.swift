import KirimLibcrypto
import KirimNoise
import KirimTestKit
import KirimTransport
import KirimWire
import Testing

@Suite("Delivery")
struct DeliveryTests {
    private func records(_ count: Int, size: Int = 40) -> [[UInt8]] {
        (0..<count).map { index in (0..<size).map { UInt8(truncatingIfNeeded: index &* 31 &+ $0) } }
    }

    @Test("records arrive in both directions")
    func bothWays() {
        var pair = Pair.connected()
        let up = records(50), down = records(70)
        pair.clientSends(up, on: 1)
        pair.serverSends(down, on: 2)
        pair.run(for: .seconds(5))
        #expect(pair.recordsAtServer(1).count == 50)
        #expect(pair.recordsAtClient(2).count == 70)
        #expect(pair.recordsAtServer(1)[49] == up[49])
        #expect(pair.recordsAtClient(2)[69] == down[69])
    }

    @Test(
        "two ends whose packets different libraries seal understand each other",
        .enabled("this machine has OpenSSL 3") { SystemCipher() != nil },
        arguments: [true, false]
    )
    func twoCiphers(isAtServer: Bool) throws {
        var configuration = TransportConfiguration()
        if !isAtServer { configuration.cipher = SystemCipher() }
        var pair = Pair(
            configuration: configuration,
            serversCipher: isAtServer ? SystemCipher() : nil
        )
        pair.connect()
        pair.run(for: .seconds(5)) { $0.serverConnection != nil }
        let up = records(50), down = records(70, size: 900)
        pair.clientSends(up, on: 1)
        pair.serverSends(down, on: 2)
        pair.run(for: .seconds(5))
        #expect(pair.recordsAtServer(1) == Dictionary(uniqueKeysWithValues: zip(0..., up)))
        #expect(pair.recordsAtClient(2) == Dictionary(uniqueKeysWithValues: zip(0..., down)))
        #expect(pair.client.dropped == 0)
        #expect(pair.server.counters.notAuthentic == 0)
    }

    @Test(
        "nothing is lost at 30 % loss in both directions",
        arguments: 1...8 as ClosedRange<UInt64>
    )
    func heavyLoss(seed: UInt64) {
        var pair = Pair.connected(seed: seed)
        var dice = SeededDice(seed: seed)
        pair.passes = { _, _, _ in dice.next() % 10 >= 3 }
        let up = records(200), down = records(300, size: 120)
        pair.clientSends(up, on: 1)
        pair.serverSends(down, on: 2)
        pair.run(for: .seconds(120)) {
            $0.recordsAtServer(1).count == 200 && $0.recordsAtClient(2).count == 300
        }
        #expect(pair.recordsAtServer(1).count == 200)
        #expect(pair.recordsAtClient(2).count == 300)
        for (number, bytes) in pair.recordsAtClient(2) { #expect(bytes == down[Int(number)]) }
    }

    @Test(
        "records of 64 KiB travel in fragments, whole ones beside them",
        arguments: 1...4 as ClosedRange<UInt64>
    )
    func fragments(seed: UInt64) {
        var pair = Pair.connected(seed: seed)
        var dice = SeededDice(seed: seed)
        pair.passes = { _, _, _ in dice.next() % 10 >= 1 }
        var mixed = records(20)
        mixed[3] = (0..<RecordFrame.recordLimit).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        mixed[4] = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 11) }
        mixed[9] = (0..<1_500).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        for index in 10..<17 { mixed[index] = [UInt8](repeating: UInt8(index), count: 60_000) }
        pair.clientSends(mixed, on: 1)
        pair.run(for: .seconds(120)) { $0.recordsAtServer(1).count == 20 }
        let got = pair.recordsAtServer(1)
        for index in mixed.indices { #expect(got[UInt64(index)] == mixed[index]) }
    }

    @Test("a thousand streams have their turns, and one that never ends keeps none of them waiting")
    func manyStreams() {
        var pair = Pair.connected()
        // A record as long as a packet among small ones finds room, too.
        let long = records(1, size: 1_050)
        let endless = records(3_000, size: 400)
        pair.serverSends(records(1), on: 0)
        pair.serverSends(endless, on: 2)
        for stream in 3..<1_003 as Range<UInt64> {
            pair.serverSends(stream == 500 ? long : records(2), on: stream)
        }
        pair.run(for: .seconds(60)) { !$0.recordsAtClient(1_002).isEmpty }
        #expect(pair.recordsAtClient(2).count < 1_000)
        pair.run(for: .seconds(60)) { $0.recordsAtClient(2).count == 3_000 }
        #expect(pair.recordsAtClient(2).count == 3_000)
        #expect(pair.recordsAtClient(500)[0] == long[0])
        #expect((3..<1_003).allSatisfy { pair.recordsAtClient($0).count == ($0 == 500 ? 1 : 2) })
    }

    @Test("a stream that is opened anew in the middle of its turns begins where it is told to")
    func openedAnew() throws {
        var pair = Pair.connected()
        let connection = pair.serverConnection
        let handle = try #require(connection)
        for round in 1...200 {
            pair.serverSends(records(30), on: 2)
            if round.isMultiple(of: 3) { pair.server.drop(stream: 2, of: handle) }
        }
        pair.serverSends(records(30), on: 2)
        pair.run(for: .seconds(10)) { $0.recordsAtClient(2).count == 30 }
        #expect(pair.recordsAtClient(2).count == 30)
    }

    @Test("what is acknowledged is told once it is")
    func acknowledgement() {
        var pair = Pair.connected()
        pair.clientSends(records(10), on: 1)
        pair.run(for: .seconds(2))
        let told = pair.clientEvents.contains {
            if case .connection(_, .acknowledged(stream: 1, below: 10)) = $0 { true } else { false }
        }
        #expect(told)
    }

    @Test("a record that is fetched later holds up its own stream only")
    func laterRecord() {
        var pair = Pair.connected()
        pair.serverShelf.later = [5]
        pair.serverSends(records(10), on: 2)
        pair.run(for: .seconds(2))
        #expect(pair.recordsAtClient(2).count == 5)
        pair.serverShelf.later = []
        if let handle = pair.serverConnection { pair.server.resume(stream: 2, of: handle) }
        pair.run(for: .seconds(2))
        #expect(pair.recordsAtClient(2).count == 10)
    }

    @Test("a record that is gone is passed over")
    func goneRecord() {
        var pair = Pair.connected()
        pair.clientShelf.gone = [0, 3, 4]
        pair.clientSends(records(6), on: 1)
        pair.run(for: .seconds(2))
        #expect(pair.recordsAtServer(1).keys.sorted() == [1, 2, 5])
        let told = pair.clientEvents.contains {
            if case .connection(_, .acknowledged(stream: 1, below: 6)) = $0 { true } else { false }
        }
        #expect(told)
    }

    @Test("no packet of a connection is taken twice, whatever is replayed")
    func replay() {
        var pair = Pair.connected()
        pair.clientSends(records(30), on: 1)
        pair.run(for: .seconds(2))
        let before = pair.serverEvents.count
        for bytes in pair.toServer where bytes[0] == PacketType.data.rawValue {
            pair.inject(bytes, from: pair.clientAddress)
            pair.inject(bytes, from: Address(ip: .v4(0x0B00_0001), port: 99))
        }
        pair.run(for: .milliseconds(1))
        #expect(pair.serverEvents.count == before)
        #expect(pair.server.counters.repeated > 0)
    }

    @Test("a flipped bit is never taken")
    func forgery() {
        var pair = Pair.connected()
        pair.passes = { toServer, _, _ in !toServer }
        pair.clientSends(records(1), on: 1)
        pair.run(for: .milliseconds(100))
        let data = pair.toServer.last ?? []
        let before = pair.serverEvents.count
        for bit in 8..<data.count * 8 {
            var forged = data
            forged[bit / 8] ^= 1 << UInt8(bit % 8)
            pair.inject(forged, from: pair.clientAddress)
        }
        pair.run(for: .milliseconds(1))
        #expect(pair.serverEvents.count == before)
    }

    @Test("datagrams arrive or do not, and the oldest give way")
    func datagrams() {
        var pair = Pair.connected()
        if let handle = pair.serverConnection {
            for index in 0..<100 { pair.server.send(datagram: [UInt8(index)], to: handle) }
        }
        pair.run(for: .seconds(1))
        let got = pair.clientEvents.compactMap {
            if case .connection(_, .datagram(let bytes)) = $0 { bytes[0] } else { nil }
        }
        #expect(got == Array(68..<100))
    }

    @Test(
        "what a silent peer should have acknowledged counts as lost, and no more once it is heard"
    )
    func overdue() throws {
        var pair = Pair()
        pair.connect()
        pair.run(for: .seconds(2))
        let beforeLink = pair.client.link()
        let before = try #require(beforeLink)
        #expect(before.packetsLost == 0)
        pair.passes = { _, _, _ in false }
        pair.clientSends([[1]], on: 1)
        // Short enough that the next probe comes before the client takes a fresh socket, and counts anew.
        pair.run(for: .seconds(6))
        let silentLink = pair.client.link()
        let silent = try #require(silentLink)
        let sent = silent.packetsSent - before.packetsSent
        #expect(sent >= 4)
        // The last probes may still be answered.
        #expect(silent.packetsLost + 2 >= sent)
        pair.passes = { _, _, _ in true }
        pair.run(for: .seconds(10))
        let healedLink = pair.client.link()
        let healed = try #require(healedLink)
        #expect(healed.packetsLost >= silent.packetsLost)
        #expect(healed.packetsLost < healed.packetsSent)
    }

    @Test("an answer to OPEN that took long, as at a crowded door, is not taken for the round trip")
    func slowHandshake() throws {
        var pair = Pair()
        pair.delay = .milliseconds(450)
        pair.connect()
        pair.run(for: .seconds(5)) { $0.client.link() != nil }
        pair.delay = .milliseconds(25)
        pair.run(for: .seconds(2))
        let link = pair.client.link()
        // The first packet left before the way was short again.
        #expect(try #require(link).roundTrip == .milliseconds(475))
    }

    @Test("who is not heard is asked every eight seconds in the end, however short the way is")
    func rareProbes() {
        var configuration = TransportConfiguration()
        configuration.maxAckDelay = .zero
        var pair = Pair(configuration: configuration)
        pair.delay = .microseconds(100)
        pair.connect()
        pair.run(for: .seconds(5)) { $0.serverConnection != nil }
        pair.serverSends(records(200, size: 500), on: 2)
        pair.run(for: .seconds(5))
        pair.passes = { _, _, _ in false }
        pair.serverSends(records(1), on: 3)
        pair.run(for: .seconds(60))
        let before = pair.fromServer.count
        pair.run(for: .seconds(80))
        // Two at a time.
        #expect((18...22).contains(pair.fromServer.count - before))
    }

    @Test(
        "what was kept for copies goes when all is acknowledged, and a connection that was silent goes on where it was"
    )
    func rest() throws {
        var pair = Pair.connected()
        let connections = pair.serverConnection
        let connection = try #require(connections)
        pair.serverSends(records(20), on: 2)
        pair.run(for: .milliseconds(10))
        let busy = pair.server.load(of: connection)
        #expect(try #require(busy).recent > 0)
        pair.run(for: .seconds(1))
        let quiet = pair.server.load(of: connection)
        #expect(try #require(quiet).recent == 0)
        pair.run(for: .seconds(5))
        pair.serverShelf.streams[2] = records(40)
        pair.server.offer(upTo: 40, on: 2, of: connection)
        pair.run(for: .seconds(1))
        #expect(pair.recordsAtClient(2).count == 40)
    }

    @Test(
        "a lost message that nothing follows comes a round trip later with either of two probes, and nobody waits for a late acknowledgement",
        arguments: [true, false],
        // On a new way, and on one that has lost nothing for long.
        [(lost: 1, before: 30), (lost: 2, before: 30), (lost: 2, before: 150)]
    )
    func lastWord(isUp: Bool, packets: (lost: Int, before: UInt64)) throws {
        var pair = Pair.connected()
        let (clients, servers) = (pair.clientConnection, pair.serverConnection)
        let client = try #require(clients)
        let server = try #require(servers)
        pair.clientSends([], on: 1)
        pair.serverSends([], on: 1)
        let last = packets.before + 1
        pair.clientShelf.streams[1] = records(Int(last))
        pair.serverShelf.streams[1] = records(Int(last))
        func say(upTo end: UInt64, _ pair: inout Pair) {
            if isUp {
                pair.client.offer(upTo: end, on: 1, of: client)
            } else {
                pair.server.offer(upTo: end, on: 1, of: server)
            }
        }
        // On a way whose time is known.
        for end in 1..<last {
            say(upTo: end, &pair)
            pair.run(for: .milliseconds(500))
        }
        var lost = 0
        pair.passes = { toServer, bytes, _ in
            guard toServer == isUp, bytes.count > 60, lost < packets.lost else { return true }
            lost += 1
            return false
        }
        let start = pair.now
        say(upTo: last, &pair)
        pair.run(for: .seconds(5)) {
            (isUp ? $0.recordsAtServer(1) : $0.recordsAtClient(1)).count == Int(last)
        }
        #expect(lost == packets.lost)
        let took = start.duration(to: pair.now)
        // The way, after the probe timeout: 50 ms, and little more.
        #expect(took > .milliseconds(75) && took < .milliseconds(90))
    }

    @Test("a single lost message is repaired within a few probe timeouts by what follows it")
    func thinFlow() {
        var pair = Pair.connected()
        pair.run(for: .seconds(1))
        var isLost = false
        pair.passes = { toServer, _, _ in
            if toServer, !isLost {
                isLost = true
                return false
            }
            return true
        }
        let start = pair.now
        pair.clientSends(records(1), on: 1)
        pair.run(for: .seconds(5)) { !$0.recordsAtServer(1).isEmpty }
        #expect(pair.recordsAtServer(1).count == 1)
        #expect(start.duration(to: pair.now) < .milliseconds(300))
    }
}
