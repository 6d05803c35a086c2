/// The text of a measured message: who sent it when, as which of how many.
///
///     CL | stamp[16] | number[8] | client[6] | m | filler          hexadecimal
package struct Message: Hashable, Sendable {
    /// When it was due, on the machine's monotonic clock.
    package var stamp: Int64
    package var number: UInt32
    package var client: Int

    package static let shortest = 33

    package init(stamp: Int64, number: UInt32, client: Int) {
        self.stamp = stamp
        self.number = number
        self.client = client
    }

    /// `nil` where the text is none of ours.
    package init?(_ text: String) {
        var text = text
        let parsed = text.withUTF8 { bytes -> (UInt64, UInt64, UInt64)? in
            guard bytes.count >= Self.shortest, bytes[0] == UInt8(ascii: "C"),
                bytes[1] == UInt8(ascii: "L"), bytes[32] == UInt8(ascii: "m")
            else { return nil }
            return (
                Self.number(bytes[2..<18]), Self.number(bytes[18..<26]), Self.number(bytes[26..<32])
            )
        }
        guard let (stamp, number, client) = parsed else { return nil }
        self.init(
            stamp: Int64(truncatingIfNeeded: stamp),
            number: UInt32(number),
            client: Int(client)
        )
    }

    package func text(size: Int) -> String {
        String(unsafeUninitializedCapacity: max(size, Self.shortest)) { bytes in
            bytes[0] = UInt8(ascii: "C")
            bytes[1] = UInt8(ascii: "L")
            Self.write(UInt64(bitPattern: stamp), to: bytes[2..<18])
            Self.write(UInt64(number), to: bytes[18..<26])
            Self.write(UInt64(client), to: bytes[26..<32])
            bytes[32] = UInt8(ascii: "m")
            let shift = Int(number % 26)
            for place in bytes.indices.dropFirst(Self.shortest) {
                bytes[place] = UInt8(ascii: "a") + UInt8((place * 7 + shift) % 26)
            }
            return bytes.count
        }
    }

    private static func number(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64 {
        digits.reduce(0) { $0 << 4 | UInt64($1 & 15) + UInt64($1 >> 6) * 9 }
    }

    private static func write(
        _ number: UInt64,
        to digits: Slice<UnsafeMutableBufferPointer<UInt8>>
    ) {
        var number = number
        var digits = digits
        for place in digits.indices.reversed() {
            let digit = UInt8(number & 15)
            digits[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            number >>= 4
        }
    }
}
