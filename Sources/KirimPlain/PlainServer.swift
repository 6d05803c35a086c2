package import KirimRooms
package import KirimWire

/// The plain text clients of a server: each datagram of theirs is a message, and they get everybody else's.
///
/// - Facts in: ``receive(_:from:at:)``, ``unreachable(_:)``, ``timePassed(to:)``.
/// - Wishes in: ``deliver(_:)``, ``broadcast(_:)``, ``remove(_:until:)``.
/// - Work out: ``nextOutput()``, until `nil`, after each fact and wish.
/// - One ``deadline``.
///
/// Plain text is not authenticated. What keeps it harmless: the ``PlainPolicy``; a stranger gets no byte
/// more than it sent, and costs no memory; clients are bounded in number and rate; what comes back from an
/// echo, or through a ring of relays, is dropped, so that two machines never talk each other to death.
package struct PlainServer: Sendable {
    private let configuration: Configuration
    private var door: PlainDoor
    /// In the order in which they joined.
    private var clients: [Client] = []
    /// Where each address stands in ``clients``.
    private var places: [Address: Int] = [:]
    private var outputs: [Output] = []
    private var fanouts: [Fanout] = []
    /// What ``fanouts`` cost together.
    private var backlog = 0
    /// Of the datagrams that plain clients cause together.
    private var relays: Pace
    /// Who was put out, and for how long.
    private var putOut: [(address: Address, until: Instant)] = []
    /// What was counted since the start.
    package private(set) var counters = Counters()

    /// `tag` makes 16 bytes that nobody else can: a MAC under a secret of the owner's. It is asked only
    /// under the policy `lan`.
    package init(
        configuration: Configuration,
        tag: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) {
        self.configuration = configuration
        relays = Pace(
            Rate(perSecond: configuration.relaysPerSecond, burst: configuration.relayBurst)
        )
        door = PlainDoor(configuration: configuration, tag: tag)
    }

    var backlogCost: Int { backlog }
    var putOutCount: Int { putOut.count }
    var waitingCount: Int { outputs.count + fanouts.count }

    /// Everybody who has spoken and not left, in the order in which they joined.
    package var peers: [PlainPeer] { clients.map(\.peer) }

    /// The same, with when each came and was heard last.
    package var visits: [PlainVisit] {
        clients.map { PlainVisit(address: $0.peer.address, began: $0.joined, heard: $0.heard) }
    }

    /// A datagram came in that no Kirim packet claims. Anything at all may be in it.
    package mutating func receive(_ datagram: [UInt8], from peer: PlainPeer, at now: Instant) {
        guard configuration.policy != .off else { return counters.refused += 1 }
        guard peer.address.isAnswerable else { return counters.unanswerable += 1 }
        guard !isPutOut(peer.address, at: now) else { return counters.refused += 1 }
        guard !datagram.isEmpty else { return counters.empty += 1 }
        guard let (text, endsLine) = PlainText.read(datagram) else {
            return counters.malformed += 1
        }
        if let place = places[peer.address] {
            heard(text, datagram, endsLine: endsLine, by: place, at: peer, now)
            return
        }
        switch door.admit(text, bytes: datagram.count, from: peer.address, at: now) {
        case .enter(let text):
            guard relays.admits(at: now) else { return counters.tooFast += 1 }
            register(peer, endsLine: endsLine, at: now)
            // Who typed a code wants to see that it was the right one.
            if !peer.address.ip.isLoopback {
                outputs.append(.transmit(Self.greeting, to: peer))
                clients[clients.count - 1].relayed.remember(Self.greeting)
            }
            say(text, from: peer, at: now)
        case .answer(let bytes):
            counters.challenged += 1
            outputs.append(.transmit(bytes, to: peer))
        case .refuse: counters.refused += 1
        case .hurry: counters.tooFast += 1
        }
    }

    /// The network says that nobody is there any more (an ICMP error for something sent there).
    package mutating func unreachable(_ address: Address) {
        leave(address, .unreachable)
    }

    /// Time moved on; calling early is harmless.
    package mutating func timePassed(to now: Instant) {
        for client in clients where client.heard.advanced(by: configuration.silence) <= now {
            leave(client.peer.address, .silent)
        }
    }

    /// Relays an entry of the default room to everybody but its author. A broadcast goes as it was typed.
    package mutating func deliver(_ entry: Entry) {
        let (prefix, text) = PlainText.line(for: entry)
        var author: Address?
        if case .plain(let address) = entry.author { author = address }
        let recipients = clients.map(\.peer).filter { $0.address != author }
        guard !recipients.isEmpty else { return }
        fanOut(Fanout(prefix: prefix, text: text, recipients: recipients))
    }

    /// Sends the operator's line, as it was typed, to everybody who has spoken.
    package mutating func broadcast(_ text: String) {
        guard !clients.isEmpty else { return }
        fanOut(Fanout(prefix: "", text: text, recipients: clients.map(\.peer)))
    }

    /// Puts a client out; what it says is dropped until then.
    package mutating func remove(_ address: Address, until: Instant) {
        putOut.removeAll { $0.address == address }
        if putOut.count >= configuration.clientLimit { putOut.removeFirst() }
        putOut.append((address, until))
        leave(address, .removed)
    }

    private mutating func isPutOut(_ address: Address, at now: Instant) -> Bool {
        guard !putOut.isEmpty else { return false }
        putOut.removeAll { $0.until <= now }
        return putOut.contains { $0.address == address }
    }

    /// When ``timePassed(to:)`` has something to do.
    package var deadline: Instant? {
        clients.map(\.heard).min()?.advanced(by: configuration.silence)
    }

    /// What there is to do, in the order in which it was caused.
    package mutating func nextOutput() -> Output? {
        // Joining and speaking first: what is relayed is relayed because somebody spoke before.
        if !outputs.isEmpty { return outputs.removeFirst() }
        while !fanouts.isEmpty {
            guard let recipient = fanouts[0].recipient else {
                endFanout(at: 0)
                continue
            }
            guard let place = places[recipient.address] else {
                fanouts[0].skip()
                continue
            }
            guard let bytes = fanouts[0].next(endsLine: clients[place].endsLine) else { continue }
            if fanouts[0].isRelay { clients[place].relayed.remember(bytes) }
            counters.sent += 1
            return .transmit(bytes, to: clients[place].peer)
        }
        return nil
    }
}

