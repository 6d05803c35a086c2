public import KirimWire

/// What happened, in the order in which it happened.
///
/// More cases may come: give a `switch` a `default`.
public enum ChatEvent: Hashable, Sendable {
    /// The next entry of a room: in order, none left out, none twice, from so many
    /// entries before the newest on. `mine` is the queued post that it was, if this client (or
    /// another one that shares its outbox) sent it.
    case entry(Entry, mine: QueuedPost.ID?)
    /// Everything that the room held when it was asked has been told; what follows is new.
    case caughtUp(RoomName)
    /// A post is in the outbox, on disk, and will be sent until the server has decided about it.
    /// Posts that an earlier run left there are told first.
    case queued(QueuedPost)
    /// The server has decided: accepted, with its place in the room, or refused, for ever.
    case decided(QueuedPost, PostDecision)
    /// The server takes no posts for now; they are offered again after the delay.
    case postponed(Refusal, retryAfter: Duration)
    /// Somebody came, went, or is away. `online` counts those in the room who are not offline.
    case presence(RoomName, MemberID, MemberName, Presence, online: Int)
    /// Reached the server, lost it, found it again.
    case phase(LinkPhase)
    /// The server's name could not be looked up, and what the system says about it. It is tried again and
    /// again; this is told once, until something else is said.
    case unknownHost(String, reason: String)
    /// This machine gave no UDP socket; a sentence that says why. It is tried again; each reason is told once.
    case socketFailed(String)
    /// The server knows this client now: as whom, and what the server is called.
    case welcomed(Member, server: String)
    /// The server does not take this client in now (it is full, its disk is); it is asked again.
    case notWelcome(Refusal)
    /// This server's key was seen for the first time and is pinned from now on: show its
    /// fingerprint, so that the person can compare it.
    case firstContact(PublicKey)
    /// This client reads the room now.
    case joined(RoomName)
    /// This client does not read the room any more; `nil`: because it wished so.
    case left(RoomName, Refusal?)
    /// The name of this key is another one now.
    case renamed(MemberName)
    /// The name that was wished for when connecting is not to be had, and why; ``welcomed(_:server:)`` told the one
    /// that this key bears.
    case nameRefused(MemberName, Refusal)
    /// The room's log is shorter than it was: the server was set back to an earlier state.
    case setBack(RoomName)
    /// Outbox or history could not be kept. Reading goes on; storing is tried again.
    case storageFailed(JournalError)
    /// Going on needs a person; the client stays silent. Close it, and connect again.
    case stopped(StopReason)
}

/// How things stand between this client and the server.
public enum LinkPhase: Hashable, Sendable {
    /// Looking for the server, for the first time or again.
    case connecting
    /// Heard and answered.
    case connected
    /// Connected, but the server owes an answer, and nothing was heard for this long.
    case silent(Duration)
    /// Nobody has answered for a while. It is still being tried.
    case unreachable
    /// It is over; see the reason.
    case stopped(StopReason)
    /// Closed by the client itself.
    case closed
}

/// Why a client stopped by itself.
public enum StopReason: Hashable, Sendable {
    /// Another key than the pinned one answers at the address: another server has taken its place, or
    /// somebody stands in between. A person compares it, and trusts it or not.
    case serverKeyChanged(PublicKey)
    /// The server wants a password.
    case passwordNeeded
    /// Ask the operator for an invitation.
    case invitationNeeded
    /// The password or the invitation was wrong, used up or too old.
    case secretRefused
    /// One of the two is too old.
    case noCommonVersion
    /// The operator put this key out, saying this.
    case kicked(String)
    /// The operator keeps this key or address out, saying this.
    case banned(String)
}

extension StopReason {
    /// What a server says where its operator said nothing: every face has the sentence already.
    private static let customary = [
        "The operator put you out.", "You are banned from this server.",
    ]

    /// What the words of ``kicked(_:)`` or ``banned(_:)`` say beyond that it is so; empty: nothing.
    package static func particulars(of words: String) -> String {
        for sentence in customary where words.hasPrefix(sentence) {
            return String(words.dropFirst(sentence.count).drop { $0 == " " })
        }
        return words
    }
}

/// A post in the outbox.
public struct QueuedPost: Hashable, Sendable, Identifiable {
    /// Names it as long as the client lives.
    public struct ID: Hashable, Sendable, Comparable {
        package var rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }
        /// In the order of the outbox.
        public static func < (a: ID, b: ID) -> Bool { a.rawValue < b.rawValue }
    }

    /// Names it as long as the client lives.
    public let id: ID
    /// What is to be said.
    public let post: Post

    package init(id: ID, post: Post) {
        self.id = id
        self.post = post
    }
}
