/// Counts of durations in steps of 0.8 %, so that a million cost no more than ten.
///
/// Log-linear, 128 steps an octave, as in HdrHistogram.
package struct Histogram: Sendable {
    private static let steps = 128
    private var counts = [UInt64](repeating: 0, count: 58 * steps + 2 * steps)
    package private(set) var count: UInt64 = 0
    private var sum: UInt64 = 0
    private(set) var largest: UInt64 = 0

    package init() {}

    package mutating func add(_ nanoseconds: Int64) {
        let value = UInt64(max(0, nanoseconds))
        let shift = max(0, 63 - max(value, 1).leadingZeroBitCount - 7)
        counts[shift * Self.steps + Int(value >> UInt64(shift))] += 1
        count += 1
        sum += value
        largest = max(largest, value)
    }

    package mutating func add(_ other: Histogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
        sum += other.sum
        largest = max(largest, other.largest)
    }

    /// The value, in nanoseconds, that this part of all is at or below.
    package func quantile(_ part: Double) -> Double {
        guard count > 0 else { return 0 }
        let wanted = max(1, UInt64((part * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, here) in counts.enumerated() where here > 0 {
            seen += here
            guard seen >= wanted else { continue }
            guard index >= 2 * Self.steps else { return Double(index) }
            let shift = index / Self.steps - 1
            let low = UInt64(index % Self.steps + Self.steps) << UInt64(shift)
            return min(Double(low) + Double(1 << shift) / 2, Double(largest))
        }
        return Double(largest)
    }

    package var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }
    package var maximum: Double { Double(largest) }
}
