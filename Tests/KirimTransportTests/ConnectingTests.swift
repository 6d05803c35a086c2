import KirimNoise
import KirimTestKit
import KirimTransport
import KirimWire
import Testing

@Suite("Connecting")
struct ConnectingTests {
    @Test("two round trips open a connection, and both know whom they talk to")
    func coldConnect() {
        var pair = Pair()
        let start = pair.now
        pair.connect()
        pair.run(for: .seconds(5)) { $0.serverConnection != nil }
        #expect(pair.clientConnection != nil)
        #expect(start.duration(to: pair.now) <= .milliseconds(130))
        guard case .opened(_, let peer, _, nil)? = pair.serverEvents.first else {
            Issue.record("the server opened nothing")
            return
        }
        let opened = pair.clientEvents.contains {
            if case .opened(_, let key, _) = $0 { key == pair.server.publicKey } else { false }
        }
        #expect(opened)
        #expect(peer == pair.client.publicKey)
    }

    @Test("a token saves a round trip, also across the server's restart")
    func tokenConnect() throws {
        var pair = Pair()
        pair.connect()
        pair.run(for: .seconds(2))
        let token = try #require(
            pair.clientEvents.compactMap { if case .token(let token) = $0 { token } else { nil } }
                .last
        )
        let key = pair.server.publicKey
        var again = Pair()
        let start = again.now
        again.connect(trusting: key, token: token)
        again.run(for: .seconds(5)) { $0.serverConnection != nil }
        #expect(again.serverConnection != nil)
        #expect(start.duration(to: again.now) <= .milliseconds(80))
    }

    @Test("a token that is worth nothing costs a round trip and no more")
    func staleToken() {
        var pair = Pair()
        let key = pair.server.publicKey
        pair.connect(trusting: key, token: [2] + [UInt8](repeating: 7, count: 20))
        pair.run(for: .seconds(2)) { $0.serverConnection != nil }
        #expect(pair.serverConnection != nil)
    }

    @Test("a lost packet of the handshake is sent again", arguments: 1...4)
    func lossyHandshake(lost: Int) {
        var pair = Pair()
        var count = 0
        pair.passes = { _, _, _ in
            count += 1
            return count != lost
        }
        pair.connect()
        pair.run(for: .seconds(20)) { $0.serverConnection != nil }
        #expect(pair.serverConnection != nil)
    }

    @Test("another key than the trusted one is a hard stop")
    func changedKey() {
        var dice = SeededDice(seed: 77)
        let other = StaticKey(dice: &dice).publicKey
        var pair = Pair()
        pair.connect(trusting: other)
        pair.run(for: .seconds(20))
        #expect(pair.clientEvents.contains(.stopped(.serverKeyChanged(pair.server.publicKey))))
        #expect(pair.serverConnection == nil)
    }

    @Test("the right password opens, a wrong one is refused, none is asked for")
    func password() {
        var dice = SeededDice(seed: 1)
        let key = StaticKey(dice: &dice).publicKey
        let policy = AccessPolicy.password(
            PasswordKey.derive(password: Array("kunci".utf8), serverKey: key)
        )
        var right = Pair(access: policy)
        #expect(right.server.publicKey == key)
        right.connect(secret: .password(Array("kunci".utf8)))
        right.run(for: .seconds(5)) { $0.serverConnection != nil }
        #expect(right.serverConnection != nil)

        var wrong = Pair(access: policy)
        wrong.connect(secret: .password(Array("salah".utf8)))
        wrong.run(for: .seconds(20))
        #expect(wrong.clientEvents.contains(.stopped(.secretRefused)))
        #expect(wrong.serverConnection == nil)

        var none = Pair(access: policy)
        none.connect()
        none.run(for: .seconds(20))
        #expect(none.clientEvents.contains(.stopped(.passwordNeeded)))
    }

    /// Of the server that a ``Pair`` of the first seed has.
    private func passwordKey() -> [UInt8] {
        var dice = SeededDice(seed: 1)
        return PasswordKey.derive(
            password: Array("kunci".utf8),
            serverKey: StaticKey(dice: &dice).publicKey
        )
    }

    @Test(
        "whoever needs a password hears so although every other question is lost, or not answered"
    )
    func objectionOnBadRoad() {
        let key = passwordKey()
        var pair = Pair(access: .password(key))
        var asked = 0
        pair.passes = { toServer, _, _ in
            if toServer { asked += 1 }
            return !toServer || asked % 2 == 1
        }
        pair.connect()
        pair.run(for: .seconds(60))
        #expect(pair.clientEvents.contains(.stopped(.passwordNeeded)))
    }

    @Test(
        "whoever is turned away is not called unreachable, and its next try is given all its time"
    )
    func silenceAfterRefusal() {
        let key = passwordKey()
        var pair = Pair(access: .password(key))
        pair.connect()
        pair.run(for: .seconds(100))
        #expect(pair.clientEvents.contains(.stopped(.passwordNeeded)))
        #expect(!pair.clientEvents.contains(.unreachable))
        pair.passes = { _, _, _ in false }
        pair.connect(secret: .passwordKey(key))
        pair.run(for: .seconds(89))
        #expect(!pair.clientEvents.contains(.unreachable))
        pair.run(for: .seconds(2))
        #expect(pair.clientEvents.contains(.unreachable))
    }

    @Test("an invitation serves the first key that uses it, and no other")
    func invitation() throws {
        var dice = SeededDice(seed: 1)
        let identity = StaticKey(dice: &dice)
        var more = SeededDice(seed: 5)
        let id = InvitationID(endingAt: 1_700_000_000 / 60 + 60, dice: &more)
        let secret = AccessSecret.invitation(id, secret: id.secret(of: identity))
        var pair = Pair(access: .invitation(redeemed: [:]))
        pair.connect(secret: secret)
        pair.run(for: .seconds(5)) { $0.serverConnection != nil }
        #expect(pair.redeemed == [id])
        // It comes back with it as often as it likes, and nothing is used up by that.
        pair.connect(secret: secret)
        pair.run(for: .seconds(5)) { $0.openedCount == 2 }
        #expect(pair.openedCount == 2)
        #expect(pair.redeemed == [id])

        let taken = try #require(PublicKey(bytes: [UInt8](repeating: 3, count: 32)))
        var late = Pair(access: .invitation(redeemed: [id: taken]))
        late.connect(secret: secret)
        late.run(for: .seconds(20))
        #expect(late.clientEvents.contains(.stopped(.secretRefused)))
    }

    @Test("an OPEN that is repeated gets the same ACCEPT and no second handshake")
    func repeatedOpen() throws {
        var pair = Pair()
        pair.passes = { toServer, bytes, _ in
            // Keep the client from confirming.
            !(toServer && bytes[0] == PacketType.data.rawValue)
        }
        pair.connect()
        pair.run(for: .milliseconds(500))
        let open = try #require(pair.toServer.first { $0[0] == PacketType.open.rawValue })
        let accept = try #require(pair.toClient.first { $0[0] == PacketType.accept.rawValue })
        let before = pair.toClient.count
        pair.inject(open, from: pair.clientAddress)
        pair.run(for: .milliseconds(10))
        #expect(pair.toClient.dropFirst(before).contains(accept))
        #expect(pair.server.counters.handshakes == 1)
    }

    @Test("a client to which a NAT gave a port that is never answered tries another socket")
    func unansweredPort() {
        var pair = Pair()
        pair.clientAddress.port = 5_060
        pair.connect()
        func sockets(_ pair: borrowing Pair) -> Int {
            pair.clientEvents.filter { if case .wantsSocket = $0 { true } else { false } }.count
        }
        let before = sockets(pair)
        let start = pair.now
        pair.run(for: .seconds(120)) { sockets($0) > before }
        #expect(sockets(pair) == before + 1)
        #expect(start.duration(to: pair.now) < .seconds(60))
        #expect(pair.serverConnection == nil)
        pair.clientAddress.port = 41_000
        pair.run(for: .seconds(30)) { $0.serverConnection != nil }
        #expect(pair.serverConnection != nil)
    }

    @Test("an answer to the socket that was just left does not keep the new one from connecting")
    func answeredLate() {
        var pair = Pair()
        pair.hasPorts = true
        // With the seventh knock another socket is taken; it is the first to be heard.
        pair.passes = { toServer, _, index in !toServer || index >= 7 }
        pair.connect()
        pair.run(for: .seconds(120)) { $0.toServer.count >= 7 }
        let start = pair.now
        pair.run(for: .seconds(60)) { $0.serverConnection != nil }
        #expect(pair.clientSocket == SocketID(rawValue: 2))
        #expect(start.duration(to: pair.now) < .seconds(1))
    }

    @Test("a handshake goes on when its client takes another socket in the middle of it")
    func socketInTheMiddle() {
        var pair = Pair()
        pair.hasPorts = true
        pair.passes = { toServer, bytes, _ in
            // The first OPEN is lost, so that its handshake has yet to be answered.
            !(toServer && bytes[0] == PacketType.open.rawValue)
        }
        pair.connect()
        pair.run(for: .seconds(2)) { $0.toServer.last?[0] == PacketType.open.rawValue }
        pair.client.networkChanged(at: pair.now)
        pair.passes = { _, _, _ in true }
        let start = pair.now
        pair.run(for: .seconds(60)) { $0.serverConnection != nil }
        #expect(start.duration(to: pair.now) < .milliseconds(500))
    }

    @Test("an OPEN for a version that is not spoken is answered as a HELLO is")
    func unknownVersion() throws {
        var pair = Pair()
        pair.passes = { toServer, bytes, _ in
            !(toServer && bytes[0] == PacketType.open.rawValue)
        }
        pair.connect()
        pair.run(for: .milliseconds(200))
        var open = try #require(pair.toServer.first { $0[0] == PacketType.open.rawValue })
        open[1] = 9
        let before = pair.toClient.count
        pair.inject(open, from: pair.clientAddress)
        pair.run(for: .milliseconds(1))
        let answers = pair.toClient.dropFirst(before)
        #expect(answers.map(\.first) == [PacketType.challenge.rawValue])
        let challenge = try ChallengePacket(parsing: try #require(answers.first))
        #expect(challenge.echo == Array(open[27..<35]))
        #expect(challenge.versions.contains(.one))
        #expect(pair.server.unconfirmedCount == 0)
    }

    @Test("handshakes that nobody confirms are forgotten, and bounded")
    func unconfirmed() {
        var configuration = TransportConfiguration()
        configuration.unconfirmedLimit = 4
        var pair = Pair(configuration: configuration)
        pair.passes = { toServer, bytes, _ in !(toServer && bytes[0] == PacketType.data.rawValue) }
        for _ in 0..<8 {
            pair.connect()
            pair.run(for: .milliseconds(400))
        }
        #expect(pair.server.unconfirmedCount <= 4)
        #expect(pair.server.counters.handshakes == 8)
        pair.client.disconnect(at: pair.now)
        pair.run(for: .seconds(15))
        #expect(pair.server.unconfirmedCount == 0)
        #expect(pair.serverConnection == nil)
    }

    @Test("a source that cannot be answered is dropped at the door, whatever comes from there")
    func unanswerable() throws {
        var pair = Pair.connected()
        let open = try #require(pair.toServer.first { $0[0] == PacketType.open.rawValue })
        // A member's packet that the server has not seen.
        pair.passes = { toServer, _, _ in !toServer }
        pair.clientSends([[1, 2, 3]], on: 1)
        pair.run(for: .milliseconds(1))
        let fresh = try #require(pair.toServer.last)
        let hello = HelloPacket(
            ephemeral: [UInt8](repeating: 1, count: 32),
            versions: [.one, .grease(1)]
        )
        .bytes
        let unknown = [PacketType.data.rawValue] + [UInt8](repeating: 9, count: 100)
        let before = (packets: pair.fromServer.count, events: pair.serverEvents.count)
        var count: UInt64 = 0
        for port in ReflectablePorts.all {
            for bytes in [hello, open, unknown, fresh] {
                pair.inject(bytes, from: Address(ip: .v4(0x0A00_0007), port: port))
                count += 1
            }
        }
        for ip in [IPAddress.v4(0), .v4(0xE000_0001), .v4(0xFFFF_FFFF)] {
            pair.inject(hello, from: Address(ip: ip, port: 40_000))
            count += 1
        }
        pair.run(for: .milliseconds(1))
        #expect(pair.fromServer.count == before.packets)
        #expect(pair.serverEvents.count == before.events)
        #expect(pair.server.counters.unanswerable == count)
        // The member's packet counts as new when it comes from where the member is.
        pair.inject(fresh, from: pair.clientAddress)
        pair.run(for: .milliseconds(1))
        #expect(pair.recordsAtServer(1) == [0: [1, 2, 3]])
    }

    @Test("an answer counts only when it comes from where the client asked")
    func answersFromElsewhere() throws {
        var pair = Pair()
        let elsewhere = [
            Address(ip: .v4(0x0A00_00FD), port: pair.serverAddress.port),
            Address(ip: pair.serverAddress.ip, port: pair.serverAddress.port + 1),
        ]
        for type in [PacketType.challenge, .accept, .data] {
            pair.passes = { toServer, bytes, _ in toServer || bytes[0] != type.rawValue }
            if type == .challenge { pair.connect() }
            if type == .data { pair.clientSends([[1]], on: 1) }
            pair.run(for: .milliseconds(200))
            let answer = try #require(pair.toClient.last { $0[0] == type.rawValue })
            let (asked, dropped) = (pair.toServer.count, pair.client.dropped)
            for address in elsewhere { pair.injectToClient(answer, from: address) }
            pair.run(for: .milliseconds(1))
            #expect(pair.toServer.count == asked)
            #expect(pair.client.dropped == dropped + 2)
            #expect((pair.clientConnection != nil) == (type == .data))
            // The same bytes from the right place are taken.
            pair.injectToClient(answer)
            #expect(pair.client.dropped == dropped + 2)
            pair.run(for: .milliseconds(1))
        }
        pair.passes = { _, _, _ in true }
        pair.run(for: .seconds(2))
        #expect(pair.recordsAtServer(1).count == 1)
    }

    @Test("strangers never get more bytes than they sent")
    func amplification() {
        var pair = Pair()
        var dice = SeededDice(seed: 9)
        var bytesIn = 0
        for _ in 0..<2_000 {
            var bytes = (0..<Int(dice.next() % 1_300)).map { _ in
                UInt8(truncatingIfNeeded: dice.next())
            }
            if !bytes.isEmpty { bytes[0] = UInt8(0xF5 + dice.next() % 11) }
            if dice.next() % 3 == 0 {
                bytes =
                    HelloPacket(
                        ephemeral: Array(repeating: UInt8(dice.next() % 256), count: 32),
                        versions: [.one, .grease(1)]
                    ).bytes
            }
            bytesIn += bytes.count
            pair.inject(bytes, from: Address(ip: .v4(0x0A00_0007), port: 5_000))
        }
        pair.run(for: .milliseconds(1))
        let bytesOut = pair.toClient.reduce(0) { $0 + $1.count }
        #expect(bytesOut > 0)
        #expect(bytesOut < bytesIn / 5)
    }
}