extension PlainServer {
    /// What the owner is to do.
    package enum Output: Hashable, Sendable {
        /// Somebody spoke for the first time.
        case joined(PlainPeer)
        /// A message for the default room.
        case said(PlainPeer, String)
        case left(PlainPeer, LeaveReason)
        case transmit([UInt8], to: PlainPeer)
    }

    /// Why a client is gone.
    package enum LeaveReason: Hashable, Sendable {
        /// Nothing was heard for ``Configuration/silence``.
        case silent
        /// Nobody listens there any more.
        case unreachable
        /// A newer client took the place: there are ``Configuration/clientLimit`` at most.
        case replaced
        /// The owner wished it.
        case removed
    }

    /// The limits, with their reasons.
    package struct Configuration: Hashable, Sendable {
        /// Which sources may speak.
        package var policy: PlainPolicy = .loopback
        /// A client that says nothing for so long has left; there is no goodbye in plain text. 1 hour.
        package var silence: Duration = .seconds(3600)
        /// Clients at once; the one that was silent longest gives way. Every message is sent to each. 256.
        package var clientLimit = 256
        /// Clients of one address (a /64 of IPv6) outside this machine, so that one cannot displace all. 32.
        package var clientsPerPrefix = 32
        /// Sustained messages a second of one client: what two programs that answer each other can cost. 50.
        package var messagesPerSecond = 50
        /// Messages that may come at once before the rate counts: a piped file. 500.
        package var messageBurst = 500
        /// Datagrams a second that the messages of all plain clients together may cost: one for taking a message, and
        /// for each client those that it is cut into. A classroom of forty can chatter; a flood from a thousand
        /// ports takes a twentieth of a core. What goes beyond is dropped and counted. 10,000.
        package var relaysPerSecond = 10_000
        /// See ``relaysPerSecond``: a piped file, or everybody greeting at once. 20,000.
        package var relayBurst = 20_000
        /// Datagrams a second of all strangers of one address that are looked at. 2, after a burst of 10.
        package var strangersPerSecond = 2
        /// See ``strangersPerSecond``.
        package var strangerBurst = 10
        /// Answers a second to all strangers together. 100.
        package var challengesPerSecond = 100
        /// Bytes that wait to be sent to all clients together: above, the oldest message that waits is
        /// given up. 16 MiB: half a second's work; one text is never too much.
        package var backlogBytes = 16_777_216
        /// A code is good for this long, and for as long again. 2 minutes: time to read and type it.
        package var codeLifetime: Duration = .seconds(120)

        package init() {}
    }

    /// What was dropped, and what was sent. Only ever grows.
    package struct Counters: Hashable, Sendable {
        /// Not UTF-8.
        package var malformed = 0
        /// Nothing in it; registers nobody.
        package var empty = 0
        /// From a source that the policy does not allow.
        package var refused = 0
        /// From a reflectable port, or an address that cannot be answered.
        package var unanswerable = 0
        /// Over a rate: its own, or that of all plain clients together.
        package var tooFast = 0
        /// Strangers that were sent a code.
        package var challenged = 0
        /// Our own words, come back.
        package var echoed = 0
        /// Messages that had gone through a ring of relays.
        package var looped = 0
        /// Messages taken.
        package var said = 0
        /// Messages given up on their way, wholly or in part, as too much waited to be sent.
        package var givenUp = 0
        /// Datagrams relayed or broadcast.
        package var sent = 0

        package init() {}
    }
}

