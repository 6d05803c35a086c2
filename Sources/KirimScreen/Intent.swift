package import KirimRooms
package import KirimWire

extension ChatScreen {
    /// What the person wants.
    package enum Intent: Hashable, Sendable {
        // The composer.
        /// The text in the entry is now this.
        case type(String)
        /// Send what is in the composer (a command, where it begins with one slash), and empty it.
        case send
        /// Do what a line says, past the composer: what a terminal's line is. Commands are obeyed.
        case command(Command)
        /// Answer this entry with what is in the composer.
        case reply(SequenceNumber)
        /// Change this entry of mine: its text goes into the composer.
        case edit(SequenceNumber)
        /// Change the last entry of mine; nothing where there is none.
        case editLast
        /// Neither reply nor edit; a text that an edit pushed aside comes back.
        case cancel
        // Entries.
        case react(SequenceNumber, String)
        /// Take the entry back.
        case delete(SequenceNumber)
        case copy(SequenceNumber)
        case openLink(String)
        /// Go to an entry of the open room, loading earlier ones where it needs them.
        case reveal(SequenceNumber)
        // One's own posts that were refused.
        case tryAgain(OwnPost.ID)
        case discard(OwnPost.ID)
        // Rooms.
        case open(RoomName)
        /// The next or the previous room, or the next with something unread, in the order of ``ChatScreen/rooms``.
        case openNext, openPrevious, openUnread
        /// Become a member and open it.
        case join(RoomName)
        case leave(RoomName)
        case create(RoomName)
        case mode(RoomName, NotificationMode)
        /// Ask for all rooms of the server: ``ChatScreen/directory``.
        case listRooms
        /// Ask for the members of the open room.
        case listMembers
        // The view of the open room.
        /// The person scrolled: whether the last row is in sight.
        case scroll(atEnd: Bool)
        case jumpToLatest
        case loadEarlier
        case markAllRead
        // Find in the loaded log of the open room. Case does not matter. Empty: stop.
        case find(String)
        case findNext, findPrevious
        // The person.
        case rename(MemberName)
        case presence(Presence)
        /// Whether the window has the keyboard.
        case focus(Bool)
        // Banners and questions.
        case dismiss(Banner)
        case answer(Remedy)
        case quit
    }

    /// What the person answers to a question that stopped the client.
    package enum Remedy: Hashable, Sendable {
        case password(String)
        /// An address with an invitation in it.
        case address(ServerAddress)
        /// The fingerprint was compared: this key is the server's from now on.
        case trust(PublicKey)
        /// Try again as it is.
        case again
    }

    /// When a room makes itself heard.
    package enum NotificationMode: UInt8, Hashable, Sendable, CaseIterable {
        case none = 0
        /// Where I am named or answered, and lines of the operator.
        case mentions = 1
        case all = 2
    }

    /// What the screen wants done, in order, by whoever has the client and the desktop.
    package enum Effect: Hashable, Sendable {
        // The client's. Those that change something are done one after the other; see `Failure` for what fails.
        case send(OwnPost.ID, text: String, EntryKind, RoomName, SequenceNumber?)
        case join(RoomName)
        case leave(RoomName)
        case create(RoomName)
        case rename(MemberName)
        case setPresence(Presence)
        case listRooms
        case listMembers(RoomName)
        /// Entries before one (`nil`: the newest), at most so many.
        case page(RoomName, before: SequenceNumber?, limit: Int)
        /// Close the client and connect anew, with this.
        case reconnect(Remedy)
        // The desktop's.
        case notify(Notification)
        /// The room was read: what was notified about it may go.
        case withdrawNotifications(RoomName)
        case copy(String)
        case openLink(String)
        // The face's.
        /// Said once, in passing: a toast, a printed line.
        case tell(News)
        case quit
    }

    /// What a face says when it interrupts.
    package struct Notification: Hashable, Sendable {
        package var room: RoomName
        package var sequence: SequenceNumber
        package var author: Author
        package var kind: EntryKind
        /// At most ``Quote/limit`` bytes.
        package var text: String
        package var isMention: Bool
    }

    /// Something to be said once. What lasts is a ``Banner``.
    package enum News: Hashable, Sendable {
        /// Let in: as whom, by which server (its own name, it may be empty). Once, and where that changes.
        case welcome(Member, server: String)
        case connectedAgain
        case unreachable
        /// The server's name, and why it could not be looked up.
        case unknownHost(String, reason: String)
        case firstContact(PublicKey)
        case notWelcome(Refusal)
        case postponed(Refusal, retryAfter: Duration)
        case joined(RoomName)
        /// `nil`: as wished.
        case left(RoomName, Refusal?)
        /// Somebody in the open room came, went, or is away; so many are there now.
        case presence(MemberName, Presence, online: Int)
        case renamed(MemberName)
        /// Another name than the wished one was given.
        case nameRefused(MemberName, Refusal, given: MemberName)
        case setBack(RoomName)
        case storageFailed(JournalError)
        case stopped(StopReason)
        /// A post of mine was refused: it stands in its room as ✗ until it is tried again or discarded.
        case refused(OwnPost)
        case failed(Failure)
        /// A typed command that there is not, or that lacks something (and how it is used).
        case unknownCommand(String)
        case misused(String)
        /// So many bytes; ``ChatScreen/Composer/limit`` are allowed.
        case tooLong(Int)
        /// An entry that is not gone to, because too much would be loaded on the way.
        case tooFarBack(SequenceNumber)
        /// `/help`, `/link`, `/rooms`, `/who`, `/history` as typed: the face shows what it has for it.
        case wanted(Wanted)
    }

    /// What a typed command wants to see.
    package enum Wanted: Hashable, Sendable {
        case help, link, rooms
        case members(RoomName)
        case history(Int)
    }

    /// What came of an effect.
    package enum Answer: Hashable, Sendable {
        case rooms([RoomSummary])
        case members(RoomName, [MemberStatus])
        /// The page that was asked for with the same `before`, the oldest entry first; empty: there is no more.
        case page(RoomName, before: SequenceNumber?, [Entry])
        /// Asked for by the face while it shows details; also keeps the pill exact.
        case link(LinkStatus)
        case failed(Effect, Failure)
    }
}
