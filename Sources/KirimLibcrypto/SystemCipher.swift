package import KirimNoise
import Synchronization

/// ChaCha20-Poly1305 by the system's OpenSSL 3, where there is one: a context that is kept, and no buffers around it.
///
/// One for all connections of an endpoint; calls from several threads wait for each other.
package final class SystemCipher: PacketCipher {
    /// The name under which all versions of OpenSSL 3 keep their functions compatible.
    package static let library = "libcrypto.so.3"

    private let context: Mutex<CipherContext>

    /// `nil` where there is no such library, it lacks a function, or what it seals is not what RFC 8439 says.
    package init?(
        library name: String = SystemCipher.library,
        cipher: String = "EVP_chacha20_poly1305"
    ) {
        guard let library = Libcrypto(name, cipher: cipher),
            var context = CipherContext.make(library),
            Self.isRight(&context)
        else { return nil }
        self.context = Mutex(context)
    }

    package func seal(
        _ packet: [UInt8],
        after headerSize: Int,
        nonce: UnsafeRawBufferPointer,
        key: UnsafeRawBufferPointer
    ) -> [UInt8]? {
        context.withLock { $0.seal(packet, after: headerSize, nonce: nonce, key: key) }
    }

    package func open(
        _ sealed: ArraySlice<UInt8>,
        header: ArraySlice<UInt8>,
        nonce: UnsafeRawBufferPointer,
        key: UnsafeRawBufferPointer
    ) -> PacketOpening {
        context.withLock { $0.open(sealed, header: header, nonce: nonce, key: key) }
    }

    /// Tries RFC 8439 §2.8.2: the tag is right, which covers every byte of the ciphertext; the text comes back; one
    /// bit changed and it does not.
    private static func isRight(_ context: inout CipherContext) -> Bool {
        let text = Array(
            """
            Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
            future, sunscreen would be it.
            """.utf8
        )
        let header: [UInt8] = [
            0x50, 0x51, 0x52, 0x53, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7,
        ]
        let tag: [UInt8] = [
            0x1A, 0xE1, 0x0B, 0x59, 0x4F, 0x09, 0xE2, 0x6A, 0x7E, 0x90, 0x2E, 0xCB, 0xD0, 0x60,
            0x06, 0x91,
        ]
        let key = Array(0x80...0x9F) as [UInt8]
        let nonce: [UInt8] = [7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47]
        return key.withUnsafeBytes { key in
            nonce.withUnsafeBytes { nonce in
                guard
                    var sealed = context.seal(
                        header + text,
                        after: header.count,
                        nonce: nonce,
                        key: key
                    ), sealed.suffix(tag.count).elementsEqual(tag),
                    context.open(
                        sealed[header.count...],
                        header: header[...],
                        nonce: nonce,
                        key: key
                    ) == .text(text)
                else { return false }
                sealed[header.count] ^= 1
                let forged = sealed[header.count...]
                return context.open(forged, header: header[...], nonce: nonce, key: key)
                    == .notAuthentic
            }
        }
    }
}
