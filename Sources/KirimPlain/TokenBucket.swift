import KirimWire

/// Lets so many through at once, and so many a second afterwards.
struct TokenBucket: Hashable, Sendable {
    private let rate: Int64
    private let burst: Int64
    /// In billionths of a token: nanoseconds times the rate.
    private var level: Int64
    private var filled: Instant

    private static let token: Int64 = 1_000_000_000

    /// A full bucket.
    init(perSecond rate: Int, burst: Int, at now: Instant) {
        precondition(rate > 0 && burst > 0 && burst < 1_000_000_000, "a bucket holds something")
        self.rate = Int64(rate)
        self.burst = Int64(burst)
        level = Int64(burst) * Self.token
        filled = now
    }

    /// Takes a token; `false` where there is none.
    mutating func take(at now: Instant) -> Bool {
        if now > filled {
            let full = burst * Self.token
            let (gain, overflow) = filled.duration(to: now).inNanoseconds
                .multipliedReportingOverflow(by: rate)
            level = overflow || gain >= full - level ? full : level + gain
            filled = now
        }
        guard level >= Self.token else { return false }
        level -= Self.token
        return true
    }
}
