import KirimRooms
import KirimWire

// What the person wants.

extension ChatScreen {
    package mutating func perform(_ intent: Intent) {
        switch intent {
        case .type(let text): type(text)
        case .send: send()
        case .command(let command): obey(command)
        case .reply(let number): answer(number.rawValue)
        case .edit(let number): edit(number.rawValue)
        case .editLast: editLast()
        case .cancel: cancel()
        case .react(let number, let text): react(number, text)
        case .delete(let number): post("", .delete, to: openRoom, number)
        case .copy(let number):
            if let text = page.log.text(of: number.rawValue) { effects.append(.copy(text)) }
        case .openLink(let link): effects.append(.openLink(link))
        case .reveal(let number): goTo(number.rawValue, in: openPlace)
        case .tryAgain(let id): tryAgain(id)
        case .discard(let id): discard(id)
        case .find(let text): find(text)
        case .findNext: findOn(upwards: false)
        case .findPrevious: findOn(upwards: true)
        case .rename(let name): effects.append(.rename(name))
        case .presence(let presence): effects.append(.setPresence(presence))
        case .focus(let isFocused): focus(isFocused)
        case .dismiss(let banner): lower { $0 == banner }
        case .answer(let remedy): reconnect(remedy)
        case .quit: effects.append(.quit)
        default: go(intent)
        }
    }

    /// What is about rooms, and about the view of the open one.
    private mutating func go(_ intent: Intent) {
        switch intent {
        case .open(let room): open(room)
        case .openNext: openNeighbour(1) { _ in true }
        case .openPrevious: openNeighbour(-1) { _ in true }
        case .openUnread: openNeighbour(1) { $0.unread > 0 }
        case .join(let room): join(room)
        case .leave(let room): effects.append(.leave(room))
        case .create(let room): effects.append(.create(room))
        case .mode(let room, let mode):
            pages[place(of: room)].mode = mode
            ledger.mark(.rooms)
            ledger.mark(.memory)
        case .listRooms: effects.append(.listRooms)
        case .listMembers: effects.append(.listMembers(openRoom))
        case .scroll(let isAtEnd): look(isAtEnd: isAtEnd)
        case .jumpToLatest: follow()
        case .loadEarlier: loadEarlier(in: openPlace, limit: configuration.page)
        case .markAllRead: for place in pages.indices { markRead(place) }
        default: break
        }
    }

    private func notLonger(_ text: String) -> Bool { text.utf8.count <= Composer.limit }
}

// MARK: - Writing

extension ChatScreen {
    private mutating func type(_ text: String) {
        let before = composer
        pages[openPlace].draft = text
        let after = composer
        if before.isTooLong != after.isTooLong || before.canSend != after.canSend
            || after.isTooLong
        {
            ledger.mark(.composer)
        }
        if before.text.isEmpty != text.isEmpty { ledger.mark(.rooms) }
        ledger.mark(.memory)
    }

    private mutating func send() {
        let composer = composer
        guard composer.bytes > 0 else { return }
        guard !composer.isTooLong else { return tell(.tooLong(composer.bytes)) }
        let room = openRoom
        switch page.composing {
        case .plain:
            let command = Command(composer.text)
            obey(command)
            // What was not understood stays, to be mended.
            switch command {
            case .unknown, .misused, .impossible: return
            default: break
            }
            clearComposer(of: room, to: "")
        case .reply(let number):
            post(composer.text, .reply, to: room, SequenceNumber(rawValue: number))
            clearComposer(of: room, to: "")
        case .edit(let number, let pushedAside):
            if page.log.text(of: number) != composer.text {
                post(composer.text, .edit, to: room, SequenceNumber(rawValue: number))
            }
            clearComposer(of: room, to: pushedAside)
        }
    }

    private mutating func clearComposer(of room: RoomName, to text: String) {
        guard let place = places[room] else { return }
        pages[place].draft = text
        pages[place].composing = .plain
        markComposer()
    }

    /// The composer, and what else shows whether something is written there, may be another one.
    mutating func markComposer() {
        ledger.mark(.composerText)
        ledger.mark(.composer)
        ledger.mark(.rooms)
        ledger.mark(.memory)
    }

