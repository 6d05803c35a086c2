import KirimWire

/// An input read as a list of things to do. Behind its end there are zeros, so that every input means something.
struct Script {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }

    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func flag() -> Bool { byte() & 1 == 1 }

    /// 0 to `limit` - 1; one byte decides while it can.
    mutating func number(below limit: Int) -> Int {
        guard limit > 1 else { return 0 }
        let first = Int(byte())
        return (limit <= 256 ? first : first << 8 | Int(byte())) % limit
    }

    mutating func take(_ count: Int) -> [UInt8] {
        let end = min(bytes.count, position + count)
        defer { position = end }
        return Array(bytes[position..<end])
    }

    /// A length of up to two bytes, then as many.
    mutating func block(limit: Int) -> [UInt8] { take(number(below: limit + 1)) }

    mutating func rest() -> [UInt8] { take(bytes.count) }

    /// From a millisecond to an hour, and backwards never.
    mutating func wait() -> Duration {
        let steps: [Duration] = [
            .milliseconds(1), .milliseconds(5), .milliseconds(25), .milliseconds(100),
            .milliseconds(400), .seconds(1), .seconds(3), .seconds(10), .seconds(26), .seconds(60),
            .seconds(130), .seconds(3_600),
        ]
        return steps[number(below: steps.count)]
    }
}

/// Chance that is the same in every run.
struct FixedDice: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
