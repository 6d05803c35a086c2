import DequeModule
import KirimNoise
import KirimWire

/// The transport state that two peers share: keys, packet numbers, what is under way, where the peer is.
///
/// A value that its session holds: so nothing but the session can change it, and the compiler sees that no two do at once.
/// Both endpoints are made of these. Facts in: ``receive(_:header:on:at:)``, ``timePassed(to:)``. Work out:
/// ``takeEvents()``, ``nextPacket(at:source:)``. One ``deadline``.
///
///     open --close()--> closing --3 PTO--> over
///      |  --CLOSE in--> draining --3 PTO--> over
///      +---idle, violation, reset---------> over
struct Connection: ~Copyable {
    enum Role {
        case client(connectionID: UInt64)
        case server(clientIndex: UInt8)
    }

    enum Phase: Equatable {
        case open
        /// We said goodbye: a late packet is answered with the goodbye again.
        case closing(until: Instant)
        /// The peer said goodbye: silence.
        case draining(until: Instant)
        case over
    }

    let handle: ConnectionHandle
    let role: Role
    let sealing: PacketKey
    let opening: PacketKey
    let constants: Constants
    /// In nanoseconds, as the next one.
    let peerMaxAckDelay: Int64
    /// Zero: the peer knows no acknowledging later.
    let peerLaterAckDelay: Int64
    let dice: Dice
    let createdAt: Instant
    private(set) var phase: Phase = .open

    // What arrived.
    var received = ReplayWindow()
    var reassembly: Reassembly
    /// Bytes of ack-eliciting packets that wait for an acknowledgement.
    var unacknowledged = 0
    var largestReceivedAt: Instant
    /// When the acknowledgement must leave; in the past for "at once".
    var acknowledgeBy: Instant?
    var lastHeard: Instant
    /// When something came that the peer said by itself, and not only as an answer.
    var lastNews: Instant

    // What left.
    var streams = OutgoingStreams()
    var sent = SentPackets()
    var nextPacketNumber: UInt32 = 0
    var datagrams: Deque<[UInt8]> = []
    var controls: Deque<Frame> = []
    var recent: Deque<RecentRecord> = []
    var peerWindow: Int
    var lastElicitingSent: Instant
    /// What that packet asked of the peer.
    var askedAckTiming = AckTiming.usual
    /// Nothing was under way for a while.
    var isResting = false
    var packetsSent: UInt64 = 0
    var packetsLost: UInt64 = 0
    /// How many packets had been sent when the last loss was noticed.
    var lossMark: UInt64 = 0
    /// From how many on acknowledgements may come later.
    var laterAcksFrom: UInt64 = 0

    // Loss and congestion.
    var roundTrip: RoundTrip
    var congestion: CongestionController
    var pacer = Pacer()
    var largestAcknowledged: UInt32?
    var lossTime: Instant?
    var probeCount = 0
    var probesOwed = 0
    /// What packets of lower numbers carried is queued again already, for the probes that are owed.
    var requeuedBelow: UInt32 = 0
    /// A build stopped for want of window: only an acknowledgement helps.
    var isPacing = false

    // Where the peer is.
    var paths: Paths
    /// PATH_CHALLENGE and PATH_RESPONSE go where they belong, whatever the active path is.
    var pathFrames: Deque<(path: Path, frame: Frame)> = []
    /// A new address was proved (server), which a token should name.
    var wantsToken = false
    /// The newest token that came (client).
    var receivedToken: [UInt8]?

    // For the owner.
    var events: Deque<ConnectionEvent> = []
    var acknowledgedStreams: [UInt64] = []
    /// Once there is one: a connection lives long without.
    private var goodbye: Goodbye?

    private final class Goodbye {
        let frame: Frame
        var isOwed = true
        /// Packets that came after it.
        var lateArrivals = 0
        init(_ frame: Frame) { self.frame = frame }
    }