    private mutating func obey(_ command: Command) {
        switch command {
        case .say(let text): post(text, .text, to: openRoom)
        case .act(let text): post(text, .action, to: openRoom)
        case .reply(let number, let text): post(text, .reply, to: openRoom, number)
        case .react(let number, let text): post(text, .reaction, to: openRoom, number)
        case .edit(let number, let text): post(text, .edit, to: openRoom, number)
        case .delete(let number): post("", .delete, to: openRoom, number)
        case .name(let name): effects.append(.rename(name))
        case .join(let room): join(room)
        case .leave(let room): effects.append(.leave(room ?? openRoom))
        case .rooms: tell(.wanted(.rooms))
        case .who(let room): tell(.wanted(.members(room ?? openRoom)))
        case .link: tell(.wanted(.link))
        case .history(let count): tell(.wanted(.history(count)))
        case .help: tell(.wanted(.help))
        case .quit: effects.append(.quit)
        case .unknown(let word): tell(.unknownCommand(word))
        case .misused(let usage): tell(.misused(usage))
        case .impossible(let refusal): tell(.failed(.refused(refusal)))
        }
    }

    /// Puts something of mine on its way.
    private mutating func post(
        _ text: String,
        _ kind: EntryKind,
        to room: RoomName,
        _ reference: SequenceNumber? = nil
    ) {
        guard notLonger(text) else { return tell(.tooLong(text.utf8.count)) }
        let own = newPost(text, kind, room, reference)
        let place = place(of: room)
        pages[place].add(own)
        effects.append(.send(own.id, text: text, kind, room, reference))
        ledger.mark(.link)
        ledger.mark(.rooms)
        guard own.hasRow, keepsEntries else { return }
        // Who answers has read.
        markRead(place)
        pages[place].log.setMark(nil)
        if room == openRoom { follow() }
    }

    private mutating func answer(_ number: UInt64) {
        guard page.log.index(of: number) != nil else { return }
        cancel()
        pages[openPlace].composing = .reply(number)
        ledger.mark(.composer)
    }

    private mutating func edit(_ number: UInt64) {
        guard let entry = page.log[number], isMe(entry.author), !page.log.isDeleted(number),
            RoomLog.hasRow(entry.kind), let text = page.log.text(of: number)
        else { return }
        cancel()
        pages[openPlace].composing = .edit(number, pushedAside: page.draft)
        pages[openPlace].draft = text
        markComposer()
    }

    /// Looks back over a screenful or two; what is older is not what one has just written.
    private mutating func editLast() {
        let log = page.log
        var number = log.last
        for _ in 0..<200 where number >= log.first && number > 0 {
            if let entry = log[number], isMe(entry.author), RoomLog.hasRow(entry.kind),
                !log.isDeleted(number)
            {
                return edit(number)
            }
            number -= 1
        }
    }

    private mutating func cancel() {
        switch page.composing {
        case .plain: return
        case .reply:
            pages[openPlace].composing = .plain
            ledger.mark(.composer)
        case .edit(_, let pushedAside): clearComposer(of: openRoom, to: pushedAside)
        }
    }

    /// Gives an emoji, or takes it back where it was given already.
    private mutating func react(_ number: SequenceNumber, _ text: String) {
        if let myID, let given = page.log.reaction(text, to: number.rawValue, by: myID) {
            post("", .delete, to: openRoom, SequenceNumber(rawValue: given))
        } else {
            post(text, .reaction, to: openRoom, number)
        }
    }

    private mutating func tryAgain(_ id: OwnPost.ID) {
        guard let own = takeRefused(id) else { return }
        post(own.text, own.kind, to: own.room, own.reference)
    }

    private mutating func discard(_ id: OwnPost.ID) { _ = takeRefused(id) }

    private mutating func takeRefused(_ id: OwnPost.ID) -> OwnPost? {
        for place in pages.indices {
            if let own = pages[place].remove(where: { $0.id == id && $0.isRefused }) {
                ledger.mark(.rooms)
                ledger.mark(.memory)
                return own
            }
        }
        return nil
    }
}

// MARK: - Rooms and the view

extension ChatScreen {
    private mutating func join(_ room: RoomName) {
        let isJoined = places[room].map { pages[$0].isJoined } ?? false
        open(room)
        guard !isJoined else { return }
        pages[place(of: room)].isJoining = true
        effects.append(.join(room))
        ledger.mark(.composer)
    }

