package import KirimWire

extension Request {
    /// Bytes of the name and version that a client's program gives itself.
    package static let agentLimit = 128

    /// Reads what ``bytes`` writes. Anything at all may be in it.
    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        switch try reader.byte() {
        case MessageType.hello:
            let name = try reader.flag() ? try reader.wish() : nil
            let outbox = OutboxID(rawValue: try reader.integer())
            self = .hello(
                name: name,
                outbox: outbox,
                agent: try reader.text(limit: Self.agentLimit)
            )
        case MessageType.join: self = .join(try reader.roomName())
        case MessageType.leave: self = .leave(try reader.roomName())
        case MessageType.create: self = .create(try reader.roomName())
        case MessageType.listRooms: self = .listRooms
        case MessageType.listMembers: self = .listMembers(try reader.roomName())
        case MessageType.subscribe:
            let stream = try reader.varint()
            let room = try reader.roomName()
            let start: SubscriptionStart =
                try reader.flag() ? .last(try reader.varint()) : .after(try reader.sequence())
            let until = try reader.optionalSequence()
            self = .subscribe(stream: stream, room: room, start: start, until: until)
        case MessageType.unsubscribe: self = .unsubscribe(stream: try reader.varint())
        case MessageType.rename: self = .rename(try reader.memberName())
        case let type: throw .unknownKind(type)
        }
        try reader.skipExtensions()
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .hello(let name, let outbox, let agent):
            writer.byte(MessageType.hello)
            writer.flag(name != nil)
            if let name { writer.text(name.text) }
            writer.integer(outbox.rawValue)
            writer.text(agent)
        case .join(let room): writer.room(room, after: MessageType.join)
        case .leave(let room): writer.room(room, after: MessageType.leave)
        case .create(let room): writer.room(room, after: MessageType.create)
        case .listRooms: writer.byte(MessageType.listRooms)
        case .listMembers(let room): writer.room(room, after: MessageType.listMembers)
        case .subscribe(let stream, let room, let start, let until):
            writer.byte(MessageType.subscribe)
            writer.varint(stream)
            writer.text(room.text)
            switch start {
            case .after(let sequence):
                writer.flag(false)
                writer.varint(min(sequence.rawValue, ByteWriter.largestVarint))
            case .last(let count):
                writer.flag(true)
                writer.varint(min(count, ByteWriter.largestVarint))
            }
            writer.optionalSequence(until)
        case .unsubscribe(let stream):
            writer.byte(MessageType.unsubscribe)
            writer.varint(stream)
        case .rename(let name):
            writer.byte(MessageType.rename)
            writer.text(name.text)
        }
        return writer.bytes
    }
}

extension ByteReader {
    /// The name that a hello asks for. One that nobody may take counts as none, however it is wrong: a
    /// client that knows other rules still comes in.
    fileprivate mutating func wish() throws(WireError) -> MemberName? {
        let text = try text(limit: remaining)
        guard let name = MemberName(text), name.text.utf8.elementsEqual(text.utf8) else {
            return nil
        }
        return name
    }
}

extension ByteWriter {
    fileprivate mutating func room(_ room: RoomName, after type: UInt8) {
        byte(type)
        text(room.text)
    }
}