    init(
        handle: ConnectionHandle,
        role: Role,
        keys: SessionKeys,
        peer: Parameters,
        path: Path,
        constants: Constants,
        dice: Dice,
        roundTrip: RoundTrip?,
        at now: Instant
    ) {
        self.handle = handle
        self.role = role
        sealing = keys.sealing
        opening = keys.opening
        self.constants = constants
        peerMaxAckDelay = peer.maxAckDelay.inNanoseconds
        peerLaterAckDelay = peer.laterAckDelay.inNanoseconds
        let configuration = constants.configuration
        self.dice = dice
        createdAt = now
        reassembly = Reassembly(limit: configuration.receiveWindow + RecordFrame.recordLimit)
        largestReceivedAt = now
        lastHeard = now
        lastNews = now
        lastElicitingSent = now
        peerWindow = peer.window
        congestion = CongestionController(window: configuration.initialWindow)
        self.roundTrip = roundTrip ?? RoundTrip(initial: configuration.initialRoundTrip)
        paths = Paths(first: path)
    }
}

/// A small record that left lately, for bundling into packets with room (PROTOCOL.md §3).
struct RecentRecord {
    let stream: UInt64
    let number: UInt64
    let sentAt: Instant
    var copies: UInt8
}

// MARK: Wishes

extension Connection {
    /// Datagrams that wait; the oldest give way (newest wins).
    static let datagramQueue = 32
    /// Challenges and answers that wait, so that nobody fills the queue.
    static let pathFrameLimit = 8

    mutating func open(stream id: UInt64, at first: UInt64) {
        drop(stream: id)
        streams.open(id, at: first)
    }

    mutating func offer(upTo end: UInt64, on id: UInt64) {
        guard let index = streams.index(of: id) else { return }
        streams[index].offer(upTo: end)
        streams.queue(index)
    }

    mutating func resume(stream id: UInt64) {
        guard let index = streams.index(of: id) else { return }
        streams[index].isWaiting = false
        streams.queue(index)
    }

    mutating func drop(stream id: UInt64) {
        streams.drop(id)
        recent.removeAll { $0.stream == id }
    }

    mutating func send(datagram: [UInt8]) {
        precondition(
            datagram.count <= TransportConfiguration.datagramLimit,
            "a datagram fits one packet"
        )
        if datagrams.count >= Self.datagramQueue { datagrams.removeFirst() }
        datagrams.append(datagram)
    }

    mutating func ping() {
        if !controls.contains(.ping) { controls.append(.ping) }
    }

    /// The newest one counts.
    mutating func give(token: [UInt8]) {
        controls.removeAll { if case .token = $0 { true } else { false } }
        controls.append(.token(token))
    }

    mutating func close(_ code: CloseCode, reason: String, as cause: CloseReason, at now: Instant) {
        guard phase == .open else { return }
        var reason = reason
        while reason.utf8.count > Frame.reasonLimit { reason.removeLast() }
        goodbye = Goodbye(.close(code: code.rawValue, reason: reason))
        phase = .closing(until: now.advanced(by: .nanoseconds(3 * probeTimeout)))
        finish(cause)
    }

    /// Ends without a word.
    mutating func end(_ cause: CloseReason) {
        guard phase == .open else {
            phase = .over
            return
        }
        phase = .over
        finish(cause)
    }

    private mutating func finish(_ cause: CloseReason) {
        flushAcknowledged()
        events.append(.closed(cause))
        streams = OutgoingStreams()
        datagrams = []
        controls = []
        recent = []
    }

    mutating func peerClosed(_ code: CloseCode, reason: String, at now: Instant) {
        guard phase == .open else { return }
        phase = .draining(until: now.advanced(by: .nanoseconds(3 * probeTimeout)))
        finish(.peer(code, reason: reason))
    }

    /// A packet of a closed connection came in: say goodbye again, ever more seldom (RFC 9000 §10.2.1), so
    /// that two ends that close at once do not answer each other.
    mutating func repeatGoodbye() {
        guard case .closing = phase, let goodbye else { return }
        goodbye.lateArrivals += 1
        if goodbye.lateArrivals & (goodbye.lateArrivals - 1) == 0 { goodbye.isOwed = true }
    }

    mutating func takeGoodbye() -> Frame? {
        guard let goodbye, goodbye.isOwed else { return nil }
        goodbye.isOwed = false
        return goodbye.frame
    }
}

// MARK: Questions

extension Connection {
    var isOver: Bool { phase == .over }
    /// Whether the owner has something to hear of, or to forget.
    var hasNews: Bool { !events.isEmpty || !acknowledgedStreams.isEmpty || isOver }

    var link: LinkState {
        LinkState(
            path: paths.active.path,
            roundTrip: roundTrip.smoothedIfKnown,
            packetsLost: packetsLost + overdue,
            packetsSent: packetsSent,
            lastHeard: lastHeard,
            bytesInFlight: sent.bytesInFlight,
            congestionWindow: congestion.window
        )
    }

