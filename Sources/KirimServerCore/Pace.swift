import KirimWire

/// Lets things pass at a rate, after a burst: a token bucket kept as one instant (GCRA, ITU-T I.371).
struct Pace {
    /// Nanoseconds that one thing costs.
    private let interval: Int64
    /// How far the account may run ahead of the clock.
    private let allowance: Int64
    /// When everything let pass so far would be paid for.
    private var paid: Instant?

    init(perSecond rate: Int, burst: Int) {
        interval = 1_000_000_000 / Int64(max(rate, 1))
        allowance = interval * Int64(max(burst, 1))
    }

    /// `nil` if it may pass; otherwise how long to wait.
    mutating func take(at now: Instant) -> Duration? {
        let start = max(paid ?? now, now)
        let due = start.advanced(by: .nanoseconds(interval))
        let ahead = now.duration(to: due).inNanoseconds
        guard ahead <= allowance else { return .nanoseconds(ahead - allowance) }
        paid = due
        return nil
    }
}
