/// Which packet numbers have arrived: the highest, and a ring of the 1,024 below it.
///
/// One structure is both the replay filter (RFC 6479) and the source of acknowledgements: a number is
/// set only after its packet authenticated, so what is acknowledged was received, and what was
/// received is never taken twice.
///
///     number > largest             new
///     largest - number >= 1,024    too old to tell: refused
///     bit set                      seen: refused
///     bit clear                    new
package struct ReplayWindow {
    /// Numbers that the ring remembers.
    package static let size: UInt32 = 1_024

    /// The highest number that arrived.
    package private(set) var largest: UInt32?
    /// Empty where everything up to ``largest`` has arrived, as it does on most paths.
    private var ring: [UInt64] = []
    /// Numbers below were acknowledged, and the peer knows it (RFC 9000 §13.2.4).
    private var floor: UInt32 = 0

    package init() {}

    package func isNew(_ number: UInt32) -> Bool {
        guard let largest else { return true }
        if number > largest { return true }
        return largest - number < Self.size && !bit(number)
    }

    /// Marks a number, which must be one that ``isNew(_:)``. Returns whether it is the highest so far.
    @discardableResult
    package mutating func insert(_ number: UInt32) -> Bool {
        floor = min(floor, number)
        guard let largest else {
            self.largest = number
            if number > 0 {
                fill(with: 0)
                set(number)
            }
            return true
        }
        guard number > largest else {
            set(number)
            return false
        }
        self.largest = number
        if ring.isEmpty, number == largest + 1 { return true }
        if number - largest >= Self.size {
            fill(with: 0)
        } else {
            if ring.isEmpty { fill(with: .max) }
            for skipped in largest + 1..<number { clear(skipped) }
        }
        set(number)
        // Looked at once in a while, after what is missing came or can come no more.
        if number % 64 == 63, ring.allSatisfy({ $0 == .max }) { ring = [] }
        return true
    }

    private mutating func fill(with word: UInt64) {
        ring = Array(repeating: word, count: Int(Self.size) / 64)
    }

    /// The newest ranges, from the highest down, at most `limit` of them.
    package func ranges(limit: Int) -> [ClosedRange<UInt32>] {
        guard let largest else { return [] }
        var ranges: [ClosedRange<UInt32>] = []
        let lowest = max(floor, largest >= Self.size ? largest - Self.size + 1 : 0)
        if ring.isEmpty { return [min(lowest, largest)...largest] }
        var number = largest
        while ranges.count < limit {
            let high = number
            while number > lowest, bit(number - 1) { number -= 1 }
            ranges.append(number...high)
            guard number > lowest else { break }
            number -= 1
            while number > lowest, !bit(number) { number -= 1 }
            guard bit(number) else { break }
        }
        return ranges
    }

    /// The peer has our acknowledgement of everything below; no need to repeat it.
    package mutating func peerKnows(below number: UInt32) { floor = max(floor, number) }

    private func bit(_ number: UInt32) -> Bool {
        ring.isEmpty || ring[Int(number % Self.size) / 64] & 1 << UInt64(number % 64) != 0
    }
    private mutating func set(_ number: UInt32) {
        precondition(!ring.isEmpty, "a number arrives once")
        ring[Int(number % Self.size) / 64] |= 1 << UInt64(number % 64)
    }
    private mutating func clear(_ number: UInt32) {
        ring[Int(number % Self.size) / 64] &= ~(1 << UInt64(number % 64))
    }
}
