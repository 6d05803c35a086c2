import KirimClientCore
import KirimNoise
import KirimRooms
import KirimTransport
import KirimWire
import NIOCore
import NIOPosix

/// The shell of one client: sockets, journal and timer around a ``KirimClientCore/ClientCore``.
///
/// It runs on one event loop. A turn is: facts in, outputs drained, one flush, one timer. The journal's
/// calls block, so a thread of the pool makes them, one batch at a time, in order.
actor Engine {
    nonisolated let loop: any EventLoop
    nonisolated let events = EventBuffer()
    nonisolated let identity: PublicKey
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        loop.executor.asUnownedSerialExecutor()
    }

    var core: ClientCore
    private let address: ServerAddress
    private let belongings: Belongings
    private let patience: Duration
    private let localPort: UInt16
    private let clock = ContinuousClock()
    private let origin: ContinuousClock.Instant

    private var sockets: Sockets?
    private var timer: Scheduled<Void>?
    private var armed: Instant?
    private var watch = NetworkWatch()
    private var watching: RepeatedTask?
    private var news: (any Channel)?
    private var isLookDue = false

    private var remotes: [Address] = []
    private var isResolving = false
    private var resolvedAt: Instant?
    /// Why there is no address to try yet.
    private var unknownHost: UnknownHost?
    /// Told, and not again.
    private var socketFailures: Set<BindFailure> = []

    private var toStore: [(id: StoreID, request: StoreRequest, server: KnownServer)] = []
    private var isStoring = false
    /// Settled when the journal has done everything; there only while it has something to do.
    private var storesDone: Promise<Void>?

    private var lastTicket: UInt64 = 0
    var posting: [Ticket: Promise<[Receipt]>] = [:]
    var asking: [Ticket: Promise<Answer>] = [:]
    var outcomes: [LocalPostID: Promise<PostDecision>] = [:]
    var draining: [(last: LocalPostID, promise: Promise<Void>)] = []
    let welcome = Promise<Void>()
    /// Why nothing goes on any more.
    var end: KirimError?

    init(_ belongings: Belongings, address: ServerAddress, options: KirimClient.Options) {
        loop = MultiThreadedEventLoopGroup.singleton.any()
        origin = clock.now
        identity = belongings.identity.publicKey
        self.address = address
        self.belongings = belongings
        patience = options.patience
        localPort = options.localPort
        var configuration = ClientCore.Configuration()
        configuration.chat.history = UInt64(max(0, options.history))
        configuration.chat.agent = String(options.agent.prefix(32))
        core = ClientCore(
            identity: belongings.identity,
            local: belongings.local,
            configuration: configuration,
            dice: SystemRandomNumberGenerator()
        )
    }

    /// Time since the engine was made, sleep included.
    var now: Instant { .start.advanced(by: origin.duration(to: clock.now)) }

    /// Tells what is here already, and goes to find the server. Throws where the wished port cannot be had.
    func start() async throws(KirimError) {
        let sockets = Sockets(on: loop, localPort: localPort) { [weak self] datagrams, socket in
            self?.assumeIsolated { $0.receive(datagrams, on: socket) }
        } failed: { [weak self] failure in
            self?.assumeIsolated { $0.failed(failure) }
        }
        self.sockets = sockets
        if localPort != 0 {
            do throws(BindFailure) {
                try await sockets.claim(for: IPAddress(address.host))
            } catch {
                throw KirimError(error)
            }
        }
        for entry in belongings.recent { tell(.entry(entry, mine: nil)) }
        _ = watch.look()
        watching = loop.scheduleRepeatedTask(
            initialDelay: NetworkWatch.period,
            delay: NetworkWatch.period
        ) { [weak self] _ in
            self?.assumeIsolated { $0.lookAround() }
        }
        listenForNews()
        resolve()
        drain()
    }

    private func receive(_ datagrams: [Sockets.Datagram], on socket: SocketID) {
        let now = now
        for datagram in datagrams {
            core.receive(
                datagram.bytes,
                on: Path(socket: socket, remote: datagram.remote),
                at: now
            )
        }
        drain()
    }

    private func timePassed() {
        armed = nil
        core.timePassed(to: now)
        drain()
    }

    /// Does all the work that the core has, then waits for the next deadline.
    func drain() {
        let now = now
        while let output = core.nextOutput(at: now) {
            switch output {
            case .transmit(let transmit): sockets?.send(transmit)
            case .wantsSocket: if let socket = sockets?.make() { core.useSocket(socket, at: now) }
            case .mayClose(let socket): sockets?.close(socket)
            case .store(let id, let request, let server): toStore.append((id, request, server))
            case .event(let event): take(event)
            }
        }
        sockets?.flush()
        store()
        arm()
    }

    private func arm() {
        guard end == nil, let deadline = core.deadline else {
            timer?.cancel()
            timer = nil
            armed = nil
            return
        }
        guard deadline != armed else { return }
        timer?.cancel()
        armed = deadline
        // A deadline that has passed is due in the next turn, never in this one.
        let wait = max(0, now.duration(to: deadline).inNanoseconds)
        timer = loop.scheduleTask(in: .nanoseconds(wait)) { [weak self] in
            self?.assumeIsolated { $0.timePassed() }
        }
    }
}

