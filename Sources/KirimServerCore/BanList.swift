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
        case .prefix(let ip, let bits): prefixes.append((ip.unmapped.masked(to: bits), bits))
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
        return prefixes.contains { ip.masked(to: $0.bits) == $0.ip }
    }
}
