import KirimPlain
import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire

// What an operator sees, and wishes, as values.

extension Engine {
    var status: ServerStatus {
        var banned: [PublicKey: MemberName] = [:]
        for case .key(let key) in core.bans { banned[key] = core.member(with: key)?.name }
        return ServerStatus(
            guests: guests,
            rooms: core.rooms,
            bans: core.bans,
            banned: banned,
            counters: counters,
            connections: core.counters.connections
        )
    }

    /// Members by number, then plain clients in the order in which they came.
    private var guests: [Guest] {
        let (now, wall) = (now, wall)
        let members = core.visitors.map { visitor in
            Guest(
                id: .member(visitor.member.key),
                address: visitor.address,
                name: visitor.member.name,
                presence: visitor.presence,
                since: visitor.since,
                lastHeard: visitor.link?.lastHeard.duration(to: now),
                roundTrip: visitor.link?.roundTrip,
                packetsLost: visitor.link?.packetsLost ?? 0,
                packetsSent: visitor.link?.packetsSent ?? 0
            )
        }
        let plain = core.plainVisits.map { visit in
            Guest(
                id: .plain(visit.address),
                address: visit.address,
                since: WallTime(
                    milliseconds: wall.milliseconds - visit.began.duration(to: now).inMilliseconds
                ),
                lastHeard: visit.heard.duration(to: now)
            )
        }
        return members + plain
    }

    /// What was counted, and is not zero.
    private var counters: [ServerStatus.Counter] {
        let counted = core.counters
        var all: [ServerStatus.Counter] = []
        for (group, values) in [("", counted.endpoint as Any), ("plain ", counted.plain as Any)] {
            for case (let name?, let value) in Mirror(reflecting: values).children {
                let number = value as? UInt64 ?? (value as? Int).map { UInt64(clamping: $0) }
                if let number, number > 0 { all.append(.init(name: group + name, value: number)) }
            }
        }
        if forgedAsOwn > 0 {
            all.append(.init(name: "forged as the server's own", value: forgedAsOwn))
        }
        if counted.bannedDatagrams > 0 {
            all.append(.init(name: "banned", value: UInt64(clamping: counted.bannedDatagrams)))
        }
        return all
    }

    /// Returns whether there was anything to do.
    @discardableResult
    func carryOut(_ wish: OperatorWish) -> Bool {
        switch wish {
        case .say(let text):
            core.broadcast(text, at: now, wall: wall)
            return true
        case .kick(.member(let key)): return core.kick(key, at: now, wall: wall)
        case .kick(.plain(let address)): return core.kick(address, at: now)
        case .ban(let ban): return core.ban(ban, at: now, wall: wall)
        case .unban(let ban): return core.unban(ban)
        }
    }
}
