package import KirimRooms
import KirimTransport
package import KirimWire

// From a connection to a member: hello, enrolment, the outbox's number, welcome.

extension Chat {
    mutating func greet(_ greeting: Greeting, at now: Instant, wall: WallTime) {
        let connection = greeting.connection
        guard case .silent? = sessions[connection]?.stage, let key = sessions[connection]?.key,
            greeting.outbox.rawValue != 0
        else { return reply(.refused(greeting.request, .malformed), to: connection) }
        // Somebody may have been put out between the handshake and the hello.
        if let address = sessions[connection]?.address,
            let (code, reason) = reasonToStayOut(key, address, at: now)
        {
            return close(connection, code, reason)
        }
        if let member = directory.member(with: key) {
            makeRoom(for: member.id)
            sessions[connection]?.stage = .greeting
            return findOutbox(greeting, of: member.id, at: now, wall: wall)
        }
        if enrolling[key] != nil {
            sessions[connection]?.stage = .greeting
            enrolling[key]?.append(greeting)
            return
        }
        guard ledger.pause(at: now) == nil else {
            return reply(.refused(greeting.request, .storageFailed), to: connection)
        }
        guard !hasMuchToKeep else {
            return reply(.refused(greeting.request, .tooManyRequests), to: connection)
        }
        guard directory.count + enrolling.count < configuration.limits.members else {
            return reply(.refused(greeting.request, .tooManyMembers), to: connection)
        }
        guard let ip = sessions[connection]?.address.ip, enrolments.admits(ip, at: now) else {
            return reply(.refused(greeting.request, .tooManyRequests), to: connection)
        }
        enrol(greeting, key, wall: wall)
    }

    /// A client that was killed comes back while its old connections still seem to live: the one that is
    /// silent, or else the oldest, gives way.
    private mutating func makeRoom(for member: MemberID) {
        let connections = (directory[member]?.connections ?? []).filter {
            sessions[$0]?.isClosing == false
        }
        guard connections.count >= configuration.connectionsPerMember else { return }
        let silent = connections.first { sessions[$0]?.isSilent == true }
        guard let oldest = silent ?? connections.first else { return }
        close(oldest, .replaced, "This key has too many connections here.")
    }

    private mutating func enrol(_ greeting: Greeting, _ key: PublicKey, wall: WallTime) {
        let name = directory.freeName(wished: greeting.name, key: key)
        directory.reserve(name)
        let member = Member(id: directory.nextID(), key: key, name: name)
        sessions[greeting.connection]?.stage = .greeting
        enrolling[key] = []
        let writes: [JournalWrite] = [.enrol(member), .join(.lobby, member.id)]
        let told = announcement(.joined(name, .lobby), in: .lobby, wall: wall)
        ledger.add(writes + told, .enrol(member, greeting))
    }

    /// The enrolment is durable.
    mutating func enrolled(
        _ member: Member,
        _ greeting: Greeting,
        at now: Instant,
        wall: WallTime
    ) {
        directory.insert(member)
        directory[member.id]?.rooms = [.lobby]
        rooms[.lobby]?.join(member.id)
        note(.enrolled(member))
        let others = enrolling.removeValue(forKey: member.key) ?? []
        for waiting in [greeting] + others where sessions[waiting.connection] != nil {
            // The journal may know an outbox of a key that it has just met only by mistake: a new
            // member's outbox begins at 1.
            let key = OutboxKey(member: member.id, outbox: waiting.outbox)
            if outboxes[key] == nil { outboxes[key] = Outbox(next: .first) }
            welcome(waiting, member.id, at: now, wall: wall)
            releaseOutbox(key)
        }
    }

    mutating func enrolmentFailed(
        _ member: Member,
        _ greeting: Greeting,
        at now: Instant,
        wall: WallTime
    ) {
        directory.release(member.name)
        let others = enrolling.removeValue(forKey: member.key) ?? []
        for waiting in [greeting] + others { greetingFailed(waiting, at: now, wall: wall) }
    }

    private mutating func greetingFailed(_ greeting: Greeting, at now: Instant, wall: WallTime) {
        guard case .greeting? = sessions[greeting.connection]?.stage else { return }
        // The hello may be said again.
        sessions[greeting.connection]?.stage = .silent
        reply(.refused(greeting.request, .storageFailed), to: greeting.connection)
        takeRequests(of: greeting.connection, at: now, wall: wall)
    }

