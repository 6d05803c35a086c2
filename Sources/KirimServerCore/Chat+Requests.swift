import KirimRooms
import KirimTransport
import KirimWire

// What clients ask on the control stream.

extension Chat {
    /// Requests of one connection whose commit is under way at once.
    static let waitingLimit = 64

    mutating func receiveRequest(
        _ number: UInt64,
        _ bytes: [UInt8],
        from connection: ConnectionHandle,
        at now: Instant,
        wall: WallTime
    ) {
        switch sessions[connection]?.requests.insert(number, bytes) {
        case .taken: break
        case .repeated, nil: return
        case .violation: return close(connection, .violation, "A request came far too early.")
        }
        takeRequests(of: connection, at: now, wall: wall)
    }

    /// Answers what is there in order; what stands behind a hello that is being looked up waits for it.
    mutating func takeRequests(
        of connection: ConnectionHandle,
        at now: Instant,
        wall: WallTime
    ) {
        while sessions[connection]?.isAnswered == true,
            let (id, bytes) = sessions[connection]?.requests.take()
        {
            guard sessions[connection]?.pace.admits(at: now) == true,
                sessions[connection]?.waiting ?? 0 < Self.waitingLimit
            else {
                reply(.refused(id, .tooManyRequests), to: connection)
                continue
            }
            guard let request = try? Request(parsing: bytes) else {
                reply(.refused(id, .malformed), to: connection)
                continue
            }
            answer(request, id, from: connection, at: now, wall: wall)
        }
    }

    private mutating func answer(
        _ request: Request,
        _ id: RequestID,
        from connection: ConnectionHandle,
        at now: Instant,
        wall: WallTime
    ) {
        if case .hello(let name, let outbox, _) = request {
            let greeting = Greeting(connection: connection, request: id, outbox: outbox, name: name)
            return greet(greeting, at: now, wall: wall)
        }
        guard let member = sessions[connection]?.member else {
            return reply(.refused(id, .notAllowed), to: connection)
        }
        switch request {
        case .hello: break
        case .join(let room):
            join(room, member, connection, id, at: now, wall: wall)
        case .leave(let room):
            leave(room, member, connection, id, at: now, wall: wall)
        case .create(let room):
            create(room, connection, id, at: now)
        case .listRooms: listRooms(id, for: connection)
        case .listMembers(let room): listMembers(of: room, id, for: connection, at: now)
        case .subscribe(let stream, let room, let start, let until):
            subscribe(stream, to: room, start, until, member, connection, id)
        case .unsubscribe(let stream):
            endSubscription(stream, of: connection)
            reply(.done(id), to: connection)
        case .rename(let name):
            rename(member, to: name, connection, id, at: now, wall: wall)
        }
    }

    /// Adds writes for a request, unless the journal is left alone just now.
    private mutating func keep(
        _ writes: [JournalWrite],
        _ purpose: Ledger.Purpose,
        for id: RequestID,
        of connection: ConnectionHandle,
        at now: Instant
    ) -> Bool {
        guard ledger.pause(at: now) == nil else {
            reply(.refused(id, .storageFailed), to: connection)
            return false
        }
        guard !hasMuchToKeep else {
            reply(.refused(id, .tooManyRequests), to: connection)
            return false
        }
        sessions[connection]?.waiting += 1
        ledger.add(writes, purpose)
        return true
    }

    /// Who joins a room or leaves it, where not too many would hear of it.
    func announcement(_ notice: Notice, in name: RoomName, wall: WallTime) -> [JournalWrite] {
        let audience = rooms[name]?.readers.count ?? 0
        guard audience <= configuration.noticeAudience else { return [] }
        return [Self.notice(notice, in: name, wall: wall)]
    }

    static func notice(_ notice: Notice, in room: RoomName, wall: WallTime) -> JournalWrite {
        let post = Post(room: room, kind: .notice, authored: wall, text: notice.text)
        return .append(EntryDraft(post: post, author: .server, id: nil, received: wall))
    }

    // MARK: - Rooms

    private mutating func join(
        _ name: RoomName,
        _ member: MemberID,
        _ connection: ConnectionHandle,
        _ id: RequestID,
        at now: Instant,
        wall: WallTime
    ) {
        guard let resident = directory[member] else { return }
        let isIn = resident.willBe(in: name)
        if isIn, !resident.isChanging(name) { return reply(.done(id), to: connection) }
        var writes: [JournalWrite] = []
        guard rooms[name] != nil || mayCreate(name) else {
            return reply(.refused(id, .tooManyRooms), to: connection)
        }
        guard isIn || mayJoin(name, member) else {
            return reply(.refused(id, .tooManyMembers), to: connection)
        }
        if rooms[name] == nil { writes.append(.create(name)) }
        writes.append(.join(name, member))
        // Two faces may ask at once: the second only waits for the first one's commit.
        if !isIn {
            writes += announcement(.joined(resident.member.name, name), in: name, wall: wall)
        }
        if keep(writes, .join(connection, id, member, name), for: id, of: connection, at: now) {
            directory[member]?.begin(.init(room: name, isJoining: true))
            joining[name, default: []].insert(member)
            if rooms[name] == nil { creating.insert(name) }
        }
    }

