import KirimNoise
import KirimTestKit
import KirimTransport
import KirimWire
import Testing

/// What a server sends to addresses that have not shown that the client is there (RFC 9000 §8, §9).
@Suite("Addresses that have not proved themselves")
struct UnprovedAddressTests {
    private let second = Address(ip: .v4(0x0A00_0063), port: 41_000)
    private let third = Address(ip: .v4(0x0C00_0001), port: 42_000)

    private func tokens(_ pair: borrowing Pair) -> [[UInt8]] {
        pair.clientEvents.compactMap { if case .token(let token) = $0 { token } else { nil } }
    }

    @Test("get no token, though the one for the last address was lost on its way")
    func token() throws {
        var pair = Pair.connected(since: .seconds(1))
        pair.clientAddress = second
        pair.client.networkChanged(at: pair.now)
        // Time for the challenge and its answer, not for the token that follows.
        pair.run(for: .milliseconds(60))
        pair.passes = { toServer, _, _ in toServer }
        pair.run(for: .milliseconds(40))
        let before = (packets: pair.fromServer.count, tokens: tokens(pair).count)
        pair.clientAddress = third
        pair.client.networkChanged(at: pair.now)
        pair.run(for: .milliseconds(600))
        let captured = pair.sent(to: third, from: before.packets)
        #expect(!captured.isEmpty)
        // Only the client can read them: it is shown them now, as if they had been late.
        for bytes in captured { pair.injectToClient(bytes) }
        pair.passes = { toServer, _, _ in !toServer }
        pair.run(for: .milliseconds(10))
        #expect(tokens(pair).count == before.tokens)
        // The captured ones held the challenge; with its answer the address is proved, and gets one.
        pair.passes = { _, _, _ in true }
        pair.run(for: .seconds(3))
        #expect(
            pair.serverConnection.flatMap { pair.server.link(of: $0)?.path.remote } == third
        )
        let fresh = try #require(tokens(pair).dropFirst(before.tokens).last)
        var again = Pair()
        again.clientAddress = third
        let start = again.now
        again.connect(trusting: pair.server.publicKey, token: fresh)
        again.run(for: .seconds(5)) { $0.serverConnection != nil }
        #expect(start.duration(to: again.now) <= .milliseconds(80))
    }

    @Test("get nothing any more when the client has moved on before they proved themselves")
    func movedOn() {
        var pair = Pair.connected(since: .seconds(1))
        let first = pair.clientAddress
        let before = pair.fromServer.count
        for address in [second, third] {
            pair.clientAddress = address
            pair.client.networkChanged(at: pair.now)
            // What was sent from here arrives together with what is sent from the next address.
            pair.run(for: .zero)
        }
        pair.run(for: .seconds(2))
        #expect(pair.bytesIn[second, default: 0] > 0)
        #expect(pair.sent(to: second, from: before).isEmpty)
        // The one that had proved itself is asked whether it knows of the move.
        #expect(pair.sent(to: first, from: before).count == 1)
        #expect(
            pair.serverConnection.flatMap { pair.server.link(of: $0)?.path.remote } == third
        )
    }

    @Test(
        "get at most three times what came from them, the padding of the challenge included",
        arguments: [0, 1, 200] as [Int]
    )
    func threeTimes(records: Int) {
        var pair = Pair.connected(since: .seconds(1))
        let data = (0..<records).map { [UInt8](repeating: UInt8($0), count: 900) }
        pair.serverSends(data, on: 2)
        pair.clientSends(Array(data.prefix(20)), on: 1)
        let before = pair.fromServer.count
        pair.passes = { toServer, _, _ in toServer }
        pair.clientAddress = second
        pair.client.networkChanged(at: pair.now)
        var largest = 0
        // Until the server falls back on the address that was proved.
        for _ in 0..<900 {
            pair.run(for: .milliseconds(1))
            let packets = pair.sent(to: second, from: before)
            let bytesOut = packets.reduce(0) { $0 + $1.count }
            #expect(bytesOut <= 3 * pair.bytesIn[second, default: 0])
            largest = max(largest, packets.map(\.count).max() ?? 0)
        }
        #expect(!pair.sent(to: second, from: before).isEmpty)
        // A lone ping allows no full packet; a record of 900 bytes does.
        #expect((largest > 1_000) == (records > 0))
    }

    @Test("get one answer to a member that asks there for many in one packet")
    func manyQuestions() throws {
        var pair = Pair()
        let liar = try Liar(in: &pair, at: pair.clientAddress)
        var questions = ByteWriter(capacity: 72)
        for number in 0..<8 as Range<UInt64> { Frame.pathChallenge(number).write(to: &questions) }
        // The newest packet is the member's own; an older one bears another source.
        pair.inject(liar.packet(1, [1]), from: pair.clientAddress)
        pair.run(for: .zero)
        let before = pair.fromServer.count
        pair.inject(liar.packet(0, questions.bytes), from: third)
        pair.run(for: .seconds(1))
        let answers = pair.sent(to: third, from: before)
        #expect(answers.count == 1)
        #expect(answers.reduce(0) { $0 + $1.count } <= pair.bytesIn[third, default: 0])
    }
}

/// A member who keeps to the handshake and to nothing after it.
private struct Liar {
    private let keys: SessionKeys
    private let connectionID: UInt64

    init(in pair: inout Pair, at address: Address) throws {
        var dice = SeededDice(seed: 66)
        let ephemeral = StaticKey(dice: &dice)
        let first = pair.fromServer.count
        let hello = HelloPacket(ephemeral: ephemeral.publicKey.bytes, versions: [.one, .grease(1)])
        pair.inject(hello.bytes, from: address)
        pair.run(for: .zero)
        let challenge = try ChallengePacket(parsing: pair.fromServer[first].bytes)
        var prologue = ByteWriter(capacity: 32)
        prologue.append("kirim/1".utf8)
        prologue.integer(ProtocolVersion.one.rawValue)
        prologue.byte(Access.open.rawValue)
        prologue.versions([.one])
        var handshake = InitiatorHandshake(
            identity: StaticKey(dice: &dice),
            ephemeral: ephemeral,
            remote: challenge.serverKey,
            prologue: prologue.bytes,
            psk: nil
        )
        let parameters = [UInt8](repeating: 0, count: OpenPacket.parametersSize)
        let open = OpenPacket(
            version: .one,
            clientIndex: 1,
            cookie: challenge.cookie,
            noise: try handshake.writeMessage1(parameters)
        )
        pair.inject(open.bytes, from: address)
        pair.run(for: .zero)
        let accept = try AcceptPacket(parsing: pair.fromServer[first + 1].bytes)
        let (payload, keys) = try handshake.readMessage2(accept.noise)
        var reader = ByteReader(payload)
        connectionID = try reader.integer()
        self.keys = keys
    }

    func packet(_ number: UInt32, _ frames: [UInt8]) -> [UInt8] {
        let header = DataHeader(
            destination: .server(connectionID: connectionID),
            packetNumber: number
        ).bytes
        let padded = frames + [UInt8](repeating: 0, count: (16 - frames.count % 16) % 16)
        return header + keys.sealing.seal(padded, number: UInt64(number), header: header)
    }
}
