import DequeModule
import KirimNoise
import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire
import Logging
import Metrics
import NIOCore
import NIOPosix

/// Runs the core on one event loop: datagrams in, a turn, datagrams out, one timer, the journal beside it.
///
///     read up to N datagrams -> receive -> drain outputs, flushing now and then -> arm one timer
final class Engine {
    let loop: any EventLoop
    var core: ServerCore
    private let journal: any RoomJournal
    /// One thread: what the journal does, it does in the order in which it was asked. Commits are asked for at once,
    /// questions in their turn.
    private let disk: NIOThreadPool
    private let clock: ShellClock
    private let log: Logger
    private let tell: ([ServerNote]) -> Void

    private var outlets: [SocketID: Outlet] = [:]
    /// Each reads what strangers send to that socket, or everything.
    private var doors: [SocketID: any Channel] = [:]
    /// Each beside the door of that socket (``SystemSocket``).
    private var membersDoors: [SocketID: any Channel] = [:]
    private var bound: [SocketID: Address] = [:]
    /// Datagrams that bore an address of the server's own.
    var forgedAsOwn: UInt64 = 0
    private var unreachables: (any Channel)?
    /// What the journal is to be asked, and how many questions it is answering.
    private var questions: Deque<(Engine) -> Void> = []
    private var asked = 0
    private var unflushed: [Outlet] = []
    /// For the operator, not told yet.
    private var notes: [ServerNote] = []
    private var toldAt = Instant.start
    /// Whether the others are to be told in a moment.
    private var isToTell = false
    private var timer: (at: Instant, task: Scheduled<Void>)?
    private var stage = Stage.serving
    /// Whether the rest of a long turn is scheduled.
    private var hasMore = false
    /// Whether a socket that had no room is to be tried again.
    private var isTryingAgain = false

    private enum Stage {
        case serving
        /// Nothing is taken any more; what was taken is being kept, and told.
        case leaving(EventLoopPromise<Void>, patience: Scheduled<Void>)
        case stopped
    }

    private var isStopped: Bool { if case .stopped = stage { true } else { false } }

    private let received = Counter(label: "kirim_datagrams_received")
    private let sent = Counter(label: "kirim_datagrams_sent")
    private let unsent = Counter(label: "kirim_datagrams_not_sent")
    private let commits = Counter(label: "kirim_commits")
    private let rebinds = Counter(label: "kirim_sockets_rebound")
    private let connections = Gauge(label: "kirim_connections")

    /// Datagrams for one call of the system: more would save little, and keep the first one waiting for the last. The
    /// first of a turn wait for few, so that who hears them can begin.
    private static let flushSize = 32
    private static let firstFlushSize = 4
    /// Too short for anybody to see.
    private static let noteInterval = Duration.milliseconds(5)
    /// Datagrams sent before the loop may do something else.
    private static let turnLimit = 1_024
    /// Questions that the journal has at once, some milliseconds' work: so that its thread need not wait for the loop
    /// between them, and not all but a few of them for the next commit.
    private static let questionLimit = 64
    /// How long a journal that is slow, or fails, may hold up the end.
    private static let patience = TimeAmount.seconds(5)
    /// How often the network is asked for room for the last words.
    private static let lastTries = 200

    init(
        loop: any EventLoop,
        core: consuming ServerCore,
        journal: any RoomJournal,
        disk: NIOThreadPool,
        clock: ShellClock,
        log: Logger,
        tell: @escaping ([ServerNote]) -> Void
    ) {
        self.loop = loop
        self.core = core
        self.journal = journal
        self.disk = disk
        self.clock = clock
        self.log = log
        self.tell = tell
    }

    var now: Instant { clock.now }
    var wall: WallTime { clock.wall }

    // MARK: - Sockets

    /// Takes a socket that is open; its address is opened again should it be lost.
    func add(_ door: any Channel, _ outlet: Outlet, at local: Address, as socket: SocketID) {
        guard !isStopped else { return door.close(promise: nil) }
        bound[socket] = local
        outlets[socket] = outlet
        doors[socket] = door
    }

    func add(membersDoor door: any Channel, of socket: SocketID) {
        guard !isStopped else { return door.close(promise: nil) }
        membersDoors[socket] = door
    }

