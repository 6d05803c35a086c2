import KirimTestKit
import KirimTransport
import KirimWire
import Testing

/// The server says records on a stream of a connected client's, one at a time.
private struct Talk: ~Copyable {
    var pair: Pair
    private var said: UInt64 = 0

    init(size: Int, _ configuration: TransportConfiguration = TransportConfiguration()) {
        pair = Pair.connected(configuration, since: .seconds(5))
        pair.serverSends([], on: 2)
        let record = [UInt8](repeating: 7, count: size)
        pair.serverShelf.streams[2] = Array(repeating: record, count: 999)
    }

    /// So many more, each in a packet of its own.
    mutating func say(_ count: Int, each wait: Duration = .milliseconds(5)) {
        guard let handle = pair.serverConnection else { return }
        for _ in 0..<count {
            said += 1
            pair.server.offer(upTo: said, on: 2, of: handle)
            pair.run(for: wait)
        }
    }

    /// How many packets the client sends while so many are said.
    mutating func answers(saying count: Int, each wait: Duration = .milliseconds(1)) -> Int {
        let before = pair.toServer.count
        say(count, each: wait)
        return pair.toServer.count - before
    }

    /// How many records come in, copies included, while so many are said.
    mutating func arrivals(saying count: Int) -> Int {
        pair.run(for: .milliseconds(200))
        let before = arrived
        say(count)
        pair.run(for: .milliseconds(200))
        return arrived - before
    }

    func serversLink() throws -> LinkState {
        let handle = pair.serverConnection
        let link = pair.server.link(of: try #require(handle))
        return try #require(link)
    }

    private var arrived: Int {
        pair.clientEvents.count {
            if case .connection(_, .record(2, _, _)) = $0 { true } else { false }
        }
    }
}

@Suite("Acknowledgements and copies")
struct AcknowledgementTests {
    @Test(
        "two full packets are acknowledged at once, and small ones when they are as many bytes",
        arguments: [(size: 1_000, count: 2), (size: 300, count: 6)]
    )
    func bytes(size: Int, count: Int) {
        var talk = Talk(size: size)
        talk.pair.delay = .zero
        // What follows on a silence is acknowledged at once.
        talk.say(1)
        #expect(talk.answers(saying: count - 1) == 0)
        #expect(talk.answers(saying: 1) == 1)
    }

    @Test(
        "what comes first after a silence is acknowledged at once: nothing else would share the acknowledgement"
    )
    func firstWord() {
        var talk = Talk(size: 40)
        talk.pair.delay = .zero
        #expect(talk.answers(saying: 1) == 1)
        #expect(talk.answers(saying: 1) == 0)
    }

    @Test("the acknowledgement of a record rides on the server's answer, if that comes within 2 ms")
    func answer() {
        var talk = Talk(size: 40)
        talk.pair.delay = .zero
        func packets(_ talk: inout Talk, in time: Duration) -> Int {
            let before = talk.pair.toClient.count
            talk.pair.run(for: time)
            return talk.pair.toClient.count - before
        }
        talk.pair.clientSends([[1], [2]], on: 4)
        #expect(packets(&talk, in: .milliseconds(1)) == 0)
        #expect(talk.pair.recordsAtServer(4).count == 2)
        let before = talk.pair.toClient.count
        talk.say(1, each: .milliseconds(4))
        #expect(talk.pair.toClient.count == before + 1)
        // Nothing is asked twice.
        talk.pair.run(for: .seconds(1))
        let sent = talk.pair.toServer.count
        talk.pair.clientSends([[3]], on: 6)
        #expect(packets(&talk, in: .microseconds(1_900)) == 0)
        #expect(packets(&talk, in: .milliseconds(2)) == 1)
        talk.pair.run(for: .seconds(1))
        #expect(talk.pair.toServer.count == sent + 1)
    }

    @Test("what is not followed by more is acknowledged 25 ms after it came")
    func lastWord() {
        var talk = Talk(size: 40)
        talk.pair.delay = .zero
        talk.say(1)
        let before = talk.pair.toServer.count
        talk.say(1, each: .milliseconds(24))
        #expect(talk.pair.toServer.count == before)
        talk.pair.run(for: .milliseconds(2))
        #expect(talk.pair.toServer.count == before + 1)
    }

    @Test("a path on which nothing was lost lately carries no copies, until something is")
    func calm() {
        var talk = Talk(size: 40)
        #expect(talk.arrivals(saying: 20) > 20)
        talk.say(128)
        #expect(talk.arrivals(saying: 20) == 20)
        talk.pair.passes = { toServer, _, _ in toServer }
        talk.say(1)
        talk.pair.passes = { _, _, _ in true }
        #expect(talk.arrivals(saying: 10) >= 11)
        #expect(talk.arrivals(saying: 20) > 20)
    }

    @Test(
        "on such a path what is followed by more is acknowledged with it, by bytes or after 100 ms"
    )
    func later() {
        var configuration = TransportConfiguration()
        configuration.initialWindow = 40_000
        var talk = Talk(size: 40, configuration)
        talk.pair.delay = .zero
        talk.say(200)
        talk.pair.run(for: .milliseconds(200))
        // At once, as it follows on a silence; those after it together.
        talk.say(1)
        let before = talk.pair.toServer.count
        #expect(talk.answers(saying: 9, each: .milliseconds(10)) == 0)
        // A timer may be eight milliseconds late.
        talk.pair.run(for: .milliseconds(11))
        #expect(talk.pair.toServer.count == before + 1)
        let size = talk.pair.toClient.last?.count ?? 1
        let most = TransportConfiguration.laterAckBytes / size
        // Some are larger by a frame that means nothing.
        #expect(talk.answers(saying: most * 3 / 4, each: .microseconds(500)) == 0)
        #expect(talk.answers(saying: most / 4 + 1, each: .microseconds(500)) == 1)
    }

