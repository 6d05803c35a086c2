package import KirimRooms
import KirimWire

// What is asked while drawing, and what is done after every input.

extension ChatScreen {
    /// The next thing to do, in the order of what caused it.
    package mutating func nextEffect() -> Effect? {
        guard nextEffectIndex < effects.count else {
            effects.removeAll(keepingCapacity: true)
            nextEffectIndex = 0
            return nil
        }
        defer { nextEffectIndex += 1 }
        return effects[nextEffectIndex]
    }

    /// What to draw again since this was asked last: rows first, then everything else, each once.
    package mutating func takeChanges() -> [Change] {
        var changes = dropped
        dropped = []
        for place in pages.indices { changes += pages[place].takeChanges() }
        changes += ledger.marks
        if let (room, number) = ledger.reveal,
            let index = places[room].flatMap({ pages[$0].log.index(of: number) })
        {
            changes.append(.reveal(room, at: index))
        }
        ledger = ChangeLedger()
        return changes
    }

    /// The rooms: the lobby, then the others in the order in which they were joined, and the open one.
    package var rooms: [RoomItem] {
        let shown = pages.filter {
            $0.isJoined || $0.name == openRoom || $0.name == .lobby || !$0.isIdle
        }
        return shown.filter { $0.name == .lobby }.map(item)
            + shown.filter { $0.name != .lobby }.map(item)
    }

    /// A room's line; `nil` where nothing is known of it.
    package func room(_ name: RoomName) -> RoomItem? { places[name].map { item(pages[$0]) } }

    private func item(_ page: RoomPage) -> RoomItem {
        RoomItem(
            name: page.name,
            isJoined: page.isJoined,
            unread: page.unread,
            mentions: page.mentions,
            mode: page.mode,
            hasDraft: !page.draft.isEmpty,
            waiting: page.undecided,
            refused: page.refused,
            read: SequenceNumber(rawValue: page.read),
            last: SequenceNumber(rawValue: page.log.last)
        )
    }

    package func rowCount(in room: RoomName) -> Int { places[room].map { pages[$0].rowCount } ?? 0 }

    /// A row, made when it is asked for. The index counts from the top, below ``rowCount(in:)``.
    package func row(_ index: Int, in room: RoomName) -> Row {
        guard let place = places[room] else { preconditionFailure("There is no such row.") }
        let own = index - pages[place].log.rowCount
        if own >= 0 { return .own(pages[place].own[own]) }
        let found: UInt64? = room == openRoom ? search?.last?.rawValue : nil
        let around = RoomLog.Surroundings(
            me: me,
            myID: myID,
            standing: { acquaintances.standing(of: $0) },
            found: found
        )
        return pages[place].log.row(index, around)
    }

    /// Where the entry stands; `nil`: it is not loaded, or has no row of its own.
    package func index(of sequence: SequenceNumber, in room: RoomName) -> Int? {
        places[room].flatMap { pages[$0].log.index(of: sequence.rawValue) }
    }

    package var composer: Composer {
        let page = page
        let mode: Composer.Mode =
            switch page.composing {
            case .plain: .plain
            case .reply(let number): .reply(page.log.quote(of: number))
            case .edit(let number, _): .edit(SequenceNumber(rawValue: number))
            }
        return Composer(text: page.draft, mode: mode, bytes: page.draft.utf8.count)
    }

    /// The open room is not one's own: nothing can be written there before ``Intent/join(_:)``.
    package var isOutside: Bool {
        // Before the lobby is told to be joined, nothing is known of the others either.
        !page.isJoined && !page.isJoining && places[.lobby].map { pages[$0].isJoined } == true
    }

    package var link: Link {
        let state: Link.State =
            switch phase {
            case .connecting: .connecting
            case .connected: linkStatus?.isRoaming == true ? .roaming : .connected
            case .silent(let time):
                Self.silence((silentSince?.duration(to: now) ?? time).components.seconds)
            case .unreachable: .offline
            case .stopped(let reason): .stopped(reason)
            case .closed: .closed
            }
        return Link(state: state, waiting: pages.reduce(0) { $0 + $1.undecided })
    }

