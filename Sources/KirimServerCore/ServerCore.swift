package import KirimNoise
package import KirimPlain
package import KirimRooms
package import KirimTransport
package import KirimWire

/// A whole server without its sockets and its disk: connections, rooms, plain clients.
///
/// - Facts in: ``receive(_:on:at:wall:)``, ``timePassed(to:wall:)``, ``unreachable(_:at:)``, and what the
///   journal did: ``committed(_:_:at:wall:)``, ``entriesRead(_:_:at:)``, ``authorFound(_:_:at:)``.
/// - Wishes in, the operator's: ``broadcast(_:at:wall:)``, ``kick(_:at:wall:)``, ``ban(_:at:wall:)``,
///   ``unban(_:)``, ``stop(at:)``.
/// - Work out: ``nextOutput(at:)``, until `nil`. Everything received before that is one turn: its posts are
///   one commit, and what each client gets of them is packed into as few datagrams as it needs.
/// - One ``deadline``.
package struct ServerCore: ~Copyable {
    var endpoint: ServerEndpoint
    var chat: Chat
    var plain: PlainServer
    /// A datagram of the plain protocol that was taken out while looking for what was said.
    private var plainDatagram: Transmit?
    /// Whose datagram goes first the next time.
    private var isPlainTurn = true
    /// The server's own key: what people trust.
    package let publicKey: PublicKey
    private var wall = WallTime(milliseconds: 0)
    /// Datagrams from banned prefixes.
    private var bannedDatagrams = 0

    package init(
        identity: StaticKey,
        snapshot: JournalSnapshot,
        configuration: Configuration,
        dice: any RandomNumberGenerator & Sendable
    ) {
        var configuration = configuration
        while configuration.name.utf8.count > Reply.serverNameLimit {
            configuration.name.removeLast()
        }
        if case .invitation(var redeemed) = configuration.endpoint.access {
            for used in snapshot.invitations {
                if let id = InvitationID(bytes: used.id) { redeemed[id] = used.key }
            }
            configuration.endpoint.access = .invitation(redeemed: redeemed)
        }
        publicKey = identity.publicKey
        var dice = dice
        chat = Chat(snapshot, configuration: configuration, salt: dice.next())
        let secret = MACKey(identity.derive("kirim plain code"))
        plain = PlainServer(configuration: configuration.plain) { secret.tag($0) }
        endpoint = ServerEndpoint(
            identity: identity,
            configuration: configuration.endpoint,
            dice: dice
        )
    }

    // MARK: - Facts

    /// A datagram came in. Anything at all may be in it; its first byte says which protocol it speaks.
    package mutating func receive(
        _ datagram: [UInt8],
        on path: Path,
        at now: Instant,
        wall: WallTime
    ) {
        self.wall = wall
        guard !chat.bans.contains(path.remote.ip) else { return bannedDatagrams += 1 }
        if PacketType.claims(datagram) {
            endpoint.receive(datagram, on: path, at: now)
        } else {
            let peer = PlainPeer(address: path.remote, socket: path.socket.rawValue)
            plain.receive(datagram, from: peer, at: now)
        }
    }

    package mutating func timePassed(to now: Instant, wall: WallTime) {
        self.wall = wall
        endpoint.timePassed(to: now)
        plain.timePassed(to: now)
        chat.takeThrottled(at: now, wall: wall)
        sweep(at: now)
    }

    private mutating func sweep(at now: Instant) {
        guard let due = chat.nextSweep, due <= now else { return }
        var heard: [ConnectionHandle: Instant] = [:]
        for connection in chat.sessions.keys {
            heard[connection] = endpoint.link(of: connection)?.lastHeard
        }
        chat.sweep(at: now) { heard[$0] }
    }

    /// The journal kept the writes of a commit, with one outcome for each, or kept none of them.
    package mutating func committed(
        _ id: CommitID,
        _ result: Result<[JournalOutcome], JournalError>,
        at now: Instant,
        wall: WallTime
    ) {
        self.wall = wall
        chat.committed(id, result, at: now, wall: wall)
    }

    package mutating func entriesRead(
        _ id: ReadID,
        _ result: Result<[Entry], JournalError>,
        at now: Instant
    ) {
        chat.shelved(id, result, at: now, wall: wall)
    }

    /// The journal knows the number that an outbox's next post bears.
    package mutating func authorFound(
        _ id: LookupID,
        _ result: Result<PostNumber, JournalError>,
        at now: Instant
    ) {
        chat.outboxFound(id, result, at: now, wall: wall)
    }

    /// The network says that nobody listens there: a plain client has left. A connection is not ended by
    /// that, since anybody can forge it.
    package mutating func unreachable(_ path: Path, at now: Instant) {
        plain.unreachable(path.remote)
    }

    // MARK: - Wishes

    /// Says a line to everybody, as the server: an entry of the lobby, and as typed to plain clients.
    package mutating func broadcast(_ text: String, at now: Instant, wall: WallTime) {
        self.wall = wall
        chat.broadcast(text, at: now, wall: wall)
    }

    /// Puts a member out, for a while. `false` where nobody has the key.
    @discardableResult
    package mutating func kick(_ key: PublicKey, at now: Instant, wall: WallTime) -> Bool {
        self.wall = wall
        return chat.kick(key, at: now, wall: wall)
    }

    /// Puts out a plain client, for a while. `false` where nobody is there.
    @discardableResult
    package mutating func kick(_ address: Address, at now: Instant) -> Bool {
        guard plain.peers.contains(where: { $0.address == address }) else { return false }
        plain.remove(address, until: now.advanced(by: chat.configuration.kickMemory))
        chat.note(.plainKicked(address))
        return true
    }

    /// Keeps somebody out from now on. `false` where that is so already.
    @discardableResult
    package mutating func ban(_ ban: Ban, at now: Instant, wall: WallTime) -> Bool {
        self.wall = wall
        for peer in plain.peers where BanList([ban]).contains(peer.address.ip) {
            plain.remove(peer.address, until: now)
        }
        return chat.ban(ban, wall: wall)
    }

    /// Lets somebody in again. `false` where nobody kept them out.
    @discardableResult
    package mutating func unban(_ ban: Ban) -> Bool { chat.unban(ban) }

    /// Says goodbye to every connection; clients come back when there is a server again.
    package mutating func stop(at now: Instant) {
        endpoint.closeAll(.restarting, reason: "The server stops.", at: now)
    }

    // MARK: - Work

    /// What there is to do, in the order of what caused it.
    package mutating func nextOutput(at now: Instant) -> Output? {
        while true {
            absorb(at: now)
            while let effect = chat.nextEffect() {
                if let output = apply(effect, at: now) { return output }
            }
            // An effect may have been a relay, and nothing else may come for a long time.
            absorbPlain(at: now)
            if let transmit = nextTransmit(at: now) { return .transmit(transmit) }
            // Sending may have made a want: an old entry to be read. And what was closed where nothing may
            // be sent, to an address without a proof, is over all the same.
            chat.settle(at: now)
            if chat.isSettled, !endpoint.hasEvents { return nil }
        }
    }

    /// Brings what happened below to the chat, then ends the turn.
    private mutating func absorb(at now: Instant) {
        while let event = endpoint.nextEvent() {
            switch event {
            case .opened(let connection, let peer, let path, let invitation):
                chat.opened(
                    connection,
                    by: peer,
                    from: path.remote,
                    redeemed: invitation?.bytes,
                    at: now
                )
            case .connection(let connection, let event):
                chat.happened(event, on: connection, at: now, wall: wall)
            }
        }
        absorbPlain(at: now)
        chat.settle(at: now)
    }

    /// What plain clients said comes before what they are sent, so it is all there at the first datagram.
    private mutating func absorbPlain(at now: Instant) {
        while plainDatagram == nil, let output = plain.nextOutput() {
            switch output {
            case .transmit(let bytes, let peer):
                let path = Path(socket: SocketID(rawValue: peer.socket), remote: peer.address)
                plainDatagram = Transmit(bytes: bytes, path: path)
            case .joined(let peer): chat.note(.plainArrived(peer.address))
            case .left(let peer, _): chat.note(.plainDeparted(peer.address))
            case .said(let peer, let text):
                chat.plainSaid(text, by: peer.address, at: now, wall: wall)
            }
        }
    }

    /// The two protocols take turns: neither waits until the other has nothing left to send.
    private mutating func nextTransmit(at now: Instant) -> Transmit? {
        defer { isPlainTurn.toggle() }
        if isPlainTurn, let transmit = plainTransmit() { return transmit }
        if let transmit = endpoint.nextTransmit(at: now, source: &chat) { return transmit }
        return plainTransmit()
    }

    private mutating func plainTransmit() -> Transmit? {
        defer { plainDatagram = nil }
        return plainDatagram
    }

    private mutating func apply(_ effect: Chat.Effect, at now: Instant) -> Output? {
        switch effect {
        case .open(let stream, let first, let connection):
            endpoint.open(stream: stream, at: first, of: connection)
        case .offer(let end, let stream, let connection):
            endpoint.offer(upTo: end, on: stream, of: connection)
        case .resume(let stream, let connection):
            endpoint.resume(stream: stream, of: connection)
        case .drop(let stream, let connection):
            endpoint.drop(stream: stream, of: connection)
        case .send(let bytes, let connection):
            endpoint.send(datagram: bytes, to: connection)
        case .close(let connection, let code, let reason):
            endpoint.close(connection, code, reason: reason, at: now)
        case .relay(let entry): plain.deliver(entry)
        case .output(let output): return output
        }
        return nil
    }

    /// When ``timePassed(to:wall:)`` has something to do.
    package var deadline: Instant? {
        [endpoint.deadline, chat.deadline, plain.deadline].compactMap(\.self).min()
    }
}

