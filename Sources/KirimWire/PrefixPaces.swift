/// Rates for all the strangers in the world in a fixed piece of memory.
///
/// Prefixes that fall into the same slot share it: with a secret salt nobody can aim at another's slot,
/// and a flood from many prefixes slows strangers down, never members.
package struct PrefixPaces: Sendable {
    private static let slots = 4_096

    private let salt: UInt64
    private var paces: [Pace]
    private var loopback: Pace

    /// The machine's own processes cannot be forged from outside, may come many at once, and have `loopbackFactor`
    /// times the rate and burst, together.
    package init(_ rate: Rate, loopbackFactor: Int = 25, salt: UInt64) {
        self.salt = salt
        paces = Array(repeating: Pace(rate), count: Self.slots)
        loopback = Pace(
            Rate(
                oneIn: rate.interval / loopbackFactor,
                burst: rate.burst * loopbackFactor
            )
        )
    }

    package mutating func admits(_ ip: IPAddress, at now: Instant) -> Bool {
        if ip.isLoopback { return loopback.admits(at: now) }
        return paces[slot(of: ip)].admits(at: now)
    }

    /// The finaliser of SplitMix64 over each octet: spreads, and cannot be aimed without the salt.
    private func slot(of ip: IPAddress) -> Int {
        var hash = salt
        for octet in ip.prefix.octets {
            hash = (hash ^ UInt64(octet)) &* 0xBF58_476D_1CE4_E5B9
            hash ^= hash >> 29
        }
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((hash ^ hash >> 31) % UInt64(Self.slots))
    }
}
