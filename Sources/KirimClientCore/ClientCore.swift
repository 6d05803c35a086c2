import DequeModule
package import KirimNoise
package import KirimRooms
package import KirimTransport
package import KirimWire

/// A whole client without a socket, a clock or a disk: one connection, the rooms, the outbox.
///
/// - Facts in: ``receive(_:on:at:)``, ``timePassed(to:)``, ``useSocket(_:at:)``, ``networkChanged(at:)``,
///   ``stored(_:_:at:)``.
/// - Wishes in: ``connect(to:trusting:secret:at:)``, ``disconnect(at:)``, ``post(_:ticket:at:)``,
///   ``ask(_:ticket:at:)``, ``cancel(_:)``, ``setPresence(_:at:)``.
/// - Work out: ``nextOutput(at:)`` until `nil`, after each batch of facts and wishes.
/// - One ``deadline``, read after the outputs: ``timePassed(to:)`` is due then; early is harmless.
///
/// Outputs come in the order of the inputs that caused them. Store requests are to be carried out one after the
/// other, in their order, and each is to be answered by ``stored(_:_:at:)``.
package struct ClientCore: ~Copyable {
    var endpoint: ClientEndpoint
    var chat: ChatClient
    private var watch: LinkWatch
    private var goal: Goal?
    var outputs: Deque<Output> = []

    package enum Output: Hashable, Sendable {
        case transmit(Transmit)
        /// Make a socket and say ``useSocket(_:at:)``. The old ones stay until `mayClose`.
        case wantsSocket
        case mayClose(SocketID)
        /// For this server, as it is known when the request is made.
        case store(StoreID, StoreRequest, for: KnownServer)
        case event(ClientEvent)
    }

    /// Where to go, and what to show there.
    private struct Goal {
        var addresses: [Address]
        var trusted: PublicKey?
        var secret: AccessSecret?
    }

    /// Starts from what the journal knows about the server, with the wished name.
    package init(
        identity: StaticKey,
        local: LocalState,
        configuration: Configuration,
        dice: any RandomNumberGenerator & Sendable
    ) {
        var dice = dice
        // Drawn before the endpoint goes on with the same dice: a copy would give both the same numbers.
        let outboxIDs = (0..<4).map { _ in OutboxID(rawValue: max(1, dice.next())) }
        endpoint = ClientEndpoint(
            identity: identity,
            configuration: configuration.transport,
            dice: dice
        )
        chat = ChatClient(
            local,
            configuration: configuration.chat,
            outboxIDs: outboxIDs
        )
        watch = LinkWatch(configuration)
    }

    package struct Configuration: Sendable {
        package var transport = TransportConfiguration()
        package var chat = ChatClient.Configuration()
        /// The server owes an answer and was not heard for so long: say so. Two probe timeouts on a bad link.
        package var silentAfter: Duration = .seconds(5)
        /// Nobody owes anything: the pings (every 25 s) get no answer.
        package var idleSilentAfter: Duration = .seconds(40)

        package init() {}
    }
}

// MARK: - Questions

extension ClientCore {
    package var deadline: Instant? {
        [endpoint.deadline, chat.deadline, watch.deadline].compactMap { $0 }.min()
    }

    package var phase: ConnectionPhase { watch.phase }
    package func link() -> LinkState? { endpoint.link() }
    /// This machine's address changed, and the server was not heard since.
    package var isRoaming: Bool { endpoint.isRoaming }
    /// Posts that the server has not decided about.
    package var queuedCount: Int { chat.queuedCount }
    package var queued: [LocalPost] { chat.queued }
    /// The oldest and the newest of them.
    package var firstQueued: LocalPost? { chat.firstQueued }
    package var lastQueued: LocalPost? { chat.lastQueued }
    package var member: Member? { chat.member }
    package var joinedRooms: [RoomName] { chat.joinedRooms }
    package func cursor(of room: RoomName) -> SequenceNumber? { chat.cursor(of: room) }
    package var knownServer: KnownServer { chat.knownServer }
    package var counters: ChatClient.Counters { chat.counters }
}

// MARK: - Facts

extension ClientCore {
    /// A datagram came in. Anything at all may be in it.
    package mutating func receive(_ datagram: [UInt8], on path: Path, at now: Instant) {
        endpoint.receive(datagram, on: path, at: now)
    }

    package mutating func timePassed(to now: Instant) {
        endpoint.timePassed(to: now)
        chat.timePassed(to: now)
    }

    /// From now on send from this socket.
    package mutating func useSocket(_ socket: SocketID, at now: Instant) {
        endpoint.useSocket(socket, at: now)
    }

    /// The machine's addresses changed.
    package mutating func networkChanged(at now: Instant) { endpoint.networkChanged(at: now) }

    /// The machine slept, or the program was stopped.
    package mutating func woke(at now: Instant) { endpoint.woke(at: now) }

