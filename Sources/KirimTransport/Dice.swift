import KirimWire

/// The one source of chance of an endpoint, shared by its connections.
final class Dice {
    private var source: any RandomNumberGenerator & Sendable
    /// What draws that guard nothing go on from; 0 before the first: a word of the source may be a call of the system.
    private var state: UInt64 = 0

    init(_ source: any RandomNumberGenerator & Sendable) { self.source = source }

    func next() -> UInt64 { source.next() }

    func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 7)
        while bytes.count < count {
            let word = source.next()
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        return Array(bytes.prefix(count))
    }

    /// A word for what guards nothing: xorshift64* (S. Vigna, 2016).
    func idleWord() -> UInt64 {
        if state == 0 { state = source.next() | 1 }
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// One in `n`, for what guards nothing.
    func oneIn(_ n: UInt64) -> Bool { idleWord() >> 32 < (1 << 32) / n }

    /// A factor from 0.75 to 1.25, so that many clients do not knock in step.
    func jitter(_ duration: Duration) -> Duration {
        .nanoseconds(
            duration.inNanoseconds / 4 * 3 + Int64(source.next() % 1024)
                * (duration.inNanoseconds / 2048)
        )
    }
}

/// Lets a `Dice` serve where a generator is asked for.
struct DiceGenerator: RandomNumberGenerator {
    let dice: Dice
    mutating func next() -> UInt64 { dice.next() }
}
