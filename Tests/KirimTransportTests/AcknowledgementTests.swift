import KirimTestKit
import KirimTransport
import KirimWire
import Testing

/// The server says records on a stream of a connected client's, one at a time.
private struct Talk: ~Copyable {
    var pair = Pair()
    private var said: UInt64 = 0

    init(size: Int) {
        pair.connect()
        pair.run(for: .seconds(5)) { $0.serverConnection != nil }
        pair.run(for: .seconds(5))
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

    /// How many records come in, copies included, while so many are said.
    mutating func arrivals(saying count: Int) -> Int {
        pair.run(for: .milliseconds(200))
        let before = arrived
        say(count)
        pair.run(for: .milliseconds(200))
        return arrived - before
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
        let before = talk.pair.toServer.count
        talk.say(count - 1, each: .milliseconds(1))
        #expect(talk.pair.toServer.count == before)
        talk.say(1, each: .milliseconds(1))
        #expect(talk.pair.toServer.count == before + 1)
    }

    @Test(
        "what comes first after a silence is acknowledged at once: nothing else would share the acknowledgement"
    )
    func firstWord() {
        var talk = Talk(size: 40)
        talk.pair.delay = .zero
        let before = talk.pair.toServer.count
        talk.say(1, each: .milliseconds(1))
        #expect(talk.pair.toServer.count == before + 1)
        talk.say(1, each: .milliseconds(1))
        #expect(talk.pair.toServer.count == before + 1)
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
