import KirimWire

// What the chat's messages share on the wire (PROTOCOL.md §6).
//
// Every message begins with a byte that names it. Its fields follow in a fixed order. After the last
// one there may be extensions, each an id (varint), a length (varint) and as many bytes: a reader skips
// those that it does not know, so a later version can add an optional field without a new message. A
// field that must be understood needs a new message. Numbers that grow are varints, random numbers and
// times are fixed, texts are a varint of their bytes and then valid UTF-8.

/// The first byte of a message. Distinct among all of them, so that a dump can be read.
enum MessageType {
    static let hello: UInt8 = 0x01
    static let join: UInt8 = 0x02
    static let leave: UInt8 = 0x03
    static let create: UInt8 = 0x04
    static let listRooms: UInt8 = 0x05
    static let listMembers: UInt8 = 0x06
    static let subscribe: UInt8 = 0x07
    static let unsubscribe: UInt8 = 0x08
    static let rename: UInt8 = 0x09

    static let welcome: UInt8 = 0x41
    static let done: UInt8 = 0x42
    static let refused: UInt8 = 0x43
    static let rooms: UInt8 = 0x44
    static let roomsPart: UInt8 = 0x45
    static let members: UInt8 = 0x46
    static let membersPart: UInt8 = 0x47
    static let subscribed: UInt8 = 0x48
    static let decided: UInt8 = 0x49
    static let postponed: UInt8 = 0x4A
    static let renamed: UInt8 = 0x4B
    static let removed: UInt8 = 0x4C
    static let joined: UInt8 = 0x4D

    static let presence: UInt8 = 0x81
    static let presenceOf: UInt8 = 0x82

    static let post: UInt8 = 0xA1
    static let entry: UInt8 = 0xA2
}

extension ByteReader {
    /// Passes over extensions to the end; `truncated` where one does not fit.
    mutating func skipExtensions() throws(WireError) {
        while !isAtEnd {
            _ = try varint()
            let length = try varint()
            guard length <= UInt64(remaining) else { throw .truncated }
            try skip(Int(length))
        }
    }

    mutating func roomName() throws(WireError) -> RoomName {
        let text = try text(limit: RoomName.limit)
        guard let name = RoomName(text), name.text.utf8.elementsEqual(text.utf8) else {
            throw .malformed
        }
        return name
    }

    /// Also a name that is not allowed any more, mended: whoever gives it to somebody looks at
    /// ``MemberName/isAllowed``.
    mutating func memberName() throws(WireError) -> MemberName {
        let text = try text(limit: MemberName.limit)
        guard text.first != " ", text.last != " ", let name = MemberName(kept: text) else {
            throw .malformed
        }
        return name
    }

    /// Reads a byte that must be 0 or 1.
    mutating func flag() throws(WireError) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        default: throw .malformed
        }
    }

    mutating func sequence() throws(WireError) -> SequenceNumber {
        SequenceNumber(rawValue: try varint())
    }

    /// Reads a sequence number plus one, 0 standing for none.
    mutating func optionalSequence() throws(WireError) -> SequenceNumber? {
        let raised = try varint()
        return raised == 0 ? nil : SequenceNumber(rawValue: raised - 1)
    }

    mutating func member() throws(WireError) -> Member {
        let id = MemberID(rawValue: try varint())
        guard let key = PublicKey(bytes: try take(PublicKey.size)) else { throw .malformed }
        return Member(id: id, key: key, name: try memberName())
    }

    mutating func presence() throws(WireError) -> Presence {
        guard let presence = Presence(rawValue: try byte()) else { throw .malformed }
        return presence
    }

    mutating func refusal() throws(WireError) -> Refusal {
        guard let refusal = Refusal(rawValue: try byte()) else { throw .malformed }
        return refusal
    }

    mutating func address() throws(WireError) -> Address {
        let ip: IPAddress
        switch try byte() {
        case 4: ip = .v4(try integer())
        case 6:
            let high: UInt64 = try integer()
            let low: UInt64 = try integer()
            ip = .v6(high, low, zone: try integer())
        default: throw .malformed
        }
        return Address(ip: ip, port: try integer())
    }

    /// Reads a count of things of which each takes at least `size` bytes, so that a lie costs nothing.
    mutating func count(each size: Int) throws(WireError) -> Int {
        let count = try varint()
        guard count <= UInt64(remaining / size) else { throw .truncated }
        return Int(count)
    }
}

extension ByteWriter {
    mutating func flag(_ value: Bool) { byte(value ? 1 : 0) }

    /// No log is so long that a number has to be cut; one that a person typed, or a damaged file holds,
    /// then means the last place there could be, where nothing is.
    mutating func optionalSequence(_ sequence: SequenceNumber?) {
        varint(sequence.map { min($0.rawValue, Self.largestVarint - 1) + 1 } ?? 0)
    }

    mutating func member(_ member: Member) {
        varint(member.id.rawValue)
        append(member.key.bytes)
        text(member.name.text)
    }

    mutating func address(_ address: Address) {
        switch address.ip {
        case .v4(let bits):
            byte(4)
            integer(bits)
        case .v6(let high, let low, let zone):
            byte(6)
            integer(high)
            integer(low)
            integer(zone)
        }
        integer(address.port)
    }
}
