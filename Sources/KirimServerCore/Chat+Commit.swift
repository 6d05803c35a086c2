package import KirimRooms
import KirimTransport
package import KirimWire

// What the journal did, and what follows from it.

extension Chat {
    package mutating func committed(
        _ id: CommitID,
        _ result: Result<[JournalOutcome], JournalError>,
        at now: Instant,
        wall: WallTime
    ) {
        switch result {
        case .success(let outcomes):
            guard let (items, hasRecovered) = ledger.succeeded(id) else { return }
            if hasRecovered { note(.storageWorks) }
            precondition(
                outcomes.count == items.reduce(0) { $0 + $1.writes.count },
                "a journal gives one outcome for each write"
            )
            var start = 0
            for item in items {
                let end = start + item.writes.count
                conclude(item, outcomes[start..<end], at: now, wall: wall)
                start = end
            }
        case .failure(let error):
            let retry = configuration.storageRetry
            guard let (items, isFirst) = ledger.failed(id, retry: retry, at: now) else { return }
            if isFirst { note(.storageFailed(error)) }
            var outboxesHit: [OutboxKey] = []
            for item in items { abandon(item, &outboxesHit, at: now, wall: wall) }
            for key in outboxesHit {
                outboxes[key]?.rewind()
                guard let first = outboxes[key]?.next else { continue }
                postpone(key, from: first, .storageFailed, retry, to: connections(of: key))
                releaseOutbox(key)
            }
        }
    }

    /// The writes of an item are durable.
    private mutating func conclude(
        _ item: Ledger.Item,
        _ outcomes: ArraySlice<JournalOutcome>,
        at now: Instant,
        wall: WallTime
    ) {
        for write in item.writes {
            if case .create(let name) = write, rooms[name] == nil {
                rooms[name] = Room(name)
                roomOrder.append(name)
                creating.remove(name)
            }
        }
        switch item.purpose {
        case .enrol(let member, let greeting): enrolled(member, greeting, at: now, wall: wall)
        case .rename(let connection, let request, let member, let name):
            renamed(member, to: name, except: connection)
            finish(request, on: connection)
        case .adopt(let member, let name, _):
            renamed(member, to: name, except: nil)
        case .join(let connection, let request, let member, let room):
            joined(room, member, asked: connection)
            finish(request, on: connection)
        case .leave(let connection, let request, let member, let room):
            left(room, member, asked: connection)
            finish(request, on: connection)
        case .create(let connection, let request, _):
            finish(request, on: connection)
        case .broadcast(let text): note(.broadcast(text))
        case .post, .old, .plain, .housekeeping: break
        }
        for (write, outcome) in zip(item.writes, outcomes) {
            if case .append(let draft) = write, case .appended(let sequence) = outcome {
                place(Entry(draft, at: sequence))
            }
        }
        guard let write = item.writes.first, let outcome = outcomes.first else { return }
        switch item.purpose {
        case .post(let key, let number, let address):
            decided(key, number, write, outcome, from: address)
        case .old(let key, let number):
            decided(key, number, write, outcome, from: nil)
        case .plain(let address):
            if case .append(let draft) = write { noteSaid(draft, from: address) }
        default: break
        }
    }

    private mutating func decided(
        _ key: OutboxKey,
        _ number: PostNumber,
        _ write: JournalWrite,
        _ outcome: JournalOutcome,
        from address: Address?
    ) {
        let decision: PostDecision
        switch (write, outcome) {
        case (.append(let draft), .appended(let sequence)):
            decision = .accepted(draft.post.room, sequence)
            noteSaid(draft, from: address)
        case (_, .repeated(let earlier)): decision = earlier
        case (.refuse(_, let refusal), _): decision = .refused(refusal)
        default: preconditionFailure("a journal tells where it put an entry")
        }
        outboxes[key]?.decided(number, decision)
        for connection in connections(of: key) {
            decisions[connection, default: [:]][number] = decision
        }
        releaseOutbox(key)
    }

