public import KirimRooms

extension KirimError {
    /// The sentence for a server's no.
    public init(_ refusal: Refusal) {
        self.init(code: .refused, message: refusal.sentence, underlying: refusal)
    }

    init(_ error: JournalError) {
        self.init(code: .storage, message: error.sentence, underlying: error)
    }
}

extension Refusal {
    /// What happened and what to do, in English.
    public var sentence: String {
        switch self {
        case .messageTooLong: "The message is too long for this server; send it in parts."
        case .noSuchRoom: "There is no such room; look at the list of rooms, or create it."
        case .notInRoom: "You are not in that room; join it first."
        case .tooFast: "You are sending faster than the server allows; it goes on in a moment."
        case .tooManyRooms: "The server has as many rooms as it may; ask its operator."
        case .tooManyMembers: "The room or the server is full; try again later."
        case .nameTaken: "The name belongs to somebody else; choose another."
        case .nameNotAllowed:
            "That cannot be a name; use 1 to 32 characters, a letter, a number or an emoji first, and no colon."
        case .roomNameNotAllowed:
            "That cannot be a room's name; use up to 64 letters, without spaces."
        case .banned: "The server's operator keeps you out."
        case .notAllowed: "You may not do that here."
        case .noSuchEntry: "The message that it refers to does not exist."
        case .storageFailed: "The server cannot store messages now; it is tried again by itself."
        case .malformed: "The server did not understand the request; one of the two is too old."
        case .empty: "There is nothing in the message; write something."
        case .tooManyRequests: "Too much was asked at once; try again in a moment."
        }
    }
}

extension JournalError {
    /// What happened and what to do, in English.
    public var sentence: String {
        switch self {
        case .full: "The disk is full, so nothing more is written down here; make room."
        case .locked: "Another program holds the file with outbox and history; close it."
        case .corrupt(let detail):
            "The file with outbox and history is damaged (\(detail)); move it away and start again."
        case .newer(let version):
            "Outbox and history were written by a later version of Kirim (schema \(version)); update."
        case .denied(let detail):
            "Outbox and history may not be read or written (\(detail)); check the permissions."
        case .failed(let detail): "Outbox and history could not be used: \(detail)."
        }
    }
}
