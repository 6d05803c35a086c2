import DequeModule
import KirimNoise
package import KirimWire

extension ClientEndpoint {
    /// A datagram came in. Anything at all may be in it.
    package mutating func receive(_ datagram: [UInt8], on path: Path, at now: Instant) {
        latest = max(latest, now)
        guard datagram.count <= PacketSize.maximum, path.remote.isAnswerable,
            let first = datagram.first
        else {
            dropped += 1
            return
        }
        do {
            switch PacketType(rawValue: first) {
            case .data: try receiveData(datagram, on: path, at: now)
            case .challenge: challenged(try ChallengePacket(parsing: datagram), on: path, at: now)
            case .accept: accepted(try AcceptPacket(parsing: datagram), on: path, at: now)
            case .reset: reset(try ResetPacket(parsing: datagram))
            case .hello, .open, nil: dropped += 1
            }
        } catch {
            dropped += 1
        }
    }

    private mutating func receiveData(
        _ datagram: [UInt8],
        on path: Path,
        at now: Instant
    ) throws(WireError) {
        let header = try DataHeader.parsingToClient(datagram)
        guard case .client(let index) = header.destination,
            let session = sessions.last(where: { $0.clientIndex == index })
        else {
            dropped += 1
            return
        }
        // A server stays where it is: only our own end moves, and that is not its doing.
        let home = session.connection.paths.active.path
        let known = Path(socket: home.socket, remote: path.remote)
        guard path.remote == home.remote else {
            dropped += 1
            return
        }
        switch session.connection.receive(datagram, header: header, on: known, at: now) {
        case .taken:
            // A late packet of a connection that has ended finds nobody.
            guard session.connection.phase == .open else { return }
            silentSince = nil
            objections = 0
            hopAfter = configuration.portHop
            // A connection that was replaced may have another address of the server.
            guard session === sessions.last else { return }
            // What still comes to a socket that was left tells nothing about the new one.
            if path.socket == socket { searchAt = nil }
            if isSearching {
                // Heard again where we were: no need for another connection.
                isSearching = false
                attempt = nil
                attemptAt = nil
            }
        case .repeated, .notAuthentic: dropped += 1
        }
    }

    private mutating func challenged(_ challenge: ChallengePacket, on path: Path, at now: Instant) {
        // The cookie serves the socket that it came to: from another one it would prove nothing.
        guard let attempt, path.socket == socket, attempt.remotes.contains(path.remote),
            challenge.echo == Array(attempt.ephemeral.publicKey.bytes.prefix(8))
        else {
            dropped += 1
            return
        }
        guard attempt.phase == .hello else {
            // The answer to an OPEN whose token is worth nothing (any more): begin with HELLO. A
            // different prologue needs different keys, so it is a new attempt.
            if attempt.usesToken {
                tokenFailed = true
                beginAttempt(at: now)
            } else {
                dropped += 1
            }
            return
        }
        if let objection = objection(to: challenge) {
            // Anybody on the way could have sent this; so give the real one time to answer.
            attempt.objection = objection
            attempt.retryAt = min(
                attempt.retryAt,
                now.advanced(by: configuration.handshakeRetry / 2)
            )
            return
        }
        let began = attempt.challenged(
            challenge,
            from: path.remote,
            identity: identity,
            secret: challenge.access == .open ? nil : secret(for: challenge.serverKey),
            parameters: Parameters(configuration),
            dice: dice,
            at: now
        )
        // Whatever else answered, it was not the server.
        attempt.objection = nil
        guard began else {
            dropped += 1
            beginAttempt(at: now.advanced(by: configuration.handshakeRetry))
            return
        }
        timePassed(to: now)
    }

    /// Why the handshake cannot go on with this challenge, if it is genuine.
    private func objection(to challenge: ChallengePacket) -> Stop? {
        if let trusted, challenge.serverKey != trusted {
            return .serverKeyChanged(challenge.serverKey)
        }
        guard challenge.versions.contains(where: ClientAttempt.versions.contains) else {
            return .noCommonVersion
        }
        guard challenge.access != secret?.access else { return nil }
        return switch challenge.access {
        case .open: nil
        case .password: .passwordNeeded
        case .invitation: .invitationNeeded
        }
    }

    private mutating func accepted(_ accept: AcceptPacket, on path: Path, at now: Instant) {
        guard let attempt, attempt.phase == .open, accept.clientIndex == attempt.clientIndex,
            attempt.remotes.contains(path.remote), let socket,
            let serverKey = attempt.serverKey
        else {
            dropped += 1
            return
        }
        guard let (reply, keys) = attempt.accepted(accept),
            let parameters = try? Parameters(configuration, parsing: reply.parameters)
        else {
            // Forged, or the server does not know our secret.
            if attempt.access != .open, !attempt.usesToken { attempt.objection = .secretRefused }
            dropped += 1
            return
        }
        var connection = Connection(
            handle: ConnectionHandle(rawValue: nextHandle),
            role: .client(connectionID: reply.connectionID),
            keys: keys,
            peer: parameters,
            path: Path(socket: socket, remote: path.remote),
            constants: constants,
            dice: dice,
            roundTrip: sessions.last?.connection.roundTrip,
            at: now
        )
        nextHandle += 1
        let answered = now.nanoseconds - attempt.sentAt.nanoseconds
        // A longer one says nothing that is not assumed anyway, and the OPEN may have waited at the door.
        if attempt.tries == 1, answered < configuration.initialRoundTrip.inNanoseconds {
            connection.roundTrip.add(sample: answered, acknowledgementDelay: 0)
        }
        if sessions.count >= Self.connectionLimit { sessions.removeFirst() }
        let farewell = now.advanced(by: .nanoseconds(3 * connection.probeTimeout))
        // Late packets of the old connection may still bring something; then goodbye.
        for old in sessions { old.replacedAt = old.replacedAt ?? farewell }
        // The server sends nothing until it has seen that we hold the keys.
        connection.ping()
        let path = connection.paths.active.path
        let session = Session(
            connection: connection,
            clientIndex: attempt.clientIndex,
            reply: reply,
            serverKey: serverKey
        )
        sessions.append(session)
        self.attempt = nil
        attemptAt = nil
        isSearching = false
        searchAt = nil
        trusted = serverKey
        token = reply.token
        tokenFailed = false
        failures = 0
        objections = 0
        silentSince = nil
        hasSaidUnreachable = false
        events.append(.token(reply.token))
        events.append(.opened(session.handle, serverKey: serverKey, path: path))
    }