    private mutating func findOutbox(
        _ greeting: Greeting,
        of member: MemberID,
        at now: Instant,
        wall: WallTime
    ) {
        let key = OutboxKey(member: member, outbox: greeting.outbox)
        if outboxes[key] != nil {
            return welcome(greeting, member, at: now, wall: wall)
        }
        if let place = lookups.firstIndex(where: { $0.outbox == key }) {
            lookups[place].greetings.append(greeting)
            return
        }
        let id = LookupID(rawValue: nextLookup)
        nextLookup += 1
        lookups.append((id, key, [greeting]))
        effects.append(.output(.lookUp(id, member, greeting.outbox)))
    }

    package mutating func outboxFound(
        _ id: LookupID,
        _ result: Result<PostNumber, JournalError>,
        at now: Instant,
        wall: WallTime
    ) {
        guard let place = lookups.firstIndex(where: { $0.id == id }) else { return }
        let (_, key, greetings) = lookups.remove(at: place)
        switch result {
        case .success(let next):
            if outboxes[key] == nil { outboxes[key] = Outbox(next: next) }
            for greeting in greetings { welcome(greeting, key.member, at: now, wall: wall) }
            releaseOutbox(key)
        case .failure(let error):
            unread(for: error)
            for greeting in greetings { greetingFailed(greeting, at: now, wall: wall) }
        }
    }

    private mutating func welcome(
        _ greeting: Greeting,
        _ id: MemberID,
        at now: Instant,
        wall: WallTime
    ) {
        let connection = greeting.connection
        let key = OutboxKey(member: id, outbox: greeting.outbox)
        // Whoever was put out meanwhile has not arrived.
        guard case .greeting? = sessions[connection]?.stage,
            sessions[connection]?.isClosing == false,
            let address = sessions[connection]?.address,
            let member = directory[id]?.member, let outbox = outboxes[key]
        else { return }
        forgetEarlyPosts(of: key)
        sessions[connection]?.stage = .here(id, greeting.outbox)
        directory[id]?.connections.append(connection)
        reply(
            .welcome(
                greeting.request,
                member: member,
                nextPost: outbox.next,
                server: configuration.name,
                limits: WireLimits(configuration.limits)
            ),
            to: connection
        )
        let wasSilent = directory[id]?.presence == .offline
        if directory[id]?.connections.count == 1 {
            directory[id]?.since = wall
            note(.arrived(member.name, address))
        } else if wasSilent {
            // The earlier connections are those of a visit that ended without a goodbye.
            directory[id]?.since = wall
        }
        refreshPresence(of: id)
        for post in sessions[connection]?.early.takeAll() ?? [] {
            receivePost(post.number, post.bytes, from: connection, at: now, wall: wall)
        }
        if let refusal = adopt(greeting, for: id, at: now, wall: wall) {
            reply(.refused(greeting.request, refusal), to: connection)
        }
        takeRequests(of: connection, at: now, wall: wall)
    }

    /// Posts that came early on older connections are asked for again there. They may be of an outbox that
    /// was set back since, and would then stand where this client puts other posts; those that were taken
    /// are told it with the welcome (PROTOCOL.md §6).
    private mutating func forgetEarlyPosts(of key: OutboxKey) {
        guard let outbox = outboxes[key], outbox.heldCount > 0 else { return }
        outboxes[key]?.rewindHeld()
        postpone(key, from: outbox.next, .tooManyRequests, .zero, to: connections(of: key))
    }

    /// A member that comes back with another wish gets it, if that can be. Returns why not.
    private mutating func adopt(
        _ greeting: Greeting,
        for id: MemberID,
        at now: Instant,
        wall: WallTime
    ) -> Refusal? {
        guard let wish = greeting.name, let resident = directory[id] else { return nil }
        let old = resident.member.name
        if [old.text, resident.naming?.text].contains(wish.text) { return nil }
        guard old.folded == wish.folded || directory.isFree(wish) else { return .nameTaken }
        guard ledger.pause(at: now) == nil else { return .storageFailed }
        guard resident.naming == nil, !hasMuchToKeep else { return .tooManyRequests }
        directory.beginNaming(id, wish)
        let writes = renaming(id, from: old, to: wish, wall: wall)
        ledger.add(writes, .adopt(id, wish, greeting))
        return nil
    }
}
