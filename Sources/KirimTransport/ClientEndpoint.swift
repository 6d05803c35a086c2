import DequeModule
package import KirimNoise
package import KirimWire

/// One client's side: finds the server, opens a connection, keeps one open through moves, restarts and rekeys.
///
/// Once told to ``connect(to:trusting:token:secret:at:)`` it never gives up by itself, except where going on
/// would be wrong (``Event/stopped(_:)``): each time a connection is ready it says ``Event/opened(_:serverKey:path:)``.
/// There may be two connections for a moment; the newest is the one to use.
package struct ClientEndpoint: ~Copyable {
    package enum Event: Hashable, Sendable {
        /// Ready. Everything said on an older connection must be asked for again.
        case opened(ConnectionHandle, serverKey: PublicKey, path: Path)
        case connection(ConnectionHandle, ConnectionEvent)
        /// A fresh socket is wanted: the shell makes one and says ``useSocket(_:at:)``. The old ones stay
        /// until ``mayClose``.
        case wantsSocket
        /// Nothing more will come on this socket.
        case mayClose(SocketID)
        /// Keep it for the next ``connect(to:trusting:token:secret:at:)``.
        case token([UInt8])
        /// Nobody answered for 90 s (``TransportConfiguration/handshakePatience``). It is still being tried.
        case unreachable
        /// Going on needs a person.
        case stopped(Stop)
    }

    package enum Stop: Hashable, Sendable {
        /// Another key than the trusted one answers there.
        case serverKeyChanged(PublicKey)
        case passwordNeeded
        case invitationNeeded
        /// The handshake was tried with the secret and never confirmed.
        case secretRefused
        case noCommonVersion
        case kicked(reason: String)
        case banned(reason: String)
    }

    let identity: StaticKey
    let constants: Constants
    var configuration: TransportConfiguration { constants.configuration }
    let dice: Dice

    var remotes: [Address] = []
    var trusted: PublicKey?
    var token: [UInt8]?
    var secret: AccessSecret?
    /// The key of the password, for the server to which it was last shown.
    private var passwordKey: (server: PublicKey, key: [UInt8])?
    var isWanted = false

    var attempt: ClientAttempt?
    /// The attempt, or the one planned, is there only because the open connection is silent.
    var isSearching = false
    /// Sends since the server was heard last that brought nothing but an objectionable answer.
    var objections = 0
    /// Attempts since somebody last answered; widens the waits.
    var failures = 0
    /// When to begin the next attempt, where none is under way.
    var attemptAt: Instant?
    /// Since when nobody answers; `nil` while somebody does.
    var silentSince: Instant?
    var hasSaidUnreachable = false
    var tokenFailed = false

    /// Open connections, the newest last.
    var sessions: [Session] = []
    var nextClientIndex: UInt8 = 0
    var nextHandle: UInt64 = 1

    var socket: SocketID?
    var retiring: [(socket: SocketID, until: Instant)] = []
    var isSocketAwaited = false
    var hopAfter: Duration
    var lastHop: Instant = .start
    /// The hop that was made last, or is awaited, has its reason in this machine's own addresses.
    var hasMoved = false
    /// When to knock at all addresses, because the server was not heard since the machine's network changed.
    var searchAt: Instant?

    /// The latest moment that an input told.
    var latest: Instant = .start

    var events: Deque<Event> = []
    var outgoing: Deque<Transmit> = []
    /// Packets that fitted nothing: forged, late, or not ours. Only ever grows.
    package internal(set) var dropped: UInt64 = 0

    final class Session {
        var connection: Connection
        let handle: ConnectionHandle
        let clientIndex: UInt8
        let connectionID: UInt64
        let resetToken: [UInt8]
        let serverKey: PublicKey
        /// A newer one is there: say goodbye at this time.
        var replacedAt: Instant?

        init(
            connection: consuming Connection,
            clientIndex: UInt8,
            reply: AcceptReply,
            serverKey: PublicKey
        ) {
            handle = connection.handle
            self.connection = connection
            self.clientIndex = clientIndex
            connectionID = reply.connectionID
            resetToken = reply.resetToken
            self.serverKey = serverKey
        }
    }

    package init(
        identity: StaticKey,
        configuration: TransportConfiguration,
        dice: any RandomNumberGenerator & Sendable
    ) {
        self.identity = identity
        constants = Constants(configuration)
        self.dice = Dice(dice)
        hopAfter = configuration.portHop
    }
}

