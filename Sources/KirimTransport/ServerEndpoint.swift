import DequeModule
package import KirimNoise
package import KirimWire

/// All connections of a server, and the door before them. Does no I/O, owns no clock.
///
/// - Facts in: ``receive(_:on:at:)``, ``timePassed(to:)``.
/// - Wishes in: ``open(stream:at:of:)``, ``offer(upTo:on:of:)``, ``resume(stream:of:)``, ``drop(stream:of:)``,
///   ``send(datagram:to:)``, ``close(_:_:reason:at:)``.
/// - Work out: ``nextEvent()``, then ``nextTransmit(at:source:)``, each until `nil`.
/// - One ``deadline``.
package struct ServerEndpoint: ~Copyable {
    package enum Event: Hashable, Sendable {
        /// The peer proved its key and its address. `redeemed` is the invitation that it used up with this,
        /// and that is its own from now on.
        case opened(ConnectionHandle, peer: PublicKey, path: Path, redeemed: InvitationID?)
        case connection(ConnectionHandle, ConnectionEvent)
    }

    let identity: StaticKey
    let configuration: Configuration
    let constants: Constants
    let dice: Dice
    var door: Door
    package internal(set) var counters = Counters()

    /// Every connection with keys, by its number on the wire; confirmed or not.
    var sessions: [UInt64: Session] = [:]
    /// The same by the name that the owner knows.
    var named: [ConnectionHandle: Session] = [:]
    /// Handshakes by the client's ephemeral key, so that a repeated OPEN costs nothing.
    var openings: [[UInt8]: UInt64] = [:]
    /// Those that have not yet proved that they hold the keys, oldest first.
    var unconfirmed: Deque<UInt64> = []
    var redeemed: [InvitationID: PublicKey] = [:]

    /// HELLOs and OPENs wait until the DATA of the turn is done.
    var hellos: Deque<(HelloPacket, Path)> = []
    var opens: Deque<(OpenPacket, Path)> = []
    /// Screened OPENs, until there may be another handshake, with when they came; and what tells them apart.
    var waiting: Deque<(open: OpenPacket, path: Path, came: Instant)> = []
    var waitingKeys: Set<[UInt8]> = []
    var answers: Deque<Transmit> = []

    private var dirty: Deque<Session> = []
    private var eventful: Deque<Session> = []
    private var timers = TimerQueue()
    /// Entries of the timers, overtaken ones among them, before those are dropped.
    static let timersForEach = 4
    static let sparedTimers = 64
    var events: Deque<Event> = []
    private var nextHandle: UInt64 = 1
    /// The latest moment that an input told.
    private(set) var latest: Instant = .start

    package init(
        identity: StaticKey,
        configuration: Configuration,
        dice: any RandomNumberGenerator & Sendable
    ) {
        self.identity = identity
        self.configuration = configuration
        constants = Constants(configuration.transport)
        let dice = Dice(dice)
        self.dice = dice
        door = Door(identity: identity, configuration: configuration, dice: dice)
        if case .invitation(let redeemed) = configuration.access { self.redeemed = redeemed }
    }

    /// Its parts are changed by the endpoint alone, which is one value that nobody shares: Swift need not look at run time
    /// whether two do it at once, which takes a twentieth of a delivery.
    final class Session {
        @exclusivity(unchecked) var connection: Connection
        let handle: ConnectionHandle
        let connectionID: UInt64
        let peer: PublicKey
        let ephemeral: [UInt8]
        let invitation: InvitationID?
        /// The answer to its OPEN, until it is clear that this came.
        var accept: [UInt8]
        let createdAt: Instant
        var isConfirmed = false
        /// When the timers come back to it.
        @exclusivity(unchecked) var wakesAt: Instant?
        /// Something about it changed, and it waits to be asked for packets.
        @exclusivity(unchecked) var isDirty = false
        /// The endpoint knows it no more.
        @exclusivity(unchecked) var isForgotten = false
        /// Its keys are proved, but it may not come in: only a goodbye is owed.
        var isRefused = false

        init(
            connection: consuming Connection,
            connectionID: UInt64,
            peer: PublicKey,
            ephemeral: [UInt8],
            invitation: InvitationID?,
            accept: [UInt8],
            createdAt: Instant
        ) {
            handle = connection.handle
            self.connection = connection
            self.connectionID = connectionID
            self.peer = peer
            self.ephemeral = ephemeral
            self.invitation = invitation
            self.accept = accept
            self.createdAt = createdAt
        }
    }
}

