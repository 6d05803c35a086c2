package import KirimRooms
import KirimTransport
package import KirimWire

// From a post to a draft: order, rights, rate.

extension Chat {
    mutating func receivePost(
        _ number: PostNumber,
        _ bytes: [UInt8],
        from connection: ConnectionHandle,
        at now: Instant,
        wall: WallTime
    ) {
        guard let session = sessions[connection] else { return }
        guard let key = session.outbox else {
            let fits = sessions[connection]?.early.append(
                number,
                bytes,
                limits: configuration.limits
            )
            if fits == false { close(connection, .violation, "Too many posts before the welcome.") }
            return
        }
        guard number >= .first, outboxes[key] != nil else { return }
        if let pause = ledger.pause(at: now) {
            return postpone(key, from: number, .storageFailed, pause, to: [connection])
        }
        if hasMuchToKeep {
            return postpone(key, from: number, .tooFast, Self.journalWait, to: [connection])
        }
        switch outboxes[key]?.insert(number, bytes, limits: configuration.limits) {
        case .held: gather(key, from: session.address, at: now, wall: wall)
        case .decided(let decision): decisions[connection, default: [:]][number] = decision
        case .old:
            if let wait = directory[key.member]?.posts.take(at: now) {
                return postpone(key, from: number, .tooFast, wait, to: [connection])
            }
            // Whatever was decided stands; a refusal is what a number without a decision would get.
            let id = PostID(member: key.member, outbox: key.outbox, number: number)
            ledger.add([.refuse(id, .malformed)], .old(key, number))
        case .known, nil: break
        case .tooMany:
            postpone(key, from: number, .tooManyRequests, .milliseconds(200), to: [connection])
        }
    }

    /// Takes posts of one outbox, in the order of their numbers, as far as they are here.
    mutating func gather(_ key: OutboxKey, from address: Address?, at now: Instant, wall: WallTime)
    {
        while let outbox = outboxes[key], let bytes = outbox.first {
            let number = outbox.next
            guard !hasMuchToKeep else {
                outboxes[key]?.rewindHeld()
                return postpone(
                    key,
                    from: number,
                    .tooFast,
                    Self.journalWait,
                    to: connections(of: key)
                )
            }
            let id = PostID(member: key.member, outbox: key.outbox, number: number)
            let verdict = examine(bytes, key, outbox.found)
            if case .unknown(let room, let sequence) = verdict {
                outboxes[key]?.isChecking = true
                return shelf.want(sequence.rawValue, in: room, for: .outbox(key))
            }
            // A refusal is written too, and costs what a post costs.
            if let wait = directory[key.member]?.posts.take(at: now) {
                if wait <= Self.shortWait { return hold(key, until: now.advanced(by: wait)) }
                outboxes[key]?.rewindHeld()
                return postpone(key, from: number, .tooFast, wait, to: connections(of: key))
            }
            switch verdict {
            case .fine(let post):
                guard let name = directory[key.member]?.member.name else { return }
                let draft = EntryDraft(
                    post: post,
                    author: .member(key.member, name),
                    id: id,
                    received: wall
                )
                ledger.add([.append(draft)], .post(key, number, from: address))
            case .never(let refusal):
                ledger.add([.refuse(id, refusal)], .post(key, number, from: address))
            case .unknown: return
            }
            outboxes[key]?.advance()
        }
    }

    /// Whether so much waits for the journal already that nothing more is taken.
    var hasMuchToKeep: Bool { ledger.gatheredBytes > configuration.gatheredBytes }

    /// How long posts are put off for that: a commit's time, as a rule.
    private static var journalWait: Duration { .milliseconds(500) }

    /// A wait that the posts spend here, where they are: asking for them again would cost more.
    private static var shortWait: Duration { .milliseconds(250) }

    private mutating func hold(_ key: OutboxKey, until due: Instant) {
        if !throttled.contains(where: { $0.outbox == key }) { throttled.append((key, due)) }
    }

    /// Takes the posts of members that were too fast and have waited. An outbox is told of nothing: its
    /// author's window stands still meanwhile.
    package mutating func takeThrottled(at now: Instant, wall: WallTime) {
        let due = throttled.filter { $0.until <= now }
        guard !due.isEmpty else { return }
        throttled.removeAll { $0.until <= now }
        for (key, _) in due { gather(key, from: nil, at: now, wall: wall) }
    }

