import Crypto
import CryptoExtras
package import KirimWire

/// Turns the password of a server into the pre-shared key of its handshakes.
package enum PasswordKey {
    /// 2^15 rounds of 1 KiB blocks: 32 MiB and a tenth of a second for each guess (RFC 7914 §2).
    package static let rounds = 1 << 15
    package static let blockSize = 8
    package static let parallelism = 1

    /// 32 bytes by scrypt.
    ///
    /// The server's key is the salt, so a table made for one server is useless at another.
    /// Slow on purpose: derive once and keep the result.
    package static func derive(password: [UInt8], serverKey: PublicKey) -> [UInt8] {
        do {
            let key = try KDF.Scrypt.deriveKey(
                from: password,
                salt: serverKey.bytes,
                outputByteCount: 32,
                rounds: rounds,
                blockSize: blockSize,
                parallelism: parallelism
            )
            return key.withUnsafeBytes { [UInt8]($0) }
        } catch {
            preconditionFailure("scrypt's constants are valid and 32 MiB are there: \(error)")
        }
    }
}