    @Test("nobody is asked for it who has not said that it may be")
    func neverLater() {
        var configuration = TransportConfiguration()
        configuration.laterAckDelay = .zero
        var talk = Talk(size: 40, configuration)
        talk.pair.delay = .zero
        talk.say(200)
        // Two or three share one within 25 ms.
        #expect(talk.answers(saying: 100, each: .milliseconds(10)) >= 33)
    }

    @Test("a message that is lost on such a path is repaired by what follows, or after that time")
    func lostLater() {
        var talk = Talk(size: 40)
        talk.say(200)
        func lose(_ talk: inout Talk) {
            talk.pair.passes = { toServer, _, _ in toServer }
            talk.say(1, each: .milliseconds(1))
            talk.pair.passes = { _, _, _ in true }
        }
        lose(&talk)
        talk.say(1, each: .milliseconds(1))
        // The gap is told at once, and what it shows is sent again: three ways of 25 ms and a little.
        talk.pair.run(for: .milliseconds(85))
        #expect(talk.pair.recordsAtClient(2).count == 202)
        // Once more on a path that has healed, with nothing behind it.
        talk.say(140)
        #expect(talk.answers(saying: 60, each: .milliseconds(5)) > 10)
        talk.say(512)
        lose(&talk)
        talk.pair.run(for: .milliseconds(100))
        #expect(talk.pair.recordsAtClient(2).count == 914)
        talk.pair.run(for: .milliseconds(100))
        #expect(talk.pair.recordsAtClient(2).count == 915)
    }

    @Test("two probes bring what many lost packets bore, a packet's worth each")
    func probes() {
        var talk = Talk(size: 40)
        talk.say(200)
        talk.pair.run(for: .seconds(1))
        talk.pair.passes = { toServer, _, _ in toServer }
        talk.say(30, each: .milliseconds(1))
        #expect(talk.pair.recordsAtClient(2).count == 200)
        talk.pair.passes = { _, _, _ in true }
        let before = talk.pair.toClient.count
        while talk.pair.toClient.count == before { talk.pair.run(for: .milliseconds(1)) }
        let size = talk.pair.toClient[before - 1].count
        talk.pair.run(for: .milliseconds(30))
        #expect(talk.pair.toClient.count == before + 2)
        let come = talk.pair.recordsAtClient(2).count - 200
        // Some packets are larger by a frame that means nothing.
        #expect(come <= 2 * (PacketSize.maximum / size) && come > PacketSize.maximum / size)
        talk.pair.run(for: .milliseconds(200))
        #expect(talk.pair.recordsAtClient(2).count == 230)
    }

    @Test(
        "posts to a server that is long in its turns are asked for once",
        arguments: [1, 4, 5, 8]
    )
    func longTurns(milliseconds: Int64) throws {
        var pair = Pair.connected(since: .seconds(1))
        pair.serverTurn = milliseconds * 1_000_000
        pair.clientSends([], on: 1)
        let clients = pair.clientConnection
        let client = try #require(clients)
        pair.clientShelf.streams[1] = Array(repeating: [UInt8](repeating: 9, count: 60), count: 200)
        let before = pair.toServer.count
        for end in 1...200 as ClosedRange<UInt64> {
            pair.client.offer(upTo: end, on: 1, of: client)
            pair.run(for: .microseconds(123_457))
        }
        #expect(pair.toServer.count - before <= 205)
    }

    @Test("while much is under way the window is not kept waiting for acknowledgements")
    func busy() {
        var talk = Talk(size: 1_000)
        talk.pair.delay = .zero
        talk.say(200)
        let before = talk.pair.toServer.count
        talk.pair.delay = .milliseconds(25)
        talk.say(16, each: .milliseconds(1))
        talk.pair.run(for: .milliseconds(120))
        // Sixteen packets: some of eight together, the others of two.
        #expect((3...8).contains(talk.pair.toServer.count - before))
        #expect(talk.pair.recordsAtClient(2).count == 216)
    }

    @Test("two messages that are lost on a calm path are no sign that it is not what it was")
    func twoLost() throws {
        var talk = Talk(size: 40)
        talk.pair.delay = .microseconds(2_500)
        talk.say(200)
        let before = try talk.serversLink().congestionWindow
        talk.pair.passes = { toServer, _, _ in toServer }
        talk.say(2, each: .milliseconds(95))
        talk.pair.passes = { _, _, _ in true }
        talk.say(1, each: .milliseconds(50))
        let link = try talk.serversLink()
        #expect(talk.pair.recordsAtClient(2).count == 203)
        #expect(link.packetsLost >= 2)
        // Halved once.
        #expect(link.congestionWindow == before / 2)
    }

    @Test("a path that is new carries copies, as nothing is known of it")
    func newPath() {
        var talk = Talk(size: 40)
        talk.say(148)
        #expect(talk.arrivals(saying: 20) == 20)
        talk.pair.clientAddress.port += 1
        // The client's next sign of life tells the server.
        talk.pair.run(for: .seconds(5))
        #expect(talk.arrivals(saying: 20) > 20)
    }
}