    private mutating func leave(
        _ name: RoomName,
        _ member: MemberID,
        _ connection: ConnectionHandle,
        _ id: RequestID,
        at now: Instant,
        wall: WallTime
    ) {
        guard name != .lobby else { return reply(.refused(id, .notAllowed), to: connection) }
        guard let resident = directory[member] else { return }
        let isIn = resident.willBe(in: name)
        guard isIn || resident.isChanging(name) else { return reply(.done(id), to: connection) }
        var writes: [JournalWrite] = [.leave(name, member)]
        if isIn {
            writes += announcement(.left(resident.member.name, name), in: name, wall: wall)
        }
        if keep(writes, .leave(connection, id, member, name), for: id, of: connection, at: now) {
            directory[member]?.begin(.init(room: name, isJoining: false))
        }
    }

    private mutating func create(
        _ name: RoomName,
        _ connection: ConnectionHandle,
        _ id: RequestID,
        at now: Instant
    ) {
        if rooms[name] != nil { return reply(.done(id), to: connection) }
        guard mayCreate(name) else { return reply(.refused(id, .tooManyRooms), to: connection) }
        if keep([.create(name)], .create(connection, id, name), for: id, of: connection, at: now) {
            creating.insert(name)
        }
    }

    /// Whoever is about to join has a place already.
    private func mayJoin(_ name: RoomName, _ member: MemberID) -> Bool {
        let room = rooms[name]
        let taken = (room?.members.count ?? 0) + (joining[name]?.count ?? 0)
        return room?.has(member) == true || taken < configuration.limits.roomMembers
    }

    /// A joining is committed, or has failed.
    mutating func endJoining(_ name: RoomName, _ member: MemberID) {
        directory[member]?.end(.init(room: name, isJoining: true))
        joining[name]?.remove(member)
        if joining[name]?.isEmpty == true { joining[name] = nil }
    }

    private func mayCreate(_ name: RoomName) -> Bool {
        creating.contains(name) || rooms.count + creating.count < configuration.limits.rooms
    }

    var roomSummaries: [RoomSummary] {
        roomOrder.compactMap { rooms[$0] }
            .map { RoomSummary(name: $0.name, members: $0.members.count, last: $0.last) }
    }

    private mutating func listRooms(_ id: RequestID, for connection: ConnectionHandle) {
        guard mayList(for: connection, id) else { return }
        list(roomSummaries, for: connection, id) {
            .roomsPart(id, $0)
        } last: {
            .rooms(id, $0)
        }
    }

    private mutating func listMembers(
        of name: RoomName,
        _ id: RequestID,
        for connection: ConnectionHandle,
        at now: Instant
    ) {
        guard let room = rooms[name] else {
            return reply(.refused(id, .noSuchRoom), to: connection)
        }
        guard mayList(for: connection, id) else { return }
        // A pass over a huge room is the work of many requests.
        let work = room.members.count / Self.membersPerRequest
        sessions[connection]?.pace.charge(work, at: now)
        // Whoever is here comes first.
        var (here, gone): ([MemberStatus], [MemberStatus]) = ([], [])
        for member in room.members {
            guard let resident = directory[member] else { continue }
            let status = MemberStatus(member: resident.member, presence: resident.presence)
            if resident.presence != .offline {
                here.append(status)
            } else if gone.count < Reply.memberListLimit {
                gone.append(status)
            }
            if here.count == Reply.memberListLimit { break }
        }
        let all = Array((here + gone).prefix(Reply.memberListLimit))
        list(all, for: connection, id) {
            .membersPart(id, name, $0)
        } last: {
            .members(id, name, $0)
        }
    }

    /// Members that are looked at for the price of one request.
    private static var membersPerRequest: Int { 1_000 }

    /// A long list is not worth a connection: whoever has many replies unread is asked to wait.
    private mutating func mayList(for connection: ConnectionHandle, _ id: RequestID) -> Bool {
        let unread = sessions[connection]?.replies.byteCount ?? 0
        if unread < configuration.replyBytes / 4 { return true }
        reply(.refused(id, .tooManyRequests), to: connection)
        return false
    }

