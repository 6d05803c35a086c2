import DequeModule
import KirimNoise
package import KirimWire

/// What stands between strangers and the connections: stateless proofs and budgets (PROTOCOL.md §5).
///
/// Cheapest check first: source, first byte and length, the prefix's bucket, the cookie's MAC, the
/// prefix's handshakes, the budget of all handshakes; only then Diffie-Hellman.
struct Door {
    /// For the machine's own programs: what they ask for waits in its turn, but never fills the queue.
    private static let loopbackFactor = 160

    var cookies: Cookies
    private let resetKey: MACKey
    private var hellos: PrefixPaces
    private var opens: PrefixPaces
    private var resets: PrefixPaces
    private var handshakes: Pace

    init(identity: StaticKey, configuration: ServerEndpoint.Configuration, dice: Dice) {
        cookies = Cookies(
            identity: identity,
            configuration: configuration.transport,
            dice: dice,
            seconds: configuration.startedAt
        )
        resetKey = MACKey(identity.derive("kirim/1 reset"))
        hellos = PrefixPaces(
            configuration.hellos,
            loopbackFactor: Self.loopbackFactor,
            salt: dice.next()
        )
        opens = PrefixPaces(
            configuration.opens,
            loopbackFactor: Self.loopbackFactor,
            salt: dice.next()
        )
        resets = PrefixPaces(configuration.resets, salt: dice.next())
        handshakes = Pace(configuration.handshakes)
    }

    mutating func allowsHello(from ip: IPAddress, at now: Instant) -> Bool {
        hellos.admits(ip, at: now)
    }

    mutating func allowsOpen(from ip: IPAddress, at now: Instant) -> Bool {
        opens.admits(ip, at: now)
    }

    mutating func allowsHandshake(at now: Instant) -> Bool { handshakes.admits(at: now) }

    /// From when on there may be another handshake.
    var nextHandshake: Instant? { handshakes.nextPass }

    mutating func allowsReset(to ip: IPAddress, at now: Instant) -> Bool {
        resets.admits(ip, at: now)
    }

    /// Stateless, so that a server that forgot everything can still say so (RFC 9000 §10.3).
    func resetToken(for connectionID: UInt64) -> [UInt8] {
        var writer = ByteWriter(capacity: 8)
        writer.integer(connectionID)
        return resetKey.tag(writer.bytes)
    }
}

// MARK: HELLO and OPEN

extension ServerEndpoint {
    private static let spoken = [ProtocolVersion.one]
    /// What is told to everybody, and bound into the handshake.
    private var versions: [ProtocolVersion] {
        Self.spoken + configuration.transport.grease.versions
    }

    /// OPENs that may wait for their handshake, little more than a second's.
    static let waitingLimit = 4_096
    /// Of these, those from the machine's own programs, so that others find room whatever these do.
    private static let loopbackWaitingLimit = 3_072
    /// So long a client may be thought to wait for an answer; while members take the time, none comes sooner.
    private static let waitingTime = Duration.seconds(2)

    /// Takes the turn's OPENs, then its HELLOs. Members' DATA is done by now.
    mutating func answerStrangers() {
        let now = latest
        while let (open, path) = opens.popFirst() { screen(open, on: path, at: now) }
        while let first = waiting.first, first.came.advanced(by: Self.waitingTime) < now {
            waitingKeys.remove(waiting.removeFirst().open.noise)
            counters.limited += 1
        }
        while !waiting.isEmpty, door.allowsHandshake(at: now) {
            let (open, path, _) = waiting.removeFirst()
            waitingKeys.remove(open.noise)
            answer(open, on: path, at: now)
        }
        while let (hello, path) = hellos.popFirst() {
            guard door.allowsHello(from: path.remote.ip, at: now) else {
                counters.limited += 1
                continue
            }
            challenge(ephemeral: hello.ephemeral, on: path)
        }
    }

