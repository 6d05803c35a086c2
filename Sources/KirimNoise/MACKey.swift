import Crypto

/// A key of HMAC-SHA256 whose tags are cut to 128 bits (RFC 2104 §5).
package struct MACKey: Sendable {
    private let key: SymmetricKey

    /// Bytes of a tag.
    package static let tagSize = 16

    package init(_ bytes: [UInt8]) { key = SymmetricKey(data: bytes) }

    package func tag(_ message: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: message, using: key).prefix(Self.tagSize))
    }

    /// Takes the same time whatever the bytes are, so that nobody can guess a tag byte by byte.
    package func verifies(_ tag: some Collection<UInt8>, _ message: [UInt8]) -> Bool {
        let expected = self.tag(message)
        guard tag.count == expected.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(expected, tag) { difference |= a ^ b }
        return difference == 0
    }
}
