public import KirimWire

/// Somebody a server knows: a key, and the name bound to it.
public struct Member: Hashable, Sendable {
    /// Its number on this server.
    public var id: MemberID
    /// The key of its device: the identity itself.
    public var key: PublicKey
    /// The name.
    public var name: MemberName

    /// Takes the parts as they are.
    public init(id: MemberID, key: PublicKey, name: MemberName) {
        self.id = id
        self.key = key
        self.name = name
    }
}

/// Whether a member can be expected to answer.
public enum Presence: UInt8, Hashable, Sendable, CaseIterable {
    case offline = 0
    case online = 1
    case away = 2
}

/// A line of a room's member list.
public struct MemberStatus: Hashable, Sendable {
    /// Who.
    public var member: Member
    /// Whether an answer can be expected.
    public var presence: Presence

    /// Takes the parts as they are.
    public init(member: Member, presence: Presence) {
        self.member = member
        self.presence = presence
    }
}

/// A line of the list of rooms.
public struct RoomSummary: Hashable, Sendable {
    /// The name.
    public var name: RoomName
    /// How many are in it.
    public var members: Int
    /// The last entry's number; `zero` while the room is empty.
    public var last: SequenceNumber

    /// Takes the parts as they are.
    public init(name: RoomName, members: Int, last: SequenceNumber) {
        self.name = name
        self.members = members
        self.last = last
    }
}

/// Whom the operator keeps out.
public enum Ban: Hashable, Sendable {
    case key(PublicKey)
    /// An address and how many leading bits of it count (0 to 32, or 0 to 128).
    case prefix(IPAddress, bits: UInt8)
}

extension Ban {
    /// The same with zeros behind the bits that count: 10.1.2.3/16 is 10.1.0.0/16.
    package var masked: Ban {
        guard case .prefix(let ip, let bits) = self else { return self }
        return .prefix(ip.unmapped.masked(to: bits), bits: bits)
    }

    /// Whether everybody whom `other` keeps out is kept out by this prefix.
    package func covers(_ other: Ban) -> Bool {
        guard case .prefix(let ip, let bits) = self, case .prefix(let inner, let more) = other
        else { return false }
        return bits <= more && ip.unmapped.masked(to: bits) == inner.unmapped.masked(to: bits)
    }
}