    /// The stateless answer: 94 bytes at most for 1,200.
    private mutating func challenge(ephemeral: [UInt8], on path: Path) {
        counters.challenges += 1
        let packet = ChallengePacket(
            echo: Array(ephemeral.prefix(8)),
            access: configuration.access.access,
            versions: versions + [.grease(UInt16(truncatingIfNeeded: dice.next()))],
            serverKey: identity.publicKey,
            cookie: door.cookies.cookie(for: path.remote, ephemeral: ephemeral, seconds: seconds)
        )
        answers.append(Transmit(bytes: packet.bytes, path: path))
    }

    /// What an OPEN must be before it is worth a handshake, cheapest first. When all come back at once each has its
    /// handshake in its turn: it would knock again after a second, then two, then four.
    private mutating func screen(_ open: OpenPacket, on path: Path, at now: Instant) {
        let ephemeral = open.ephemeral
        guard
            door.cookies.proves(
                open.cookie,
                address: path.remote,
                ephemeral: ephemeral,
                seconds: seconds
            )
        else {
            // An honest client's token has aged or its address changed: show it the long way.
            counters.badCookies += 1
            showTheLongWay(ephemeral, on: path, at: now)
            return
        }
        if let id = openings[ephemeral], let session = sessions[id] {
            if !session.isConfirmed, !session.isRefused {
                answers.append(Transmit(bytes: session.accept, path: path))
            }
            return
        }
        guard Self.spoken.contains(open.version) else {
            // A token from a server that spoke more: CHALLENGE lists what is spoken here.
            counters.handshakesFailed += 1
            showTheLongWay(ephemeral, on: path, at: now)
            return
        }
        // By all of it: its ephemeral key alone was in the clear, for anybody to send nonsense under.
        guard !waitingKeys.contains(open.noise) else { return }
        let ip = path.remote.ip
        let room = ip.isLoopback ? Self.loopbackWaitingLimit : Self.waitingLimit
        guard waiting.count < room, door.allowsOpen(from: ip, at: now) else {
            counters.limited += 1
            return
        }
        waiting.append((open, path, now))
        waitingKeys.insert(open.noise)
    }

    private mutating func answer(_ open: OpenPacket, on path: Path, at now: Instant) {
        guard openings[open.ephemeral] == nil else { return }
        do {
            try shakeHands(open, on: path, at: now)
            counters.handshakes += 1
        } catch {
            counters.handshakesFailed += 1
        }
    }

    /// Answers an OPEN as if it had been a HELLO.
    private mutating func showTheLongWay(_ ephemeral: [UInt8], on path: Path, at now: Instant) {
        guard door.allowsHello(from: path.remote.ip, at: now) else { return }
        challenge(ephemeral: ephemeral, on: path)
    }

    private mutating func shakeHands(
        _ open: OpenPacket,
        on path: Path,
        at now: Instant
    ) throws {
        let access = configuration.access.access
        var handshake = ResponderHandshake(
            identity: identity,
            prologue: Prologue.bytes(
                version: open.version,
                access: access,
                listed: Cookies.isToken(open.cookie) ? [] : versions
            ),
            usesPSK: access != .open
        )
        let (payload, peer) = try handshake.readMessage1(open.noise)
        let parameters = try Parameters(configuration.transport, parsing: payload)
        let id = dice.next()
        guard sessions[id] == nil else { return }
        var reply = ByteWriter(capacity: 128)
        reply.integer(id)
        reply.append(door.resetToken(for: id))
        reply.append(door.cookies.token(for: path.remote.ip, seconds: seconds))
        reply.append(
            Parameters(configuration.transport).bytes(
                grease: UInt8(truncatingIfNeeded: dice.next())
            )
        )
        var generator = DiceGenerator(dice: dice)
        let (message, keys) = try handshake.writeMessage2(
            reply.bytes,
            ephemeral: StaticKey(dice: &generator),
            psk: sharedSecret(with: peer, invitation: parameters.invitation)
        )
        let connection = Connection(
            handle: newHandle(),
            role: .server(clientIndex: open.clientIndex),
            keys: keys,
            peer: parameters,
            path: path,
            constants: constants,
            dice: dice,
            roundTrip: nil,
            at: now
        )
        let accept = AcceptPacket(clientIndex: open.clientIndex, noise: message).bytes
        let session = Session(
            connection: connection,
            connectionID: id,
            peer: peer,
            ephemeral: open.ephemeral,
            invitation: parameters.invitation,
            accept: accept,
            createdAt: now
        )
        sessions[id] = session
        named[session.handle] = session
        openings[open.ephemeral] = id
        unconfirmed.append(id)
        if unconfirmed.count > configuration.transport.unconfirmedLimit,
            let oldest = unconfirmed.first, let session = sessions[oldest]
        {
            forget(session)
        }
        answers.append(Transmit(bytes: accept, path: path))
    }

