/// One in so long a time, and so many at once.
package struct Rate: Hashable, Sendable {
    package var interval: Duration
    package var burst: Int

    package init(oneIn interval: Duration, burst: Int) {
        precondition(interval > .zero && burst > 0, "a rate lets something pass")
        self.interval = interval
        self.burst = burst
    }

    package init(perSecond: Int, burst: Int) {
        precondition(perSecond > 0, "a rate lets something pass")
        self.init(oneIn: .nanoseconds(1_000_000_000 / Int64(perSecond)), burst: burst)
    }
}

/// Lets things pass at a rate, after a burst: a token bucket kept as one instant (GCRA, ITU-T I.371).
package struct Pace: Hashable, Sendable {
    /// Nanoseconds that one thing costs.
    private let interval: Int64
    /// How far the account may run ahead of the clock.
    private let allowance: Int64
    /// When everything let pass so far would be paid for.
    private var paid = Self.never

    private static let never = Instant(nanoseconds: .min)

    package init(_ rate: Rate) {
        interval = max(rate.interval.inNanoseconds, 1)
        allowance = interval * Int64(rate.burst)
    }

    /// `nil` if it may pass; otherwise how long to wait.
    package mutating func take(at now: Instant) -> Duration? {
        let start = max(paid, now)
        let due = start.advanced(nanoseconds: interval)
        let ahead = due.nanoseconds - now.nanoseconds
        guard ahead <= allowance else { return .nanoseconds(ahead - allowance) }
        paid = due
        return nil
    }

    /// Something that let pass cost as much as so many more: they are counted, and what comes next waits for them.
    package mutating func charge(_ count: Int, at now: Instant) {
        let start = max(paid, now)
        paid = start.advanced(by: .nanoseconds(interval * Int64(count)))
    }

    /// From when on one more may pass; `nil` where nothing has passed yet.
    package var nextPass: Instant? {
        paid == Self.never ? nil : paid.advanced(nanoseconds: interval - allowance)
    }

    /// Whether one more may pass; it is counted if so.
    package mutating func admits(at now: Instant) -> Bool { take(at: now) == nil }
}