    package mutating func stored(
        _ id: StoreID,
        _ result: Result<StoreResult, JournalError>,
        at now: Instant
    ) {
        chat.stored(id, result, at: now)
    }
}

// MARK: - Wishes

extension ClientCore {
    /// Goes to find the server at these addresses, or at others than before.
    ///
    /// `trusted` is the key that the address came with; without it the pinned one is, and without that the first
    /// that answers is pinned.
    package mutating func connect(
        to addresses: [Address],
        trusting trusted: PublicKey? = nil,
        secret: AccessSecret? = nil,
        at now: Instant
    ) {
        goal = Goal(addresses: addresses, trusted: trusted, secret: secret)
        connect(at: now)
    }

    private mutating func connect(at now: Instant) {
        guard let goal else { return }
        chat.endSession()
        watch.connecting()
        endpoint.connect(
            to: goal.addresses,
            trusting: goal.trusted ?? chat.knownServer.key,
            token: chat.knownServer.token,
            secret: goal.secret,
            at: now
        )
    }

    /// Says goodbye and stays quiet.
    package mutating func disconnect(at now: Instant) {
        goal = nil
        chat.endSession()
        watch.disconnected()
        endpoint.disconnect(at: now)
    }

    /// Puts posts into the outbox, all or none. Told: `queued` and `posted`, or `postFailed`.
    package mutating func post(_ posts: [Post], ticket: Ticket, at now: Instant) {
        chat.post(posts, ticket: ticket, at: now)
    }

    /// Told: `answered`.
    package mutating func ask(_ request: ClientRequest, ticket: Ticket, at now: Instant) {
        chat.ask(request, ticket: ticket, at: now)
    }

    /// Wishes to be in the room from now on. Told: `answered`, when the wish is durable.
    package mutating func enter(_ room: RoomName, ticket: Ticket) {
        chat.enter(room, ticket: ticket)
    }

    /// Nobody waits for the answer any more.
    package mutating func cancel(_ ticket: Ticket) { chat.cancel(ticket) }

    /// The face is far behind: entries wait at the server until ``resumeReading(at:)``.
    package mutating func pauseReading() { chat.pauseReading() }

    package mutating func resumeReading(at now: Instant) { chat.resumeReading(at: now) }

    package mutating func setPresence(_ presence: Presence, at now: Instant) {
        chat.setPresence(presence, at: now)
    }
}

// MARK: - Work

extension ClientCore {
    /// The next thing to be done; `nil` when there is nothing until the next fact, wish or ``deadline``.
    package mutating func nextOutput(at now: Instant) -> Output? {
        while true {
            if let output = outputs.popFirst() { return output }
            if let event = endpoint.nextEvent() {
                take(event, at: now)
                continue
            }
            if let command = chat.nextCommand() {
                carryOut(command, at: now)
                continue
            }
            if let phase = watch.look(endpoint.link(), isWaiting: chat.isWaiting, at: now) {
                return .event(.phase(phase))
            }
            guard let transmit = endpoint.nextTransmit(at: now, source: &chat) else { return nil }
            return .transmit(transmit)
        }
    }

    // Never inlined: where it is, the optimiser of Swift 6.3.1 loses the lifetime of `chat` and gives up,
    // so that no optimised build ends.
    @inline(never)
    private mutating func take(_ event: ClientEndpoint.Event, at now: Instant) {
        switch event {
        case .opened(let connection, let key, _):
            watch.opened(at: now)
            chat.opened(connection, serverKey: key, at: now)
        case .connection(let connection, let event):
            if case .closed = event, connection == chat.connection { watch.connecting() }
            chat.received(event, on: connection, at: now)
        case .wantsSocket: outputs.append(.wantsSocket)
        case .mayClose(let socket): outputs.append(.mayClose(socket))
        case .token(let token): chat.keep(token: token)
        case .unreachable: watch.unreachable(at: now)
        case .stopped(let stop):
            chat.endSession()
            watch.stopped(stop)
        }
    }

    private mutating func carryOut(_ command: ChatClient.Command, at now: Instant) {
        switch command {
        case .open(let stream, let first, let connection):
            endpoint.open(stream: stream, at: first, of: connection)
        case .offer(let end, let stream, let connection):
            endpoint.offer(upTo: end, on: stream, of: connection)
        case .drop(let stream, let connection): endpoint.drop(stream: stream, of: connection)
        case .send(let datagram, let connection): endpoint.send(datagram: datagram, to: connection)
        case .reconnect: connect(at: now)
        case .store(let id, let request):
            outputs.append(.store(id, request, for: chat.knownServer))
        case .tell(.firstContact) where goal?.trusted != nil:
            // The address vouched for the key: nothing to compare.
            break
        case .tell(let event): outputs.append(.event(event))
        }
    }
}
