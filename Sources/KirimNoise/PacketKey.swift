import Crypto

/// The key of one direction: ChaCha20-Poly1305 (RFC 8439) under Noise's nonce, 0^32 | LE64(number).
///
/// It counts nothing. Who seals takes care that no number is used twice.
package struct PacketKey: Sendable {
    private let key: SymmetricKey

    /// Bytes that sealing adds.
    package static let tagSize = 16
    private static let nonceSize = 12

    /// The key must have 32 bytes.
    package init(_ bytes: [UInt8]) {
        precondition(bytes.count == 32, "a key of ChaCha20-Poly1305 has 32 bytes")
        key = SymmetricKey(data: bytes)
    }

    /// The ciphertext with its tag behind it.
    ///
    /// The header is authenticated and not part of the result.
    package func seal(_ plaintext: [UInt8], number: UInt64, header: [UInt8]) -> [UInt8] {
        [UInt8](sealed(plaintext[...], number: number, header: header[...]))
    }

    /// Turns what stands behind the header into ciphertext with its tag behind it. The header is authenticated.
    package func seal(_ packet: inout [UInt8], after headerSize: Int, number: UInt64) {
        let sealed = sealed(packet[headerSize...], number: number, header: packet[..<headerSize])
        packet.removeLast(packet.count - headerSize)
        packet.append(contentsOf: sealed)
    }

    private func sealed(
        _ plaintext: ArraySlice<UInt8>,
        number: UInt64,
        header: ArraySlice<UInt8>
    ) -> some Collection<UInt8> {
        do {
            let nonce = try ChaChaPoly.Nonce(data: Self.nonce(number, room: 0))
            let box = try ChaChaPoly.seal(
                plaintext,
                using: key,
                nonce: nonce,
                authenticating: header
            )
            // Nonce, ciphertext, tag.
            return box.combined.dropFirst(Self.nonceSize)
        } catch {
            preconditionFailure("ChaCha20-Poly1305 seals whatever a packet holds: \(error)")
        }
    }

    /// The plaintext; `nil` where the bytes, the number or the header are not what was sealed.
    package func open(
        _ sealed: ArraySlice<UInt8>,
        number: UInt64,
        header: ArraySlice<UInt8>
    ) -> [UInt8]? {
        guard sealed.count >= Self.tagSize else { return nil }
        var combined = Self.nonce(number, room: sealed.count)
        combined.append(contentsOf: sealed)
        guard
            let box = try? ChaChaPoly.SealedBox(combined: combined),
            let plaintext = try? ChaChaPoly.open(box, using: key, authenticating: header)
        else { return nil }
        return [UInt8](plaintext)
    }

    private static func nonce(_ number: UInt64, room: Int) -> [UInt8] {
        var nonce: [UInt8] = []
        nonce.reserveCapacity(nonceSize + room)
        nonce.append(contentsOf: repeatElement(0, count: 4))
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
            nonce.append(UInt8(truncatingIfNeeded: number >> shift))
        }
        return nonce
    }
}
