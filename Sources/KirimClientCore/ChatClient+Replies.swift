import KirimRooms
import KirimTransport
import KirimWire

// The control stream: hello and welcome, and what the server answers and tells.
extension ChatClient {
    /// The first words on a connection.
    mutating func greet() {
        session?.stage = .greeted
        open(stream: ChatStream.control, at: 0)
        // A name in a hello is a wish. Once the server has us, it knows our name better: another face
        // may have changed it while we were away.
        let name = me == nil || isNameWished ? server.name : nil
        let hello = Request.hello(name: name, outbox: server.outbox, agent: configuration.agent)
        if let id = say(hello, for: .hello), let name { session?.wish = (id, name) }
    }

    /// Asks the server; `nil` without a connection, or where it has left too much unread: then a new one
    /// is made.
    mutating func say(_ request: Request, for purpose: Session.Purpose) -> RequestID? {
        if session?.hasAskedTooMuch == true {
            reconnect()
            return nil
        }
        guard let id = session?.ask(request, for: purpose), let end = session?.control.end else {
            return nil
        }
        offer(upTo: end, on: ChatStream.control)
        return id
    }

    mutating func take(_ reply: Reply, number: UInt64, at now: Instant) {
        switch reply {
        case .welcome(let id, let member, let nextPost, let name, let limits):
            guard session?.asked.removeValue(forKey: id) == .hello else { return }
            welcome(member, nextPost: nextPost, server: name, limits: limits, at: now)
        case .done(let id):
            guard let purpose = session?.asked.removeValue(forKey: id) else { return }
            done(purpose, at: now)
            readOn(at: now)
        case .refused(let id, let refusal):
            if let purpose = session?.asked.removeValue(forKey: id) {
                refused(purpose, refusal, at: now)
                readOn(at: now)
            } else if let wish = session?.wish, wish.hello == id {
                // Behind the welcome: let in, by another name.
                session?.wish = nil
                nameRefused(wish.name, refusal)
            }
        case .roomsPart(let id, let rooms): collect(rooms, for: id)
        case .rooms(let id, let rooms):
            collect(rooms, for: id)
            if let wish = finishWish(asked: id) { answer(wish, .rooms(wish.rooms)) }
            advanceWishes(at: now)
        case .membersPart(let id, _, let members): collect(members, for: id)
        case .members(let id, let room, let members):
            collect(members, for: id)
            if let wish = finishWish(asked: id) { answer(wish, .members(room, wish.members)) }
            advanceWishes(at: now)
        case .subscribed(let id, let stream, _, let first, let last):
            guard let purpose = session?.asked.removeValue(forKey: id) else { return }
            subscribed(purpose, stream: stream, first: first, last: last, at: now)
            readOn(at: now)
            if case .wish = purpose { advanceWishes(at: now) }
        case .decided(let decisions): decided(decisions, at: now)
        case .postponed(_, let refusal, let milliseconds):
            postponed(refusal, milliseconds: milliseconds, at: now)
        case .renamed(let name): renamed(name)
        case .removed(let room, let refusal):
            // Not there any more, without another reason: we left it ourselves, through another face.
            if let index = index(of: room) { leave(index, refusal == .notInRoom ? nil : refusal) }
        case .joined(let room): if index(of: room) == nil { lookForRooms(at: now) }
        }
    }

    private mutating func welcome(
        _ member: Member,
        nextPost: PostNumber,
        server name: String,
        limits: WireLimits,
        at now: Instant
    ) {
        let oldName = me?.name
        me = member
        isNameWished = false
        self.limits = limits
        if server.name != member.name {
            server.name = member.name
            storage.name = member.name
        }
        tell(.welcomed(member, server: name))
        if let oldName, oldName != member.name { tell(.renamed(member.name)) }
        if nextPost < outbox.nextNumber {
            // The server has forgotten posts: it would wait for them for ever.
            if !renewOutbox() { getReady(.ready, at: now) }
        } else if nextPost > outbox.afterOffered || nextPost > outbox.afterLast {
            // Another face of ours may have sent them; the journal knows.
            session?.stage = .checking(nextPost, isAnswered: false)
            storage.wantsOffered = true
        } else {
            getReady(.ready, at: now)
        }
    }

