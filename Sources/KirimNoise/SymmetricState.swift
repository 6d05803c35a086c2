import Crypto
import KirimWire

/// What both ends of a handshake mix every key and message into (Noise §5.2).
///
/// A value: a copy is a rehearsal, which a forged message may spoil without harm.
struct SymmetricState {
    private var chainingKey: [UInt8]
    private(set) var hash: [UInt8]
    private var cipher: PacketKey?
    private var nonce: UInt64 = 0

    /// Bytes of a SHA-256 hash, a key and a pre-shared key.
    static let hashSize = 32

    /// The name of the protocol is the first thing mixed in, the prologue the second.
    init(usesPSK: Bool, prologue: [UInt8]) {
        let pattern = usesPSK ? "IKpsk2" : "IK"
        let name = Array("Noise_\(pattern)_25519_ChaChaPoly_SHA256".utf8)
        // Names of at most 32 bytes are padded, longer ones hashed.
        hash =
            name.count <= Self.hashSize
            ? name + [UInt8](repeating: 0, count: Self.hashSize - name.count)
            : Array(SHA256.hash(data: name))
        chainingKey = hash
        mixHash(prologue)
    }

    mutating func mixHash(_ data: [UInt8]) {
        var hasher = SHA256()
        hasher.update(data: hash)
        hasher.update(data: data)
        hash = Array(hasher.finalize())
    }

    mutating func mixKey(_ material: [UInt8]) {
        let outputs = expand(material)
        chainingKey = outputs.first
        cipher = PacketKey(outputs.second)
        nonce = 0
    }

    /// Mixes the pre-shared key in (Noise §9.1).
    mutating func mixKeyAndHash(_ secret: [UInt8]) {
        let outputs = expand(secret)
        chainingKey = outputs.first
        mixHash(outputs.second)
        cipher = PacketKey(outputs.third)
        nonce = 0
    }

    /// Mixes the secret of a Diffie-Hellman exchange in.
    mutating func mixKey(_ own: StaticKey, _ other: PublicKey) throws(NoiseError) {
        mixKey(try own.sharedSecret(with: other))
    }

    mutating func encryptAndHash(_ plaintext: [UInt8]) -> [UInt8] {
        guard let cipher else { preconditionFailure("IK encrypts only after a key exchange") }
        let sealed = cipher.seal(plaintext, number: nonce, header: hash)
        nonce += 1
        mixHash(sealed)
        return sealed
    }

    mutating func decryptAndHash(_ sealed: [UInt8]) throws(NoiseError) -> [UInt8] {
        guard let cipher else { preconditionFailure("IK decrypts only after a key exchange") }
        guard let plaintext = cipher.open(sealed[...], number: nonce, header: hash[...]) else {
            throw .notAuthentic
        }
        nonce += 1
        mixHash(sealed)
        return plaintext
    }

    /// The keys of the two directions: the initiator's first (Noise §5.2, Split).
    func split() -> (initiator: PacketKey, responder: PacketKey) {
        let outputs = expand([])
        return (PacketKey(outputs.first), PacketKey(outputs.second))
    }

    /// Noise's HKDF (§4.3).
    ///
    /// Two outputs are the first two of three.
    private func expand(
        _ material: [UInt8]
    ) -> (first: [UInt8], second: [UInt8], third: [UInt8]) {
        func code(_ data: [UInt8], _ key: [UInt8]) -> [UInt8] {
            Array(HMAC<SHA256>.authenticationCode(for: data, using: SymmetricKey(data: key)))
        }
        let temporary = code(material, chainingKey)
        let first = code([1], temporary)
        let second = code(first + [2], temporary)
        return (first, second, code(second + [3], temporary))
    }
}