// MARK: Facts

extension ServerEndpoint {
    /// Handshake packets that wait for the end of a turn; the rest of a flood is dropped unread.
    private static let queueLimit = 256

    /// A datagram came in whose first byte is at least F5. Anything at all may be in it.
    package mutating func receive(_ datagram: [UInt8], on path: Path, at now: Instant) {
        latest = max(latest, now)
        guard path.remote.isAnswerable else {
            counters.unanswerable += 1
            return
        }
        guard datagram.count <= PacketSize.maximum, let first = datagram.first else {
            counters.malformed += 1
            return
        }
        do {
            switch PacketType(rawValue: first) {
            case .data: try receiveData(datagram, on: path, at: now)
            case .hello:
                let hello = try HelloPacket(parsing: datagram)
                if hellos.count < Self.queueLimit {
                    hellos.append((hello, path))
                } else {
                    counters.limited += 1
                }
            case .open:
                let open = try OpenPacket(parsing: datagram)
                if opens.count < Self.queueLimit {
                    opens.append((open, path))
                } else {
                    counters.limited += 1
                }
            case .challenge, .accept, .reset: counters.misdirected += 1
            case nil: counters.grease += 1
            }
        } catch {
            counters.malformed += 1
        }
    }

    private mutating func receiveData(
        _ datagram: [UInt8],
        on path: Path,
        at now: Instant
    ) throws(WireError) {
        let header = try DataHeader.parsingToServer(datagram)
        guard case .server(let id) = header.destination else { return }
        guard let session = sessions[id] else {
            counters.unknownConnection += 1
            if datagram.count > PacketSize.reset, door.allowsReset(to: path.remote.ip, at: now) {
                counters.resetsSent += 1
                let reset = ResetPacket(connectionID: id, token: door.resetToken(for: id))
                answers.append(Transmit(bytes: reset.bytes, path: path))
            }
            return
        }
        switch session.connection.receive(datagram, header: header, on: path, at: now) {
        case .notAuthentic: counters.notAuthentic += 1
        case .repeated: counters.repeated += 1
        case .taken:
            counters.taken += 1
            if !session.isConfirmed, !session.isRefused { confirm(session, at: now) }
            touch(session)
        }
    }

    package mutating func timePassed(to now: Instant) {
        latest = max(latest, now)
        dropUnconfirmed(at: now)
        while let entry = timers.next, entry.at <= now {
            timers.removeNext()
            guard let session = current(entry) else { continue }
            session.wakesAt = nil
            session.connection.timePassed(to: now)
            touch(session)
        }
    }
}

// MARK: Wishes

extension ServerEndpoint {
    /// The stream's next record is `first`. Needed once before ``offer(upTo:on:of:)``; streams that were
    /// opened earlier go first when the window is short.
    package mutating func open(stream: UInt64, at first: UInt64, of handle: ConnectionHandle) {
        session(handle)?.connection.open(stream: stream, at: first)
    }

    /// Records below `end` may be asked for.
    package mutating func offer(upTo end: UInt64, on stream: UInt64, of handle: ConnectionHandle) {
        guard let session = session(handle) else { return }
        session.connection.offer(upTo: end, on: stream)
        markDirty(session)
    }

