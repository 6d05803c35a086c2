import KirimLibcrypto
import KirimNoise
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

@Suite("The system's cipher")
struct SystemCipherTests {
    @Test("is there wherever the machine has OpenSSL 3")
    func presence() {
        let isInstalled = dlopen(SystemCipher.library, RTLD_NOW) != nil
        #expect((SystemCipher() != nil) == isInstalled)
    }

    @Test(
        "is not there where the library is missing, is another, or has not got the cipher",
        arguments: [
            ("libkirim-nowhere.so.3", "EVP_chacha20_poly1305"),
            ("libc.so.6", "EVP_chacha20_poly1305"),
            (SystemCipher.library, "EVP_no_such_cipher"),
        ]
    )
    func absence(library: String, cipher: String) {
        #expect(SystemCipher(library: library, cipher: cipher) == nil)
    }

    @Test("is not there where it seals in another way, though with the same sizes")
    func otherCipher() {
        #expect(SystemCipher(cipher: "EVP_aes_256_gcm") == nil)
    }

    /// Fails at everything.
    private final class Broken: PacketCipher {
        func seal(
            _ packet: [UInt8],
            after headerSize: Int,
            nonce: UnsafeRawBufferPointer,
            key: UnsafeRawBufferPointer
        ) -> [UInt8]? { nil }

        func open(
            _ sealed: ArraySlice<UInt8>,
            header: ArraySlice<UInt8>,
            nonce: UnsafeRawBufferPointer,
            key: UnsafeRawBufferPointer
        ) -> PacketOpening { .failed }
    }

    @Test("that fails leaves the packet to swift-crypto, which seals, opens and refuses as always")
    func failure() {
        let key = PacketKey([UInt8](repeating: 7, count: 32))
        let packet = key.packet([1, 2], [3, 4, 5], 9, by: Broken())
        #expect(packet == key.packet([1, 2], [3, 4, 5], 9, by: nil))
        #expect(key.open(packet[2...], number: 9, header: [1, 2], by: Broken()) == [3, 4, 5])
        #expect(key.open(packet[2...], number: 8, header: [1, 2], by: Broken()) == nil)
    }
}