    private static func silence(_ seconds: Int64) -> Link.State {
        seconds < Link.patience ? .silent(seconds: Int(seconds)) : .offline
    }

    /// What this is called, before the first welcome as it was called the last time; `nil`: it was never here.
    package var myName: MemberName? { me?.name ?? formerName }

    /// How the open room's log is looked at.
    package var view: View { page.view }

    /// Who is here is as it was told last: the server is not heard now.
    package var isPresenceStale: Bool {
        switch link.state {
        case .connected, .roaming: false
        case .connecting, .silent, .offline, .stopped, .closed: true
        }
    }

    /// Who is in the open room: those who are here first, then by name.
    package var members: [Person] { page.members }

    /// What of mine is on its way in all rooms, in the order in which it goes out; of many only the first.
    package func waiting(limit: Int) -> [OwnPost] {
        Array(
            pages.flatMap { $0.onTheWay(limit: limit) }.sorted { $0.goesBefore($1) }.prefix(limit)
        )
    }

    /// How much of mine is on its way, accepted but not yet in the log included.
    package var waitingCount: Int { pages.reduce(0) { $0 + $1.onTheWayCount } }

    /// What to keep for the next start.
    package var memory: Memory {
        var memory = Memory()
        memory.open = openRoom
        if let myID, let myName { memory.me = .init(name: myName, id: myID) }
        memory.rooms = pages.map { page in
            var draft = page.draft
            if case .edit(_, let pushedAside) = page.composing { draft = pushedAside }
            return Memory.Room(
                name: page.name,
                read: page.read > 0 ? SequenceNumber(rawValue: page.read) : nil,
                draft: draft,
                mode: page.mode,
                refused: page.refusedPosts
            )
        }
        memory.acquaintances = acquaintances.memory
        return memory
    }

    /// Rows and entries that were written or moved since the beginning: what a test of costs counts.
    package var effort: Int { pages.reduce(0) { $0 + $1.log.effort } }
}

// MARK: - Inside

extension ChatScreen {
    var keepsEntries: Bool { configuration.entries > 0 }
    var myID: MemberID? { me?.id ?? learnedID }
    func isMe(_ author: Author) -> Bool { author.member.map { $0 == myID } ?? false }

    var openPlace: Int { places[openRoom] ?? 0 }
    var page: RoomPage { pages[openPlace] }

    /// The page of a room, made where there is none.
    mutating func place(of room: RoomName) -> Int {
        if let place = places[room] { return place }
        let offset = configuration.offset
        pages.append(RoomPage(room, isDrawn: keepsEntries) { CivilDay($0, offset: offset($0)) })
        places[room] = pages.count - 1
        return pages.count - 1
    }

    mutating func begin() {
        let memory = configuration.memory
        _ = place(of: .lobby)
        for kept in memory.rooms {
            let place = place(of: kept.name)
            pages[place].draft = kept.draft
            pages[place].mode = kept.mode
            if let read = kept.read {
                pages[place].read = read.rawValue
                pages[place].isRemembered = true
            }
            for refused in kept.refused {
                var own = newPost(refused.text, refused.kind, kept.name, refused.reference)
                own.state = refused.refusal.map { .refused($0) } ?? .failed(.interrupted)
                pages[place].add(own)
            }
        }
        acquaintances = Acquaintances(memory.acquaintances)
        learnedID = memory.me?.id
        formerName = memory.me?.name
        if configuration.room == .lobby, let open = memory.open { openRoom = open }
        _ = place(of: openRoom)
        // Whoever drew it before asking for changes must not count these rows twice.
        if page.rowCount > 0 { ledger.mark(.opened(openRoom)) }
    }
}
