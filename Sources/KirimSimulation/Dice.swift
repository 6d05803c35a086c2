import KirimWire

/// Repeatable dice: SplitMix64 (Steele, Lea and Flood 2014), 64 bits of state, one seed for a whole run.
///
/// Each part of a simulation rolls a ``fork(_:)`` of its own, so that one part's extra draw does not
/// change what another part sees. Never for keys outside a simulation: the next number can be computed.
package struct Dice: RandomNumberGenerator, Hashable, Sendable {
    private let seed: UInt64
    private var state: UInt64

    package init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(state)
    }

    /// Other dice, drawn from the seed and the label only: the draws made so far do not matter.
    package func fork(_ label: String) -> Dice {
        var hash = seed ^ 0xCBF2_9CE4_8422_2325
        for byte in label.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return Dice(seed: Self.mixed(hash &+ 0x9E37_79B9_7F4A_7C15))
    }

    package func fork(_ label: String, _ index: Int) -> Dice { fork("\(label) \(index)") }

    /// SplitMix64's finisher: every bit of the input moves about half of the bits of the output.
    package static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension Dice {
    /// From 0 up to, but not including, 1.
    package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Whether something of this probability happens. Draws nothing where the answer is certain.
    package mutating func chance(_ probability: Double) -> Bool {
        guard probability > 0 else { return false }
        return probability >= 1 || unit() < probability
    }

    /// Even in the range (Lemire's multiplication; its bias is below 2^-32 for the ranges used here).
    package mutating func number(in range: ClosedRange<Int>) -> Int {
        let width = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound)) &+ 1
        guard width != 0 else { return Int(truncatingIfNeeded: next()) }
        return range.lowerBound &+ Int(next().multipliedFullWidth(by: width).high)
    }

    package mutating func number(below bound: Int) -> Int { number(in: 0...bound - 1) }

    package mutating func duration(in range: ClosedRange<Duration>) -> Duration {
        .nanoseconds(
            number(in: Int(range.lowerBound.inNanoseconds)...Int(range.upperBound.inNanoseconds))
        )
    }

    /// Around `mean`, from nothing to twice as much, even.
    package mutating func duration(around mean: Duration) -> Duration {
        duration(in: .zero...mean * 2)
    }

    package mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[number(below: elements.count)]
    }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            var word = next()
            for _ in 0..<min(8, count - bytes.count) {
                bytes.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        return bytes
    }
}
