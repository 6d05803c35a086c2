/// The one error of this library: what failed, as a code to decide on and a sentence to show.
///
/// Codes are added as the library grows; compare with the ones you know and treat the rest by
/// ``message``, which always says what happened and what to do.
public struct KirimError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public var code: Code
    /// A sentence, in English, for the person.
    public var message: String
    /// What caused it, where there is something below: a ``/KirimRooms/Refusal``, a system error.
    public var underlying: (any Error)?

    /// Makes an error; applications may use it for their own layers.
    public init(code: Code, message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    /// The sentence.
    public var description: String { message }

    /// Kinds of failure. More may come.
    public struct Code: Hashable, Sendable, RawRepresentable, CustomStringConvertible {
        /// The stable name of the code.
        public var rawValue: String
        /// A code of another layer, or one that this version does not know.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// The stable name.
        public var description: String { rawValue }

        /// Nobody answered at the address within ``KirimClient/Options/patience``.
        public static let unreachable = Code(rawValue: "unreachable")
        /// The name could not be looked up.
        public static let unknownHost = Code(rawValue: "unknown-host")
        /// Another key than the pinned one answers: another server, or somebody in between.
        public static let serverKeyChanged = Code(rawValue: "server-key-changed")
        /// The server wants a password.
        public static let passwordNeeded = Code(rawValue: "password-needed")
        /// The server wants an invitation.
        public static let invitationNeeded = Code(rawValue: "invitation-needed")
        /// The password or the invitation was not taken.
        public static let secretRefused = Code(rawValue: "secret-refused")
        /// Server and client share no version of the protocol.
        public static let noCommonVersion = Code(rawValue: "no-common-version")
        /// The operator put this key out.
        public static let kicked = Code(rawValue: "kicked")
        /// The operator keeps this key or address out.
        public static let banned = Code(rawValue: "banned")
        /// The server said no to a request or a post; `underlying` is the `Refusal`.
        public static let refused = Code(rawValue: "refused")
        /// The text is not a name, a room's name, an invitation.
        public static let invalid = Code(rawValue: "invalid")
        /// Outbox, history or key could not be read or kept.
        public static let storage = Code(rawValue: "storage")
        /// No socket could be had.
        public static let network = Code(rawValue: "network")
        /// The client was closed.
        public static let closed = Code(rawValue: "closed")
        /// No answer came in time; the wish may or may not have been granted.
        public static let timedOut = Code(rawValue: "timed-out")
    }
}
