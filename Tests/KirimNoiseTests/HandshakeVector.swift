import KirimNoise
import KirimWire
import Testing

/// One handshake with everything in it known beforehand.
struct HandshakeVector: Sendable {
    var prologue: String
    var psk: String?
    var initiatorIdentity: String
    var initiatorEphemeral: String
    var responderIdentity: String
    var responderEphemeral: String
    var handshakeHash: String?
    /// Payload and message in turn: two of the handshake, then those under the session's keys.
    var messages: [(payload: String, bytes: String)]

    /// Plays both ends and compares every byte.
    func check() throws {
        let psk = psk.map(hex)
        let identity = key(initiatorIdentity)
        var initiator = InitiatorHandshake(
            identity: identity,
            ephemeral: key(initiatorEphemeral),
            remote: key(responderIdentity).publicKey,
            prologue: hex(prologue),
            psk: psk
        )
        var responder = ResponderHandshake(
            identity: key(responderIdentity),
            prologue: hex(prologue),
            usesPSK: psk != nil
        )
        let message1 = try initiator.writeMessage1(hex(messages[0].payload))
        #expect(hex(message1) == messages[0].bytes)
        let heard = try responder.readMessage1(message1)
        #expect(hex(heard.payload) == messages[0].payload)
        #expect(heard.remote == identity.publicKey)

        let answer = try responder.writeMessage2(
            hex(messages[1].payload),
            ephemeral: key(responderEphemeral),
            psk: psk
        )
        #expect(hex(answer.message) == messages[1].bytes)
        let result = try initiator.readMessage2(answer.message)
        #expect(hex(result.payload) == messages[1].payload)
        #expect(result.session.handshakeHash == answer.session.handshakeHash)
        if let handshakeHash { #expect(hex(result.session.handshakeHash) == handshakeHash) }
        try checkSession(result.session, answer.session)
    }

    private func checkSession(_ initiator: SessionKeys, _ responder: SessionKeys) throws {
        for (index, message) in messages.enumerated().dropFirst(2) {
            let (sender, receiver) =
                index % 2 == 0 ? (initiator, responder) : (responder, initiator)
            let number = UInt64(index / 2 - 1)
            let sealed = sender.sealing.seal(hex(message.payload), number: number, header: [])
            #expect(hex(sealed) == message.bytes)
            let opened = receiver.opening.open(sealed[...], number: number, header: [])
            #expect(opened == hex(message.payload))
        }
    }
}
