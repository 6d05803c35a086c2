/// The record streams of a connection, as the chat uses them (PROTOCOL.md §6).
package enum ChatStream {
    /// Requests to the server, replies and news from it; numbered from 0 on each connection.
    package static let control: UInt64 = 0
    /// Posts to the server; the record's number is the post's number in its outbox.
    package static let posts: UInt64 = 1
    /// The first stream that a client may name in a subscription; the record's number is the entry's.
    package static let firstSubscription: UInt64 = 2
}

/// Names a request within its connection, so that the reply finds its way: it is the number of the
/// control record that carried the request, and needs no bytes of its own.
package struct RequestID: Hashable, Sendable, RawRepresentable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Where a subscription begins.
package enum SubscriptionStart: Hashable, Sendable {
    /// With the entry after this one.
    case after(SequenceNumber)
    /// With the last so many entries; 0 for only what is new.
    case last(UInt64)
}

/// What a client asks of a server, on the control stream. A reply (``Reply``) bears the request's id.
package enum Request: Hashable, Sendable {
    /// The first record of every connection: the name wished for (`nil`: any), and the outbox whose
    /// posts follow. Reply: `welcome`.
    case hello(name: MemberName?, outbox: OutboxID, agent: String)
    /// Become a member of the room, making it if nobody has. Reply: `done`.
    case join(RoomName)
    /// Reply: `done`; `refused(.notAllowed)` for the lobby.
    case leave(RoomName)
    /// Reply: `done`, also if it exists.
    case create(RoomName)
    /// Reply: `rooms`.
    case listRooms
    /// Reply: `members`.
    case listMembers(RoomName)
    /// Send the room's entries on `stream`, from `start`, through `until` (`nil`: and everything to come).
    /// The client must be a member. Reply: `subscribed`.
    case subscribe(stream: UInt64, room: RoomName, start: SubscriptionStart, until: SequenceNumber?)
    /// Reply: `done`.
    case unsubscribe(stream: UInt64)
    /// Bind another name to this key. Reply: `done`.
    case rename(MemberName)
}

/// What a server says on the control stream.
package enum Reply: Hashable, Sendable {
    /// The answer to `hello`: who you are here, and the number that your outbox's next post must bear.
    case welcome(
        RequestID,
        member: Member,
        nextPost: PostNumber,
        server: String,
        limits: WireLimits
    )
    case done(RequestID)
    case refused(RequestID, Refusal)
    /// The list, or the last part of it.
    case rooms(RequestID, [RoomSummary])
    /// A part of a list that is too long for one record; the next one bears the same id.
    case roomsPart(RequestID, [RoomSummary])
    /// The list, or the last part of it: who is here first, at most ``memberListLimit`` in all.
    case members(RequestID, RoomName, [MemberStatus])
    /// A part of a list that is too long for one record; the next one bears the same id.
    case membersPart(RequestID, RoomName, [MemberStatus])
    /// Records follow on `stream`, the first is numbered `first`; the log ended at `last` when this was written.
    case subscribed(
        RequestID,
        stream: UInt64,
        room: RoomName,
        first: SequenceNumber,
        last: SequenceNumber
    )
    /// Decisions about posts; each is repeated when the post is.
    case decided([PostNumber: PostDecision])
    /// Posts from this number on were not taken for a passing reason; offer them again after the delay.
    case postponed(from: PostNumber, Refusal, retryAfterMilliseconds: UInt64)
    /// Your name has changed (by another face of yours), or you were put out of a room.
    case renamed(MemberName)
    case removed(RoomName, Refusal)
    /// Another face of yours has joined the room.
    case joined(RoomName)

    /// Members that a list names; more would only be scrolled past, and the reply must stay bounded.
    package static let memberListLimit = 1_000
    /// Lines in one record, so that it stays below `RecordFrame.recordLimit`.
    package static let listPart = 400
}

/// The limits that a client must know to keep them.
package struct WireLimits: Hashable, Sendable {
    package var messageBytes: UInt64
    package var postsInFlight: UInt64
    package var postBytesInFlight: UInt64

    package init(_ limits: ChatLimits) {
        messageBytes = UInt64(limits.messageBytes)
        postsInFlight = UInt64(limits.postsInFlight)
        postBytesInFlight = UInt64(limits.postBytesInFlight)
    }

    package init(messageBytes: UInt64, postsInFlight: UInt64, postBytesInFlight: UInt64) {
        self.messageBytes = messageBytes
        self.postsInFlight = postsInFlight
        self.postBytesInFlight = postBytesInFlight
    }
}

/// What travels in unreliable datagrams: newest wins, nothing is repeated.
package enum Signal: Hashable, Sendable {
    /// To the server: I am here, or away from the keyboard.
    case presence(Presence)
    /// From the server: a member of the room came, went, or is away; `online` counts those not offline.
    case presenceOf(RoomName, MemberID, MemberName, Presence, online: UInt64)
}
