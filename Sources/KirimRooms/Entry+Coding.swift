package import KirimWire

extension Post {
    /// Reads what ``bytes`` writes: a record of ``ChatStream/posts``. Anything at all may be in it.
    ///
    /// Whether the post makes sense (its length, its reference, its kind) is the server's business:
    /// only bytes that are no post are refused here.
    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        let type = try reader.byte()
        guard type == MessageType.post else { throw .unknownKind(type) }
        let room = try reader.roomName()
        self = try reader.post(in: room)
        try reader.skipExtensions()
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 32 + text.utf8.count)
        writer.byte(MessageType.post)
        writer.text(room.text)
        writer.post(self)
        return writer.bytes
    }
}

extension Entry {
    /// Reads what ``bytes`` writes: a record of a subscription, whose number is the entry's and whose
    /// room the subscription names. Anything at all may be in it.
    package init(
        parsing bytes: [UInt8],
        room: RoomName,
        sequence: SequenceNumber
    ) throws(WireError) {
        var reader = ByteReader(bytes)
        let type = try reader.byte()
        guard type == MessageType.entry else { throw .unknownKind(type) }
        let received = WallTime(milliseconds: try reader.integer())
        let author: Author
        var id: PostID?
        switch try reader.byte() {
        case AuthorType.server: author = .server
        case AuthorType.member:
            let member = MemberID(rawValue: try reader.varint())
            author = .member(member, try reader.memberName())
            if try reader.flag() {
                let outbox = OutboxID(rawValue: try reader.integer())
                let number = PostNumber(rawValue: try reader.varint())
                id = PostID(member: member, outbox: outbox, number: number)
            }
        case AuthorType.plain: author = .plain(try reader.address())
        default: throw .malformed
        }
        let post = try reader.post(in: room)
        try reader.skipExtensions()
        self.init(sequence: sequence, post: post, author: author, id: id, received: received)
    }

    package var bytes: [UInt8] {
        // Kept for each entry that is still read: no more room than most of them take.
        let head =
            switch author {
            case .server: 24
            case .member(_, let name): 48 + name.text.utf8.count
            case .plain: 48
            }
        var writer = ByteWriter(capacity: head + text.utf8.count)
        writer.byte(MessageType.entry)
        writer.integer(received.milliseconds)
        switch author {
        case .server: writer.byte(AuthorType.server)
        case .member(let member, let name):
            writer.byte(AuthorType.member)
            writer.varint(member.rawValue)
            writer.text(name.text)
            writer.flag(id != nil)
            if let id {
                writer.integer(id.outbox.rawValue)
                writer.varint(id.number.rawValue)
            }
        case .plain(let address):
            writer.byte(AuthorType.plain)
            writer.address(address)
        }
        writer.post(post)
        return writer.bytes
    }

    private enum AuthorType {
        static let server: UInt8 = 0
        static let member: UInt8 = 1
        static let plain: UInt8 = 2
    }
}

extension ByteReader {
    fileprivate mutating func post(in room: RoomName) throws(WireError) -> Post {
        guard let kind = EntryKind(rawValue: try byte()) else { throw .malformed }
        let reference = try optionalSequence()
        let authored = WallTime(milliseconds: try integer())
        // One record is the limit here; the server's own limit may be lower.
        let text = try text(limit: RecordFrame.recordLimit)
        return Post(room: room, kind: kind, reference: reference, authored: authored, text: text)
    }
}

extension ByteWriter {
    fileprivate mutating func post(_ post: Post) {
        byte(post.kind.rawValue)
        optionalSequence(post.reference)
        integer(post.authored.milliseconds)
        text(post.text)
    }
}
