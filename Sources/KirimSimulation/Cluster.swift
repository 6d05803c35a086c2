import KirimClientCore
import KirimNoise
import KirimPlain
import KirimRooms
import KirimServerCore
import KirimTransport
package import KirimWire

/// A server, its people and their faces in one ``World``: the whole chat, and a ``Ledger`` of what really happened.
///
/// Everything is drawn from the seed: who is there, what they do and when, what fails. Each fact is checked
/// when it happens; ``run(active:patience:)`` then ends all trouble and demands that everything arrives.
package final class Cluster {
    package let seed: UInt64
    package internal(set) var world: World<Act>
    package internal(set) var ledger = Ledger()
    package internal(set) var counters = Counters()
    /// Looks at the memory of the cores; a test may narrow its limits.
    package var memory: MemoryWatch
    let scene: Scene
    let dice: Dice
    private let stepsPerLook: Int
    /// What people and machines do; the network and the cores roll dice of their own.
    var drawing: Dice
    let serverKey: StaticKey
    let serverConfiguration: ServerCore.Configuration
    let clientConfiguration: ClientCore.Configuration
    let roomJournal = MemoryRoomJournal()
    var server: ServerNode?
    /// Counts the lives of the server's process.
    var life = 0
    /// How far the clocks of all machines are off.
    var wallOffset: Int64 = 0
    /// Rolls for what befalls journals, clocks and the operator's favour.
    var misfortune: Dice
    /// Rolls for storms, stalls and disks in limbo.
    var storming: Dice
    /// A server whose process is frozen, and what its sockets hold meanwhile.
    var isServerStalled = false
    var serverMissed: [SimulatedNetwork.Delivery] = []
    /// What the server's disk reported as failed, and may keep after all.
    var serverLimbo: [JournalWrite]?
    /// Whom the operator put out in the server's present life, until when; and whom he banned since when.
    var kickedUntil: [PublicKey: Instant] = [:]
    var bannedSince: [PublicKey: Instant] = [:]
    var healedAt: Instant?
    /// How long it took after the trouble until everybody had everything.
    package private(set) var settling: Duration?
    var people: [Person] = []
    var faces: [Face] = []
    var plainPeers: [PlainPeer] = []
    var isActive = true
    var isServerDiskFull = false
    /// Is told what happens, for a person who looks for the reason of a failure.
    package var narrator: ((Instant, String) -> Void)?
    /// Timer steps without time moving on.
    private var idleTimers = 0
    private var lastTimer = Instant.start

    /// What the owner puts on the agenda.
    package enum Act: Sendable {
        case behave(Int)
        case store(face: Int, life: Int)
        case journal(life: Int)
        case turn(life: Int)
        case sleep(Int)
        case wake(Int, nap: Int)
        case faceCrash(Int)
        case faceReturns(Int)
        case armCrash
        case stop
        case serverStops(life: Int)
        case serverReturns
        case diskFills
        case diskEmpties
        case plainSays(Int)
        case operatorSays
        case operatorPutsOut
        case clockJumps
        case backsUp(Int)
        case losesJournal(Int)
        case triesAgain(Int, life: Int)
        case storms
        case calms
        case stalls
        case resumes(life: Int)
        case dies(face: Int, life: Int)
    }

    package struct Counters: Hashable, Sendable {
        package var crashes = 0
        package var faceCrashes = 0
        package var naps = 0
        package var stops = 0
        package var opened = 0
        package var commits = 0
        package var failedCommits = 0
        package var pages = 0
        package var plainHeard = 0
        package var steps = 0
        package var clockJumps = 0
        package var storms = 0
        package var stalls = 0
        /// Writes that failed as far as anybody was told, and those of them that were there after a crash.
        package var failedWrites = 0
        package var limboKept = 0
        package var journalsLost = 0
        package var journalsRestored = 0
        /// Posts without a decision that went with a journal.
        package var postsLost = 0
        package var kicks = 0
        package var bans = 0
        package var unbans = 0
        /// Clients that were told to stay out, and why.
        package var turnedAway: [String: Int] = [:]

        package init() {}
    }

    final class ServerNode {
        var core: ServerCore
        var journal: [JournalWork] = []
        var journalBusyUntil: Instant = .start
        /// Outputs until the process dies; `nil` while nothing is planned.
        var outputsToLive: Int?
        var isTurnPlanned = false
        init(_ core: consuming ServerCore) { self.core = core }
    }

    enum JournalWork {
        case commit(CommitID, [JournalWrite])
        case read(ReadID, EntryQuery)
        case lookUp(LookupID, MemberID, OutboxID)
    }

    /// One key with its journal, and one or two faces on one machine.
    struct Person {
        let identity: StaticKey
        var journal: MemoryClientJournal
        /// An older copy of it.
        var backup: MemoryClientJournal?
        let host: SimulatedNetwork.HostID
        /// What it shows at the door.
        var pass = Pass()
        var isDiskFull = false
        /// What the disk reported as failed, and may keep after all.
        var limbo: (request: StoreRequest, known: KnownServer)?
    }

    /// A client process, which may be dead at the moment.
    final class Face {
        let person: Int
        var process: Process?
        /// Counts the lives of the process.
        var life = 0
        var sockets: Sockets
        var isAsleep = false
        var naps = 0
        var missed: [(SocketID, SimulatedNetwork.Delivery)] = []
        var stores: [(StoreID, StoreRequest, KnownServer)] = []
        var phase: ConnectionPhase = .idle
        /// Wishes that wait for their answer.
        var tickets: Set<Ticket> = []
        var nextTicket: UInt64 = 1

        init(person: Int, sockets: Sockets) {
            self.person = person
            self.sockets = sockets
        }
    }

    final class Process {
        var core: ClientCore
        /// The core's deadline after it was last drained: asking every core at every step would be a
        /// sixth of a run.
        var deadline: Instant?
        init(_ core: consuming ClientCore) { self.core = core }
    }

    /// A program that speaks plain text from a port of the server's own machine.
    struct PlainPeer {
        let host: SimulatedNetwork.HostID
        let address: Address
    }

    package convenience init(seed: UInt64, faults: Faults, size: RunSize) {
        var drawing = Dice(seed: seed).fork("cluster")
        var narrowing = Dice(seed: seed).fork("limits")
        let scene = Scene(drawing: &drawing, narrowing: &narrowing, size: size)
        let faults = faults.subtracting(.swarmOnly)
        self.init(seed: seed, faults: faults, scene: scene, drawing: drawing)
    }

    package convenience init(seed: UInt64, faults: Faults, scene: Scene) {
        let drawing = Dice(seed: seed).fork("cluster")
        self.init(seed: seed, faults: faults, scene: scene, drawing: drawing)
    }

    private init(seed: UInt64, faults: Faults, scene: Scene, drawing: Dice) {
        self.seed = seed
        self.scene = scene
        self.drawing = drawing
        dice = Dice(seed: seed)
        misfortune = dice.fork("misfortune")
        storming = dice.fork("storms")
        var keys = dice.fork("keys")
        serverKey = StaticKey(dice: &keys)
        let attackerKey = StaticKey(dice: &keys)
        world = World(
            faults: faults,
            dice: dice,
            attackerKey: attackerKey.publicKey,
            lines: scene.lines
        )
        let door = faults.contains(.door) ? Door(dice.fork("door"), of: serverKey) : nil
        var server = scene.server
        if let door { server.endpoint.access = door.access }
        (serverConfiguration, clientConfiguration) = (server, scene.client)
        memory = MemoryWatch(server: serverConfiguration, client: clientConfiguration)
        // Counting costs about as much as a step, and what grows stays grown.
        stepsPerLook = 16 * max(1, scene.people / 8)
        for _ in 0..<scene.people { addPerson(&keys) }
        if var door { givePasses(&door) }
        guard faults.contains(.plain) else { return }
        for number in 0..<self.drawing.number(in: 0...2) {
            let host = world.addLoopback(number)
            let ip = IPAddress.v4(0x7F00_0002 + UInt32(number))
            plainPeers.append(PlainPeer(host: host, address: Address(ip: ip, port: 50_001)))
        }
    }

    private func addPerson(_ keys: inout Dice) {
        let index = people.count
        let person = Person(
            identity: StaticKey(dice: &keys),
            journal: MemoryClientJournal(dice: dice.fork("outbox", index)),
            host: world.addMachine()
        )
        people.append(person)
        let count = world.faults.contains(.faces) && drawing.chance(0.3) ? 2 : 1
        for _ in 0..<count {
            faces.append(Face(person: index, sockets: Sockets(face: faces.count)))
        }
    }
}