// MARK: Wishes

extension ClientEndpoint {
    /// Connections at once: two, and some that drain. A server that invites to ever new ones gets no more.
    static let connectionLimit = 8
    /// Sockets that were left, at once.
    static let retiringLimit = 8

    /// Begins, or begins again, with these addresses at once (the first that answers is taken).
    package mutating func connect(
        to addresses: [Address],
        trusting serverKey: PublicKey?,
        token: [UInt8]?,
        secret: AccessSecret?,
        at now: Instant
    ) {
        remotes = addresses.filter(\.isAnswerable)
        trusted = serverKey
        self.token = token
        if self.secret != secret { passwordKey = nil }
        self.secret = secret
        isWanted = true
        isSearching = false
        tokenFailed = false
        failures = 0
        objections = 0
        silentSince = silentSince ?? now
        if socket == nil { askForSocket() }
        beginAttempt(at: now)
    }

    /// Says goodbye and stays quiet.
    package mutating func disconnect(at now: Instant) {
        giveUp()
        for session in sessions {
            session.connection.close(.done, reason: "", as: .local, at: now)
        }
    }

    /// From now on send from this socket.
    package mutating func useSocket(_ socket: SocketID, at now: Instant) {
        isSocketAwaited = false
        let isOther = self.socket != socket
        if let old = self.socket, isOther {
            // What was already on its way to the old one may still come.
            retiring.append((old, now.advanced(by: .seconds(3))))
            if retiring.count > Self.retiringLimit {
                events.append(.mayClose(retiring.removeFirst().socket))
            }
        }
        self.socket = socket
        lastHop = now
        for session in sessions where session.connection.phase == .open {
            let remote = session.connection.paths.active.path.remote
            session.connection.paths.use(Path(socket: socket, remote: remote))
            session.connection.pathChanged(resets: false)
            // The server learns of the new path from the first packet, so there must be one.
            session.connection.ping()
        }
        guard let attempt else { return }
        if isOther, attempt.phase == .open, !attempt.usesToken {
            // Its cookie serves the old socket only.
            beginAttempt(at: now)
        } else {
            attempt.retryAt = now
        }
    }

    /// The machine's addresses changed.
    package mutating func networkChanged(at now: Instant) {
        woke(at: now)
        hasMoved = true
    }

    /// The machine slept, or the program was stopped: nothing moved, but what stands on the way may have forgotten us.
    package mutating func woke(at now: Instant) {
        hasMoved = isRoaming
        askForSocket()
        failures = 0
        hopAfter = configuration.portHop
        if attempt == nil, attemptAt != nil { attemptAt = now }
        // The address that we speak to may be out of reach from here, while another is not.
        if remotes.count > 1, current != nil {
            searchAt = now.advanced(by: configuration.roamPatience)
        }
    }

    package mutating func open(stream: UInt64, at first: UInt64, of handle: ConnectionHandle) {
        session(handle)?.connection.open(stream: stream, at: first)
    }

    package mutating func offer(upTo end: UInt64, on stream: UInt64, of handle: ConnectionHandle) {
        session(handle)?.connection.offer(upTo: end, on: stream)
    }

    package mutating func resume(stream: UInt64, of handle: ConnectionHandle) {
        session(handle)?.connection.resume(stream: stream)
    }

    package mutating func drop(stream: UInt64, of handle: ConnectionHandle) {
        session(handle)?.connection.drop(stream: stream)
    }

    package mutating func send(datagram: [UInt8], to handle: ConnectionHandle) {
        session(handle)?.connection.send(datagram: datagram)
    }

    /// What to show this server. Making a key from a password takes a tenth of a second, so it is made once.
    mutating func secret(for server: PublicKey) -> AccessSecret? {
        guard case .password? = secret else { return secret }
        if let passwordKey, passwordKey.server == server { return .passwordKey(passwordKey.key) }
        guard let key = secret?.sharedKey(with: server) else { return nil }
        passwordKey = (server, key)
        return .passwordKey(key)
    }

    mutating func askForSocket() {
        guard !isSocketAwaited else { return }
        isSocketAwaited = true
        events.append(.wantsSocket)
    }
}

// MARK: Questions

extension ClientEndpoint {
    /// The newest open connection.
    package var current: ConnectionHandle? {
        sessions.last { $0.connection.phase == .open }?.handle
    }

