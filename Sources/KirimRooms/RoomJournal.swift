package import KirimWire

/// What a server asks its journal to keep. The writes of one commit become durable together, or not at all.
package enum JournalWrite: Hashable, Sendable {
    /// Puts a draft at the end of its room's log, unless its `id` was accepted or refused before.
    /// Outcome: `appended`, or `repeated` with what was decided then.
    case append(EntryDraft)
    /// Uses up a post's number without an entry, so that what follows it is not held up for ever.
    /// Outcome: `done`, or `repeated`.
    case refuse(PostID, Refusal)
    /// A key seen for the first time, with its name. Outcome: `done`.
    case enrol(Member)
    /// Outcome: `done`.
    case rename(MemberID, MemberName)
    /// A new room; making one that exists changes nothing. Outcome: `done`.
    case create(RoomName)
    /// Outcome: `done`.
    case join(RoomName, MemberID)
    /// Outcome: `done`.
    case leave(RoomName, MemberID)
    /// Outcome: `done`.
    case ban(Ban)
    /// Outcome: `done`.
    case unban(Ban)
    /// An invitation (its public bytes) belongs to this key from now on; a repeat changes nothing.
    /// Outcome: `done`.
    case redeem([UInt8], PublicKey)
}

/// What became of a write, in the order of the writes.
package enum JournalOutcome: Hashable, Sendable {
    case appended(SequenceNumber)
    case repeated(PostDecision)
    case done
}

/// What was decided about a post, once and for ever.
public enum PostDecision: Hashable, Sendable {
    case accepted(RoomName, SequenceNumber)
    case refused(Refusal)
}

/// Why the journal could not do it. Each one leaves what was kept before untouched.
public enum JournalError: Error, Hashable, Sendable {
    /// No space left on the disk.
    case full
    /// Another process holds the file.
    case locked
    /// The file is not a database, or its pages contradict each other.
    case corrupt(String)
    /// The file was written by a later version of Kirim, with this schema number.
    case newer(Int)
    /// The folder or file may not be read or written.
    case denied(String)
    /// Anything else that the disk or SQLite says.
    case failed(String)
}

/// Everything but the entries: what a server core starts from.
package struct JournalSnapshot: Hashable, Sendable {
    package struct Room: Hashable, Sendable {
        package var name: RoomName
        package var last: SequenceNumber
        package var members: [MemberID]

        package init(name: RoomName, last: SequenceNumber, members: [MemberID]) {
            self.name = name
            self.last = last
            self.members = members
        }
    }

    /// In the order of their ids.
    package var members: [Member] = []
    /// In the order of their making. The lobby is always there.
    package var rooms: [Room] = []
    package var bans: [Ban] = []
    /// Invitations that were used, and by whom, in the order of their use.
    package var invitations: [Invitation] = []

    package struct Invitation: Hashable, Sendable {
        package var id: [UInt8]
        package var key: PublicKey

        package init(id: [UInt8], key: PublicKey) {
            self.id = id
            self.key = key
        }
    }

    package init() {}
}

/// Which entries of one room to read, in the order of their numbers.
package struct EntryQuery: Hashable, Sendable {
    package var room: RoomName
    package var from: SequenceNumber
    package var entryLimit: Int
    /// Bytes of text; at least one entry is read however long it is.
    package var byteLimit: Int

    package init(room: RoomName, from: SequenceNumber, entryLimit: Int, byteLimit: Int) {
        self.room = room
        self.from = from
        self.entryLimit = entryLimit
        self.byteLimit = byteLimit
    }
}

/// What keeps a server's rooms: one writer, many readers. Calls block; the shell makes them off its event loop.
///
/// Rules every journal keeps, tested by one suite: commits are atomic and durable before they return;
/// a room's numbers are dense from 1; (member, outbox, number) is unique for ever; a failed commit
/// changes nothing.
package protocol RoomJournal: AnyObject, Sendable {
    func snapshot() throws(JournalError) -> JournalSnapshot
    /// One outcome for each write, in order.
    func commit(_ writes: [JournalWrite]) throws(JournalError) -> [JournalOutcome]
    func entries(_ query: EntryQuery) throws(JournalError) -> [Entry]
    /// The number after the last decided one of this outbox: 1 for an unknown outbox.
    func nextPost(of member: MemberID, in outbox: OutboxID) throws(JournalError) -> PostNumber
}
