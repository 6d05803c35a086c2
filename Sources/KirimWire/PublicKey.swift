/// The X25519 public key of a person's device or of a server: 32 bytes, and the identity itself.
public struct PublicKey: Hashable, Sendable {
    /// The key as RFC 7748 encodes it.
    public let bytes: [UInt8]

    /// `nil` unless there are exactly 32 bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        self.bytes = Array(bytes)
    }

    /// Bytes of a key.
    public static let size = 32
}

extension PublicKey: LosslessStringConvertible, Comparable {
    /// 52 characters of base 32 (RFC 4648 §6), lower case, without padding.
    public var description: String { Base32.encode(bytes) }

    /// Reads what ``description`` writes; capital letters and `-` between groups are accepted.
    public init?(_ description: String) {
        guard let bytes = Base32.decode(description) else { return nil }
        self.init(bytes: bytes)
    }

    /// The first 100 bits in groups of five, for people to compare: `abcde-fghij-klmno-pqrst`.
    public var fingerprint: String {
        let text = Array(description.prefix(20))
        return stride(from: 0, to: 20, by: 5).map { String(text[$0..<$0 + 5]) }.joined(
            separator: "-"
        )
    }

    /// Orders keys by their bytes: any order, as long as it is always the same.
    public static func < (a: PublicKey, b: PublicKey) -> Bool {
        a.bytes.lexicographicallyPrecedes(b.bytes)
    }
}

/// Base 32 of RFC 4648 §6 in lower case and without padding: safe to read aloud and to type.
package enum Base32 {
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var bits = 0
        var held = 0
        for byte in bytes {
            held = held << 8 | Int(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(alphabet[held >> bits & 31])
            }
            held &= 1 << bits - 1
        }
        if bits > 0 { text.append(alphabet[held << (5 - bits) & 31]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// `nil` where a character is not of the alphabet, or leftover bits are not zero.
    package static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits = 0
        var held = 0
        for character in text.utf8 where character != UInt8(ascii: "-") {
            let value: UInt8
            switch character {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a")
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
            case UInt8(ascii: "2")...UInt8(ascii: "7"): value = character - UInt8(ascii: "2") + 26
            default: return nil
            }
            held = held << 5 | Int(value)
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: held >> bits))
                held &= 1 << bits - 1
            }
        }
        return held == 0 && bits < 5 ? bytes : nil
    }
}
