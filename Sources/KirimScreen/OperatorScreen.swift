package import KirimRooms
package import KirimWire

/// Everything an operator's window shows of a server: notes and status in, intents in, effects and changes out.
///
/// - Facts in: ``note(_:at:)`` for each note of the server, ``take(_:)`` for its status, asked for about once a second.
/// - Intents in: ``perform(_:)``.
/// - Work out: ``nextEffect()`` until `nil`, and ``takeChanges()`` once a frame.
///
/// What cannot be taken back (put out, keep out, stop) is a ``question`` first.
package struct OperatorScreen: Sendable {
    /// Where the server listens.
    package let addresses: [Address]
    /// This machine as others may reach it, where the server listens on all of its addresses.
    package let outside: IPAddress?
    package let key: PublicKey
    /// What the server calls itself.
    package let name: String

    /// Who is here, as the status told last.
    package private(set) var guests: [Guest] = []
    /// Who has a connection and was not heard for so long that others see them as gone.
    package private(set) var silent: [Guest] = []
    package private(set) var rooms: [RoomSummary] = []
    package private(set) var bans: [Ban] = []
    /// Whose keys are kept out, as far as their names are known.
    package private(set) var banned: [PublicKey: MemberName] = [:]
    package private(set) var counters: [ServerStatus.Counter] = []
    package private(set) var connections = 0
    /// What waits for yes or no.
    package private(set) var question: Question?
    /// What is typed for everybody.
    package private(set) var entry = ""
    /// Whether ``Intent/say`` would say something.
    package var canSay: Bool { !entry.isEmpty }
    /// The address with an invitation in it that was made last.
    package private(set) var invitation: String?
    /// Whether the last row is in sight, and how many came since it was not.
    package private(set) var view = ChatScreen.View(isAtEnd: true, below: 0)
    /// The journal does not take anything; nothing is accepted until it does.
    package private(set) var trouble: JournalError?

    private var log: [LogRow] = []
    private var effects: [Effect] = []
    private var splices = SpliceList()
    private var changes: [Change] = []
    private let limit: Int

    /// A screen that keeps so many rows of the log; the oldest go.
    package init(
        addresses: [Address],
        outside: IPAddress? = nil,
        key: PublicKey,
        name: String,
        limit: Int = 100_000
    ) {
        self.addresses = addresses
        self.outside = outside
        self.key = key
        self.name = name
        self.limit = max(1, limit)
    }

    /// A row of the operator's log.
    package struct LogRow: Hashable, Sendable {
        package var at: WallTime
        package var note: ServerNote

        package init(at: WallTime, note: ServerNote) {
            self.at = at
            self.note = note
        }
    }

    package enum Question: Hashable, Sendable {
        case kick(Guest)
        /// A member is kept out by key; a plain client by address.
        case ban(Guest, Ban)
        /// Stop the server: so many are here.
        case stop(guests: Int)
    }

    /// What the operator wants.
    package enum Intent: Hashable, Sendable {
        case type(String)
        /// Say what is typed to everybody, and empty the entry.
        case say
        case kick(Guest.ID)
        case ban(Guest.ID)
        case unban(Ban)
        /// Yes to ``OperatorScreen/question``; or no.
        case confirm, cancel
        case copyAddress
        /// Make an address with an invitation in it.
        case invite
        case copyInvitation
        case scroll(atEnd: Bool)
        case jumpToLatest
        /// The window was closed, or stopping was chosen.
        case stop
    }

    package enum Effect: Hashable, Sendable {
        case wish(OperatorWish)
        /// Make an invitation, and say ``OperatorScreen/invited(_:)``.
        case invite
        case copy(String)
        /// Stop gracefully, then end.
        case stop
    }

    /// What to draw again.
    package enum Change: Hashable, Sendable {
        /// As ``KirimScreen/Change/rows(_:at:removed:added:)``.
        case rows(at: Int, removed: Int, added: Int)
        case guests, rooms, bans, counters
        case question, entryText, invitation, view, trouble
        /// Go to the end, and stay there.
        case follow
    }
}

// MARK: - Questions

extension OperatorScreen {
    package var rowCount: Int { log.count }

    package func row(_ index: Int) -> LogRow { log[index] }

    /// The address to give to others: with the key, so that it is checked from the first packet.
    package var address: ServerAddress {
        let first = addresses.first ?? Address(ip: .loopback, port: ServerAddress.defaultPort)
        let host = first.ip.isUnspecified ? outside ?? .loopback : first.ip
        return ServerAddress(host: host.description, port: first.port, key: key)
    }
}

extension OperatorScreen {
    /// The server listens where only programs of this machine come: its address is of no use to others.
    package var isLocalOnly: Bool { addresses.allSatisfy(\.ip.isLoopback) }
}