    /// srtt + max(4 rttvar, 1 ms) + the peer's max_ack_delay (RFC 9002 §6.2.1).
    var probeTimeout: Int64 { roundTrip.probeTimeout + peerMaxAckDelay }

    /// The same where the peer was asked to acknowledge later.
    var longestProbeTimeout: Int64 { roundTrip.probeTimeout + longestAckDelay }

    var deadline: Instant? {
        switch phase {
        case .over: return nil
        case .closing(let until), .draining(let until): return until
        case .open: break
        }
        var earliest = lastHeard.advanced(nanoseconds: constants.idleTimeout)
        func consider(_ moment: Instant?) {
            if let moment { earliest = min(earliest, moment) }
        }
        consider(lossTime ?? probeDeadline)
        consider(paths.deadline)
        // Nothing may leave towards an address that has to prove itself first: waking for it would spin.
        let mayWrite = paths.allowance >= Self.smallestPacket
        if mayWrite { consider(acknowledgeBy) }
        if isPacing, mayWrite {
            consider(pacer.deadline(window: congestion.window, smoothed: roundTrip.smoothed))
        }
        consider(pingDeadline)
        consider(restDeadline)
        return earliest
    }

    /// When the client asks for a sign of life. A NAT that takes another port tells nobody, and the server's words
    /// go astray until the client speaks: so it speaks soon after something came, when more is likely
    /// to come, and ever more seldom as a silence grows (PROTOCOL.md §3).
    private var pingDeadline: Instant? {
        guard case .client = role, !controls.contains(.ping) else { return nil }
        let age = max(0, lastElicitingSent.nanoseconds - lastNews.nanoseconds)
        let watchful = max(lastElicitingSent, lastNews).advanced(
            nanoseconds: max(constants.attention, age)
        )
        return min(watchful, lastElicitingSent.advanced(nanoseconds: constants.keepAlive))
    }

    /// Since when an answer is due; before that the peer's silence means nothing.
    var unansweredSince: Instant? { sent.eliciting.first?.sentAt }
}

// MARK: Time

extension Connection {
    mutating func timePassed(to now: Instant) {
        switch phase {
        case .over: return
        case .closing(let until), .draining(let until):
            if now >= until { phase = .over }
            return
        case .open: break
        }
        if now >= lastHeard.advanced(nanoseconds: constants.idleTimeout) {
            end(.idle)
            return
        }
        if let lossTime, now >= lossTime {
            detectLosses(at: now)
        } else if let probeDeadline, now >= probeDeadline {
            probe()
        }
        if paths.timePassed(to: now) { pathChanged(resets: true) }
        if let pingDeadline, now >= pingDeadline { ping() }
        if let restDeadline, now >= restDeadline { rest() }
    }

    /// When what was needed for a conversation may go: the silent ones are many, and their memory is the server's.
    private var restDeadline: Instant? {
        guard case .server = role, !isResting, sent.elicitingCount == 0 else { return nil }
        // Those that were told something together do not rest all at once.
        let spread = Int64(handle.rawValue % 1_024) * 1_000_000
        return lastElicitingSent.advanced(nanoseconds: constants.restAfter + spread)
    }

    /// Gives back the room of what is empty, and of what nothing is asked for any more.
    private mutating func rest() {
        isResting = true
        sent.rest()
        streams.rest()
        recent = []
        if events.isEmpty { events = [] }
        if acknowledgedStreams.isEmpty { acknowledgedStreams = [] }
        if datagrams.isEmpty { datagrams = [] }
        if controls.isEmpty { controls = [] }
        if pathFrames.isEmpty { pathFrames = [] }
    }

    /// Facts for the owner since the last call, in order.
    mutating func takeEvent() -> ConnectionEvent? {
        if events.isEmpty { flushAcknowledged() }
        if let event = events.popFirst() { return event }
        if isResting { events = [] }
        return nil
    }

    private mutating func flushAcknowledged() {
        for id in acknowledgedStreams {
            guard let index = streams.index(of: id), streams[index].hasNews else { continue }
            streams[index].hasNews = false
            events.append(.acknowledged(stream: id, below: streams[index].acknowledgedBelow))
        }
        acknowledgedStreams.removeAll(keepingCapacity: true)
    }
}