extension Cluster {
    /// Lives for `active`, heals, and demands that everything arrives within `patience`.
    package func run(active: Duration, patience: Duration) throws(Violation) {
        try startServer()
        for index in faces.indices {
            try begin(index)
            planLife(of: index)
        }
        planTrouble()
        try step(until: world.now.advanced(by: active))
        try heal()
        let healed = world.now
        let end = healed.advanced(by: patience)
        while world.now < end, !isSettled {
            try step(until: min(end, world.now.advanced(by: .milliseconds(500))))
        }
        guard isSettled else { throw Violation(.convergence, unsettled) }
        settling = healed.duration(to: world.now)
        try checkJournals()
        // What nobody waits for may still be on its way to the disk, and a slow disk takes its time.
        try step(until: world.now.advanced(by: .seconds(5)))
        let rest = world.now.advanced(by: .seconds(60))
        while world.now < rest, server?.journal.isEmpty == false {
            try step(until: world.now.advanced(by: .milliseconds(500)))
        }
        try checkMemory()
        guard let server, let healedAt else { return }
        let hasDeadReaders = server.core.readerLoads.contains { $0.link.lastHeard < healedAt }
        try memory.checkRest(server: server.core.load, hasDeadReaders: hasDeadReaders)
    }

    /// Ends all trouble: the dead come back, the sleeping wake, the disks have room.
    private func heal() throws(Violation) {
        narrator?(world.now, "the trouble ends")
        isActive = false
        healedAt = world.now
        world.heal()
        isServerDiskFull = false
        server?.outputsToLive = nil
        for index in people.indices { setDisk(full: false, of: index) }
        if server == nil { try startServer() }
        try resumeServer()
        try liftBans()
        for index in faces.indices {
            if faces[index].process == nil { try begin(index) }
            if faces[index].isAsleep { try wake(index) }
        }
    }

