public import KirimWire

/// What an entry is. The numbers stand in the log and on the wire and never change.
public enum EntryKind: UInt8, Hashable, Sendable, CaseIterable {
    /// What somebody said.
    case text = 0
    /// What somebody does: `/me waves`.
    case action = 1
    /// What the server tells: somebody joined, was renamed, was banned.
    case notice = 2
    /// A new text for the entry that `reference` names; only its author may.
    case edit = 3
    /// Takes back the entry that `reference` names; its author or the operator may.
    case delete = 4
    /// An emoji on the entry that `reference` names.
    case reaction = 5
    /// A text that answers the entry that `reference` names.
    case reply = 6
    /// A line of the operator, broadcast to everybody.
    case broadcast = 7

    /// Whether the kind makes no sense without a reference.
    public var needsReference: Bool {
        switch self {
        case .edit, .delete, .reaction, .reply: true
        case .text, .action, .notice, .broadcast: false
        }
    }

    /// Whether a member may post it; the others are the server's own.
    public var isForMembers: Bool { self != .notice && self != .broadcast }
}

/// Who stands beside an entry.
public enum Author: Hashable, Sendable {
    /// The server itself or its operator.
    case server
    /// A member, with the name borne at the time.
    case member(MemberID, MemberName)
    /// A plain text client: unauthenticated, known by its address only.
    case plain(Address)
}

/// What somebody wants to say. It becomes an ``Entry`` when the server accepts it.
public struct Post: Hashable, Sendable {
    /// The room whose log it is in.
    public var room: RoomName
    /// What it is.
    public var kind: EntryKind
    /// The entry of the same room that this one is about.
    public var reference: SequenceNumber?
    /// The author's clock when it was written.
    public var authored: WallTime
    /// At most ``ChatLimits/messageBytes`` bytes of UTF-8, kept byte for byte.
    public var text: String

    /// Takes the parts as they are.
    public init(
        room: RoomName,
        kind: EntryKind = .text,
        reference: SequenceNumber? = nil,
        authored: WallTime,
        text: String
    ) {
        self.room = room
        self.kind = kind
        self.reference = reference
        self.authored = authored
        self.text = text
    }
}

/// An entry before it has its place in the log.
package struct EntryDraft: Hashable, Sendable {
    package var post: Post
    package var author: Author
    /// `nil` for what did not come through an outbox: plain text, notices, broadcasts.
    package var id: PostID?
    /// The server's clock when the post came in.
    package var received: WallTime

    package init(post: Post, author: Author, id: PostID?, received: WallTime) {
        self.post = post
        self.author = author
        self.id = id
        self.received = received
    }
}

/// A numbered record of a room's log.
public struct Entry: Hashable, Sendable {
    /// Its place in the log.
    public var sequence: SequenceNumber
    /// What was said.
    public var post: Post
    /// Who said it.
    public var author: Author
    /// The post it was, where it came through an outbox.
    public var id: PostID?
    /// The server's clock when it came in.
    public var received: WallTime

    /// Takes the parts as they are.
    public init(
        sequence: SequenceNumber,
        post: Post,
        author: Author,
        id: PostID?,
        received: WallTime
    ) {
        self.sequence = sequence
        self.post = post
        self.author = author
        self.id = id
        self.received = received
    }

    /// The room whose log it is in.
    public var room: RoomName { post.room }
    /// What it is.
    public var kind: EntryKind { post.kind }
    /// The entry of the same room that this one is about.
    public var reference: SequenceNumber? { post.reference }
    /// The text, byte for byte.
    public var text: String { post.text }
}

extension Entry {
    package init(_ draft: EntryDraft, at sequence: SequenceNumber) {
        self.init(
            sequence: sequence,
            post: draft.post,
            author: draft.author,
            id: draft.id,
            received: draft.received
        )
    }
}
