package import KirimWire

/// The server's side of Noise IK, or of IKpsk2 where it asks for a pre-shared key.
///
///     listening --readMessage1--> heard --writeMessage2--> session keys
///       |  ^ forged message
///       +--+
package struct ResponderHandshake: ~Copyable {
    private let identity: StaticKey
    private let usesPSK: Bool
    private var symmetric: SymmetricState
    private var heard: Heard?

    /// The keys that message 1 brought.
    private struct Heard {
        var ephemeral: PublicKey
        var identity: PublicKey
    }

    /// Bytes that message 1 has beside its payload: e, s with its tag, and the payload's tag.
    package static let message1Overhead = 2 * PublicKey.size + 2 * PacketKey.tagSize

    /// `usesPSK` picks IKpsk2; the pre-shared key itself may depend on message 1 and comes with message 2.
    package init(identity: StaticKey, prologue: [UInt8], usesPSK: Bool) {
        self.identity = identity
        self.usesPSK = usesPSK
        symmetric = SymmetricState(usesPSK: usesPSK, prologue: prologue)
        symmetric.mixHash(identity.publicKey.bytes)
    }

    /// `e, es, s, ss` and the payload.
    ///
    /// A forged message throws and leaves the handshake as it was.
    /// Message 1 can be a replay: act on the payload only when the initiator has used the session's keys.
    package mutating func readMessage1(
        _ message: [UInt8]
    ) throws(NoiseError) -> (payload: [UInt8], remote: PublicKey) {
        precondition(heard == nil, "message 1 is read once")
        guard message.count >= Self.message1Overhead else { throw .truncated }
        var rehearsal = symmetric
        let (ephemeral, sealed) = try splitEphemeral(message)
        rehearsal.mixHash(ephemeral.bytes)
        if usesPSK { rehearsal.mixKey(ephemeral.bytes) }
        try rehearsal.mixKey(identity, ephemeral)
        let keySize = PublicKey.size + PacketKey.tagSize
        let keyBytes = try rehearsal.decryptAndHash(Array(sealed.prefix(keySize)))
        guard let remote = PublicKey(bytes: keyBytes) else { throw .badKey }
        try rehearsal.mixKey(identity, remote)
        let payload = try rehearsal.decryptAndHash(Array(sealed.dropFirst(keySize)))
        symmetric = rehearsal
        heard = Heard(ephemeral: ephemeral, identity: remote)
        return (payload, remote)
    }

    /// `e, ee, se, [psk]` and the payload: 48 bytes more than the payload.
    ///
    /// There must be a pre-shared key of 32 bytes where the handshake uses one, and none otherwise.
    package consuming func writeMessage2(
        _ payload: [UInt8],
        ephemeral: StaticKey,
        psk: [UInt8]?
    ) throws(NoiseError) -> (message: [UInt8], session: SessionKeys) {
        guard let heard else { preconditionFailure("message 2 answers message 1") }
        precondition(
            psk?.count == (usesPSK ? SymmetricState.hashSize : nil),
            "a pre-shared key of 32 bytes belongs to IKpsk2, and to it alone"
        )
        var symmetric = symmetric
        var message = ephemeral.publicKey.bytes
        symmetric.mixHash(message)
        if usesPSK { symmetric.mixKey(message) }
        try symmetric.mixKey(ephemeral, heard.ephemeral)
        try symmetric.mixKey(ephemeral, heard.identity)
        if let psk { symmetric.mixKeyAndHash(psk) }
        message += symmetric.encryptAndHash(payload)
        let keys = symmetric.split()
        let session = SessionKeys(
            sealing: keys.responder,
            opening: keys.initiator,
            handshakeHash: symmetric.hash
        )
        return (message, session)
    }
}
