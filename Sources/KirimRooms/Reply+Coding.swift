package import KirimWire

extension Reply {
    /// Bytes of the name that a server gives itself.
    package static let serverNameLimit = 128
    /// Decisions in one record.
    package static let decisionsPerReply = 256

    /// Reads what ``bytes`` writes. Anything at all may be in it.
    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        let type = try reader.byte()
        switch type {
        case MessageType.decided: self = .decided(try Self.decisions(&reader))
        case MessageType.postponed:
            let from = PostNumber(rawValue: try reader.varint())
            let refusal = try reader.refusal()
            self = .postponed(from: from, refusal, retryAfterMilliseconds: try reader.varint())
        case MessageType.renamed: self = .renamed(try reader.memberName())
        case MessageType.removed:
            let room = try reader.roomName()
            self = .removed(room, try reader.refusal())
        case MessageType.joined: self = .joined(try reader.roomName())
        case MessageType.welcome...MessageType.subscribed:
            self = try Self.answer(type, to: RequestID(rawValue: try reader.varint()), &reader)
        default: throw .unknownKind(type)
        }
        try reader.skipExtensions()
    }

    private static func answer(
        _ type: UInt8,
        to id: RequestID,
        _ reader: inout ByteReader
    ) throws(WireError) -> Reply {
        switch type {
        case MessageType.welcome:
            let member = try reader.member()
            let next = PostNumber(rawValue: try reader.varint())
            let server = try reader.text(limit: serverNameLimit)
            let limits = WireLimits(
                messageBytes: try reader.varint(),
                postsInFlight: try reader.varint(),
                postBytesInFlight: try reader.varint()
            )
            return .welcome(id, member: member, nextPost: next, server: server, limits: limits)
        case MessageType.done: return .done(id)
        case MessageType.refused: return .refused(id, try reader.refusal())
        case MessageType.rooms: return .rooms(id, try rooms(&reader))
        case MessageType.roomsPart: return .roomsPart(id, try rooms(&reader))
        case MessageType.members:
            let room = try reader.roomName()
            return .members(id, room, try members(&reader))
        case MessageType.membersPart:
            let room = try reader.roomName()
            return .membersPart(id, room, try members(&reader))
        case MessageType.subscribed:
            let stream = try reader.varint()
            let room = try reader.roomName()
            let first = try reader.sequence()
            let last = try reader.sequence()
            return .subscribed(id, stream: stream, room: room, first: first, last: last)
        default: throw .unknownKind(type)
        }
    }

    private static func rooms(_ reader: inout ByteReader) throws(WireError) -> [RoomSummary] {
        var rooms: [RoomSummary] = []
        for _ in 0..<(try reader.count(each: 4)) {
            let name = try reader.roomName()
            let members = try reader.varint()
            rooms.append(
                RoomSummary(name: name, members: Int(members), last: try reader.sequence())
            )
        }
        return rooms
    }

    private static func members(_ reader: inout ByteReader) throws(WireError) -> [MemberStatus] {
        var members: [MemberStatus] = []
        for _ in 0..<(try reader.count(each: PublicKey.size + 4)) {
            let member = try reader.member()
            members.append(MemberStatus(member: member, presence: try reader.presence()))
        }
        return members
    }

    private static func decisions(
        _ reader: inout ByteReader
    ) throws(WireError) -> [PostNumber: PostDecision] {
        var decisions: [PostNumber: PostDecision] = [:]
        for _ in 0..<(try reader.count(each: 3)) {
            let number = PostNumber(rawValue: try reader.varint())
            if try reader.flag() {
                decisions[number] = .refused(try reader.refusal())
            } else {
                let room = try reader.roomName()
                decisions[number] = .accepted(room, try reader.sequence())
            }
        }
        return decisions
    }
}

extension Reply {
    package var bytes: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .welcome(let id, let member, let next, let server, let limits):
            writer.answer(MessageType.welcome, to: id)
            writer.member(member)
            writer.varint(next.rawValue)
            writer.text(server)
            writer.varint(limits.messageBytes)
            writer.varint(limits.postsInFlight)
            writer.varint(limits.postBytesInFlight)
        case .done(let id): writer.answer(MessageType.done, to: id)
        case .refused(let id, let refusal):
            writer.answer(MessageType.refused, to: id)
            writer.byte(refusal.rawValue)
        case .rooms(let id, let rooms):
            writer.answer(MessageType.rooms, to: id)
            writer.rooms(rooms)
        case .roomsPart(let id, let rooms):
            writer.answer(MessageType.roomsPart, to: id)
            writer.rooms(rooms)
        case .members(let id, let room, let members):
            writer.answer(MessageType.members, to: id)
            writer.members(members, of: room)
        case .membersPart(let id, let room, let members):
            writer.answer(MessageType.membersPart, to: id)
            writer.members(members, of: room)
        case .subscribed(let id, let stream, let room, let first, let last):
            writer.answer(MessageType.subscribed, to: id)
            writer.varint(stream)
            writer.text(room.text)
            writer.varint(first.rawValue)
            writer.varint(last.rawValue)
        case .decided(let decisions): writer.decisions(decisions)
        case .postponed(let from, let refusal, let delay):
            writer.byte(MessageType.postponed)
            writer.varint(from.rawValue)
            writer.byte(refusal.rawValue)
            writer.varint(delay)
        case .renamed(let name):
            writer.byte(MessageType.renamed)
            writer.text(name.text)
        case .removed(let room, let refusal):
            writer.byte(MessageType.removed)
            writer.text(room.text)
            writer.byte(refusal.rawValue)
        case .joined(let room):
            writer.byte(MessageType.joined)
            writer.text(room.text)
        }
        return writer.bytes
    }
}

extension ByteWriter {
    fileprivate mutating func answer(_ type: UInt8, to id: RequestID) {
        byte(type)
        varint(id.rawValue)
    }

    fileprivate mutating func rooms(_ rooms: [RoomSummary]) {
        varint(rooms.count)
        for room in rooms {
            text(room.name.text)
            varint(room.members)
            varint(room.last.rawValue)
        }
    }

    fileprivate mutating func members(_ members: [MemberStatus], of room: RoomName) {
        text(room.text)
        varint(members.count)
        for status in members {
            member(status.member)
            byte(status.presence.rawValue)
        }
    }

    fileprivate mutating func decisions(_ decisions: [PostNumber: PostDecision]) {
        byte(MessageType.decided)
        varint(decisions.count)
        for (number, decision) in decisions.sorted(by: { $0.key < $1.key }) {
            varint(number.rawValue)
            switch decision {
            case .accepted(let room, let sequence):
                flag(false)
                text(room.text)
                varint(sequence.rawValue)
            case .refused(let refusal):
                flag(true)
                byte(refusal.rawValue)
            }
        }
    }
}