    private mutating func noteSaid(_ draft: EntryDraft, from address: Address?) {
        var name: MemberName?
        if case .member(_, let author) = draft.author { name = author }
        note(
            .said(
                name: name,
                address: address,
                room: draft.post.room,
                kind: draft.post.kind,
                text: draft.post.text
            )
        )
    }

    private mutating func finish(_ request: RequestID, on connection: ConnectionHandle) {
        sessions[connection]?.waiting -= 1
        reply(.done(request), to: connection)
    }

    private mutating func joined(_ name: RoomName, _ member: MemberID, asked: ConnectionHandle) {
        endJoining(name, member)
        guard let resident = directory[member], !resident.rooms.contains(name) else { return }
        directory[member]?.rooms.append(name)
        rooms[name]?.join(member)
        if resident.presence != .offline { rooms[name]?.online += 1 }
        note(.joined(resident.member.name, name))
        for connection in resident.connections where connection != asked {
            reply(.joined(name), to: connection)
        }
        tellPresence(of: member, in: name)
    }

    private mutating func left(_ name: RoomName, _ member: MemberID, asked: ConnectionHandle) {
        directory[member]?.end(.init(room: name, isJoining: false))
        guard let resident = directory[member], resident.rooms.contains(name) else { return }
        endSubscriptions(to: name, of: member)
        directory[member]?.rooms.removeAll { $0 == name }
        rooms[name]?.leave(member)
        if resident.presence != .offline { rooms[name]?.online -= 1 }
        note(.left(resident.member.name, name))
        for connection in resident.connections where connection != asked {
            reply(.removed(name, .notInRoom), to: connection)
        }
    }

    private mutating func renamed(
        _ member: MemberID,
        to name: MemberName,
        except asked: ConnectionHandle?
    ) {
        guard let old = directory.endNaming(member, isKept: true) else { return }
        note(.renamed(from: old, to: name))
        for connection in directory[member]?.connections ?? [] where connection != asked {
            reply(.renamed(name), to: connection)
        }
    }

    /// The writes of an item were not kept, and nothing of it has happened.
    private mutating func abandon(
        _ item: Ledger.Item,
        _ outboxesHit: inout [OutboxKey],
        at now: Instant,
        wall: WallTime
    ) {
        for write in item.writes {
            if case .create(let name) = write { creating.remove(name) }
        }
        switch item.purpose {
        case .post(let key, _, _), .old(let key, _):
            if !outboxesHit.contains(key) { outboxesHit.append(key) }
        case .enrol(let member, let greeting):
            enrolmentFailed(member, greeting, at: now, wall: wall)
        case .rename(let connection, let request, let member, _):
            _ = directory.endNaming(member, isKept: false)
            refuse(request, on: connection)
        case .adopt(let member, _, let greeting):
            _ = directory.endNaming(member, isKept: false)
            reply(.refused(greeting.request, .storageFailed), to: greeting.connection)
        case .join(let connection, let request, let member, let room):
            endJoining(room, member)
            refuse(request, on: connection)
        case .leave(let connection, let request, let member, let room):
            directory[member]?.end(.init(room: room, isJoining: false))
            refuse(request, on: connection)
        case .create(let connection, let request, _):
            refuse(request, on: connection)
        case .broadcast(let text): note(.broadcastFailed(text))
        case .plain(let address):
            // Plain text has no answer to give; the operator reads it at least.
            if case .append(let draft)? = item.writes.first { noteSaid(draft, from: address) }
        case .housekeeping:
            // What is in force already, bans and used invitations, must outlast a restart too; a notice
            // need not come late.
            ledger.keepTrying(
                item.writes.filter { if case .append = $0 { false } else { true } }
            )
        }
    }

    private mutating func refuse(_ request: RequestID, on connection: ConnectionHandle) {
        sessions[connection]?.waiting -= 1
        reply(.refused(request, .storageFailed), to: connection)
    }
}
