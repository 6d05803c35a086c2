#if os(Linux)
import Glibc
import KirimClientCore
import KirimLibcrypto
import KirimNoise
import KirimRooms
import KirimTransport
import KirimWire

/// One client: the real core on a socket of its own, with a journal that forgets.
final class LoadClient {
    let number: Int
    /// The room whose messages count; `nil` for those that are only there.
    let room: RoomName?
    private let identity: StaticKey
    private let history: UInt64
    private var core: ClientCore
    private var journal: FleetingJournal
    private var descriptors: [Int32] = []
    private unowned let load: Load
    private var lastTicket: UInt64 = 0

    private(set) var isReady = false
    private(set) var wasReady = false
    /// The entry of ``Load/timers`` that counts.
    var scheduled: Instant?

    // What the load notes down about it.
    var nextMessage: UInt32 = 0
    /// As a talker: the number behind the highest that its observer has.
    var observed: UInt32 = 0
    var arrivals: [Arrivals]
    var entries = 0
    var startedAt: Int64 = 0
    var readyAt: Int64 = 0
    var firstAfterEvent: Int64?

    init(_ number: Int, room: RoomName?, talkers: Int, history: UInt64, load: Load) {
        self.number = number
        self.room = room
        self.history = history
        self.load = load
        var dice = SystemRandomNumberGenerator()
        identity = StaticKey(dice: &dice)
        arrivals = Array(repeating: Arrivals(), count: talkers)
        journal = FleetingJournal(
            outbox: OutboxID(rawValue: max(1, dice.next())),
            name: MemberName("load-\(number)-\(dice.next() % 10_000)")
        )
        core = Self.core(identity, journal, history)
    }

    /// What is measured is the server: thousands of clients in one thread shall not be what it waits for.
    private static let cipher = SystemCipher()

    private static func core(
        _ identity: StaticKey,
        _ journal: FleetingJournal,
        _ history: UInt64
    ) -> ClientCore {
        var configuration = ClientCore.Configuration()
        configuration.chat.history = history
        configuration.chat.agent = "kirim-load"
        configuration.transport.cipher = cipher
        return ClientCore(
            identity: identity,
            local: journal.state,
            configuration: configuration,
            dice: SystemRandomNumberGenerator()
        )
    }

    var deadline: Instant? { core.deadline }
    var socketCount: Int { descriptors.count }

    // MARK: - Facts

    func receive(on descriptor: Int32, at now: Instant) {
        var isHeard = false
        while let (bytes, source) = load.sockets.receive(from: descriptor) {
            isHeard = true
            core.receive(bytes, on: Path(socket: Self.id(descriptor), remote: source), at: now)
        }
        if isHeard { drain(at: now) }
    }

    func timePassed(to now: Instant) {
        core.timePassed(to: now)
        drain(at: now)
    }

    // MARK: - Wishes

    func connect(at now: Instant) {
        startedAt = now.nanoseconds
        core.connect(
            to: [load.plan.server],
            secret: load.plan.secret.map { .password($0) },
            at: now
        )
        drain(at: now)
    }

    /// Loses everything but what a disk would have kept, and comes back.
    func restart(at now: Instant) {
        for descriptor in descriptors { close(descriptor) }
        descriptors = []
        isReady = false
        core = Self.core(identity, journal, history)
        connect(at: now)
    }

    func say(_ text: String, at now: Instant) {
        guard let room else { return }
        let post = Post(room: room, authored: load.wall, text: text)
        core.post([post], ticket: newTicket(), at: now)
        drain(at: now)
    }

    func disconnect(at now: Instant) {
        core.disconnect(at: now)
        drain(at: now)
    }

    private func newTicket() -> Ticket {
        lastTicket += 1
        return Ticket(rawValue: lastTicket)
    }

    // MARK: - Work

    private func drain(at now: Instant) {
        while let output = core.nextOutput(at: now) {
            switch output {
            case .transmit(let transmit):
                let descriptor = Int32(bitPattern: transmit.path.socket.rawValue)
                if descriptors.contains(descriptor) {
                    load.sockets.send(transmit.bytes, to: &load.serverAddress, from: descriptor)
                }
            case .wantsSocket:
                guard let made = load.sockets.make(for: number, source: load.source(of: number))
                else { break }
                descriptors.append(made)
                core.useSocket(Self.id(made), at: now)
            case .mayClose(let socket):
                let descriptor = Int32(bitPattern: socket.rawValue)
                guard let place = descriptors.firstIndex(of: descriptor) else { break }
                descriptors.remove(at: place)
                close(descriptor)
            case .store(let id, let request, _):
                core.stored(id, .success(journal.perform(request)), at: now)
            case .event(let event): take(event, at: now)
            }
        }
        load.arm(self)
    }

    private static func id(_ descriptor: Int32) -> SocketID {
        SocketID(rawValue: UInt32(bitPattern: descriptor))
    }

    private func take(_ event: ClientEvent, at now: Instant) {
        switch event {
        case .welcomed:
            if let room, room != .lobby, !core.joinedRooms.contains(room) {
                core.ask(.join(room), ticket: newTicket(), at: now)
            }
        case .caughtUp(let name) where name == room ?? .lobby:
            guard !isReady else { break }
            isReady = true
            readyAt = now.nanoseconds
            load.becameReady(self, again: wasReady)
            wasReady = true
        case .entry(let entry, _):
            guard entry.room == room else { break }
            entries += 1
            load.arrived(entry, at: self)
        case .decided(_, .accepted): load.accepted(self)
        case .decided(_, .refused(let refusal)): load.trouble("post refused: \(refusal)")
        case .postponed(let refusal, _): load.trouble("posts postponed: \(refusal)")
        case .answered(_, .refused(let refusal)): load.trouble("join refused: \(refusal)")
        case .notWelcome(let refusal): load.trouble("not welcome: \(refusal)")
        case .phase(.stopped(let stop)): load.trouble("stopped: \(stop)")
        case .phase(.connecting) where isReady:
            isReady = false
            load.lost(self)
        default: break
        }
    }
}
#endif
