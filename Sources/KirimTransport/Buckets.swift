import KirimWire

/// A rate: so many a second, and so many at once.
package struct Rate: Hashable, Sendable {
    package var perSecond: Double
    package var burst: Double

    package init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
    }
}

/// A token bucket: one rate, one level.
struct Bucket {
    private var level: Double
    private var updated: Instant

    init(full rate: Rate, at now: Instant) {
        level = rate.burst
        updated = now
    }

    mutating func take(_ rate: Rate, at now: Instant) -> Bool {
        let seconds = Double(max(0, now.nanoseconds - updated.nanoseconds)) / 1e9
        level = min(rate.burst, level + rate.perSecond * seconds)
        updated = now
        guard level >= 1 else { return false }
        level -= 1
        return true
    }
}

/// Buckets for all the strangers in the world in a fixed piece of memory.
///
/// Prefixes that fall into the same slot share it: with a secret salt nobody can aim at another's slot,
/// and a flood from many prefixes slows strangers down, never members.
struct PrefixBuckets {
    private static let slots = 4_096
    /// The machine's own processes cannot be forged from outside and may come many at once.
    private static let loopbackFactor = 25.0

    private let rate: Rate
    private let salt: UInt64
    private var buckets: [Bucket]

    init(_ rate: Rate, salt: UInt64, at now: Instant) {
        self.rate = rate
        self.salt = salt
        buckets = Array(repeating: Bucket(full: rate, at: now), count: Self.slots)
    }

    mutating func take(for ip: IPAddress, at now: Instant) -> Bool {
        var hash = salt
        for octet in ip.prefix.octets {
            // The finaliser of SplitMix64 over each octet: spreads, and cannot be aimed without the salt.
            hash = (hash ^ UInt64(octet)) &* 0xBF58_476D_1CE4_E5B9
            hash ^= hash >> 29
        }
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        let slot = Int((hash ^ hash >> 31) % UInt64(Self.slots))
        guard ip.isLoopback else { return buckets[slot].take(rate, at: now) }
        let wide = Rate(
            perSecond: rate.perSecond * Self.loopbackFactor,
            burst: rate.burst * Self.loopbackFactor
        )
        return buckets[slot].take(wide, at: now)
    }
}