    func step(until end: Instant) throws(Violation) {
        while true {
            counters.steps += 1
            var timers: Instant? = isServerStalled ? nil : server?.core.deadline
            for face in faces where !face.isAsleep {
                guard let deadline = face.process?.deadline else { continue }
                timers = timers.map { min($0, deadline) } ?? deadline
            }
            switch try world.next(until: end, timers: timers) {
            case .ended: return
            case .timer: try timePassed()
            case .act(let act): try perform(act)
            case .delivery(let delivery): try deliver(delivery)
            }
            if counters.steps.isMultiple(of: stepsPerLook) { try checkMemory() }
        }
    }

    private func timePassed() throws(Violation) {
        let now = world.now
        idleTimers = lastTimer == now ? idleTimers + 1 : 0
        lastTimer = now
        guard idleTimers < 1_000 else {
            let who = server?.core.deadline.map { $0 <= now } == true ? "the server" : "a client"
            throw Violation(.convergence, "the deadline of \(who) stays in the past.")
        }
        if let server, !isServerStalled, let deadline = server.core.deadline, deadline <= now {
            server.core.timePassed(to: now, wall: wall)
            try drainServer()
        }
        for (index, face) in faces.enumerated() where !face.isAsleep {
            guard let process = face.process, let deadline = process.deadline, deadline <= now
            else { continue }
            process.core.timePassed(to: now)
            try drain(face: index)
        }
    }

