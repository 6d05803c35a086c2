import Crypto
package import KirimWire

/// An X25519 key pair: of a device or a server for as long as it lives, or of one handshake.
package struct StaticKey: Sendable {
    package let publicKey: PublicKey
    private let key: Curve25519.KeyAgreement.PrivateKey

    /// Makes a new pair out of 32 bytes that the dice give.
    package init(dice: inout some RandomNumberGenerator) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(PublicKey.size)
        while bytes.count < PublicKey.size {
            let word: UInt64 = dice.next()
            for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        guard let made = StaticKey(privateBytes: bytes) else {
            preconditionFailure("32 bytes of any value are an X25519 private key (RFC 7748 §5)")
        }
        self = made
    }

    /// `nil` unless there are exactly 32 bytes.
    package init?(privateBytes: [UInt8]) {
        guard
            privateBytes.count == PublicKey.size,
            let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: privateBytes),
            let publicKey = PublicKey(bytes: key.publicKey.rawRepresentation)
        else { return nil }
        self.key = key
        self.publicKey = publicKey
    }

    /// The secret itself, for the key file and nothing else.
    package var privateBytes: [UInt8] { [UInt8](key.rawRepresentation) }

    /// A secret of another purpose, the same after every restart: HKDF-SHA256 of the private key (RFC 5869).
    ///
    /// The label names the purpose, the context what it is for; neither can be mistaken for the
    /// other, because a zero byte, which no label contains, stands between them.
    package func derive(_ label: String, context: [UInt8] = [], count: Int = 32) -> [UInt8] {
        let secret = SymmetricKey(data: privateBytes)
        let info = Array("kirim/1 \(label)".utf8) + [0] + context
        return HKDF<SHA256>.deriveKey(inputKeyMaterial: secret, info: info, outputByteCount: count)
            .withUnsafeBytes { [UInt8]($0) }
    }

    /// The 32 bytes that both ends of a Diffie-Hellman exchange arrive at.
    ///
    /// `badKey` where they would be all zero: the other key is of low order, and anybody would
    /// know the secret (RFC 7748 §6.1).
    package func sharedSecret(with other: PublicKey) throws(NoiseError) -> [UInt8] {
        guard
            let share = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: other.bytes),
            let secret = try? key.sharedSecretFromKeyAgreement(with: share)
        else { throw .badKey }
        let bytes = secret.withUnsafeBytes { [UInt8]($0) }
        // Not left to the library: not every version of it checks. Looks at all bytes, whatever they are.
        guard bytes.reduce(0, |) != 0 else { throw .badKey }
        return bytes
    }
}
