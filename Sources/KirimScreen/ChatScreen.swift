package import KirimRooms
package import KirimWire

/// Everything a face shows of one server: facts and intents in, effects and changes out.
///
/// - Facts in: ``receive(_:at:)`` for what the client tells, ``take(_:at:)`` for what came of an effect,
///   ``timePassed(to:)``, and one ``deadline``.
/// - Intents in: ``perform(_:)``, what the person wants.
/// - Work out: ``nextEffect()``, until `nil`, after each of these; and ``takeChanges()``, what to draw again,
///   once a frame.
/// - Questions: properties, cheap enough to ask while drawing.
///
/// There are no words in it: faces put its values into a language. There is one screen for one client; where a
/// stopped client is replaced by another (``Effect/reconnect(_:)``), the screen stays and is told ``reconnecting(at:)``.
///
///     for event in mailbox { screen.receive(event, at: now) }
///     while let effect = screen.nextEffect() { carryOut(effect) }
///     for change in screen.takeChanges() { draw(change) }
package struct ChatScreen: Sendable {
    /// Where the server is.
    package let address: ServerAddress
    let configuration: Configuration

    /// Who this is on the server; `nil` before the first welcome.
    package internal(set) var me: Member?
    /// What the server calls itself; empty before the first welcome, and where it has no name.
    package internal(set) var serverName = ""
    /// The room whose log is shown.
    package internal(set) var openRoom: RoomName
    /// What lasts until it is over or dismissed, the gravest first.
    package internal(set) var banners: [Banner] = []
    /// The rooms of the server, as they were listed last; `nil` before that.
    package internal(set) var directory: [RoomSummary]?
    /// What the client told about the link last, for details.
    package internal(set) var linkStatus: LinkStatus?
    /// What is being searched; `nil` while nothing is.
    package internal(set) var search: Search?
    /// Whether the window has the keyboard.
    package internal(set) var isFocused = true

    var pages: [RoomPage] = []
    var effects: [Effect] = []
    var nextEffectIndex = 0
    var ledger = ChangeLedger()
    var phase: LinkPhase = .connecting
    var silentSince: Instant?
    var now: Instant = .start
    var lastOwn: UInt64 = 0
    var acquaintances = Acquaintances()
    var manners = Manners()
    /// Where each room stands in ``pages``.
    var places: [RoomName: Int] = [:]
    /// The last post that was told to be in the outbox.
    var lastQueued: QueuedPost.ID?
    /// Who this is, as what was kept, and what was sent from here, has shown.
    var learnedID: MemberID?
    /// What it was called the last time.
    var formerName: MemberName?
    /// The next client goes to a server with another log.
    var isOtherServer = false
    /// What happened to the rows of rooms that are gone.
    var dropped: [Change] = []

    /// What is said only when it changes.
    struct Manners: Sendable {
        var hasTrouble = false
        var isWelcome = false
        var lastRefusal: Refusal?
        var postponed: Refusal?
    }

    package struct Configuration: Sendable {
        /// Entries of each room that are kept here; the oldest go while the end is in view. 0: none at all, only what
        /// is counted, for a face that prints and forgets.
        package var entries = 200_000
        /// Entries asked for when somebody scrolls up.
        package var page = 200
        /// Entries that are loaded at most to go to an older one; what is farther back is scrolled to.
        package var reach = 10_000
        /// The room that is open at first.
        package var room: RoomName = .lobby
        /// What the face kept of the last time.
        package var memory = Memory()
        /// Seconds by which local time is ahead of UTC at that moment.
        package var offset: @Sendable (WallTime) -> Int = { _ in 0 }

        package init() {}
    }

    package init(address: ServerAddress, configuration: Configuration = Configuration()) {
        self.address = address
        self.configuration = configuration
        openRoom = configuration.room
        begin()
    }
}

// MARK: - What is shown

extension ChatScreen {
    /// A line of the list of rooms.
    package struct RoomItem: Hashable, Sendable {
        package var name: RoomName
        /// Read by this client. `false`: it was asked for, or left while it was open.
        package var isJoined: Bool
        /// Entries of others after the read position; more than are loaded are not counted.
        package var unread: Int
        /// Of those, how many name or answer me.
        package var mentions: Int
        package var mode: NotificationMode
        /// There is an unsent text in its composer.
        package var hasDraft: Bool
        /// Posts of mine that are not decided, or were refused.
        package var waiting: Int
        package var refused: Int
        /// The last entry that was read.
        package var read: SequenceNumber
        /// The newest entry's number; `zero` while nothing is known.
        package var last: SequenceNumber
    }

    /// Somebody in the open room.
    package struct Person: Hashable, Sendable {
        package var id: MemberID
        package var name: MemberName
        package var presence: Presence
        /// `nil` while only the name is known.
        package var key: PublicKey?
        package var standing: Standing
        package var isMe: Bool
    }

