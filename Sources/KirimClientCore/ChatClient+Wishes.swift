package import KirimRooms
import KirimTransport
package import KirimWire

/// A wish that waits for its answer, on whichever connection it comes.
struct Wish {
    let ticket: Ticket
    let request: ClientRequest
    var stage: Stage = .waiting
    var rooms: [RoomSummary] = []
    var members: [MemberStatus] = []
    /// Of a page: the entries that came, by number, and which ones are to come.
    var found: [SequenceNumber: Entry] = [:]
    var wanted: ClosedRange<SequenceNumber>?

    enum Stage: Hashable {
        /// Leads to `asked`, `reading`.
        case waiting
        /// The server has it. Leads to `waiting` when the connection is lost.
        case asked(RequestID)
        /// The journal has it.
        case reading
    }

    init(ticket: Ticket, request: ClientRequest) {
        self.ticket = ticket
        self.request = request
    }

    /// The connection is lost. What came of a page stays: on a bad road it may take several connections.
    mutating func pause() {
        guard case .asked = stage else { return }
        stage = .waiting
        rooms = []
        members = []
        wanted = nil
    }
}

extension ChatClient {
    /// Entries of one page.
    package static let pageLimit = 500

    /// Asks the server or the journal. Without a connection the wish waits for one, except for a page, which
    /// is then what the journal has of it.
    package mutating func ask(_ request: ClientRequest, ticket: Ticket, at now: Instant) {
        guard wishes.count < configuration.wishLimit else {
            tell(.answered(ticket, .refused(.tooManyRequests)))
            return
        }
        wishes.append(Wish(ticket: ticket, request: request))
        if case .rename(let name) = request, session?.isReady != true {
            // The next hello says it, in a later run, too.
            server.name = name
            isNameWished = true
            storage.name = name
        }
        advanceWishes(at: now)
    }

    /// Wishes to be in the room, from now on and in later runs. Told: `answered`, when the wish is written down. The
    /// server is asked at the next opportunity; until it has answered, posts to the room stay here.
    package mutating func enter(_ room: RoomName, ticket: Ticket) {
        // What was to be left, and was not yet, is wanted again.
        for wish in wishes where wish.request == .leave(room) && wish.stage == .waiting {
            if let wish = finishWish(wish.ticket) { answer(wish, .done) }
        }
        if index(of: room) != nil {
            tell(.answered(ticket, .done))
        } else {
            store(.addRoom(room), .enter(room, ticket))
        }
    }

    /// Nobody waits for the answer any more. What the server was asked may still happen.
    package mutating func cancel(_ ticket: Ticket) {
        if let wish = finishWish(ticket) { stopPage(of: wish) }
    }

    package mutating func setPresence(_ state: Presence, at now: Instant) {
        presence.tell(state, at: now)
        if presence.isDue(at: now) { tellPresence() }
    }

    mutating func advanceWishes(at now: Instant) {
        let waiting = wishes.filter { $0.stage == .waiting }.map(\.ticket)
        for ticket in waiting { advance(ticket, at: now) }
    }

    private mutating func advance(_ ticket: Ticket, at now: Instant) {
        guard let index = wishes.firstIndex(where: { $0.ticket == ticket }) else { return }
        if case .page(let room, let before, let limit) = wishes[index].request {
            page(index, room, before: before, limit: limit)
            return
        }
        guard let session, session.isReady,
            session.wishesAsked < configuration.wishesInFlight
        else { return }
        let request: Request
        switch wishes[index].request {
        case .join(let room): request = .join(room)
        case .leave(let room): request = .leave(room)
        case .create(let room): request = .create(room)
        case .listRooms: request = .listRooms
        case .listMembers(let room): request = .listMembers(room)
        case .rename(let name): request = .rename(name)
        case .page: return
        }
        if let id = say(request, for: .wish(ticket)) { wishes[index].stage = .asked(id) }
    }

    /// The server said `done`.
    mutating func granted(_ ticket: Ticket, at now: Instant) {
        // Also in the place of one that nobody waits for any more another may be asked.
        defer { advanceWishes(at: now) }
        guard let wish = finishWish(ticket) else { return }
        switch wish.request {
        case .join(let room): startReading(room, at: now)
        case .leave(let room):
            if let index = index(of: room) {
                leave(index, nil)
            } else {
                // Another face has joined it: it is left for all of them.
                forget(room)
                tell(.left(room, nil))
            }
        case .rename(let name): renamed(name)
        case .create, .listRooms, .listMembers, .page: break
        }
        answer(wish, .done)
    }

    mutating func answer(_ wish: Wish, _ answer: Answer) { tell(.answered(wish.ticket, answer)) }

    /// Takes the wish out; `nil` if it is not there (any more).
    mutating func finishWish(_ ticket: Ticket) -> Wish? {
        guard let index = wishes.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return wishes.remove(at: index)
    }

    mutating func finishWish(asked id: RequestID) -> Wish? {
        guard case .wish(let ticket)? = session?.asked.removeValue(forKey: id) else { return nil }
        return finishWish(ticket)
    }

    mutating func collect(_ rooms: [RoomSummary], for id: RequestID) {
        guard let index = wishes.firstIndex(where: { $0.stage == .asked(id) }) else { return }
        wishes[index].rooms += rooms
    }