    private func deliver(_ delivery: SimulatedNetwork.Delivery) throws(Violation) {
        if delivery.host == world.server { return try deliverToServer(delivery) }
        if let index = plainPeers.firstIndex(where: { $0.host == delivery.host }) {
            return try plainReceived(delivery, index)
        }
        for (index, face) in faces.enumerated() where people[face.person].host == delivery.host {
            guard let process = face.process,
                let socket = face.sockets.socket(at: delivery.local.port)
            else { continue }
            if face.isAsleep {
                // What the socket's buffer holds until the process runs again.
                if face.missed.count < 64 { face.missed.append((socket, delivery)) }
                return
            }
            let path = Path(socket: socket, remote: delivery.from)
            process.core.receive(delivery.bytes, on: path, at: world.now)
            return try drain(face: index)
        }
    }

    private func plainReceived(
        _ delivery: SimulatedNetwork.Delivery,
        _ index: Int
    ) throws(Violation) {
        counters.plainHeard += 1
        guard delivery.from.port == 12_345, delivery.from.ip.isLoopback else { return }
        guard delivery.bytes.count <= 1_024,
            String(validating: delivery.bytes, as: UTF8.self) != nil
        else {
            throw Violation(
                .authentic,
                "a plain client got a datagram that is no text of its size."
            )
        }
    }

    /// Civil time follows the simulated time, with jumps; it decides nothing.
    var wall: WallTime {
        WallTime(milliseconds: Self.epoch + world.now.nanoseconds / 1_000_000 + wallOffset)
    }

    /// Milliseconds since 1970 at the beginning.
    static let epoch: Int64 = 1_800_000_000_000
}

// MARK: - Convergence

extension Cluster {
    private var isSettled: Bool {
        server != nil && faces.indices.allSatisfy { complaint(about: $0) == nil }
    }

    private var unsettled: String {
        faces.indices.compactMap { complaint(about: $0) }.joined(separator: " ")
    }

    /// What a face still lacks; `nil` where it has everything.
    private func complaint(about index: Int) -> String? {
        let face = faces[index]
        guard let process = face.process, !face.isAsleep else {
            return "Face \(index) is not there."
        }
        if case .stopped = face.phase, staysOut(face.person) { return nil }
        guard case .connected = face.phase else { return "Face \(index) is \(face.phase)." }
        if process.core.queuedCount > 0 {
            return "Face \(index) has \(process.core.queuedCount) posts without a decision."
        }
        // A decision that the disk had no room for is written later.
        let person = people[face.person]
        if let known = try? person.journal.server(at: Self.typedAddress),
            let rows = try? person.journal.undecided(of: known), !rows.isEmpty
        {
            return "The outbox of face \(index) still has \(rows.count) posts."
        }
        if !face.stores.isEmpty { return "Face \(index) waits for its journal." }
        if !face.tickets.isEmpty {
            return "Face \(index) waits for answers to \(face.tickets.map(\.rawValue).sorted())."
        }
        for room in process.core.joinedRooms {
            let last = ledger.last(of: room)
            let cursor = process.core.cursor(of: room) ?? .zero
            if cursor != last {
                return
                    "Face \(index) has read \(room) up to \(cursor.rawValue) of \(last.rawValue)."
            }
        }
        return nil
    }

    /// Every person's journal holds a piece of the one log.
    private func checkJournals() throws(Violation) {
        for person in people {
            guard let known = try? person.journal.server(at: Self.typedAddress) else { continue }
            for room in known.rooms + [.lobby] {
                guard let span = try? person.journal.span(of: room, from: known) else { continue }
                let entries = try? person.journal.history(
                    of: room,
                    from: known,
                    before: nil,
                    limit: .max
                )
                guard let entries else { continue }
                try ledger.check(history: entries, span: span, room: room)
            }
        }
    }

    static let typedAddress = "sim:12345"
}
