package import KirimRooms

/// One row of a room's log, as a face draws it.
package enum Row: Hashable, Sendable {
    /// The top row, while there is more before the first entry that is here.
    case earlier(Earlier)
    /// A new day begins.
    case day(CivilDay)
    /// What stands below it was not read before.
    case newMessages
    case entry(EntryRow)
    /// Something of one's own that is not in the log: always below everything else.
    case own(OwnPost)

    /// How far the way back to the beginning is.
    package enum Earlier: Hashable, Sendable {
        /// ``ChatScreen/Intent/loadEarlier`` brings more.
        case more
        case loading
        /// It may be tried again.
        case failed(Failure)
    }
}

/// An entry of the log with everything that later entries did to it.
package struct EntryRow: Hashable, Sendable {
    package var sequence: SequenceNumber
    package var author: Author
    /// What is known about who stands there.
    package var standing: Standing
    package var kind: EntryKind
    /// The text as it reads now: of an edited entry the last one, of a deleted one none.
    package var text: String
    /// When the server got it.
    package var received: WallTime
    /// Written with this key, here or on another face.
    package var isMine: Bool
    /// Goes on where the row above it ends: same author, same day, soon after. The name need not stand again.
    package var isContinued: Bool
    package var isEdited: Bool
    package var isDeleted: Bool
    /// Names me, or answers me.
    package var mentionsMe: Bool
    /// In the order in which each emoji came first.
    package var reactions: [Reaction]
    /// What it answers.
    package var quote: Quote?
    /// What ``ChatScreen/Intent/find(_:)`` found last.
    package var isFound: Bool
}

/// What is known about a name.
package enum Standing: Hashable, Sendable {
    /// The server or its operator.
    case server
    /// Plain text: nothing proves who speaks.
    case plain
    /// Seen before, with this key.
    case known
    /// Seen for the first time on this visit.
    case new
    /// Somebody else bore this name before.
    case changed
}

/// An emoji under an entry.
package struct Reaction: Hashable, Sendable {
    package var text: String
    /// Who chose it, the first one first.
    package var authors: [Author]
    /// Mine is among them.
    package var isMine: Bool
}

/// What an entry, or the composer's text, answers.
package struct Quote: Hashable, Sendable {
    package var sequence: SequenceNumber
    /// `nil`: it is not loaded, or not there.
    package var author: Author?
    /// The beginning of its text, at most ``limit`` bytes; empty where it was deleted.
    package var text: String

    package static let limit = 600
}

/// Something of one's own on its way: typed, kept on this machine, accepted, or refused.
package struct OwnPost: Hashable, Sendable, Identifiable {
    /// Names it as long as the screen lives.
    package struct ID: Hashable, Sendable, Comparable {
        package var rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }
        package static func < (a: ID, b: ID) -> Bool { a.rawValue < b.rawValue }
    }

    package enum State: Hashable, Sendable {
        /// Not in the outbox yet: the disk is slow, or the room is to be joined first.
        case typed
        /// On this machine's disk, and sent until the server has decided.
        case waiting
        /// ✓ Kept by the server; it stands in the log in a moment.
        case accepted(SequenceNumber)
        /// ✗ Ask the person: ``ChatScreen/Intent/tryAgain(_:)`` or ``ChatScreen/Intent/discard(_:)``.
        case refused(Refusal)
        /// ✗ It did not get into the outbox. As `refused`.
        case failed(Failure)
    }

    package var id: ID
    package var room: RoomName
    package var kind: EntryKind
    package var reference: SequenceNumber?
    package var text: String
    package var state: State
    /// The queued post that it is, once it is one.
    package var post: QueuedPost.ID?
    /// When it was written; `nil` before it is in the outbox.
    package var authored: WallTime?
    /// What it answers.
    package var quote: Quote?

    /// Whether it waits for somebody: this machine, or the server.
    package var isUndecided: Bool { state == .typed || state == .waiting }
}

/// Why a wish was not granted, as a value; faces have the sentences.
package enum Failure: Error, Hashable, Sendable {
    case refused(Refusal)
    case storage(JournalError)
    /// No answer in time, or nobody there; in English, as all that follow.
    case noAnswer(String)
    /// The client is closed, or has stopped.
    case closed(String)
    /// It was under way when the program ended, in an earlier run.
    case interrupted
    /// Anything else, in the words of whoever failed.
    case other(String)
}
