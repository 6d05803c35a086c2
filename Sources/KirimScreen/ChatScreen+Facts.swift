package import KirimRooms
package import KirimWire

// What the client tells, and what came of effects.

extension ChatScreen {
    /// The client told something.
    package mutating func receive(_ event: ChatEvent, at now: Instant) {
        timePassed(to: now)
        switch event {
        case .entry(let entry, let mine): read(entry, mine: mine)
        case .caughtUp(let room): pages[place(of: room)].isCaughtUp = true
        case .queued(let post): queued(post)
        case .decided(let post, let decision): decided(post, decision)
        case .postponed(let refusal, let delay):
            guard manners.postponed != refusal else { return }
            manners.postponed = refusal
            raise(.postponed(refusal))
            tell(.postponed(refusal, retryAfter: delay))
        case .presence(let room, let member, let name, let presence, let online):
            appeared(member, name, presence, in: room, online: online)
        case .phase(let phase): become(phase)
        case .unknownHost(let name, let reason):
            phase = .unreachable
            manners.hasTrouble = true
            ledger.mark(.link)
            raise(.unknownHost(name, reason: reason))
            tell(.unknownHost(name, reason: reason))
        case .socketFailed(let sentence): tell(.failed(.other(sentence)))
        case .welcomed(let member, let server): welcome(member, server)
        case .notWelcome(let refusal):
            // It is asked again and again; what it says is news only once.
            guard manners.lastRefusal != refusal else { return }
            manners.lastRefusal = refusal
            raise(.notWelcome(refusal))
            tell(.notWelcome(refusal))
        case .firstContact(let key):
            raise(.firstContact(key))
            tell(.firstContact(key))
        case .joined(let room): joined(room)
        case .left(let room, let refusal): left(room, refusal)
        case .renamed(let name):
            me?.name = name
            restyle()
            tell(.renamed(name))
        case .nameRefused(let wish, let why):
            tell(.nameRefused(wish, why, given: me?.name ?? wish))
        case .setBack(let room): setBack(room)
        case .storageFailed(let error):
            raise(.storage(error))
            tell(.storageFailed(error))
        case .stopped(let reason):
            phase = .stopped(reason)
            ledger.mark(.link)
            raise(.stopped(reason))
            tell(.stopped(reason))
        }
    }

    /// Something came of an effect.
    package mutating func take(_ answer: Answer, at now: Instant) {
        timePassed(to: now)
        switch answer {
        case .rooms(let rooms):
            directory = rooms
            ledger.mark(.directory)
        case .members(let room, let members): list(members, of: room)
        case .page(let room, _, let entries): turned(entries, of: room)
        case .link(let status):
            linkStatus = status
            // An event tells it in its order; this only corrects the seconds.
            if case .silent(let time) = status.phase, case .silent = phase {
                silentSince = now.advanced(by: .zero - time)
            }
            ledger.mark(.link)
        case .failed(let effect, let failure): failed(effect, failure)
        }
    }

    /// Time moved on; calling early is harmless.
    package mutating func timePassed(to now: Instant) {
        let before = link
        self.now = max(now, self.now)
        if link != before { ledger.mark(.link) }
    }

    /// When something that is shown changes by itself: the seconds of a silent link.
    package var deadline: Instant? {
        guard case .silent(let seconds) = link.state, let silentSince else { return nil }
        return silentSince.advanced(by: .seconds(seconds + 1))
    }

    /// Another client takes the place of the one that stopped, and tells everything again.
    package mutating func reconnecting(at now: Instant) {
        timePassed(to: now)
        phase = .connecting
        silentSince = nil
        linkStatus = nil
        lastQueued = nil
        for place in pages.indices {
            pages[place].forgetQueued()
            if isOtherServer { pages[place].forgetServer() }
        }
        let isOtherServer = isOtherServer
        if isOtherServer {
            me = nil
            learnedID = nil
            formerName = nil
            acquaintances = Acquaintances()
            self.isOtherServer = false
        }
        manners.lastRefusal = nil
        manners.postponed = nil
        lower { banner in
            switch banner {
            case .stopped, .unknownHost, .notWelcome, .postponed: true
            // Another server has another key.
            case .firstContact: isOtherServer
            case .storage: false
            }
        }
        ledger.mark(.link)
        ledger.mark(.members)
        markComposer()
    }
}

// MARK: - Entries