// MARK: - The journal

extension Engine {
    private func store() {
        guard !isStoring else { return }
        guard !toStore.isEmpty else {
            storesDone?.settle(.success(()))
            storesDone = nil
            return
        }
        isStoring = true
        storesDone = storesDone ?? Promise()
        let batch = toStore
        toStore = []
        let journal = belongings.journal
        NIOThreadPool.singleton.submit { [weak self, loop] _ in
            var results: [(StoreID, Result<StoreResult, JournalError>)] = []
            for (id, request, server) in batch {
                do throws(JournalError) {
                    results.append((id, .success(try request.perform(for: server, on: journal))))
                } catch {
                    results.append((id, .failure(error)))
                }
            }
            loop.execute { [results] in
                self?.assumeIsolated { $0.didStore(results) }
            }
        }
    }

    private func didStore(_ results: [(StoreID, Result<StoreResult, JournalError>)]) {
        isStoring = false
        let now = now
        for (id, result) in results { core.stored(id, result, at: now) }
        drain()
    }
}

// MARK: - The network

extension Engine {
    private func listenForNews() {
        let listening = NetworkNews.listen(on: loop) { [weak self] in
            self?.assumeIsolated { $0.lookSoon() }
        }
        listening?.whenSuccess { [weak self] channel in
            self?.assumeIsolated { $0.listens(channel) }
        }
    }

    private func listens(_ channel: any Channel) {
        guard end == nil else { return channel.close(promise: nil) }
        news = channel
        channel.closeFuture.whenComplete { [weak self] _ in
            self?.assumeIsolated { $0.newsEnded() }
        }
    }

    /// More was said at once than the system keeps for us: there was news, and there will be more.
    private func newsEnded() {
        guard end == nil else { return }
        lookSoon()
        loop.scheduleTask(in: .seconds(1)) { [weak self] in
            self?.assumeIsolated { if $0.end == nil { $0.listenForNews() } }
        }
    }

    /// A change comes as several pieces of news: one look, once they are there.
    private func lookSoon() {
        guard !isLookDue, end == nil else { return }
        isLookDue = true
        loop.scheduleTask(in: .milliseconds(50)) { [weak self] in
            self?.assumeIsolated {
                $0.isLookDue = false
                if $0.end == nil { $0.lookAround() }
            }
        }
    }

    private func lookAround() {
        let sight = watch.look()
        switch sight {
        case .nothing: break
        case .woke: core.woke(at: now)
        case .moved: core.networkChanged(at: now)
        }
        if sight != .nothing { resolvedAt = nil }
        switch core.phase {
        case .connecting, .unreachable, .idle:
            // The name may lead elsewhere by now.
            let due = resolvedAt.map { $0.advanced(by: .seconds(15)) <= now } ?? true
            if due { resolve() }
        case .connected, .silent, .stopped: break
        }
        // Time also passes while the machine sleeps, and the timer does not know.
        core.timePassed(to: now)
        drain()
    }

    /// A socket could not be had. Told when it becomes so, not with every attempt.
    private func failed(_ failure: BindFailure) {
        // A name often has addresses of a version of IP that the machine has not.
        let isV6: (Address) -> Bool = { if case .v6 = $0.ip.unmapped { true } else { false } }
        if failure.isForVersion, remotes.contains(where: { isV6($0) != failure.isVersion6 }) {
            return
        }
        guard socketFailures.insert(failure).inserted else { return }
        tell(.socketFailed(KirimError(failure).message))
    }

    private func resolve() {
        guard !isResolving, end == nil else { return }
        if let ip = IPAddress(address.host) {
            resolved(.success([Address(ip: ip, port: address.port)]))
            return
        }
        isResolving = true
        NIOThreadPool.singleton.submit { [weak self, loop, address] _ in
            let result: Result<[Address], UnknownHost>
            do throws(UnknownHost) {
                result = .success(try Address.resolve(address.host, port: address.port))
            } catch {
                result = .failure(error)
            }
            loop.execute {
                self?.assumeIsolated {
                    $0.resolved(result)
                    $0.drain()
                }
            }
        }
    }

