/// Why bytes could not be read.
///
/// The reader of a datagram counts it and drops the datagram.
package enum WireError: Error, Hashable, Sendable {
    /// The bytes ended before the field did.
    case truncated
    /// Bytes were left over after the last field.
    case trailingBytes
    /// A field holds a value that the format does not allow.
    case malformed
    /// A field is longer than its limit.
    case tooLong
    /// The first byte names no packet, frame or message that is known here.
    case unknownKind(UInt8)
}

/// A cursor over bytes.
///
/// It never traps and never reads past `end`; every read may throw `truncated`.
package struct ByteReader {
    package let bytes: [UInt8]
    /// The index of the next byte to be read.
    package private(set) var position: Int
    private let end: Int

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    package init(_ slice: ArraySlice<UInt8>) { self.init(Array(slice)) }

    package var remaining: Int { end - position }
    package var isAtEnd: Bool { position == end }

    package mutating func byte() throws(WireError) -> UInt8 {
        guard position < end else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    /// Looks at the next byte without taking it.
    package func peek() -> UInt8? { position < end ? bytes[position] : nil }

    /// Reads a big-endian integer of the type's own width.
    package mutating func integer<I: FixedWidthInteger>(_: I.Type = I.self) throws(WireError) -> I {
        I(truncatingIfNeeded: try word(MemoryLayout<I>.size))
    }

    /// Not generic: another module gets no code of its own for its type, and would look up each operation.
    private mutating func word(_ size: Int) throws(WireError) -> UInt64 {
        guard remaining >= size else { throw .truncated }
        var value: UInt64 = 0
        for index in position..<position + size { value = value << 8 | UInt64(bytes[index]) }
        position += size
        return value
    }

    /// Reads a variable-length integer, 0 to 2^62 - 1 (RFC 9000 §16).
    package mutating func varint() throws(WireError) -> UInt64 {
        guard position < end else { throw .truncated }
        let first = bytes[position]
        // The first two bits say how many bytes there are; most often it is one.
        guard first >= 0x40 else {
            position += 1
            return UInt64(first)
        }
        let size = 1 << Int(first >> 6)
        return try word(size) & (1 << UInt64(8 * size - 2) - 1)
    }

    package mutating func take(_ count: Int) throws(WireError) -> [UInt8] {
        guard count >= 0, remaining >= count else { throw .truncated }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// Reads a varint length, then as many bytes; `tooLong` above `limit`.
    package mutating func prefixed(limit: Int) throws(WireError) -> [UInt8] {
        let count = try varint()
        guard count <= UInt64(limit) else { throw .tooLong }
        return try take(Int(count))
    }

    /// Reads a varint length, then as many bytes of valid UTF-8; `malformed` where it is not valid.
    package mutating func text(limit: Int) throws(WireError) -> String {
        guard let text = String(validating: try prefixed(limit: limit), as: UTF8.self) else {
            throw .malformed
        }
        return text
    }

    package mutating func rest() -> [UInt8] {
        defer { position = end }
        return Array(bytes[position..<end])
    }

    package mutating func skip(_ count: Int) throws(WireError) {
        guard count >= 0, remaining >= count else { throw .truncated }
        position += count
    }

    /// States that the format ends here.
    package func finish() throws(WireError) {
        guard isAtEnd else { throw .trailingBytes }
    }
}