    /// What was `later` is there now.
    package mutating func resume(stream: UInt64, of handle: ConnectionHandle) {
        guard let session = session(handle) else { return }
        session.connection.resume(stream: stream)
        markDirty(session)
    }

    /// Sends no more of the stream.
    package mutating func drop(stream: UInt64, of handle: ConnectionHandle) {
        session(handle)?.connection.drop(stream: stream)
    }

    /// At most ``TransportConfiguration/datagramLimit`` bytes; older unsent ones give way.
    package mutating func send(datagram: [UInt8], to handle: ConnectionHandle) {
        guard let session = session(handle) else { return }
        session.connection.send(datagram: datagram)
        markDirty(session)
    }

    package mutating func close(
        _ handle: ConnectionHandle,
        _ code: CloseCode,
        reason: String,
        at now: Instant
    ) {
        guard let session = session(handle) else { return }
        session.connection.close(code, reason: reason, as: .local, at: now)
        touch(session)
    }

    /// Says goodbye to everybody; later packets meet a RESET.
    package mutating func closeAll(_ code: CloseCode, reason: String, at now: Instant) {
        for handle in named.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            close(handle, code, reason: reason, at: now)
        }
    }
}

// MARK: Work

extension ServerEndpoint {
    package mutating func nextEvent() -> Event? {
        answerStrangers()
        while true {
            if let event = events.popFirst() { return event }
            guard let session = eventful.first else { return nil }
            guard !session.isForgotten, let event = session.connection.takeEvent() else {
                eventful.removeFirst()
                if session.connection.isOver, !session.isForgotten { forget(session) }
                continue
            }
            // Who has not been announced has nothing to say; its end is nobody's business.
            if session.isConfirmed { return .connection(session.handle, event) }
        }
    }

    package mutating func nextTransmit(
        at now: Instant,
        source: inout some RecordSource
    ) -> Transmit? {
        latest = max(latest, now)
        answerStrangers()
        if let answer = answers.popFirst() { return answer }
        while let session = dirty.first {
            guard !session.isForgotten else {
                dirty.removeFirst()
                continue
            }
            // Never for an address that has not proved itself: a token is as good as a proof for a week.
            if session.connection.wantsToken, session.connection.paths.active.isValidated {
                issueToken(on: session)
            }
            if let transmit = session.connection.nextPacket(at: now, source: &source) {
                return transmit
            }
            dirty.removeFirst()
            session.isDirty = false
            schedule(session, at: now)
            if session.connection.hasNews { eventful.append(session) }
        }
        return nil
    }

    package var deadline: Instant? {
        let confirmation = unconfirmed.first.flatMap { sessions[$0] }?.createdAt
            .advanced(by: configuration.transport.confirmationTimeout)
        let handshake = waiting.isEmpty ? nil : door.nextHandshake
        return [timers.next?.at, confirmation, handshake].compactMap(\.self).min()
    }

    private mutating func schedule(_ session: Session, at now: Instant) {
        let deadline = session.connection.deadline
        timers.schedule(session.handle, at: deadline, known: &session.wakesAt, now: now)
        guard timers.count > Self.timersForEach * named.count + Self.sparedTimers else { return }
        timers.rebuild(
            from: named.values.compactMap { session in
                session.wakesAt.map { TimerQueue.Entry(at: $0, handle: session.handle) }
            }
        )
    }

    /// The connection that an entry of the timers is for, unless it was overtaken.
    private func current(_ entry: TimerQueue.Entry) -> Session? {
        session(entry.handle).flatMap { $0.wakesAt == entry.at ? $0 : nil }
    }

    private func issueToken(on session: Session) {
        session.connection.wantsToken = false
        let ip = session.connection.paths.active.path.remote.ip
        session.connection.give(token: door.cookies.token(for: ip, seconds: seconds))
    }

    /// Seconds since 1970, as far as the owner told where its clock began.
    var seconds: UInt32 {
        configuration.startedAt
            &+ UInt32(truncatingIfNeeded: max(0, latest.nanoseconds) / 1_000_000_000)
    }
}