    /// The entry at the foot, for the open room.
    package struct Composer: Hashable, Sendable {
        package enum Mode: Hashable, Sendable {
            case plain
            case reply(Quote)
            case edit(SequenceNumber)
        }

        package var text: String
        package var mode: Mode
        /// Bytes of UTF-8.
        package var bytes: Int
        package static let limit = ChatLimits.standard.messageBytes

        package var isTooLong: Bool { bytes > Self.limit }
        /// Whether ``Intent/send`` would send something.
        package var canSend: Bool { bytes > 0 && !isTooLong }
    }

    /// How things stand with the server, as a pill in the header says it.
    package struct Link: Hashable, Sendable {
        package enum State: Hashable, Sendable {
            case connecting
            case connected
            /// Connected, and a new address of ours, or of the server, is being checked.
            case roaming
            /// Nothing heard for so many seconds, though an answer is owed.
            case silent(seconds: Int)
            /// Nobody answers, or nothing was heard for ``Link/patience``. It is being tried.
            case offline
            case stopped(StopReason)
            case closed
        }

        package var state: State
        /// Posts of mine that the server has not decided about.
        package var waiting: Int
        /// A silence as long as this is no connection any more; a server tells others of its clients by the same time. 90 s.
        package static let patience = 90

        package init(state: State, waiting: Int) {
            self.state = state
            self.waiting = waiting
        }
    }

    /// What lasts until it is over: at the top of the window.
    package enum Banner: Hashable, Sendable {
        /// The client stopped, and needs a person: password, invitation, changed key (a hard stop: nothing was sent),
        /// put out. See ``Intent/answer(_:)``.
        case stopped(StopReason)
        /// Nothing can be kept on this machine.
        case storage(JournalError)
        /// The server's name could not be looked up, and the system's reason; it is tried again. Goes when it could.
        case unknownHost(String, reason: String)
        /// The server does not let anybody in now; it is asked again.
        case notWelcome(Refusal)
        /// The server takes no posts now; they are offered again. Goes when all are decided.
        case postponed(Refusal)
        /// The server's key was seen for the first time: compare the fingerprint. Goes when it is dismissed.
        case firstContact(PublicKey)
    }

    /// How the open room's log is looked at.
    package struct View: Hashable, Sendable {
        /// The last row is in sight: the view follows what comes.
        package var isAtEnd: Bool
        /// Rows that came since it was not.
        package var below: Int

        package init(isAtEnd: Bool, below: Int) {
            self.isAtEnd = isAtEnd
            self.below = below
        }
    }

    package struct Search: Hashable, Sendable {
        package enum State: Hashable, Sendable {
            /// Not through: ``ChatScreen/searchOn(rows:)``.
            case searching
            case found(SequenceNumber)
            /// There is no more in that direction in what is loaded, and there may be in what is earlier.
            case ended(hasEarlier: Bool)
        }

        package var text: String
        package var state: State
        var isUpwards = true
        /// Where looking goes on: the last entry that was looked at.
        var place: UInt64
        /// What was found last.
        package internal(set) var last: SequenceNumber?
    }

    /// What a face may keep from one start to the next, in whatever form it likes.
    package struct Memory: Hashable, Sendable {
        package struct Room: Hashable, Sendable {
            package var name: RoomName
            package var read: SequenceNumber?
            package var draft: String
            package var mode: NotificationMode
            /// What was not taken, and was neither tried again nor discarded.
            package var refused: [Refused]

            package init(
                name: RoomName,
                read: SequenceNumber?,
                draft: String,
                mode: NotificationMode,
                refused: [Refused] = []
            ) {
                self.name = name
                self.read = read
                self.draft = draft
                self.mode = mode
                self.refused = refused
            }
        }

        /// A post of mine that was not taken: nobody else has its text.
        package struct Refused: Hashable, Sendable {
            package var kind: EntryKind
            package var reference: SequenceNumber?
            package var text: String
            /// `nil`: it did not get into the outbox.
            package var refusal: Refusal?

            package init(
                kind: EntryKind,
                reference: SequenceNumber?,
                text: String,
                refusal: Refusal?
            ) {
                self.kind = kind
                self.reference = reference
                self.text = text
                self.refusal = refusal
            }
        }

        package struct Acquaintance: Hashable, Sendable {
            package var name: MemberName
            package var id: MemberID

            package init(name: MemberName, id: MemberID) {
                self.name = name
                self.id = id
            }
        }

        package var open: RoomName?
        /// Who this was on the server.
        package var me: Acquaintance?
        package var rooms: [Room] = []
        /// Whose names are known; at most ``acquaintanceLimit``, the latest first.
        package var acquaintances: [Acquaintance] = []
        package static let acquaintanceLimit = 10_000

        package init() {}
    }
}
