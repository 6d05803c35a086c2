/// Appends fields to bytes.
///
/// The mirror of ``ByteReader``.
package struct ByteWriter {
    package private(set) var bytes: [UInt8]

    package init(capacity: Int = 64) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    package var count: Int { bytes.count }

    package mutating func byte(_ value: UInt8) { bytes.append(value) }

    package mutating func integer<I: FixedWidthInteger>(_ value: I) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    // Generic code is not specialised across modules: what other modules write has a form of its own.

    package mutating func integer(_ value: Int64) { integer(UInt64(bitPattern: value)) }

    package mutating func integer(_ value: UInt64) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// The largest value that a varint holds (RFC 9000 §16).
    package static let largestVarint: UInt64 = 1 << 62 - 1

    /// Appends a variable-length integer in its shortest form (RFC 9000 §16).
    package mutating func varint(_ value: UInt64) {
        switch value {
        case 0..<1 << 6: bytes.append(UInt8(value))
        case 0..<1 << 14: integer(UInt16(value) | 0x4000)
        case 0..<1 << 30: integer(UInt32(value) | 0x8000_0000)
        default:
            precondition(value <= Self.largestVarint, "a varint holds at most 2^62 - 1")
            integer(value | 0xC000_0000_0000_0000)
        }
    }

    package mutating func varint(_ value: Int) { varint(UInt64(value)) }

    package mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    package mutating func prefixed(_ more: [UInt8]) {
        varint(more.count)
        bytes.append(contentsOf: more)
    }

    package mutating func text(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            varint(utf8.count)
            bytes.append(contentsOf: utf8)
        }
    }

    /// Takes back what was appended behind the first `count` bytes.
    package mutating func truncate(to count: Int) { bytes.removeLast(bytes.count - count) }

    /// The bytes, without a copy; the writer is empty afterwards.
    package mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// Appends zeros until there are `count` bytes.
    package mutating func pad(to count: Int) {
        if bytes.count < count {
            bytes.append(contentsOf: repeatElement(0, count: count - bytes.count))
        }
    }

    /// How many bytes ``varint(_:)`` takes for this value: 1, 2, 4 or 8.
    package static func varintSize(_ value: UInt64) -> Int {
        switch value {
        case 0..<1 << 6: 1
        case 0..<1 << 14: 2
        case 0..<1 << 30: 4
        default: 8
        }
    }
}