    private enum Verdict {
        case fine(Post)
        case never(Refusal)
        /// Whose entry this is must be read from the journal first.
        case unknown(RoomName, SequenceNumber)
    }

    private func examine(_ bytes: [UInt8], _ key: OutboxKey, _ found: Outbox.Found?) -> Verdict {
        guard let post = try? Post(parsing: bytes) else { return .never(.malformed) }
        guard post.kind.isForMembers else { return .never(.notAllowed) }
        guard post.text.utf8.count <= configuration.limits.messageBytes else {
            return .never(.messageTooLong)
        }
        guard !post.text.isEmpty || post.kind == .delete else { return .never(.empty) }
        guard let room = rooms[post.room] else {
            // Its making may be in the same commit as this post.
            let isJoining = directory[key.member]?.willBe(in: post.room) ?? false
            if isJoining, post.reference == nil, !post.kind.needsReference { return .fine(post) }
            return .never(.noSuchRoom)
        }
        guard
            room.has(key.member) || directory[key.member]?.willBe(in: post.room) ?? false
        else { return .never(.notInRoom) }
        guard post.kind.needsReference || post.reference != nil else { return .fine(post) }
        guard let reference = post.reference, reference > .zero, reference <= room.last else {
            return .never(.noSuchEntry)
        }
        guard post.kind == .edit || post.kind == .delete else { return .fine(post) }
        let subject: Subject?
        if let recent = room.recent(reference.rawValue) {
            subject = recent.subject
        } else if let found, found.room == post.room, found.sequence == reference {
            subject = found.subject
        } else {
            return .unknown(post.room, reference)
        }
        guard let subject, subject.author == key.member, subject.isEditable || post.kind == .delete
        else { return .never(.notAllowed) }
        return .fine(post)
    }

    /// Old entries have been read: streams go on, and so do outboxes that waited for an author.
    package mutating func shelved(
        _ id: ReadID,
        _ result: Result<[Entry], JournalError>,
        at now: Instant,
        wall: WallTime
    ) {
        if case .failure(let error) = result { unread(for: error) }
        let arrival = shelf.finish(id, result, retry: configuration.storageRetry, at: now)
        guard let arrival else { return }
        for reader in arrival.readers {
            switch reader {
            case .stream(let connection, let stream):
                if sessions[connection]?.streams[stream: stream]?.room.name == arrival.room {
                    effects.append(.resume(stream, connection))
                }
            case .outbox(let key):
                outboxes[key]?.isChecking = false
                if arrival.hasFailed {
                    guard let number = outboxes[key]?.next else { continue }
                    outboxes[key]?.rewindHeld()
                    postpone(
                        key,
                        from: number,
                        .storageFailed,
                        configuration.storageRetry,
                        to: connections(of: key)
                    )
                } else {
                    outboxes[key]?.found = Outbox.Found(
                        room: arrival.room,
                        sequence: arrival.sequence,
                        subject: arrival.subject
                    )
                    gather(key, from: nil, at: now, wall: wall)
                }
                releaseOutbox(key)
            }
        }
    }

    /// A damaged page stays so, and is asked for again and again: the operator hears of each reason once.
    mutating func unread(for error: JournalError) {
        guard !unreadReasons.contains(error), unreadReasons.count < Self.unreadReasonLimit else {
            return
        }
        unreadReasons.append(error)
        note(.readingFailed(error))
    }

    private static let unreadReasonLimit = 16

    func connections(of key: OutboxKey) -> [ConnectionHandle] {
        (directory[key.member]?.connections ?? []).filter { sessions[$0]?.outbox == key }
    }

    func postponement(from number: PostNumber, _ refusal: Refusal, _ wait: Duration) -> Reply {
        let milliseconds = UInt64(clamping: max(wait.inMilliseconds + 1, 1))
        return .postponed(from: number, refusal, retryAfterMilliseconds: milliseconds)
    }

    mutating func postpone(
        _ key: OutboxKey,
        from number: PostNumber,
        _ refusal: Refusal,
        _ wait: Duration,
        to connections: [ConnectionHandle]
    ) {
        for connection in connections {
            reply(postponement(from: number, refusal, wait), to: connection)
        }
    }

    /// An outbox is forgotten when nobody is here for it and nothing of it is under way.
    mutating func releaseOutbox(_ key: OutboxKey) {
        guard outboxes[key]?.isIdle == true, connections(of: key).isEmpty else { return }
        outboxes[key] = nil
    }
}