extension ChatScreen {
    private mutating func read(_ entry: Entry, mine: QueuedPost.ID?) {
        let place = place(of: entry.room)
        let number = entry.sequence.rawValue
        let own = pages[place].remove { post in
            if let mine, post.post == mine { return true }
            return post.state == .accepted(entry.sequence)
        }
        if own != nil { settle() }
        guard number > pages[place].log.last else { return }
        // What was sent from here says who this is, also before the first welcome.
        if mine != nil, myID == nil, case .member(let id, _) = entry.author {
            learnedID = id
            restyle()
        }
        if keepsEntries, case .member(let id, let name) = entry.author {
            meet(name, id, isLive: pages[place].isCaughtUp)
        }
        pages[place].log.append(entry, keeps: keepsEntries)
        // Who prints and forgets has shown it by now.
        guard keepsEntries else { return }
        weigh(entry, isMine: mine != nil || isMe(entry.author), at: place)
        trim(place)
    }

    /// What an entry means for what is read and unread.
    private mutating func weigh(_ entry: Entry, isMine: Bool, at place: Int) {
        let number = entry.sequence.rawValue
        let isOpen = entry.room == openRoom
        // Nothing that holds the log is kept in a variable here: changing the log would copy it.
        let (isAtEnd, read) = (pages[place].view.isAtEnd, pages[place].read)
        let isCaughtUp = pages[place].isCaughtUp
        let hasRow = RoomLog.hasRow(entry.kind)
        // What the room's own number counts: nobody has to read that somebody joined.
        if isOpen, !isAtEnd, hasRow, entry.kind != .notice, !isMine {
            pages[place].view.below += 1
            ledger.mark(.view)
        }
        guard hasRow, entry.kind != .notice, !isMine, number > read else {
            if pages[place].unread == 0 { pages[place].read = max(read, number) }
            return
        }
        let isPast = !isCaughtUp && !pages[place].isRemembered
        let isMention = pages[place].log.mentions(me, entry, entry.text)
        if isPast || isOpen && isFocused && isAtEnd {
            pages[place].read = number
            ledger.mark(.memory)
        } else {
            pages[place].unread += 1
            if isMention { pages[place].mentions += 1 }
            if pages[place].unread == 1, keepsEntries { pages[place].log.setMark(number) }
            ledger.mark(.rooms)
        }
        if isCaughtUp, !isFocused { notify(entry, pages[place].mode, isMention) }
    }

    private mutating func notify(_ entry: Entry, _ mode: NotificationMode, _ isMention: Bool) {
        switch mode {
        case .none: return
        case .mentions: guard isMention || entry.kind == .broadcast else { return }
        case .all: break
        }
        let notification = Notification(
            room: entry.room,
            sequence: entry.sequence,
            author: entry.author,
            kind: entry.kind,
            text: String(entry.text.beginning(bytes: Quote.limit)),
            isMention: isMention
        )
        // A flood makes one interruption, with what came last.
        let pending = effects[nextEffectIndex...].lastIndex {
            if case .notify(let other) = $0 { other.room == entry.room } else { false }
        }
        if let pending { effects.remove(at: pending) }
        effects.append(.notify(notification))
    }

    /// Lets old entries go, many at once, and never under the reader's eyes unless there are far too many.
    mutating func trim(_ place: Int) {
        guard keepsEntries else { return }
        let isOpen = pages[place].name == openRoom
        let limit = isOpen ? configuration.entries : max(1_000, configuration.entries / 10)
        let count = pages[place].log.entries.count
        let isQuiet = !isOpen || pages[place].view.isAtEnd
        if count > (isQuiet ? limit + limit / 8 : 2 * limit) { pages[place].log.trim(to: limit) }
    }

    private mutating func setBack(_ room: RoomName) {
        let place = place(of: room)
        pages[place].forgetLog()
        ledger.mark(.rooms)
        tell(.setBack(room))
    }

    private mutating func turned(_ entries: [Entry], of room: RoomName) {
        let place = place(of: room)
        guard keepsEntries else { return }
        for entry in entries {
            if case .member(let id, let name) = entry.author {
                meet(name, id, isLive: false)
            }
        }
        pages[place].log.prepend(entries)
        guard let wanted = pages[place].wanted else { return }
        goTo(wanted, in: place)
    }

    /// Brings an entry into view, and loads what is missing before it.
    mutating func goTo(_ number: UInt64, in place: Int) {
        pages[place].wanted = nil
        if pages[place].log.index(of: number) != nil {
            ledger.reveal = (pages[place].name, number)
        } else if number < pages[place].log.first, pages[place].log.earlier != nil {
            // All on the way there is loaded: somebody would quote the first entry of a long room.
            guard pages[place].log.first - number <= UInt64(configuration.reach) else {
                return tell(.tooFarBack(SequenceNumber(rawValue: number)))
            }
            pages[place].wanted = number
            loadEarlier(in: place, limit: 500)
        }
    }

    mutating func loadEarlier(in place: Int, limit: Int) {
        guard let earlier = pages[place].log.earlier, earlier != .loading else { return }
        pages[place].log.setEarlier(.loading)
        let before = SequenceNumber(rawValue: pages[place].log.first)
        effects.append(.page(pages[place].name, before: before, limit: limit))
    }
}

