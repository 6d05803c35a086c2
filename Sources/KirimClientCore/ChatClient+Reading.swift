import KirimRooms
import KirimTransport
package import KirimWire

// Rooms: subscriptions, entries, and what the faces are told of them.
extension ChatClient {
    /// Asks for the room's entries, if nothing speaks against it.
    mutating func read(_ index: Int, at now: Instant) {
        guard session?.isReady == true, case .idle(let until) = readers[index].stage else { return }
        if let until, until > now { return }
        guard roomsToAsk > 0 else { return }
        let room = readers[index].name
        guard readers[index].isMember else {
            readers[index].check()
            storage.toLookUp.rejoining.append(room)
            return
        }
        // Too much waits for the face or the journal: the cursor stays, the server keeps the rest.
        guard !isReadingPaused, !readers[index].isFull else { return }
        guard let stream = session?.takeStream(for: .room(room)) else { return }
        let start = readers[index].ask(on: stream, newest: configuration.history, at: now)
        _ = say(
            .subscribe(stream: stream, room: room, start: start, until: nil),
            for: .subscribe(room, stream: stream)
        )
    }

    /// How many more rooms may be asked about now. Who is in hundreds of them asks by and by: servers bound what
    /// they keep of requests.
    private var roomsToAsk: Int {
        guard let session else { return 0 }
        // Nothing has to be counted where there are so few.
        if readers.count < Session.roomsAskedLimit { return Session.roomsAskedLimit }
        let checking = readers.count { $0.stage == .checking }
        return Session.roomsAskedLimit - session.roomsAsked - checking
    }

    /// All rooms of which nothing is asked yet, and no more than may be asked about.
    mutating func readAll(at now: Instant) {
        var left = roomsToAsk
        for index in readers.indices where left > 0 && readers[index].isIdle {
            read(index, at: now)
            if !readers[index].isIdle { left -= 1 }
        }
    }

    /// An answer about a room came: the next ones may be asked for.
    mutating func readOn(at now: Instant) {
        if readers.count > Session.roomsAskedLimit { readAll(at: now) }
    }

    /// Becomes a member of a room again, unless another face has left it meanwhile: what one face leaves
    /// is not to come back through another.
    mutating func rejoin(_ room: RoomName, isWanted: Bool) {
        guard let index = index(of: room), readers[index].stage == .checking else { return }
        guard isWanted else {
            leave(index, nil)
            return
        }
        readers[index].join()
        _ = say(.join(room), for: .rejoin(room))
    }

    /// The face cannot follow: it costs the server a cursor, and us no queue.
    package mutating func pauseReading() {
        guard !isReadingPaused else { return }
        isReadingPaused = true
        for index in readers.indices {
            guard let stream = readers[index].stream else { continue }
            abandon(stream)
            readers[index].pause()
        }
    }

    /// The face has caught up.
    package mutating func resumeReading(at now: Instant) {
        guard isReadingPaused else { return }
        isReadingPaused = false
        readAll(at: now)
    }

    /// Wants no more of the stream.
    mutating func abandon(_ stream: UInt64) {
        guard session?.streams.removeValue(forKey: stream) != nil else { return }
        _ = say(.unsubscribe(stream: stream), for: .nothing)
    }

    mutating func subscribed(
        _ purpose: Session.Purpose,
        stream: UInt64,
        first: SequenceNumber,
        last: SequenceNumber,
        at now: Instant
    ) {
        guard case .subscribe(let room, stream) = purpose, let index = index(of: room),
            readers[index].stream == stream
        else {
            if case .wish(let ticket) = purpose { pageBegins(ticket, last: last, at: now) }
            return
        }
        switch readers[index].subscribed(first: first, last: last, at: now) {
        case .setBack:
            abandon(stream)
            beginPagesAnew(of: room)
            store(.forget(room, beyond: last), .forget(room))
            tell(.setBack(room))
            read(index, at: now)
        case .going(let arrival): told(arrival, index, stream: stream, at: now)
        }
    }

    mutating func receiveEntry(
        _ bytes: [UInt8],
        number: UInt64,
        stream: UInt64,
        at now: Instant
    ) {
        guard let use = session?.streams[stream], number > 0 else {
            countStray()
            return
        }
        let sequence = SequenceNumber(rawValue: number)
        switch use {
        case .room(let room):
            guard let index = index(of: room), readers[index].stream == stream else {
                countStray()
                return
            }
            let entry: Entry
            do {
                entry = try Entry(parsing: bytes, room: room, sequence: sequence)
            } catch {
                // Of a later version: shown as what it is, so that the log has no gap.
                countMalformed()
                readers[index].stopStoring()
                entry = Entry(unreadable: sequence, in: room)
            }
            let arrival = readers[index].receive(entry, at: now)
            told(arrival, index, stream: stream, at: now)
        case .page(let ticket):
            guard let room = roomOfPage(ticket) else { return }
            let entry =
                (try? Entry(parsing: bytes, room: room, sequence: sequence))
                ?? Entry(unreadable: sequence, in: room)
            pageArrived(entry, ticket, at: now)
        }
    }

