#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The functions of OpenSSL 3 that are called, found while the program runs (EVP_EncryptInit(3)).
///
/// As evp.h and crypto.h declare them, with pointers of no type, which are passed in the same way.
struct Libcrypto: Sendable {
    typealias Context = UnsafeMutableRawPointer
    typealias Cipher = @Sendable @convention(c) () -> UnsafeRawPointer?
    typealias Make = @Sendable @convention(c) () -> Context?
    typealias Free = @Sendable @convention(c) (Context?) -> Void
    typealias Initialize =
        @Sendable @convention(c) (
            _ context: Context?, _ cipher: UnsafeRawPointer?, _ engine: UnsafeRawPointer?,
            _ key: UnsafeRawPointer?, _ nonce: UnsafeRawPointer?, _ isSealing: CInt
        ) -> CInt
    typealias Update =
        @Sendable @convention(c) (
            _ context: Context?, _ output: UnsafeMutableRawPointer?,
            _ written: UnsafeMutablePointer<CInt>, _ input: UnsafeRawPointer?, _ count: CInt
        ) -> CInt
    typealias Finish =
        @Sendable @convention(c) (
            _ context: Context?, _ output: UnsafeMutableRawPointer?,
            _ written: UnsafeMutablePointer<CInt>
        ) -> CInt
    typealias Control =
        @Sendable @convention(c) (
            _ context: Context?, _ command: CInt, _ count: CInt, _ bytes: UnsafeMutableRawPointer?
        ) -> CInt
    private typealias Start = @Sendable @convention(c) (UInt64, UnsafeRawPointer?) -> CInt

    let cipher: Cipher
    let make: Make
    let free: Free
    let initialize: Initialize
    let update: Update
    let finish: Finish
    let control: Control

    /// Commands of ``control``: EVP_CTRL_AEAD_GET_TAG and EVP_CTRL_AEAD_SET_TAG.
    static let getTag: CInt = 0x10
    static let setTag: CInt = 0x11
    /// OPENSSL_INIT_NO_LOAD_CONFIG: no file of settings decides what is computed here. OPENSSL_INIT_NO_ATEXIT:
    /// nothing is taken down at the end of the process, when event loops may still be sealing.
    private static let startOptions: UInt64 = 0x80 | 0x8_0000

    /// Looks where the system's loader looks for any library; `nil` where it, or a function, is not there.
    ///
    /// It stays loaded: what it sets up at its first use belongs to the process.
    init?(_ name: String, cipher cipherName: String) {
        guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { return nil }
        func find<F>(_ name: String) -> F? {
            dlsym(library, name).map { unsafeBitCast($0, to: F.self) }
        }
        guard
            let start: Start = find("OPENSSL_init_crypto"),
            let cipher: Cipher = find(cipherName),
            let make: Make = find("EVP_CIPHER_CTX_new"),
            let free: Free = find("EVP_CIPHER_CTX_free"),
            let initialize: Initialize = find("EVP_CipherInit_ex"),
            let update: Update = find("EVP_CipherUpdate"),
            let finish: Finish = find("EVP_CipherFinal_ex"),
            let control: Control = find("EVP_CIPHER_CTX_ctrl"),
            start(Self.startOptions, nil) == 1
        else { return nil }
        self.cipher = cipher
        self.make = make
        self.free = free
        self.initialize = initialize
        self.update = update
        self.finish = finish
        self.control = control
    }
}