// MARK: - Facts

extension OperatorScreen {
    /// Something happened at the server.
    package mutating func note(_ note: ServerNote, at wall: WallTime) {
        switch note {
        case .storageFailed(let error): become(in: error)
        case .storageWorks: become(in: nil)
        default: break
        }
        splices.splice(at: rowCount, removed: 0, added: 1)
        log.append(LogRow(at: wall, note: note))
        if !view.isAtEnd {
            view.below += 1
            mark(.view)
        }
        trim()
    }

    /// How the server stands now.
    package mutating func take(_ status: ServerStatus) {
        let here = status.guests.filter { $0.presence != .offline }
        let silent = status.guests.filter { $0.presence == .offline }
        if guests != here || self.silent != silent {
            guests = here
            self.silent = silent
            mark(.guests)
        }
        if rooms != status.rooms {
            rooms = status.rooms
            mark(.rooms)
        }
        if bans != status.bans || banned != status.banned {
            bans = status.bans
            banned = status.banned
            mark(.bans)
        }
        if counters != status.counters || connections != status.connections {
            counters = status.counters
            connections = status.connections
            mark(.counters)
        }
        // Whom it is about has left: there is nobody to be put out.
        if case .kick(let guest) = question, self.guest(guest.id) == nil {
            question = nil
            mark(.question)
        }
    }

    /// The invitation that was asked for.
    package mutating func invited(_ address: ServerAddress) {
        invitation = address.description
        mark(.invitation)
    }

    private mutating func become(in error: JournalError?) {
        guard trouble != error else { return }
        trouble = error
        mark(.trouble)
    }

    /// Lets the oldest rows go, many at once, so that each costs little; never under the reader's eyes.
    private mutating func trim() {
        let slack = max(1, limit / 8)
        let isFarOver = rowCount > limit &+ 8 * slack
        guard rowCount > limit + slack, view.isAtEnd || isFarOver else { return }
        let count = rowCount - limit
        splices.splice(at: 0, removed: count, added: 0)
        log.removeFirst(count)
    }

    private mutating func mark(_ change: Change) {
        if !changes.contains(change) { changes.append(change) }
    }
}

// MARK: - Intents

extension OperatorScreen {
    package mutating func perform(_ intent: Intent) {
        switch intent {
        case .type(let text): entry = text
        case .say:
            guard canSay else { return }
            effects.append(.wish(.say(entry)))
            entry = ""
            mark(.entryText)
        case .kick(let id):
            guard let guest = guest(id) else { return }
            ask(.kick(guest))
        case .ban(let id):
            guard let guest = guest(id) else { return }
            ask(.ban(guest, Self.ban(of: guest)))
        case .unban(let ban): effects.append(.wish(.unban(ban)))
        case .confirm: confirm()
        case .cancel:
            question = nil
            mark(.question)
        case .copyAddress: effects.append(.copy(address.description))
        case .invite: effects.append(.invite)
        case .copyInvitation: if let invitation { effects.append(.copy(invitation)) }
        case .scroll(let isAtEnd): look(isAtEnd: isAtEnd)
        case .jumpToLatest:
            look(isAtEnd: true)
            mark(.follow)
        case .stop: ask(.stop(guests: guests.count))
        }
    }

    private func guest(_ id: Guest.ID) -> Guest? { (guests + silent).first { $0.id == id } }

    private mutating func ask(_ question: Question) {
        self.question = question
        mark(.question)
    }

    private mutating func confirm() {
        guard let question else { return }
        switch question {
        case .kick(let guest): effects.append(.wish(.kick(guest.id)))
        case .ban(_, let ban): effects.append(.wish(.ban(ban)))
        case .stop: effects.append(.stop)
        }
        self.question = nil
        mark(.question)
    }

    private mutating func look(isAtEnd: Bool) {
        let now = ChatScreen.View(isAtEnd: isAtEnd, below: isAtEnd ? 0 : view.below)
        guard now != view else { return }
        view = now
        mark(.view)
        if isAtEnd { trim() }
    }

    private static func ban(of guest: Guest) -> Ban {
        switch guest.id {
        case .member(let key): return .key(key)
        case .plain(let address):
            let ip = address.ip.unmapped
            return .prefix(ip, bits: { if case .v4 = ip { 32 } else { 128 } }())
        }
    }
}

// MARK: - Work

extension OperatorScreen {
    package mutating func nextEffect() -> Effect? {
        effects.isEmpty ? nil : effects.removeFirst()
    }

    package mutating func takeChanges() -> [Change] {
        defer {
            splices = SpliceList()
            changes = []
        }
        return splices.all.map { .rows(at: $0.at, removed: $0.removed, added: $0.added) } + changes
    }
}
