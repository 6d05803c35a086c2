/// What a finished handshake leaves behind: a key for each direction, seen from this end.
package struct SessionKeys: Sendable {
    /// For what this end sends.
    package let sealing: PacketKey
    /// For what this end receives.
    package let opening: PacketKey
    /// The same 32 bytes at both ends, and at no other pair of ends: a name for the session.
    package let handshakeHash: [UInt8]

    package init(sealing: PacketKey, opening: PacketKey, handshakeHash: [UInt8]) {
        self.sealing = sealing
        self.opening = opening
        self.handshakeHash = handshakeHash
    }
}
