package import KirimWire

/// The fingerprint of a run: every event goes in, in order. Two runs of one seed must end with the same one.
package struct TraceHash: Hashable, Sendable, CustomStringConvertible {
    package private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325
    /// Events that went in.
    package private(set) var count = 0

    package init() {}

    package mutating func add(_ word: UInt64) {
        value = Dice.mixed(value ^ word) &+ 0x9E37_79B9_7F4A_7C15
    }

    package mutating func add(_ bytes: [UInt8]) {
        add(Self.digest(bytes))
    }

    package mutating func add(_ text: String) { add(Array(text.utf8)) }

    /// One event: when, what, and a number about it.
    package mutating func event(_ now: Instant, _ kind: UInt64, _ detail: UInt64) {
        count += 1
        add(UInt64(bitPattern: now.nanoseconds))
        add(kind << 56 ^ detail)
    }

    /// 64 bits that stand for the bytes; eight at a time, because every datagram passes here.
    package static func digest(_ bytes: [UInt8]) -> UInt64 {
        bytes.withUnsafeBytes { raw in
            var hash = UInt64(raw.count) &* 0x9E37_79B9_7F4A_7C15
            var offset = 0
            while offset + 8 <= raw.count {
                let word = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                hash = (hash ^ UInt64(littleEndian: word)) &* 0xFF51_AFD7_ED55_8CCD
                hash ^= hash >> 32
                offset += 8
            }
            while offset < raw.count {
                hash = (hash ^ UInt64(raw[offset])) &* 0x0000_0100_0000_01B3
                offset += 1
            }
            return Dice.mixed(hash)
        }
    }

    package var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