    /// The journal has told how far all faces together have offered the outbox.
    mutating func offered(upTo number: PostNumber?, at now: Instant) {
        outbox.offered(upTo: number)
        guard case .checking(let nextPost, _)? = session?.stage else { return }
        session?.stage = .checking(nextPost, isAnswered: true)
        checkOutbox(at: now)
    }

    /// Judges by what the journal has told, once all posts are here that it speaks of.
    mutating func checkOutbox(at now: Instant) {
        guard case .checking(let nextPost, isAnswered: true)? = session?.stage else { return }
        if outbox.afterLast < outbox.afterOffered {
            storage.wantsRows = true
        } else {
            getReady(nextPost > outbox.afterOffered ? .outdated(nextPost) : .ready, at: now)
        }
    }

    /// Leaves an outbox that is older than what the server has of it, once it is known which of its posts
    /// the server has: those that were offered are decided, and what another copy of the journal has sent of
    /// the others was read where it is.
    mutating func leaveOutdated() {
        guard case .outdated(let end)? = session?.stage else { return }
        if let first = firstQueued, outbox.isOffered(first.number) { return }
        let isReading = readers.contains { reader in
            !reader.isCaughtUp && outbox.hasPosts(in: reader.name, below: end)
        }
        if isReading, !isReadingPaused { return }
        _ = renewOutbox()
    }

    /// Another outbox, and then another connection, on which it is spoken of. Not for ever: a server that
    /// never agrees about numbers will not agree the next time either.
    private mutating func renewOutbox() -> Bool {
        guard let id = outboxIDs.popLast() else { return false }
        session?.stage = .opened
        storage.renewing = id
        return true
    }

    /// Everything that waited for the welcome.
    private mutating func getReady(_ stage: Session.Stage, at now: Instant) {
        session?.stage = stage
        offerPosts()
        readAll(at: now)
        storage.toLookUp.isForAll = true
        advanceWishes(at: now)
        presence.tell(presence.presence, at: now)
        if presence.isDue(at: now) { tellPresence() }
    }

    mutating func tellPresence() {
        guard session?.isReady == true else { return }
        send(Signal.presence(presence.presence))
    }

    private mutating func done(_ purpose: Session.Purpose, at now: Instant) {
        switch purpose {
        case .rejoin(let room):
            guard let index = index(of: room), readers[index].stage == .joining else { return }
            readers[index].isMember = true
            readers[index].pause()
            read(index, at: now)
            offerPosts()
        case .wish(let ticket): granted(ticket, at: now)
        case .hello, .subscribe, .nothing: break
        }
    }

    private mutating func refused(
        _ purpose: Session.Purpose,
        _ refusal: Refusal,
        at now: Instant
    ) {
        let again = now.advanced(by: configuration.askAgain)
        switch purpose {
        case .hello:
            session?.stage = .refused(until: again)
            tell(.notWelcome(refusal))
        case .rejoin(let room):
            guard let index = index(of: room), readers[index].stage == .joining else { return }
            if refusal.isTransient {
                readers[index].pause(until: again)
            } else {
                leave(index, refusal)
            }
        case .subscribe(let room, let stream):
            session?.streams[stream] = nil
            guard let index = index(of: room), readers[index].stream == stream else { return }
            if refusal.isTransient {
                readers[index].pause(until: again)
            } else if refusal == .notInRoom, readers[index].isMember {
                // Another face has left it, which the journal knows; or the server has forgotten that we
                // joined (it was set back): once more, and no more.
                readers[index].isMember = false
                readers[index].pause()
                read(index, at: now)
            } else {
                leave(index, refusal)
            }
        case .wish(let ticket):
            if let wish = finishWish(ticket) { answer(wish, .refused(refusal)) }
            advanceWishes(at: now)
        case .nothing: break
        }
    }

    private mutating func nameRefused(_ name: MemberName, _ refusal: Refusal) {
        // Who waits for it hears it there.
        let waiting = wishes.first { $0.request == .rename(name) }
        if let wish = waiting.flatMap({ finishWish($0.ticket) }) {
            answer(wish, .refused(refusal))
        } else {
            tell(.nameRefused(name, refusal))
        }
    }

    mutating func renamed(_ name: MemberName) {
        guard me?.name != name else { return }
        me?.name = name
        server.name = name
        storage.name = name
        tell(.renamed(name))
    }
}