    private mutating func list<T>(
        _ all: [T],
        for connection: ConnectionHandle,
        _ id: RequestID,
        part: ([T]) -> Reply,
        last: ([T]) -> Reply
    ) {
        var start = 0
        while all.count - start > Reply.listPart {
            reply(part(Array(all[start..<start + Reply.listPart])), to: connection)
            start += Reply.listPart
        }
        reply(last(Array(all[start...])), to: connection)
    }

    // MARK: - Subscriptions

    /// Subscriptions of one connection to one room: what is new, and pages of older entries. Each is a reader that
    /// every entry of the room is offered to.
    private static var streamsPerRoom: Int { 32 }

    private mutating func subscribe(
        _ stream: UInt64,
        to name: RoomName,
        _ start: SubscriptionStart,
        _ until: SequenceNumber?,
        _ member: MemberID,
        _ connection: ConnectionHandle,
        _ id: RequestID
    ) {
        guard let room = rooms[name] else {
            return reply(.refused(id, .noSuchRoom), to: connection)
        }
        guard room.has(member) else { return reply(.refused(id, .notInRoom), to: connection) }
        guard stream >= ChatStream.firstSubscription else {
            return reply(.refused(id, .malformed), to: connection)
        }
        endSubscription(stream, of: connection)
        let streams = sessions[connection]?.streams ?? Session.Subscriptions()
        guard streams.count < configuration.limits.subscriptions,
            streams.count < Self.streamsPerRoom
                || streams.count(where: { $0.room.name == name }) < Self.streamsPerRoom
        else { return reply(.refused(id, .tooManyRequests), to: connection) }
        let first: UInt64
        switch start {
        case .after(let sequence): first = min(sequence.rawValue, room.last.rawValue) + 1
        case .last(let count): first = room.last.rawValue - min(count, room.last.rawValue) + 1
        }
        reply(
            .subscribed(
                id,
                stream: stream,
                room: name,
                first: SequenceNumber(rawValue: first),
                last: room.last
            ),
            to: connection
        )
        if let until, until.rawValue < first { return }
        sessions[connection]?.streams.insert(.init(stream: stream, room: room, until: until))
        room.readers.insert(.init(connection: connection, stream: stream, until: until))
        effects.append(.open(stream, at: first, connection))
        let end = min(room.last, until ?? room.last).next
        if end.rawValue > first { effects.append(.offer(upTo: end.rawValue, stream, connection)) }
    }

    /// Ends a subscription that had an end and has reached it.
    mutating func finishSubscription(
        _ stream: UInt64,
        read below: UInt64,
        of connection: ConnectionHandle
    ) {
        guard let until = sessions[connection]?.streams[stream: stream]?.until,
            below > until.rawValue
        else { return }
        endSubscription(stream, of: connection)
    }

    mutating func endSubscription(_ stream: UInt64, of connection: ConnectionHandle) {
        guard let ended = sessions[connection]?.streams.remove(stream) else { return }
        ended.room.readers.remove(stream, of: connection)
        shelf.forget(connection, stream: stream)
        effects.append(.drop(stream, connection))
    }

    /// Ends what a member reads of a room that it is no longer in.
    mutating func endSubscriptions(to room: RoomName, of member: MemberID) {
        for connection in directory[member]?.connections ?? [] {
            let streams = sessions[connection]?.streams ?? Session.Subscriptions()
            for subscription in streams where subscription.room.name == room {
                endSubscription(subscription.stream, of: connection)
            }
        }
    }

    // MARK: - Names

    private mutating func rename(
        _ member: MemberID,
        to name: MemberName,
        _ connection: ConnectionHandle,
        _ id: RequestID,
        at now: Instant,
        wall: WallTime
    ) {
        guard let old = directory[member]?.member.name else { return }
        guard directory[member]?.naming == nil else {
            return reply(.refused(id, .tooManyRequests), to: connection)
        }
        if old.text == name.text { return reply(.done(id), to: connection) }
        guard name.isAllowed else { return reply(.refused(id, .nameNotAllowed), to: connection) }
        let isMine = old.folded == name.folded
        guard isMine || directory.isFree(name) else {
            return reply(.refused(id, .nameTaken), to: connection)
        }
        let writes = renaming(member, from: old, to: name, wall: wall)
        if keep(writes, .rename(connection, id, member, name), for: id, of: connection, at: now) {
            directory.beginNaming(member, name)
        }
    }

    func renaming(
        _ member: MemberID,
        from old: MemberName,
        to name: MemberName,
        wall: WallTime
    ) -> [JournalWrite] {
        let told = (directory[member]?.rooms ?? []).prefix(Self.roomsTold)
        return [.rename(member, name)]
            + told.map { Self.notice(.renamed(from: old, to: name), in: $0, wall: wall) }
    }

    /// Rooms in which a new name is announced: more would make one request a flood.
    private static var roomsTold: Int { 64 }
}
