/// Why a server says no. The numbers stand on the wire and in the log and never change.
public enum Refusal: UInt8, Error, Hashable, Sendable, CaseIterable {
    /// The text is longer than ``ChatLimits/messageBytes``.
    case messageTooLong = 1
    /// The room does not exist.
    case noSuchRoom = 2
    /// The author is not in the room.
    case notInRoom = 3
    /// Posts come faster than ``ChatLimits/postsPerSecond``; ask again later.
    case tooFast = 4
    /// The server has ``ChatLimits/rooms`` rooms already.
    case tooManyRooms = 5
    /// The room or the server has as many members as it may.
    case tooManyMembers = 6
    /// The name belongs to another key.
    case nameTaken = 7
    /// The name breaks the rules of ``MemberName``.
    case nameNotAllowed = 8
    /// The room's name breaks the rules of ``RoomName``.
    case roomNameNotAllowed = 9
    /// The key or the address is banned.
    case banned = 10
    /// The author may not do this: edit another's entry, leave the lobby, post a notice.
    case notAllowed = 11
    /// The entry that is referred to does not exist.
    case noSuchEntry = 12
    /// The server's disk does not take it now; ask again later.
    case storageFailed = 13
    /// The bytes of the request make no sense.
    case malformed = 14
    /// Empty text.
    case empty = 15
    /// More requests, subscriptions or outboxes than a member may have at once.
    case tooManyRequests = 16

    /// Whether the same post may be accepted later. Such a refusal does not use up the post's number;
    /// every other one does, for ever, so that the posts behind it are not held up.
    public var isTransient: Bool {
        switch self {
        case .tooFast, .storageFailed, .tooManyRequests: true
        default: false
        }
    }
}

/// Every limit of the chat, named, with its default and its reason. What happens at a limit is a ``Refusal``.
public struct ChatLimits: Hashable, Sendable {
    /// Bytes of UTF-8 in one message: what a record of the transport carries. 65,536.
    public var messageBytes = 65_536
    /// Sustained posts a second of one member. Far above people, below what would drown a room. 500.
    public var postsPerSecond = 500
    /// Posts that may come at once before the rate counts: a pasted log, a piped file. 5,000.
    public var postBurst = 5_000
    /// Rooms on a server. 1,000.
    public var rooms = 1_000
    /// Members of one room. 10,000.
    public var roomMembers = 10_000
    /// Keys that a server remembers. 100,000.
    public var members = 100_000
    /// Rooms that one connection reads at once: all that there can be, and a few pages beside. 1,024.
    public var subscriptions = 1_024
    /// Posts of one outbox that are sent and not yet accepted; early ones wait at the server. 64.
    public var postsInFlight = 64
    /// Bytes of such posts, beyond the first. 262,144.
    public var postBytesInFlight = 262_144
    /// Entries of each active room in the server's memory; older ones are read from the journal. 256.
    public var tailEntries = 256
    /// Bytes of text in that tail. 1 MiB.
    public var tailBytes = 1_048_576

    /// Every limit at its default.
    public init() {}
    /// Every limit at its default.
    public static let standard = ChatLimits()
}
