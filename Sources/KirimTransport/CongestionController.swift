package import KirimWire

/// How many bytes may be under way: NewReno as RFC 9002 §7 writes it. The one type to replace for another.
package struct CongestionController: Sendable {
    static let datagram = PacketSize.maximum
    /// min(10 datagrams, max(14720, 2 datagrams)) (RFC 9002 §7.2): the former, for datagrams of this size.
    package static let initialWindow = 10 * datagram
    package static let minimumWindow = 2 * datagram

    package private(set) var window: Int
    private var slowStartThreshold = Int.max
    /// Losses of packets sent before this moment belong to the recovery that is under way.
    private var recoveryStart: Instant?

    package init(window: Int = initialWindow) { self.window = window }

    var isInSlowStart: Bool { window < slowStartThreshold }

    /// `inFlight` are the bytes under way before this acknowledgement, which tell whether the window was in
    /// use at all; an idle window must not grow (RFC 9002 §7.8).
    package mutating func acknowledged(bytes: Int, sentAt: Instant, inFlight: Int) {
        if let recoveryStart, sentAt <= recoveryStart { return }
        let free = window - inFlight
        let isUsed = free <= 3 * Self.datagram || isInSlowStart && inFlight > window / 2
        guard isUsed else { return }
        if isInSlowStart {
            window += bytes
        } else {
            window += max(1, Self.datagram * bytes / window)
        }
    }

    package mutating func lost(sentAt: Instant, at now: Instant, isPersistent: Bool) {
        if recoveryStart.map({ sentAt > $0 }) ?? true {
            recoveryStart = now
            slowStartThreshold = max(window / 2, Self.minimumWindow)
            window = slowStartThreshold
        }
        if isPersistent {
            window = Self.minimumWindow
            recoveryStart = nil
        }
    }
}

/// Spreads a window over its round trip, so that a burst does not fill a small router (RFC 9002 §7.7).
package struct Pacer: Sendable {
    /// Datagrams that may leave at once (RFC 9002 §7.7).
    static let burst = 10 * PacketSize.maximum
    /// Of the window per round trip; above 1 so that pacing itself never is the limit.
    static let gain = 1.25

    private var budget = Double(burst)
    private var updated: Instant?

    package init() {}

    /// Bytes a nanosecond.
    private func rate(_ window: Int, _ smoothed: Int64) -> Double {
        Self.gain * Double(window) / Double(max(smoothed, 1))
    }

    mutating func refill(at now: Instant, window: Int, smoothed: Int64) {
        let rate = rate(window, smoothed)
        // What flows within a timer tick may leave together, however fast the link.
        let most = max(Double(Self.burst), rate * 2 * Double(RoundTrip.granularity))
        if let updated {
            budget = min(
                most,
                budget + rate * Double(max(now.nanoseconds - updated.nanoseconds, 0))
            )
        }
        updated = now
    }

    var allows: Bool { budget >= Double(PacketSize.maximum) }
    mutating func sent(_ bytes: Int) { budget -= Double(bytes) }

    /// When the next full datagram may leave.
    func deadline(window: Int, smoothed: Int64) -> Instant? {
        guard let updated, !allows else { return nil }
        let missing = Double(PacketSize.maximum) - budget
        let wait = Int64(min(missing / rate(window, smoothed), 1e12)) + 1
        return updated.advanced(nanoseconds: wait)
    }
}