// MARK: Questions

extension ServerEndpoint {
    package var publicKey: PublicKey { identity.publicKey }

    package func link(of handle: ConnectionHandle) -> LinkState? {
        session(handle)?.connection.link
    }

    /// Confirmed connections, those that still drain included.
    package var connectionCount: Int { named.count - unconfirmed.count }

    /// Handshakes that wait for their first DATA; bounded by ``TransportConfiguration/unconfirmedLimit``.
    package var unconfirmedCount: Int { unconfirmed.count }

    /// Whether ``nextEvent()`` has something to look at.
    package var hasEvents: Bool { !events.isEmpty || !eventful.isEmpty }

    var agendaCount: Int { dirty.count + eventful.count }
    var timerCount: Int { timers.count }

    func session(_ handle: ConnectionHandle) -> Session? { named[handle] }
}

// MARK: Book-keeping

extension ServerEndpoint {
    mutating func newHandle() -> ConnectionHandle {
        defer { nextHandle += 1 }
        return ConnectionHandle(rawValue: nextHandle)
    }

    /// A connection changed: it may have events, packets, another deadline.
    mutating func touch(_ session: Session) {
        if session.connection.hasNews { eventful.append(session) }
        markDirty(session)
    }

    private mutating func markDirty(_ session: Session) {
        guard !session.isDirty else { return }
        session.isDirty = true
        dirty.append(session)
    }

    mutating func forget(_ session: Session) {
        session.isForgotten = true
        sessions[session.connectionID] = nil
        openings[session.ephemeral] = nil
        named[session.handle] = nil
        // Nobody is to wake up for what was overtaken.
        while let next = timers.next, current(next) == nil { timers.removeNext() }
        unconfirmed.removeAll { $0 == session.connectionID }
    }
}

extension ServerEndpoint {
    package struct Configuration: Sendable {
        package var transport = TransportConfiguration()
        package var access: AccessPolicy = .open
        /// Connections in all; the one over it is answered CLOSE(full).
        package var connectionLimit = 10_000
        /// HELLOs answered for a prefix.
        package var hellos = Rate(perSecond: 50, burst: 50)
        /// Handshakes begun for a prefix (PROTOCOL.md §5).
        package var opens = Rate(perSecond: 20, burst: 5)
        /// Handshakes begun in all: half of one core at 150 µs each, and never so many at once that members wait.
        package var handshakes = Rate(perSecond: 3_200, burst: 32)
        /// RESETs for a prefix.
        package var resets = Rate(perSecond: 20, burst: 20)
        /// Seconds since 1970 at `Instant.start`, so that tokens and invitations outlive a restart.
        package var startedAt: UInt32 = 0
        package init() {}
    }

    /// What the door and the connections counted. Only ever grows.
    package struct Counters: Hashable, Sendable {
        /// Sources that are never answered: port 0, reflectors, multicast.
        package internal(set) var unanswerable: UInt64 = 0
        package internal(set) var malformed: UInt64 = 0
        /// Packets that only servers send.
        package internal(set) var misdirected: UInt64 = 0
        package internal(set) var grease: UInt64 = 0
        /// Over a rate or a queue.
        package internal(set) var limited: UInt64 = 0
        package internal(set) var challenges: UInt64 = 0
        package internal(set) var badCookies: UInt64 = 0
        package internal(set) var handshakes: UInt64 = 0
        package internal(set) var handshakesFailed: UInt64 = 0
        package internal(set) var confirmed: UInt64 = 0
        package internal(set) var unknownConnection: UInt64 = 0
        package internal(set) var resetsSent: UInt64 = 0
        package internal(set) var notAuthentic: UInt64 = 0
        package internal(set) var repeated: UInt64 = 0
        package internal(set) var taken: UInt64 = 0
        package init() {}
    }
}
