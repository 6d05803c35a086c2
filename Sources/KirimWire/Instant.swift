/// A point on the monotonic timeline that the caller owns.
///
/// The core never reads a clock: every entry point takes `now`. The zero is arbitrary, so instants
/// of two processes cannot be compared. Nanoseconds in 64 bits last 292 years.
package struct Instant: InstantProtocol, Hashable, Sendable {
    /// Nanoseconds since the caller's own zero.
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static let start = Instant(nanoseconds: 0)
    /// Later than every moment that will be reached.
    package static let distantFuture = Instant(nanoseconds: .max)

    package func advanced(by step: Duration) -> Instant {
        advanced(nanoseconds: step.inNanoseconds)
    }

    /// Where it is done with every packet: a `Duration` is 128 bits, and dividing those is dear.
    package func advanced(nanoseconds step: Int64) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(step)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }

    package func duration(to other: Instant) -> Duration {
        .nanoseconds(other.nanoseconds - nanoseconds)
    }

    package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
}

extension Duration {
    /// The whole duration in nanoseconds; saturates at ±292 years.
    package var inNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? (seconds < 0 ? .min : .max) : sum
    }

    /// The whole duration in milliseconds, rounded down.
    package var inMilliseconds: Int64 { inNanoseconds / 1_000_000 }
}