// MARK: - What is mine

extension ChatScreen {
    private mutating func queued(_ queued: QueuedPost) {
        let post = queued.post
        let place = place(of: post.room)
        let typed = pages[place].firstTyped {
            $0.text == post.text && $0.kind == post.kind && $0.reference == post.reference
        }
        // They come in order, but those of an earlier run are asked for as well as told.
        let isTold = lastQueued.map { queued.id <= $0 } ?? false
        if let typed {
            pages[place].remove { $0.id == typed.id }
        }
        if isTold { return }
        lastQueued = queued.id
        var own = typed ?? newPost(post.text, post.kind, post.room, post.reference)
        own.state = .waiting
        own.post = queued.id
        own.authored = post.authored
        pages[place].add(own)
        ledger.mark(.link)
        ledger.mark(.rooms)
    }

    private mutating func decided(_ queued: QueuedPost, _ decision: PostDecision) {
        let place = place(of: queued.post.room)
        let mine = pages[place].first { $0.post == queued.id }
        switch decision {
        case .accepted(let room, let sequence):
            guard let mine else { return }
            if room != queued.post.room || sequence.rawValue <= pages[place].log.last {
                pages[place].remove { $0.id == mine.id }
            } else {
                pages[place].change(mine.id) { $0.state = .accepted(sequence) }
            }
        case .refused(let refusal):
            let post = queued.post
            var own = mine ?? newPost(post.text, post.kind, post.room, post.reference)
            own.post = queued.id
            own.state = .refused(refusal)
            if mine == nil {
                pages[place].add(own)
            } else {
                pages[place].change(own.id) { $0.state = .refused(refusal) }
            }
            tell(.refused(own))
        }
        settle()
    }

    /// Posts went: what is said about them may be over.
    private mutating func settle() {
        ledger.mark(.link)
        ledger.mark(.memory)
        ledger.mark(.rooms)
        guard manners.postponed != nil, pages.allSatisfy({ $0.onTheWayCount == 0 }) else { return }
        manners.postponed = nil
        lower { if case .postponed = $0 { true } else { false } }
    }

    mutating func newPost(
        _ text: String,
        _ kind: EntryKind,
        _ room: RoomName,
        _ reference: SequenceNumber?
    ) -> OwnPost {
        let quoted = kind == .reply ? reference : nil
        let quote = quoted.map { pages[place(of: room)].log.quote(of: $0.rawValue) }
        lastOwn += 1
        return OwnPost(
            id: OwnPost.ID(rawValue: lastOwn),
            room: room,
            kind: kind,
            reference: reference,
            text: text,
            state: .typed,
            quote: quote
        )
    }

    private mutating func failed(_ effect: Effect, _ failure: Failure) {
        switch effect {
        case .send(let id, _, _, let room, _):
            let place = place(of: room)
            guard var own = pages[place].first(where: { $0.id == id && $0.state == .typed }) else {
                return
            }
            own.state = .failed(failure)
            pages[place].change(id) { $0.state = .failed(failure) }
            settle()
            tell(.refused(own))
        case .join(let room):
            pages[place(of: room)].isJoining = false
            ledger.mark(.composer)
            if room == openRoom, !pages[place(of: room)].isJoined { open(.lobby) }
            drop(room)
            tell(.failed(failure))
        case .page(let room, _, _):
            let place = place(of: room)
            pages[place].wanted = nil
            if pages[place].log.earlier == .loading {
                pages[place].log.setEarlier(.failed(failure))
            } else {
                tell(.failed(failure))
            }
        // Asked for by the screen itself, and again at the next chance.
        case .listMembers where keepsEntries: break
        default: tell(.failed(failure))
        }
    }
}

// MARK: - Rooms and people

extension ChatScreen {
    private mutating func joined(_ room: RoomName) {
        let place = place(of: room)
        pages[place].isJoined = true
        pages[place].isJoining = false
        ledger.mark(.composer)
        ledger.mark(.rooms)
        ledger.mark(.memory)
        if room == openRoom { askForMembers() } else { tell(.joined(room)) }
    }

    private mutating func left(_ room: RoomName, _ refusal: Refusal?) {
        pages[place(of: room)].isJoined = false
        pages[place(of: room)].isJoining = false
        ledger.mark(.composer)
        if room == openRoom { open(.lobby) }
        drop(room)
        ledger.mark(.rooms)
        tell(.left(room, refusal))
    }

    /// Forgets a room that is not read, unless something of mine is in it.
    private mutating func drop(_ room: RoomName) {
        guard let place = places[room], room != openRoom, room != .lobby, !pages[place].isJoined
        else { return }
        pages[place].log.clear()
        guard pages[place].isIdle else { return }
        dropped += pages[place].takeChanges()
        pages.remove(at: place)
        places = Dictionary(uniqueKeysWithValues: pages.enumerated().map { ($1.name, $0) })
        ledger.mark(.rooms)
        ledger.mark(.memory)
    }

