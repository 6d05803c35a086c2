package import KirimWire

extension Signal {
    /// Reads what ``bytes`` writes. Anything at all may be in it.
    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        switch try reader.byte() {
        case MessageType.presence: self = .presence(try reader.presence())
        case MessageType.presenceOf:
            let room = try reader.roomName()
            let id = MemberID(rawValue: try reader.varint())
            let name = try reader.memberName()
            let presence = try reader.presence()
            self = .presenceOf(room, id, name, presence, online: try reader.varint())
        case let type: throw .unknownKind(type)
        }
        try reader.skipExtensions()
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .presence(let presence):
            writer.byte(MessageType.presence)
            writer.byte(presence.rawValue)
        case .presenceOf(let room, let id, let name, let presence, let online):
            writer.byte(MessageType.presenceOf)
            writer.text(room.text)
            writer.varint(id.rawValue)
            writer.text(name.text)
            writer.byte(presence.rawValue)
            writer.varint(online)
        }
        return writer.bytes
    }
}
