/// Another ChaCha20-Poly1305 (RFC 8439) than swift-crypto's, for packets: the same bytes in less time.
///
/// It may fail at any packet, and keeps nothing of it then; swift-crypto does that one
/// (docs/decisions/0010-cipher-of-the-system.md). Keys have 32 bytes, nonces 12; both are there for the call only.
package protocol PacketCipher: AnyObject, Sendable {
    /// A packet that is sealed: the header, what stands behind it as ciphertext, and the tag.
    ///
    /// `nil` where that failed. A new array, so that a packet is never half sealed: to encrypt a text again with
    /// the same key and nonce makes it plain.
    func seal(
        _ packet: [UInt8],
        after headerSize: Int,
        nonce: UnsafeRawBufferPointer,
        key: UnsafeRawBufferPointer
    ) -> [UInt8]?

    /// What is in a ciphertext with its tag behind it; it has ``PacketKey/tagSize`` bytes at least.
    func open(
        _ sealed: ArraySlice<UInt8>,
        header: ArraySlice<UInt8>,
        nonce: UnsafeRawBufferPointer,
        key: UnsafeRawBufferPointer
    ) -> PacketOpening
}

/// What came of a packet that a ``PacketCipher`` was to open.
package enum PacketOpening: Equatable, Sendable {
    case text([UInt8])
    /// The tag is not that of these bytes, this header, this nonce.
    case notAuthentic
    /// Nothing is known of the packet.
    case failed
}
