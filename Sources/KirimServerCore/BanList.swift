import KirimRooms
import KirimWire

/// Whom the operator keeps out, in the order of the bans.
struct BanList {
    private(set) var all: [Ban]
    private var keys: Set<PublicKey> = []
    private var prefixes: [(ip: IPAddress, bits: UInt8)] = []

    init(_ bans: [Ban]) {
        all = []
        for ban in bans { insert(ban) }
    }

    /// Whether it is a new one.
    @discardableResult
    mutating func insert(_ ban: Ban) -> Bool {
        guard !all.contains(ban) else { return false }
        all.append(ban)
        switch ban {
        case .key(let key): keys.insert(key)
        case .prefix(let ip, let bits): prefixes.append((ip.unmapped, bits))
        }
        return true
    }

    mutating func remove(_ ban: Ban) -> Bool {
        guard all.contains(ban) else { return false }
        self = BanList(all.filter { $0 != ban })
        return true
    }

    func contains(_ key: PublicKey) -> Bool { keys.contains(key) }

    func contains(_ ip: IPAddress) -> Bool {
        guard !prefixes.isEmpty else { return false }
        let ip = ip.unmapped
        return prefixes.contains { Self.matches(ip, $0.ip, bits: $0.bits) }
    }

    private static func matches(_ a: IPAddress, _ b: IPAddress, bits: UInt8) -> Bool {
        switch (a, b) {
        case (.v4(let a), .v4(let b)):
            return bits == 0 || (a ^ b) >> (32 - UInt32(min(bits, 32))) == 0
        case (.v6(let high, let low, _), .v6(let otherHigh, let otherLow, _)):
            let upper = UInt64(min(bits, 64))
            let lower = UInt64(min(bits, 128)) - upper
            return (upper == 0 || (high ^ otherHigh) >> (64 - upper) == 0)
                && (lower == 0 || (low ^ otherLow) >> (64 - lower) == 0)
        default: return false
        }
    }
}
