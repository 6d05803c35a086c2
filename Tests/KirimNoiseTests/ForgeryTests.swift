import KirimNoise
import KirimWire
import Testing

/// What an attacker may do to a handshake, and what becomes of it: nothing.
@Suite("Forged handshakes")
struct ForgeryTests {
    private static let client = key(String(repeating: "01", count: 32))
    private static let server = key(String(repeating: "02", count: 32))
    private static let clientEphemeral = key(String(repeating: "03", count: 32))
    private static let serverEphemeral = key(String(repeating: "04", count: 32))
    private static let psk = [UInt8](repeating: 5, count: 32)

    private static func initiator(
        to remote: PublicKey = server.publicKey,
        prologue: [UInt8] = [1],
        psk: [UInt8]? = nil
    ) -> InitiatorHandshake {
        InitiatorHandshake(
            identity: client,
            ephemeral: clientEphemeral,
            remote: remote,
            prologue: prologue,
            psk: psk
        )
    }

    private static func responder(
        prologue: [UInt8] = [1],
        usesPSK: Bool = false
    ) -> ResponderHandshake {
        ResponderHandshake(identity: server, prologue: prologue, usesPSK: usesPSK)
    }

    private static func error(_ body: () throws -> Void) -> NoiseError? {
        do {
            try body()
            return nil
        } catch {
            return error as? NoiseError
        }
    }

    @Test(
        "refuses message 1 with any single bit changed, and still reads the true one",
        arguments: [false, true]
    )
    func message1(usesPSK: Bool) throws {
        var initiator = Self.initiator(psk: usesPSK ? Self.psk : nil)
        let message = try initiator.writeMessage1([7, 8, 9])
        var responder = Self.responder(usesPSK: usesPSK)
        for bit in 0..<message.count * 8 {
            // X25519 ignores the highest bit of a public key, but the hash does not.
            var forged = message
            forged[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: NoiseError.self, "bit \(bit)") { try responder.readMessage1(forged) }
        }
        for count in 0..<message.count {
            let prefix = Array(message.prefix(count))
            #expect(throws: NoiseError.self, "\(count) bytes") {
                try responder.readMessage1(prefix)
            }
        }
        #expect(try responder.readMessage1(message).payload == [7, 8, 9])
    }

    @Test(
        "refuses message 2 with any single bit changed, and still reads the true one",
        arguments: [false, true]
    )
    func message2(usesPSK: Bool) throws {
        let psk = usesPSK ? Self.psk : nil
        var initiator = Self.initiator(psk: psk)
        var responder = Self.responder(usesPSK: usesPSK)
        _ = try responder.readMessage1(try initiator.writeMessage1([]))
        let answer = try responder.writeMessage2(
            [1, 2],
            ephemeral: Self.serverEphemeral,
            psk: psk
        )
        for bit in 0..<answer.message.count * 8 {
            var forged = answer.message
            forged[bit / 8] ^= 1 << (bit % 8)
            #expect(Self.error { _ = try initiator.readMessage2(forged) } != nil, "bit \(bit)")
        }
        for count in 0..<answer.message.count {
            let prefix = Array(answer.message.prefix(count))
            #expect(Self.error { _ = try initiator.readMessage2(prefix) } != nil)
        }
        #expect(try initiator.readMessage2(answer.message).payload == [1, 2])
    }

    @Test("refuses a wrong pre-shared key, and one where none was meant")
    func wrongPSK() throws {
        var initiator = Self.initiator(psk: Self.psk)
        var responder = Self.responder(usesPSK: true)
        let message = try initiator.writeMessage1([])
        _ = try responder.readMessage1(message)
        let answer = try responder.writeMessage2(
            [],
            ephemeral: Self.serverEphemeral,
            psk: [UInt8](repeating: 6, count: 32)
        )
        #expect(Self.error { _ = try initiator.readMessage2(answer.message) } == .notAuthentic)
        var unaware = Self.responder(usesPSK: false)
        #expect(Self.error { _ = try unaware.readMessage1(message) } == .notAuthentic)
    }

    @Test("refuses another prologue and another server")
    func wrongContext() throws {
        var initiator = Self.initiator(prologue: [1])
        let message = try initiator.writeMessage1([])
        var other = Self.responder(prologue: [2])
        #expect(Self.error { _ = try other.readMessage1(message) } == .notAuthentic)
        var misled = Self.initiator(to: Self.client.publicKey)
        let wrong = try misled.writeMessage1([])
        var responder = Self.responder()
        #expect(Self.error { _ = try responder.readMessage1(wrong) } == .notAuthentic)
    }

    /// Every point of low order, and their like above the field's prime (RFC 7748 §6.1).
    private static let lowOrder = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]

    @Test(
        "refuses every key of low order, as an identity and as an ephemeral key",
        arguments: lowOrder
    )
    func refusesLowOrder(text: String) throws {
        let bad = publicKey(text)
        #expect(throws: NoiseError.badKey) { try Self.client.sharedSecret(with: bad) }
        var toBad = Self.initiator(to: bad)
        #expect(Self.error { _ = try toBad.writeMessage1([]) } == .badKey)

        var initiator = Self.initiator()
        var message = try initiator.writeMessage1([])
        message.replaceSubrange(0..<32, with: bad.bytes)
        var responder = Self.responder()
        #expect(Self.error { _ = try responder.readMessage1(message) } == .badKey)
        let answer = bad.bytes + [UInt8](repeating: 0, count: 16)
        #expect(Self.error { _ = try initiator.readMessage2(answer) } == .badKey)
    }

    @Test("gives both ends the same keys and each direction its own")
    func directions() throws {
        var initiator = Self.initiator()
        var responder = Self.responder()
        _ = try responder.readMessage1(try initiator.writeMessage1([]))
        let answer = try responder.writeMessage2([], ephemeral: Self.serverEphemeral, psk: nil)
        let session = try initiator.readMessage2(answer.message).session
        let sealed = session.sealing.seal([1, 2, 3], number: 9, header: [4])
        #expect(answer.session.opening.open(sealed[...], number: 9, header: [4]) == [1, 2, 3])
        #expect(session.opening.open(sealed[...], number: 9, header: [4]) == nil)
    }
}
