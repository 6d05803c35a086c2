package import KirimWire

/// What an operator sees of a server at one moment.
package struct ServerStatus: Hashable, Sendable {
    /// Members first, by number; then plain clients, in the order in which they came.
    package var guests: [Guest]
    package var rooms: [RoomSummary]
    /// In the order in which they were pronounced.
    package var bans: [Ban]
    /// Of the keys that are kept out, those whose bearer's name is known.
    package var banned: [PublicKey: MemberName]
    /// What was counted since the start, and is not zero, in a fixed order.
    package var counters: [Counter]
    package var connections: Int

    package init(
        guests: [Guest],
        rooms: [RoomSummary],
        bans: [Ban],
        banned: [PublicKey: MemberName] = [:],
        counters: [Counter],
        connections: Int
    ) {
        self.guests = guests
        self.rooms = rooms
        self.bans = bans
        self.banned = banned
        self.counters = counters
        self.connections = connections
    }

    /// One thing that is counted.
    package struct Counter: Hashable, Sendable {
        package var name: String
        package var value: UInt64

        package init(name: String, value: UInt64) {
            self.name = name
            self.value = value
        }
    }
}

/// Somebody who is at the server now.
package struct Guest: Hashable, Sendable, Identifiable {
    /// Whom a wish of the operator is about.
    package enum ID: Hashable, Sendable {
        case member(PublicKey)
        case plain(Address)
    }

    package var id: ID
    package var address: Address
    /// `nil`: plain text, which has no names.
    package var name: MemberName?
    package var presence: Presence
    /// When the visit began; `nil` where that is not known.
    package var since: WallTime?
    /// Time since something came from there; `nil` where that is not known.
    package var lastHeard: Duration?
    package var roundTrip: Duration?
    package var packetsLost: UInt64
    package var packetsSent: UInt64

    package init(
        id: ID,
        address: Address,
        name: MemberName? = nil,
        presence: Presence = .online,
        since: WallTime? = nil,
        lastHeard: Duration? = nil,
        roundTrip: Duration? = nil,
        packetsLost: UInt64 = 0,
        packetsSent: UInt64 = 0
    ) {
        self.id = id
        self.address = address
        self.name = name
        self.presence = presence
        self.since = since
        self.lastHeard = lastHeard
        self.roundTrip = roundTrip
        self.packetsLost = packetsLost
        self.packetsSent = packetsSent
    }

    /// `nil`: plain text.
    package var key: PublicKey? { if case .member(let key) = id { key } else { nil } }
    package var isPlain: Bool { key == nil }
    /// Lost packets of a hundred; 0 before the first was sent.
    package var lossPercent: Double {
        packetsSent == 0 ? 0 : 100 * Double(packetsLost) / Double(packetsSent)
    }
}

/// What an operator wishes of a server.
package enum OperatorWish: Hashable, Sendable {
    /// Say a line to everybody.
    case say(String)
    /// Put somebody out, a member for a minute.
    case kick(Guest.ID)
    case ban(Ban)
    case unban(Ban)
}