    func lost(_ socket: SocketID) {
        outlets[socket] = nil
        doors[socket] = nil
        // All are opened anew: the address must be free for that.
        membersDoors.removeValue(forKey: socket)?.close(promise: nil)
        guard !isStopped, let address = bound[socket] else { return }
        rebinds.increment()
        log.notice("socket lost, binding it again", metadata: ["address": "\(address)"])
        reopen(socket, address, wait: .milliseconds(10))
    }

    private func reopen(_ socket: SocketID, _ address: Address, wait: TimeAmount) {
        guard !isStopped else { return }
        open(address, as: socket).assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success: endTurn()
            case .failure(let error):
                // Said once: it is tried every second from then on.
                let level: Logger.Level = wait == .milliseconds(10) ? .error : .debug
                log.log(level: level, "socket not bound", metadata: ["error": "\(error)"])
                let next = min(wait * 2, TimeAmount.seconds(1))
                loop.assumeIsolated().scheduleTask(in: wait) { [self] in
                    reopen(socket, address, wait: next)
                }
            }
        }
    }

    func failed(_ error: any Error) {
        log.debug("socket error", metadata: ["error": "\(error)"])
    }

    // MARK: - A turn

    func receive(_ datagram: [UInt8], on path: Path) {
        guard case .serving = stage else { return }
        received.increment()
        guard !isOwn(path.remote) else { return forgedAsOwn += 1 }
        core.receive(datagram, on: path, at: now, wall: wall)
    }

    /// Whoever forges an address of the server's own would have it speak to itself.
    private func isOwn(_ remote: Address) -> Bool {
        bound.values.contains { local in
            remote.port == local.port
                && (remote.ip == local.ip || local.ip.isUnspecified && remote.ip.isLoopback)
        }
    }

    /// Nobody listens at `remote` for what was sent from `local`.
    func unreachable(_ remote: Address, from local: Address) {
        for (socket, address) in bound where address.port == local.port {
            core.unreachable(Path(socket: socket, remote: remote), at: now)
        }
    }

    /// Hears of plain clients that went, where this process has the right to.
    func listenForUnreachables() {
        let engine = NIOLoopBound(self, eventLoop: loop)
        Unreachables.listen(for: engine, on: loop).assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let channel):
                if isStopped { channel.close(promise: nil) } else { unreachables = channel }
            case .failure(let error):
                log.debug("no ICMP without CAP_NET_RAW", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Does what there is to do, arms the timer.
    func endTurn() {
        let now = clock.now
        var count = 0
        var flushing = Self.firstFlushSize
        while count < Self.turnLimit, let output = core.nextOutput(at: now) {
            guard perform(output) else { continue }
            count += 1
            guard count == flushing else { continue }
            flush()
            flushing += min(count, Self.flushSize)
        }
        flush()
        // The operator can wait for what is on its way to people.
        tellNotes()
        if count == Self.turnLimit { continueSoon() }
        arm()
        if case .leaving = stage, !hasMore, !core.isStoring { sayGoodbye() }
    }

    /// The first at once, and what follows soon after it together: each telling wakes another thread.
    private func tellNotes() {
        guard !notes.isEmpty, !isToTell else { return }
        let now = clock.now
        let wait = toldAt.advanced(by: Self.noteInterval).nanoseconds - now.nanoseconds
        guard wait > 0, !isStopped else {
            toldAt = now
            tell(notes)
            notes = []
            return
        }
        isToTell = true
        loop.assumeIsolated().scheduleTask(in: .nanoseconds(wait)) { [self] in
            isToTell = false
            tellNotes()
        }
    }

    private func flush() {
        // What the system refuses is lost, as any datagram may be: the transport sends it again.
        unsent.increment(by: unflushed.reduce(0) { $0 + $1.flush() })
        if unflushed.contains(where: \.isWaiting) { tryAgainSoon() }
        unflushed.removeAll(keepingCapacity: true)
    }

    /// The network has no room: a millisecond later it has some.
    private func tryAgainSoon() {
        guard !isTryingAgain else { return }
        isTryingAgain = true
        loop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { [self] in
            isTryingAgain = false
            unflushed = outlets.values.filter(\.isWaiting)
            flush()
        }
    }

    private func continueSoon() {
        guard !hasMore else { return }
        hasMore = true
        loop.assumeIsolated().execute { [self] in
            hasMore = false
            endTurn()
        }
    }

    /// Whether it was a datagram.
    private func perform(_ output: ServerCore.Output) -> Bool {
        switch output {
        case .transmit(let transmit):
            send(transmit)
            return true
        case .commit(let id, let writes):
            commits.increment()
            ask { journal throws(JournalError) in
                try journal.commit(writes)
            } then: { engine, result in
                engine.core.committed(id, result, at: engine.now, wall: engine.wall)
            }
        case .read(let id, let query):
            askInTurn { journal throws(JournalError) in
                try journal.entries(query)
            } then: { engine, result in
                engine.core.entriesRead(id, result, at: engine.now)
            }
        case .lookUp(let id, let member, let outbox):
            askInTurn { journal throws(JournalError) in
                try journal.nextPost(of: member, in: outbox)
            } then: { engine, result in
                engine.core.authorFound(id, result, at: engine.now)
            }
        case .note(let note): notes.append(note)
        }
        return false
    }

    private func send(_ transmit: Transmit) {
        guard let outlet = outlets[transmit.path.socket],
            outlet.take(transmit.bytes, to: transmit.path.remote)
        else { return unsent.increment() }
        sent.increment()
        if !unflushed.contains(where: { $0 === outlet }) { unflushed.append(outlet) }
    }

    /// A commit waits for few questions only: a thousand who come back at once ask thousands.
    private func askInTurn<T: Sendable>(
        _ question: @escaping @Sendable (any RoomJournal) throws(JournalError) -> T,
        then take: @escaping (Engine, Result<T, JournalError>) -> Void
    ) {
        questions.append { engine in
            engine.ask(question) { engine, result in
                engine.asked -= 1
                engine.askWaiting()
                take(engine, result)
            }
        }
        askWaiting()
    }

    private func askWaiting() {
        while asked < Self.questionLimit, let question = questions.popFirst() {
            asked += 1
            question(self)
        }
    }

    private func ask<T: Sendable>(
        _ question: @escaping @Sendable (any RoomJournal) throws(JournalError) -> T,
        then take: @escaping (Engine, Result<T, JournalError>) -> Void
    ) {
        let journal = journal
        let answer = disk.runIfActive(eventLoop: loop) { () -> Result<T, JournalError> in
            Result { () throws(JournalError) in try question(journal) }
        }
        answer.assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let result): take(self, result)
            case .failure:
                // The disk's thread has ended: that is the end, and no failure of the disk.
                guard !isStopped else { return }
                take(self, .failure(.failed("The server stops.")))
            }
            endTurn()
        }
    }

    private func arm() {
        guard let deadline = core.deadline, !isStopped else {
            timer?.task.cancel()
            timer = nil
            return
        }
        // An earlier wake-up is harmless: it arms the timer anew.
        if let timer, timer.at <= deadline { return }
        timer?.task.cancel()
        let task = loop.assumeIsolated().scheduleTask(deadline: clock.deadline(deadline)) {
            [self] in
            timer = nil
            core.timePassed(to: clock.now, wall: clock.wall)
            connections.record(Double(core.counters.connections))
            endTurn()
        }
        timer = (deadline, task)
    }

    // MARK: - The end

    /// Lets the journal finish what was taken, says goodbye, closes the sockets.
    func stop() -> EventLoopFuture<Void> {
        switch stage {
        case .serving: break
        case .leaving(let end, _): return end.futureResult
        case .stopped: return loop.makeSucceededVoidFuture()
        }
        let end = loop.makePromise(of: Void.self)
        let patience = loop.assumeIsolated().scheduleTask(in: Self.patience) { [self] in
            sayGoodbye()
        }
        stage = .leaving(end, patience: patience)
        endTurn()
        return end.futureResult
    }

    private func sayGoodbye() {
        guard case .leaving(let end, let patience) = stage else { return }
        stage = .stopped
        patience.cancel()
        core.stop(at: now)
        repeat {
            hasMore = false
            endTurn()
        } while hasMore
        isToTell = false
        tellNotes()
        timer?.task.cancel()
        timer = nil
        unreachables?.close(promise: nil)
        closeSockets(end, tries: Self.lastTries)
    }

    /// The goodbyes for which the network has no room yet are waited for, a millisecond each time.
    private func closeSockets(_ end: EventLoopPromise<Void>, tries: Int) {
        guard tries == 0 || !outlets.values.contains(where: \.isWaiting) else {
            loop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { [self] in
                closeSockets(end, tries: tries - 1)
            }
            return
        }
        outlets = [:]
        let closings = (Array(doors.values) + membersDoors.values).map { $0.close() }
        EventLoopFuture.andAllComplete(closings, on: loop).cascade(to: end)
    }
}