extension PlainServer {
    private struct Client: Sendable {
        var peer: PlainPeer
        let joined: Instant
        var heard: Instant
        /// Whether its last datagram ended with a line feed: then it shows bytes as they come, as `nc`
        /// does, and needs line ends; the others put them themselves.
        var endsLine: Bool
        var pace: Pace
        /// Of ``Configuration/relaysPerSecond``: an eighth, and half of the burst.
        var share: Pace
        var relayed = RecentDatagrams()
    }

    private mutating func heard(
        _ text: String,
        _ datagram: [UInt8],
        endsLine: Bool,
        by place: Int,
        at peer: PlainPeer,
        _ now: Instant
    ) {
        // Who is heard is here, also where nothing is taken from anybody just now.
        clients[place].heard = max(clients[place].heard, now)
        guard clients[place].pace.admits(at: now), relays.admits(at: now) else {
            return counters.tooFast += 1
        }
        clients[place].peer = peer
        guard !clients[place].relayed.contains(text) else { return counters.echoed += 1 }
        clients[place].endsLine = endsLine
        say(text, from: peer, at: now)
    }

    /// Every message goes to every client: what many say to many is bounded by what it costs, or strangers who
    /// speak from many ports could keep the server from its members. Nobody alone has more than a part of that.
    private mutating func mayRelay(_ text: String, by peer: PlainPeer, at now: Instant) -> Bool {
        guard let place = places[peer.address] else { return false }
        let cost = PlainText.pieces(of: text) * clients.count
        guard clients[place].share.admits(at: now) else { return false }
        // Who speaks from several ports of one machine has one share for all of them. On this machine everybody does.
        let prefix = peer.address.ip.prefix
        let parts =
            peer.address.ip.isLoopback
            ? 1 : clients.count { $0.peer.address.ip.prefix == prefix }
        clients[place].share.charge(cost * parts - 1, at: now)
        // What one text costs beyond what all may at once is its author's debt, not everybody's silence.
        relays.charge(min(cost, configuration.relayBurst), at: now)
        return true
    }

    private static let greeting = Array("You are in. What you send now goes to everybody.\n".utf8)

    private mutating func say(_ text: String, from peer: PlainPeer, at now: Instant) {
        // Only a line end: the Return key on an empty line. Who presses it is here, and says nothing.
        guard !text.isEmpty else { return }
        guard PlainText.relayDepth(of: text) < 2 else { return counters.looped += 1 }
        guard mayRelay(text, by: peer, at: now) else { return counters.tooFast += 1 }
        counters.said += 1
        outputs.append(.said(peer, text))
    }

    private mutating func fanOut(_ fanout: Fanout) {
        fanouts.append(fanout)
        backlog += fanout.cost
        // What the operator typed is given up last.
        while backlog > configuration.backlogBytes, fanouts.count > 1 {
            endFanout(at: fanouts.dropLast().firstIndex(where: \.isRelay) ?? 0)
            counters.givenUp += 1
        }
    }

    private mutating func endFanout(at place: Int) {
        backlog -= fanouts.remove(at: place).cost
    }

    private mutating func register(_ peer: PlainPeer, endsLine: Bool, at now: Instant) {
        makeRoom(for: peer.address)
        var pace = Pace(
            Rate(perSecond: configuration.messagesPerSecond, burst: configuration.messageBurst)
        )
        _ = pace.admits(at: now)
        let share = Rate(
            perSecond: max(1, configuration.relaysPerSecond / 8),
            burst: max(1, configuration.relayBurst / 2)
        )
        places[peer.address] = clients.count
        clients.append(
            Client(
                peer: peer,
                joined: now,
                heard: now,
                endsLine: endsLine,
                pace: pace,
                share: Pace(share)
            )
        )
        outputs.append(.joined(peer))
    }

    private mutating func makeRoom(for address: Address) {
        if !address.ip.isLoopback {
            let neighbours = clients.filter { $0.peer.address.ip.prefix == address.ip.prefix }
            if neighbours.count >= configuration.clientsPerPrefix { replaceOldest(of: neighbours) }
        }
        if clients.count >= configuration.clientLimit { replaceOldest(of: clients) }
    }

    private mutating func replaceOldest(of candidates: [Client]) {
        guard let oldest = candidates.min(by: { $0.heard < $1.heard }) else { return }
        leave(oldest.peer.address, .replaced)
    }

    private mutating func leave(_ address: Address, _ reason: LeaveReason) {
        guard let place = places.removeValue(forKey: address) else { return }
        let client = clients.remove(at: place)
        for later in place..<clients.count { places[clients[later].peer.address] = later }
        outputs.append(.left(client.peer, reason))
    }
}