// MARK: - Questions

extension ServerCore {
    /// Somebody who is here now.
    package struct Visitor: Hashable, Sendable {
        package var member: Member
        package var presence: Presence
        package var address: Address
        /// When the present visit began.
        package var since: WallTime?
        package var link: LinkState?
    }

    /// What was counted since the start.
    package struct Counters: Hashable, Sendable {
        package var endpoint: ServerEndpoint.Counters
        package var plain: PlainServer.Counters
        /// Datagrams dropped because their source is banned.
        package var bannedDatagrams: Int
        package var connections: Int
    }

    /// Everybody with a connection, by number of member.
    package var visitors: [Visitor] {
        chat.directory.present.compactMap { resident in
            guard let newest = resident.connections.last,
                let address = chat.sessions[newest]?.address
            else { return nil }
            return Visitor(
                member: resident.member,
                presence: resident.presence,
                address: address,
                since: chat.visitBegan(resident.member.id),
                link: endpoint.link(of: newest)
            )
        }
    }

    /// Plain clients, in the order in which they came.
    package var plainVisitors: [Address] { plain.peers.map(\.address) }

    /// The same, with when each came and was heard last.
    package var plainVisits: [PlainVisit] { plain.visits }

    /// All rooms, in the order of their making.
    package var rooms: [RoomSummary] { chat.roomSummaries }

    /// In the order in which they were pronounced.
    package var bans: [Ban] { chat.bans.all }

    /// Whether something was said or wished that the journal has not kept yet.
    package var isStoring: Bool { chat.ledger.isBusy }

    /// In order; more than one would be an accident that cannot be brought about on purpose.
    package func keys(withFingerprint text: String) -> [PublicKey] {
        chat.directory.keys(withFingerprint: text)
    }

    package func member(with key: PublicKey) -> Member? { chat.directory.member(with: key) }

    package func member(named name: MemberName) -> Member? { chat.directory.member(named: name) }

    package var counters: Counters {
        Counters(
            endpoint: endpoint.counters,
            plain: plain.counters,
            bannedDatagrams: bannedDatagrams,
            connections: endpoint.connectionCount
        )
    }
}