    /// Passes on what came of an entry or a subscription.
    ///
    /// The face is told at once, and the journal behind it: should the process end in between, the next one
    /// starts at the journal's cursor, and its face has not seen these entries. So neither face
    /// misses one or sees one twice, and nobody waits for a disk to read a line.
    private mutating func told(
        _ arrival: RoomReader.Arrival,
        _ index: Int,
        stream: UInt64,
        at now: Instant
    ) {
        switch arrival {
        case .ignored: break
        case .overflow:
            abandon(stream)
            readers[index].pause()
            read(index, at: now)
        case .told(let entries, let caughtUp):
            for entry in entries { tell(.entry(entry, mine: mine(entry) ?? recognise(entry))) }
            if caughtUp { tell(.caughtUp(readers[index].name)) }
            if readers[index].isFull {
                abandon(stream)
                readers[index].pause()
            }
            if caughtUp { advanceWishes(at: now) }
        }
    }

    private func mine(_ entry: Entry) -> LocalPostID? {
        guard let id = entry.id, id.outbox == server.outbox, id.member == me?.id else { return nil }
        return outbox.identify(id.number)
    }

    /// A post that was never offered from here, and is in the log: another copy of our journal has sent it.
    private mutating func recognise(_ entry: Entry) -> LocalPostID? {
        guard let id = entry.id, id.outbox == server.outbox, id.member == me?.id,
            outbox.post(id.number)?.post == entry.post, let post = outbox.decide(id.number)
        else { return nil }
        let decision = PostDecision.accepted(entry.room, entry.sequence)
        storage.toKeep.append(Storage.Kept(post: post, decision: decision))
        return post.id
    }

    /// Reads a room that was joined a moment ago, once the journal has said what it holds of it.
    mutating func startReading(_ room: RoomName, at now: Instant) {
        store(.addRoom(room), .write)
        if let index = index(of: room) {
            guard !readers[index].isMember else { return }
            readers[index].isMember = true
            readers[index].pause()
            read(index, at: now)
            offerPosts()
            return
        }
        readers.append(RoomReader(joined: room, patience: configuration.gapPatience))
        store(.span(room), .span(room))
        tell(.joined(room))
    }

    /// Becomes a member of a room that is wanted, and reads it, as soon as the server can be asked.
    mutating func follow(_ room: RoomName) {
        guard index(of: room) == nil else { return }
        readers.append(RoomReader(wished: room, patience: configuration.gapPatience))
        store(.span(room), .span(room))
        tell(.joined(room))
    }

    /// Posts may be for rooms that another face has joined meanwhile.
    mutating func askAboutRooms(of rows: [OutboxRow]) {
        var asked: [RoomName] = []
        for row in rows where row.decision == nil && index(of: row.post.room) == nil {
            if !unclear.contains(row.post.room), !asked.contains(row.post.room) {
                asked.append(row.post.room)
            }
        }
        guard !asked.isEmpty else { return }
        unclear += asked
        storage.toLookUp.clearing += asked
    }

    /// Another face of ours may have joined rooms: the journal knows. Asked now and once more a little later, as that
    /// face may have heard of it first and written it down last.
    mutating func lookForRooms(at now: Instant) {
        lookAgain = now.advanced(by: configuration.storeRetry)
        storage.toLookUp.isForAll = true
    }

    /// The journal has told which rooms all faces together want to read.
    mutating func lookedUp(_ lookUp: Storage.RoomLookUp, wanted: [RoomName]) {
        let rooms = Set(wanted)
        for room in lookUp.rejoining {
            rejoin(room, isWanted: room == .lobby || rooms.contains(room))
        }
        guard !storage.hasLeftRoom else {
            // It may be among these, as the journal was asked before.
            storage.toLookUp.clearing += lookUp.clearing
            storage.toLookUp.isForAll = storage.toLookUp.isForAll || lookUp.isForAll
            return
        }
        for room in lookUp.clearing where rooms.contains(room) { follow(room) }
        if lookUp.isForAll { for room in wanted { follow(room) } }
        cleared(lookUp.clearing)
    }

    /// The journal could not tell: what was in doubt is left to the server.
    mutating func notLookedUp(_ lookUp: Storage.RoomLookUp) {
        for room in lookUp.rejoining { rejoin(room, isWanted: true) }
        cleared(lookUp.clearing)
    }

    private mutating func cleared(_ asked: [RoomName]) {
        guard !asked.isEmpty else { return }
        unclear.removeAll { asked.contains($0) }
        offerPosts()
    }

    /// No face reads the room any more.
    mutating func forget(_ room: RoomName) {
        storage.hasLeftRoom = true
        store(.removeRoom(room), .write)
    }

    /// Reads the room no more.
    mutating func leave(_ index: Int, _ refusal: Refusal?) {
        let reader = readers.remove(at: index)
        if let stream = reader.stream { abandon(stream) }
        forget(reader.name)
        abandonPages(of: reader.name, refusal ?? .notInRoom)
        tell(.left(reader.name, refusal))
        // What is refused for ever is: posts to the room come back with the reason.
        offerPosts()
    }
}

extension Entry {
    /// Stands for an entry that this version cannot read.
    init(unreadable sequence: SequenceNumber, in room: RoomName) {
        let post = Post(
            room: room,
            kind: .notice,
            authored: WallTime(milliseconds: 0),
            text: "(a message that this version cannot show)"
        )
        self.init(
            sequence: sequence,
            post: post,
            author: .server,
            id: nil,
            received: post.authored
        )
    }
}