    private func resolved(_ result: Result<[Address], UnknownHost>) {
        isResolving = false
        guard end == nil else { return }
        resolvedAt = now
        switch result {
        case .success(let found):
            unknownHost = nil
            guard found != remotes else { return }
            remotes = found
            core.connect(
                to: found,
                trusting: belongings.trusted,
                secret: belongings.secret,
                at: now
            )
        case .failure(let unknown):
            // Addresses that were found before are still being tried; then the name is not what is missing.
            guard remotes.isEmpty else { return }
            resolvedAt = now.advanced(by: .seconds(-13))
            if unknownHost != unknown { tell(.unknownHost(unknown.name, reason: unknown.reason)) }
            unknownHost = unknown
        }
    }
}

// MARK: - Wishes

extension Engine {
    func newTicket() -> Ticket {
        lastTicket += 1
        return Ticket(rawValue: lastTicket)
    }

    func post(_ posts: [Post]) async throws -> [Receipt] {
        if let end { throw end }
        let ticket = newTicket()
        let promise = Promise<[Receipt]>()
        posting[ticket] = promise
        core.post(posts, ticket: ticket, at: now)
        drain()
        return try await promise.value()
    }

    /// Asks, and waits for the answer for as long as the options' patience lasts.
    func ask(_ request: ClientRequest) async throws -> Answer {
        if let end { throw end }
        let ticket = newTicket()
        let promise = Promise<Answer>()
        asking[ticket] = promise
        let timeout = loop.scheduleTask(in: .nanoseconds(patience.inNanoseconds)) { [weak self] in
            self?.assumeIsolated { promise.settle(.failure($0.noAnswer)) }
        }
        core.ask(request, ticket: ticket, at: now)
        drain()
        defer {
            timeout.cancel()
            asking[ticket] = nil
            core.cancel(ticket)
            drain()
        }
        let answer = try await promise.value()
        switch answer {
        case .refused(let refusal): throw KirimError(refusal)
        case .failed(let error): throw KirimError(error)
        default: return answer
        }
    }

    /// Returns when the wish is on disk.
    func enter(_ room: RoomName) async throws {
        if let end { throw end }
        let ticket = newTicket()
        let promise = Promise<Answer>()
        asking[ticket] = promise
        defer { asking[ticket] = nil }
        core.enter(room, ticket: ticket)
        drain()
        if case .failed(let error) = try await promise.value() { throw KirimError(error) }
    }

    func setPresence(_ presence: Presence) {
        core.setPresence(presence, at: now)
        drain()
    }

    /// Returns when the server has said welcome.
    func welcomed() async throws {
        let promise = welcome
        let timeout = loop.scheduleTask(in: .nanoseconds(patience.inNanoseconds)) { [weak self] in
            self?.assumeIsolated { $0.welcome.settle(.failure($0.notReached)) }
        }
        defer { timeout.cancel() }
        try await promise.value()
    }

    private var noAnswer: KirimError {
        unknownHost.map { KirimError($0) }
            ?? KirimError(
                code: .timedOut,
                message: "The server did not answer in time; look at the link, try again."
            )
    }

    private var notReached: KirimError {
        unknownHost.map { KirimError($0) }
            ?? KirimError(
                code: .unreachable,
                message:
                    "Nobody answers at \(address.endpoint); is the server running, and does the"
                    + " network let UDP through?"
            )
    }

    /// Waits until everything that is in the outbox now is decided.
    func drained() async throws {
        if let end { throw end }
        guard let last = core.lastQueued?.id else { return }
        let promise = Promise<Void>()
        draining.append((last, promise))
        try await promise.value()
    }

    func link() -> LinkStatus {
        let now = now
        var status = LinkStatus(phase: KirimClient.Phase(core.phase, at: now))
        if case .closed? = end?.code { status.phase = .closed }
        status.serverKey = core.knownServer.key ?? belongings.trusted
        status.queued = core.queuedCount
        guard let link = core.link() else { return status }
        status.remote = link.path.remote
        status.roundTrip = link.roundTrip
        status.packetsLost = link.packetsLost
        status.packetsSent = link.packetsSent
        status.lastHeard = link.lastHeard.duration(to: now)
        status.bytesInFlight = link.bytesInFlight
        status.isRoaming = core.isRoaming
        return status
    }

    func me() -> Member? { core.member }
    func joinedRooms() -> [RoomName] { core.joinedRooms }
    func queued() -> [QueuedPost] { core.queued.map(QueuedPost.init) }

    func waiting() -> [Receipt] {
        core.queued.compactMap { post in
            outcomes[post.id].map { Receipt(id: QueuedPost.ID(post.id), outcome: $0) }
        }
    }

    /// Says goodbye, lets the journal finish, and lets go of everything.
    func close() async {
        if end?.code != .closed {
            if end == nil { core.disconnect(at: now) }
            drain()
            tell(.phase(.closed))
            finish(
                KirimError(
                    code: .closed,
                    message: "The chat was closed; what is in the outbox is sent next time."
                )
            )
            watching?.cancel()
            news?.close(promise: nil)
            timer?.cancel()
            sockets?.closeAll()
            events.finish()
        }
        try? await storesDone?.value()
    }
}