    private mutating func reset(_ reset: ResetPacket) {
        guard
            let session = sessions.first(where: {
                $0.connectionID == reset.connectionID && $0.resetToken == reset.token
            })
        else {
            dropped += 1
            return
        }
        session.connection.end(.reset)
    }
}

// MARK: Time

extension ClientEndpoint {
    /// How often an OPEN is repeated before the handshake begins anew.
    private static let openTries = 4
    /// Times that nothing but an objectionable answer must come before we give up. The answers
    /// prove nothing, so a single forged one must not end the search; who forges them all could as well
    /// drop the real ones.
    private static let objectionLimit = 4
    /// Knocks in a row that nobody answers, after which another socket is tried: half a minute.
    private static let failuresPerSocket = 6

    package mutating func timePassed(to now: Instant) {
        latest = max(latest, now)
        for session in sessions {
            if let replacedAt = session.replacedAt, replacedAt <= now {
                session.connection.close(.replaced, reason: "", as: .replaced, at: now)
                session.replacedAt = nil
            }
            session.connection.timePassed(to: now)
        }
        while let index = retiring.firstIndex(where: { $0.until <= now }) {
            events.append(.mayClose(retiring.remove(at: index).socket))
        }
        guard isWanted else { return }
        if let hopDeadline, hopDeadline <= now, !isSocketAwaited {
            // Twice as long each time: a server that is away is not found by hopping.
            hopAfter = min(hopAfter * 2, .seconds(120))
            hasMoved = isRoaming
            askForSocket()
            search(at: now)
        }
        if let searchAt, searchAt <= now { search(at: now) }
        if attempt == nil, attemptAt == nil, let rekeyDeadline, rekeyDeadline <= now {
            attemptAt = now
        }
        if let attemptAt, attemptAt <= now { beginAttempt(at: now) }
        if let attempt, attempt.retryAt <= now, socket != nil { knock(attempt, at: now) }
        if let silentSince, !hasSaidUnreachable,
            silentSince.advanced(by: configuration.handshakePatience) <= now
        {
            hasSaidUnreachable = true
            events.append(.unreachable)
        }
    }

    /// Knocks at all addresses of the server beside the silent connection: the one that we speak to may be out of
    /// reach from here (IPv6 gone with the last network), or the server may have forgotten us.
    private mutating func search(at now: Instant) {
        searchAt = nil
        guard attempt == nil, attemptAt == nil else { return }
        attemptAt = now
        isSearching = true
    }

    /// Starts a handshake with new keys; by token where there is one.
    mutating func beginAttempt(at now: Instant) {
        attemptAt = nil
        guard isWanted, !remotes.isEmpty else {
            attempt = nil
            return
        }
        nextClientIndex &+= 1
        let index = nextClientIndex
        if let token, let trusted, !tokenFailed,
            let byToken = ClientAttempt(
                to: remotes,
                clientIndex: index,
                token: token,
                serverKey: trusted,
                identity: identity,
                secret: secret(for: trusted),
                parameters: Parameters(configuration),
                dice: dice,
                at: now
            )
        {
            attempt = byToken
        } else {
            attempt = ClientAttempt(
                to: remotes,
                clientIndex: index,
                offering: configuration.grease.versions,
                dice: dice,
                at: now
            )
        }
    }

    /// Sends the attempt's packet once more, or gives the attempt up for a new one.
    private mutating func knock(_ attempt: ClientAttempt, at now: Instant) {
        guard let socket else { return }
        if attempt.tries > 0 {
            if let objection = attempt.objection {
                attempt.objection = nil
                objections += 1
                guard objections < Self.objectionLimit else {
                    stop(objection)
                    return
                }
            } else {
                // Silence takes no objection back: the answer may be lost, or the budget for it used up.
                failures += 1
                // A NAT may have given this socket a port that no server answers, or have lost it.
                if failures % Self.failuresPerSocket == 0 { askForSocket() }
            }
        }
        if attempt.phase == .open, attempt.tries >= (attempt.usesToken ? 2 : Self.openTries) {
            tokenFailed = tokenFailed || attempt.usesToken
            beginAttempt(at: now)
            if let next = self.attempt { send(next, from: socket, at: now) }
            return
        }
        send(attempt, from: socket, at: now)
    }

    private mutating func send(_ attempt: ClientAttempt, from socket: SocketID, at now: Instant) {
        attempt.tries += 1
        attempt.sentAt = now
        for remote in attempt.remotes {
            outgoing.append(
                Transmit(bytes: attempt.packet, path: Path(socket: socket, remote: remote))
            )
        }
        let doubled = configuration.handshakeRetry * (1 << min(failures, 10))
        let wait = min(doubled, configuration.handshakeRetryLimit)
        attempt.retryAt = now.advanced(by: dice.jitter(wait))
    }
}
