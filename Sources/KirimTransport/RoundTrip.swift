import KirimWire

/// The round trip estimate of one path (RFC 9002 §5).
struct RoundTrip: Sendable {
    /// Smallest step of the timers (RFC 9002 §6.1.2).
    package static let granularity: Int64 = 1_000_000

    /// 5 ms: a fan-out to a thousand readers.
    private static let longTurn: Int64 = 5_000_000

    /// 30 s.
    private static let longestSample: Int64 = 30_000_000_000

    /// All in nanoseconds.
    private(set) var latest: Int64
    private(set) var smoothed: Int64
    private(set) var variation: Int64
    private(set) var minimum: Int64
    private(set) var hasSample = false

    init(initial: Duration) {
        latest = initial.inNanoseconds
        smoothed = latest
        variation = latest / 2
        minimum = latest
    }

    mutating func add(sample: Int64, acknowledgementDelay: Int64) {
        // Longer than any path: the machine slept in between.
        guard sample < Self.longestSample else { return }
        let sample = max(sample, 1)
        latest = sample
        guard hasSample else {
            hasSample = true
            minimum = sample
            smoothed = sample
            variation = sample / 2
            return
        }
        minimum = min(minimum, sample)
        // The peer's word on its delay is believed only as far as the minimum allows.
        let adjusted =
            sample >= minimum + acknowledgementDelay ? sample - acknowledgementDelay : sample
        variation = (3 * variation + abs(smoothed - adjusted)) / 4
        smoothed = (7 * smoothed + adjusted) / 8
    }

    var smoothedIfKnown: Duration? { hasSample ? .nanoseconds(smoothed) : nil }

    /// How long a packet may be outrun before it counts as lost: 9/8 of the round trip (RFC 9002 §6.1.2).
    var lossDelay: Int64 { max(max(smoothed, latest) / 8 * 9, Self.granularity) }

    /// The probe timeout without backoff and without the peer's delay (RFC 9002 §6.2.1).
    var probeTimeout: Int64 { smoothed + max(4 * variation, Self.granularity) }

    /// The same where the peer was asked to answer at once. It may still be in the middle of a long turn.
    var promptProbeTimeout: Int64 { smoothed + max(4 * variation, Self.longTurn) }
}