    mutating func open(_ room: RoomName) {
        let place = place(of: room)
        guard room != openRoom else { return }
        let left = openPlace
        if pages[left].unread == 0 { pages[left].log.setMark(nil) }
        unmarkFound()
        openRoom = room
        search = nil
        pages[place].view = View(isAtEnd: true, below: 0)
        for mark in [Change.opened(room), .members, .view, .search, .rooms, .memory] {
            ledger.mark(mark)
        }
        ledger.mark(.composerText)
        ledger.mark(.composer)
        if isFocused { markRead(place) }
        trim(left)
        askForMembers()
    }

    private mutating func openNeighbour(_ step: Int, where isWanted: (RoomItem) -> Bool) {
        let rooms = rooms
        guard let here = rooms.firstIndex(where: { $0.name == openRoom }) else { return }
        for distance in 1..<max(1, rooms.count) {
            let place = (here + step * distance + rooms.count * 2) % rooms.count
            if isWanted(rooms[place]) { return open(rooms[place].name) }
        }
    }

    private mutating func focus(_ isFocused: Bool) {
        guard self.isFocused != isFocused else { return }
        self.isFocused = isFocused
        if isFocused, pages[openPlace].view.isAtEnd { markRead(openPlace) }
    }

    private mutating func look(isAtEnd: Bool) {
        let place = openPlace
        let view = View(isAtEnd: isAtEnd, below: isAtEnd ? 0 : pages[place].view.below)
        guard view != pages[place].view else { return }
        pages[place].view = view
        ledger.mark(.view)
        guard isAtEnd else { return }
        if isFocused { markRead(place) }
        trim(place)
    }

    private mutating func follow() {
        look(isAtEnd: true)
        ledger.mark(.follow(openRoom))
    }

    private mutating func markRead(_ place: Int) {
        let last = pages[place].log.last
        guard pages[place].unread > 0 || pages[place].read < last else { return }
        if pages[place].unread > 0 { effects.append(.withdrawNotifications(pages[place].name)) }
        pages[place].read = max(pages[place].read, last)
        pages[place].unread = 0
        pages[place].mentions = 0
        ledger.mark(.rooms)
        ledger.mark(.memory)
    }

    private mutating func reconnect(_ remedy: Remedy) {
        switch remedy {
        // Another server has another log.
        case .trust, .address: isOtherServer = true
        case .password, .again: break
        }
        effects.append(.reconnect(remedy))
    }
}

// MARK: - Finding

extension ChatScreen {
    private mutating func find(_ text: String) {
        unmarkFound()
        search = nil
        ledger.mark(.search)
        guard !text.isEmpty else { return }
        search = Search(text: text, state: .searching, place: page.log.last)
    }

    private mutating func findOn(upwards: Bool) {
        guard var search else { return }
        search.isUpwards = upwards
        switch search.last?.rawValue {
        case let last?: search.place = upwards ? last &- 1 : last + 1
        case nil: search.place = upwards ? page.log.last : page.log.first
        }
        search.state = .searching
        self.search = search
        ledger.mark(.search)
    }

    private mutating func unmarkFound() {
        if let last = search?.last { pages[openPlace].log.changed.insert(last.rawValue) }
    }

    /// Goes on searching through at most so many entries, so that no frame is late.
    ///
    /// - Returns: Whether there is more to look through.
    package mutating func searchOn(rows: Int) -> Bool {
        guard let search, search.state == .searching else { return false }
        var place = search.place
        for _ in 0..<max(1, rows) {
            guard let entry = page.log[place] else {
                let hasEarlier = page.log.earlier != nil
                self.search?.state = .ended(hasEarlier: hasEarlier)
                ledger.mark(.search)
                return false
            }
            if RoomLog.hasRow(entry.kind), let text = page.log.text(of: place),
                Mention.has(search.text, in: text)
            {
                found(place)
                return false
            }
            place = search.isUpwards ? place &- 1 : place + 1
        }
        self.search?.place = place
        return true
    }

    private mutating func found(_ number: UInt64) {
        unmarkFound()
        let sequence = SequenceNumber(rawValue: number)
        search?.place = number
        search?.last = sequence
        search?.state = .found(sequence)
        pages[openPlace].log.changed.insert(number)
        ledger.mark(.search)
        ledger.reveal = (openRoom, number)
    }
}
