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
    ///
    /// swift-crypto does it where there is no other cipher, or that fails.
    package func seal(
        _ packet: inout [UInt8],
        after headerSize: Int,
        number: UInt64,
        by cipher: (any PacketCipher)?
    ) {
        if let cipher {
            let sealed = withNonceAndKey(number) { nonce, key in
                cipher.seal(packet, after: headerSize, nonce: nonce, key: key)
            }
            if let sealed {
                packet = sealed
                return
            }
        }
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
            let nonce = try withUnsafeBytes(of: Self.nonce(number)) { bytes in
                try ChaChaPoly.Nonce(data: bytes)
            }
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
    ///
    /// swift-crypto opens it where there is no other cipher, or that fails.
    package func open(
        _ sealed: ArraySlice<UInt8>,
        number: UInt64,
        header: ArraySlice<UInt8>,
        by cipher: (any PacketCipher)? = nil
    ) -> [UInt8]? {
        guard sealed.count >= Self.tagSize else { return nil }
        if let cipher {
            let opening = withNonceAndKey(number) { nonce, key in
                cipher.open(sealed, header: header, nonce: nonce, key: key)
            }
            switch opening {
            case .text(let text): return text
            case .notAuthentic: return nil
            case .failed: break
            }
        }
        var combined: [UInt8] = []
        combined.reserveCapacity(Self.nonceSize + sealed.count)
        withUnsafeBytes(of: Self.nonce(number)) { combined.append(contentsOf: $0) }
        combined.append(contentsOf: sealed)
        guard
            let box = try? ChaChaPoly.SealedBox(combined: combined),
            let plaintext = try? ChaChaPoly.open(box, using: key, authenticating: header)
        else { return nil }
        return [UInt8](plaintext)
    }

    private func withNonceAndKey<R>(
        _ number: UInt64,
        _ body: (_ nonce: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer) -> R
    ) -> R {
        withUnsafeBytes(of: Self.nonce(number)) { nonce in key.withUnsafeBytes { body(nonce, $0) } }
    }

    /// The words of 0^32 | LE64(number), in the order of memory.
    private static func nonce(_ number: UInt64) -> (UInt32, UInt32, UInt32) {
        let low = UInt32(truncatingIfNeeded: number)
        let high = UInt32(truncatingIfNeeded: number >> 32)
        return (0, low.littleEndian, high.littleEndian)
    }
}
