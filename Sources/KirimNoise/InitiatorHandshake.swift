package import KirimWire

/// The client's side of Noise IK, or of IKpsk2 where there is a pre-shared key.
///
///     fresh --writeMessage1--> waiting --readMessage2--> session keys
///                                |  ^ forged message
///                                +--+
package struct InitiatorHandshake: ~Copyable {
    private let identity: StaticKey
    private let ephemeral: StaticKey
    private let remote: PublicKey
    private let psk: [UInt8]?
    private var symmetric: SymmetricState
    private var hasWritten = false

    /// `remote` is the server's key, known beforehand; a pre-shared key has 32 bytes.
    package init(
        identity: StaticKey,
        ephemeral: StaticKey,
        remote: PublicKey,
        prologue: [UInt8],
        psk: [UInt8]?
    ) {
        precondition(
            psk.map { $0.count == SymmetricState.hashSize } ?? true,
            "a pre-shared key has 32 bytes"
        )
        self.identity = identity
        self.ephemeral = ephemeral
        self.remote = remote
        self.psk = psk
        symmetric = SymmetricState(usesPSK: psk != nil, prologue: prologue)
        symmetric.mixHash(remote.bytes)
    }

    /// `e, es, s, ss` and the payload: 96 bytes more than the payload.
    ///
    /// Throws `badKey` where the server's key is of low order. Call it once: the keys of message 1 seal one payload.
    package mutating func writeMessage1(_ payload: [UInt8]) throws(NoiseError) -> [UInt8] {
        precondition(!hasWritten, "message 1 is written once and may be sent again")
        var rehearsal = symmetric
        var message = ephemeral.publicKey.bytes
        rehearsal.mixHash(message)
        if psk != nil { rehearsal.mixKey(message) }
        try rehearsal.mixKey(ephemeral, remote)
        message += rehearsal.encryptAndHash(identity.publicKey.bytes)
        try rehearsal.mixKey(identity, remote)
        message += rehearsal.encryptAndHash(payload)
        symmetric = rehearsal
        hasWritten = true
        return message
    }

    /// `e, ee, se, [psk]` and the payload.
    ///
    /// A forged message throws and leaves the handshake as it was.
    package func readMessage2(
        _ message: [UInt8]
    ) throws(NoiseError) -> (payload: [UInt8], session: SessionKeys) {
        precondition(hasWritten, "message 2 answers message 1")
        var rehearsal = symmetric
        let (theirs, sealed) = try splitEphemeral(message)
        rehearsal.mixHash(theirs.bytes)
        if psk != nil { rehearsal.mixKey(theirs.bytes) }
        try rehearsal.mixKey(ephemeral, theirs)
        try rehearsal.mixKey(identity, theirs)
        if let psk { rehearsal.mixKeyAndHash(psk) }
        let payload = try rehearsal.decryptAndHash(sealed)
        let keys = rehearsal.split()
        let session = SessionKeys(
            sealing: keys.initiator,
            opening: keys.responder,
            handshakeHash: rehearsal.hash
        )
        return (payload, session)
    }
}

/// Takes the ephemeral key off the front of a message.
func splitEphemeral(_ message: [UInt8]) throws(NoiseError) -> (PublicKey, sealed: [UInt8]) {
    guard
        message.count >= PublicKey.size + PacketKey.tagSize,
        let key = PublicKey(bytes: message.prefix(PublicKey.size))
    else { throw .truncated }
    return (key, Array(message.dropFirst(PublicKey.size)))
}