    mutating func collect(_ members: [MemberStatus], for id: RequestID) {
        guard let index = wishes.firstIndex(where: { $0.stage == .asked(id) }) else { return }
        wishes[index].members += members
    }
}

// MARK: - Pages

extension ChatClient {
    private mutating func page(
        _ index: Int,
        _ room: RoomName,
        before: SequenceNumber?,
        limit: Int
    ) {
        let limit = UInt64(min(max(limit, 1), Self.pageLimit))
        guard let reader = readers.first(where: { $0.name == room }) else {
            let wish = wishes.remove(at: index)
            answer(wish, .refused(.notInRoom))
            return
        }
        let isReady = session?.isReady == true
        guard let cursor = reader.cursor else {
            // What is newest is about to be known; without a server nothing is.
            if !isReady, reader.stage != .unknown { answer(wishes.remove(at: index), .entries([])) }
            return
        }
        let end = min(before ?? cursor.next, cursor.next)
        guard end.rawValue > 1 else {
            answer(wishes.remove(at: index), .entries([]))
            return
        }
        let first = SequenceNumber(rawValue: end.rawValue > limit ? end.rawValue - limit : 1)
        let last = SequenceNumber(rawValue: end.rawValue - 1)
        let ticket = wishes[index].ticket
        let isHere = reader.span.map { $0.first <= first && last <= $0.last } ?? false
        if isHere || !isReady {
            wishes[index].stage = .reading
            store(.history(room, before: end, limit: Int(limit)), .page(ticket))
            return
        }
        guard let session, session.wishesAsked < configuration.wishesInFlight,
            let stream = self.session?.takeStream(for: .page(ticket))
        else { return }
        wishes[index].found = wishes[index].found.filter { (first...last).contains($0.key) }
        var next = first
        while wishes[index].found[next] != nil { next = next.next }
        let start = SubscriptionStart.after(SequenceNumber(rawValue: next.rawValue - 1))
        let request = Request.subscribe(stream: stream, room: room, start: start, until: last)
        wishes[index].wanted = first...last
        if let id = say(request, for: .wish(ticket)) { wishes[index].stage = .asked(id) }
    }

    func roomOfPage(_ ticket: Ticket) -> RoomName? {
        guard let wish = wishes.first(where: { $0.ticket == ticket }),
            case .page(let room, _, _) = wish.request
        else { return nil }
        return room
    }

    /// The server begins a page. Its log may end before what was asked for.
    mutating func pageBegins(_ ticket: Ticket, last: SequenceNumber, at now: Instant) {
        guard let index = wishes.firstIndex(where: { $0.ticket == ticket }),
            let wanted = wishes[index].wanted
        else { return }
        if last < wanted.lowerBound {
            finishPage(index, at: now)
        } else {
            wishes[index].found = wishes[index].found.filter { $0.key <= last }
            wishes[index].wanted = wanted.lowerBound...min(wanted.upperBound, last)
            if isWhole(wishes[index]) { finishPage(index, at: now) }
        }
    }

    mutating func pageArrived(_ entry: Entry, _ ticket: Ticket, at now: Instant) {
        guard let index = wishes.firstIndex(where: { $0.ticket == ticket }),
            let wanted = wishes[index].wanted, wanted.contains(entry.sequence)
        else { return }
        wishes[index].found[entry.sequence] = entry
        if isWhole(wishes[index]) { finishPage(index, at: now) }
    }

    /// The room's log is another one from some entry on: what came of its pages may not be in it.
    mutating func beginPagesAnew(of room: RoomName) {
        for index in wishes.indices {
            guard case .page(room, _, _) = wishes[index].request, wishes[index].stage != .reading
            else { continue }
            stopPage(of: wishes[index])
            wishes[index].pause()
            wishes[index].found = [:]
        }
    }

    private func isWhole(_ wish: Wish) -> Bool {
        guard let wanted = wish.wanted else { return true }
        return UInt64(wish.found.count) > wanted.upperBound.rawValue - wanted.lowerBound.rawValue
    }

    private mutating func finishPage(_ index: Int, at now: Instant) {
        let wish = wishes.remove(at: index)
        let entries = wish.found.sorted { $0.key < $1.key }.map(\.value)
        stopPage(of: wish)
        answer(wish, .entries(entries))
        if let last = entries.last, let reader = readers.first(where: { $0.name == last.room }),
            reader.stores, reader.span?.first == last.sequence.next
        {
            store(.apply(entries, last.room), .older(last.room, entries[0].sequence, last.sequence))
        }
        advanceWishes(at: now)
    }

    /// The room was left: the server sends no more of it, so what was asked of it would wait for ever.
    mutating func abandonPages(of room: RoomName, _ refusal: Refusal) {
        for wish in wishes where wish.stage != .reading {
            guard case .page(room, _, _) = wish.request, let wish = finishWish(wish.ticket) else {
                continue
            }
            stopPage(of: wish)
            answer(wish, .refused(refusal))
        }
    }

    private mutating func stopPage(of wish: Wish) {
        guard let session else { return }
        for (stream, use) in session.streams where use == .page(wish.ticket) { abandon(stream) }
    }
}