    package var publicKey: PublicKey { identity.publicKey }

    package func link() -> LinkState? {
        sessions.last { $0.connection.phase == .open }?.connection.link
    }

    /// Our own addresses changed, and the server was not heard since: the way over the new one is being tried.
    package var isRoaming: Bool {
        hasMoved && (link().map { isSocketAwaited || $0.lastHeard < lastHop } ?? false)
    }

    func session(_ handle: ConnectionHandle) -> Session? {
        sessions.first { $0.handle == handle }
    }

    package var deadline: Instant? {
        var earliest: Instant?
        func consider(_ moment: Instant?) {
            if let moment { earliest = min(earliest ?? moment, moment) }
        }
        for session in sessions {
            consider(session.connection.deadline)
            consider(session.replacedAt)
        }
        // Nothing can be sent before there is a socket.
        if socket != nil { consider(attempt?.retryAt) }
        consider(attemptAt)
        consider(retiring.map(\.until).min())
        if isWanted, !isSocketAwaited { consider(hopDeadline) }
        if isWanted { consider(searchAt) }
        if isWanted, attempt == nil, attemptAt == nil { consider(rekeyDeadline) }
        if let silentSince, isWanted, !hasSaidUnreachable {
            consider(silentSince.advanced(by: configuration.handshakePatience))
        }
        return earliest
    }

    /// Nothing heard for so long while an answer was due: the path, or a NAT on it, has died.
    var hopDeadline: Instant? {
        guard let session = sessions.last, session.connection.phase == .open,
            let asked = session.connection.unansweredSince
        else { return nil }
        return max(asked, session.connection.lastHeard, lastHop).advanced(by: hopAfter)
    }

    var rekeyDeadline: Instant? {
        guard let session = sessions.last, session.connection.phase == .open else { return nil }
        let most = max(
            session.connection.nextPacketNumber,
            session.connection.received.largest ?? 0
        )
        if most >= configuration.rekeyPackets { return .start }
        return session.connection.createdAt.advanced(by: configuration.rekeyAfter)
    }
}

// MARK: Work

extension ClientEndpoint {
    package mutating func nextEvent() -> Event? {
        collect()
        return events.popFirst()
    }

    package mutating func nextTransmit(
        at now: Instant,
        source: inout some RecordSource
    ) -> Transmit? {
        if let next = outgoing.popFirst() { return next }
        guard socket != nil else { return nil }
        for session in sessions {
            if let next = session.connection.nextPacket(at: now, source: &source) { return next }
        }
        return nil
    }

    /// Takes what the connections have to tell.
    private mutating func collect() {
        for session in sessions {
            if let token = session.connection.receivedToken {
                session.connection.receivedToken = nil
                self.token = token
                tokenFailed = false
                events.append(.token(token))
            }
            while let event = session.connection.takeEvent() {
                events.append(.connection(session.handle, event))
                if case .closed(let reason) = event { closed(session, reason) }
            }
        }
        sessions.removeAll { $0.connection.isOver }
    }

    private mutating func closed(_ session: Session, _ reason: CloseReason) {
        guard isWanted, session === sessions.last else { return }
        switch reason {
        case .peer(.kicked, let reason): stop(.kicked(reason: reason))
        case .peer(.banned, let reason): stop(.banned(reason: reason))
        case .local, .replaced: break
        case .reset, .idle: schedule(after: .zero)
        case .peer, .violation:
            // Gone for a moment, or at odds with us: knocking at once would only fail.
            schedule(after: configuration.handshakeRetry)
        }
    }

    mutating func stop(_ stop: Stop) {
        giveUp()
        events.append(.stopped(stop))
    }

    /// Looks for nobody any more, and does not count the silence until it is told to again.
    private mutating func giveUp() {
        isWanted = false
        attempt = nil
        attemptAt = nil
        isSearching = false
        silentSince = nil
        hasSaidUnreachable = false
    }

    /// The next attempt begins so long after the last thing that happened; one that waits already goes on.
    private mutating func schedule(after wait: Duration) {
        isSearching = false
        silentSince = silentSince ?? latest
        // Without a wait the server is known to be there, or not to know us any more: knock at once.
        if wait == .zero, let attempt { attempt.retryAt = min(attempt.retryAt, latest) }
        guard attempt == nil, attemptAt == nil else { return }
        attemptAt = latest.advanced(by: wait == .zero ? .zero : dice.jitter(wait))
    }
}
