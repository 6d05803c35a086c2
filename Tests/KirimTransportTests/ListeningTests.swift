import KirimTransport
import KirimWire
import Testing

/// What keeps a client that only listens from being deaf (docs/decisions/0009-deaf-listeners.md).
@Suite("A client that only listens")
struct ListeningTests {
    private func records(_ count: Int) -> [[UInt8]] {
        (0..<count).map { [UInt8(truncatingIfNeeded: $0)] }
    }

    @Test("asks for a sign of life soon after the last word, and ever more seldom in a silence")
    func pings() {
        var pair = Pair.connected(since: .seconds(1))
        pair.serverSends(records(1), on: 2)
        pair.run(for: .seconds(1)) { $0.recordsAtClient(2).count == 1 }
        let last = pair.now
        // The acknowledgement of the word itself.
        pair.run(for: .milliseconds(200))
        var ages: [Int64] = []
        for _ in 0..<7 {
            let count = pair.toServer.count
            pair.run(for: .seconds(60)) { $0.toServer.count > count }
            ages.append(last.duration(to: pair.now).inMilliseconds)
        }
        #expect(ages == [2_000, 4_000, 8_000, 16_000, 32_000, 57_000, 82_000])
    }

    @Test(
        "hears again after a change of its NAT within twice the age of the silence",
        arguments: [1, 3, 10, 40]
    )
    func rebinding(silence: Int) {
        var pair = Pair.connected(since: .seconds(1))
        pair.serverSends(records(1), on: 2)
        pair.run(for: .seconds(silence))
        pair.clientAddress.port = 55_555
        pair.serverSends(records(2), on: 3)
        let start = pair.now
        pair.run(for: .seconds(60)) { $0.recordsAtClient(3).count == 2 }
        #expect(pair.recordsAtClient(3).count == 2)
        let deaf = start.duration(to: pair.now)
        #expect(deaf < .seconds(min(25, max(2, silence))) + .milliseconds(500), "\(deaf)")
    }

    @Test(
        "knocks at all addresses of the server when the network has changed and one of them is silent"
    )
    func anotherAddress() {
        var pair = Pair()
        let other = Address(ip: .v4(0x0A00_00FD), port: 12_345)
        let home = pair.serverAddress
        pair.client.connect(
            to: [home, other],
            trusting: nil,
            token: nil,
            secret: nil,
            at: pair.now
        )
        pair.run(for: .seconds(1))
        #expect(pair.client.current != nil)
        pair.passes = { _, _, _ in false }
        pair.client.networkChanged(at: pair.now)
        let count = pair.toServer.count
        pair.run(for: .seconds(2))
        let opens = pair.toServer[count...].filter { $0.count == PacketSize.maximum }
        #expect(opens.count >= 2, "one to each address")
    }

    @Test("goes on looking when only a connection that was replaced is heard after a change")
    func replacedOne() {
        var pair = Pair()
        let other = Address(ip: .v4(0x0A00_00FD), port: 12_345)
        let addresses = [pair.serverAddress, other]
        for count in 1...2 {
            pair.client.connect(
                to: addresses,
                trusting: nil,
                token: nil,
                secret: nil,
                at: pair.now
            )
            pair.run(for: .seconds(2)) { $0.openedCount == count }
        }
        #expect(pair.openedCount == 2)
        // Nothing comes for the newer one, whose index is the second that was drawn.
        pair.passes = { toServer, bytes, _ in
            toServer || bytes[0] != PacketType.data.rawValue || bytes[1] == 1
        }
        pair.client.networkChanged(at: pair.now)
        let count = pair.toServer.count
        pair.run(for: .seconds(2))
        let opens = pair.toServer[count...].filter { $0.count == PacketSize.maximum }
        #expect(opens.count >= 2, "one to each address")
    }
}