    mutating func askForMembers() {
        guard keepsEntries, case .connected = phase, pages[place(of: openRoom)].isJoined else {
            return
        }
        effects.append(.listMembers(openRoom))
    }

    private mutating func list(_ members: [MemberStatus], of room: RoomName) {
        let place = place(of: room)
        for status in members { meet(status.member.name, status.member.id, isLive: false) }
        pages[place].members = members.map { status in
            person(status.member.id, status.member.name, status.presence, key: status.member.key)
        }
        sortMembers(of: place)
    }

    private mutating func appeared(
        _ member: MemberID,
        _ name: MemberName,
        _ presence: Presence,
        in room: RoomName,
        online: Int
    ) {
        let place = place(of: room)
        meet(name, member, isLive: true)
        if keepsEntries {
            let known = pages[place].members.first { $0.id == member }
            pages[place].members.removeAll { $0.id == member }
            pages[place].members.append(person(member, name, presence, key: known?.key))
            sortMembers(of: place)
        }
        guard room == openRoom, member != me?.id else { return }
        tell(.presence(name, presence, online: online))
    }

    private mutating func meet(_ name: MemberName, _ id: MemberID, isLive: Bool) {
        switch acquaintances.meet(name, id, isLive: isLive) {
        case .old: return
        case .new: break
        case .changed: restyle()
        }
        ledger.mark(.memory)
    }

    private func person(
        _ id: MemberID,
        _ name: MemberName,
        _ presence: Presence,
        key: PublicKey?
    ) -> Person {
        Person(
            id: id,
            name: name,
            presence: presence,
            key: key,
            standing: acquaintances.standing(of: .member(id, name)),
            isMe: id == myID
        )
    }

    private mutating func sortMembers(of place: Int) {
        let rank: [Presence: Int] = [.online: 0, .away: 1, .offline: 2]
        pages[place].members.sort { a, b in
            let ranks = (rank[a.presence] ?? 2, rank[b.presence] ?? 2)
            if ranks.0 != ranks.1 { return ranks.0 < ranks.1 }
            return (a.name.folded, a.id) < (b.name.folded, b.id)
        }
        if pages[place].name == openRoom { ledger.mark(.members) }
    }
}

// MARK: - The link

extension ChatScreen {
    private mutating func become(_ phase: LinkPhase) {
        let before = self.phase
        self.phase = phase
        silentSince = nil
        if case .silent(let time) = phase { silentSince = now.advanced(by: .zero - time) }
        ledger.mark(.link)
        // Whatever is told of the way to the server, an address for it is there.
        lower { if case .unknownHost = $0 { true } else { false } }
        switch phase {
        case .unreachable where before != .unreachable:
            manners.hasTrouble = true
            tell(.unreachable)
        case .connected where manners.hasTrouble:
            manners.hasTrouble = false
            if manners.isWelcome { tell(.connectedAgain) }
        default: break
        }
    }

    private mutating func welcome(_ member: Member, _ server: String) {
        let isNew = me != member
        me = member
        ledger.mark(.memory)
        serverName = server
        phase = .connected
        silentSince = nil
        manners.lastRefusal = nil
        lower { if case .notWelcome = $0 { true } else { false } }
        ledger.mark(.link)
        if isNew {
            restyle()
            meet(member.name, member.id, isLive: false)
        }
        askForMembers()
        defer { manners.isWelcome = true }
        // Every reconnect is a welcome; only the first, and one that changes something, is news.
        if !manners.isWelcome || isNew { tell(.welcome(member, server: server)) }
    }

    /// Who I am has changed: rows may look different.
    private mutating func restyle() {
        for page in pages where page.rowCount > 0 { ledger.mark(.rowsRestyled(page.name)) }
        ledger.mark(.members)
    }

    mutating func tell(_ news: News) { effects.append(.tell(news)) }

    private mutating func raise(_ banner: Banner) {
        lower { $0.rank == banner.rank }
        let place = banners.firstIndex { $0.rank > banner.rank } ?? banners.endIndex
        banners.insert(banner, at: place)
        ledger.mark(.banners)
    }

    mutating func lower(where isOver: (Banner) -> Bool) {
        guard banners.contains(where: isOver) else { return }
        banners.removeAll(where: isOver)
        ledger.mark(.banners)
    }
}

extension ChatScreen.Banner {
    /// The gravest first; there is one of each.
    fileprivate var rank: Int {
        switch self {
        case .stopped: 0
        case .storage: 1
        case .unknownHost: 2
        case .notWelcome: 3
        case .postponed: 4
        case .firstContact: 5
        }
    }
}