    /// What both sides mix into the handshake of a closed server. A wrong one shows when the client
    /// cannot read ACCEPT; a stranger learns nothing from it.
    private func sharedSecret(with peer: PublicKey, invitation: InvitationID?) -> [UInt8]? {
        switch configuration.access {
        case .open: return nil
        case .password(let key): return key
        case .invitation:
            guard let invitation,
                invitation.endMinute >= seconds / 60 || redeemed[invitation] == peer,
                redeemed[invitation].map({ $0 == peer }) ?? true
            else { return dice.bytes(32) }
            return invitation.secret(of: identity)
        }
    }

    /// The first DATA under the new keys: the client holds them, so OPEN was no replay.
    mutating func confirm(_ session: Session, at now: Instant) {
        session.isConfirmed = true
        session.accept = []
        unconfirmed.removeAll { $0 == session.connectionID }
        counters.confirmed += 1
        var used: InvitationID?
        if let invitation = session.invitation, configuration.access.access == .invitation {
            // Two handshakes with one invitation may have begun; the first to be confirmed has it.
            if let owner = redeemed[invitation], owner != session.peer {
                refuse(
                    session,
                    .banned,
                    reason: "This invitation was used by somebody else.",
                    at: now
                )
                return
            }
            if redeemed[invitation] == nil { used = invitation }
        }
        guard connectionCount <= configuration.connectionLimit else {
            refuse(session, .full, reason: "The server is full.", at: now)
            return
        }
        if let used { redeemed[used] = session.peer }
        events.append(
            .opened(
                session.handle,
                peer: session.peer,
                path: session.connection.paths.active.path,
                redeemed: used
            )
        )
    }

    private func refuse(_ session: Session, _ code: CloseCode, reason: String, at now: Instant) {
        session.isConfirmed = false
        session.isRefused = true
        session.connection.close(code, reason: reason, as: .local, at: now)
    }

    mutating func dropUnconfirmed(at now: Instant) {
        while let id = unconfirmed.first {
            guard let session = sessions[id] else {
                unconfirmed.removeFirst()
                continue
            }
            guard
                session.createdAt.advanced(by: configuration.transport.confirmationTimeout) <= now
            else { return }
            forget(session)
        }
    }
}

/// What both ends saw in the clear goes under the handshake's hash, so that it cannot be changed on the way.
///
/// A server answers HELLO without memory, so it cannot know at OPEN what HELLO listed; it need not:
/// CHALLENGE always lists all that the server speaks, and a client that was shown less than the
/// server lists here cannot finish the handshake. On the token path there was no CHALLENGE.
package enum Prologue {
    package static func bytes(
        version: ProtocolVersion,
        access: Access,
        listed: [ProtocolVersion]
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: 32)
        writer.append("kirim/1".utf8)
        writer.integer(version.rawValue)
        writer.byte(access.rawValue)
        writer.versions(listed.filter { !$0.isGrease })
        return writer.bytes
    }
}
