import KirimClientCore
import KirimNoise
import KirimServerCore
package import KirimTransport
import KirimWire

/// A run of the transport alone: one server endpoint, a few clients, and streams of made-up records.
///
/// Every record's bytes follow from who sends it and its number, so a receiver can tell at once whether
/// it is what was sent. A stream begins on each connection where the last one was acknowledged.
package final class TransportRun {
    package let seed: UInt64
    package private(set) var world: World<Act>
    package private(set) var counters = Counters()
    private let serverKey: StaticKey
    private let configuration: TransportConfiguration
    private let serverConfiguration: TransportConfiguration
    private let dice: Dice
    private var drawing: Dice
    private var server: ServerNode?
    private var incarnation = 0
    private var clients: [ClientNode] = []
    private var isActive = true
    /// Timer steps without time moving on.
    private var idleTimers = 0
    private var lastTimer = Instant.start

    package enum Act: Sendable {
        case say(Int)
        case datagram(Int)
        case resume(client: Int, isServer: Bool, stream: UInt64, ConnectionHandle, incarnation: Int)
        case sleep(Int)
        case wake(Int)
        case crash
        case restart
        case serverReturns
    }

    package struct Counters: Hashable, Sendable {
        package var records = 0
        package var datagrams = 0
        package var opened = 0
        package var crashes = 0
        package var closed: [String: Int] = [:]
    }

    /// What one side of one client's exchange knows about a direction.
    struct Direction {
        /// Records below are there to be sent.
        var end: UInt64 = 0
        /// Every record below was acknowledged on some connection.
        var acknowledged: UInt64 = 0
        /// Numbers that arrived at the far end.
        var arrived: Set<UInt64> = []
    }

    final class ServerNode {
        var endpoint: ServerEndpoint
        var handles: [Int: ConnectionHandle] = [:]
        var clientOf: [ConnectionHandle: Int] = [:]
        init(_ endpoint: consuming ServerEndpoint) { self.endpoint = endpoint }
    }

    final class ClientNode {
        let identity: StaticKey
        let host: SimulatedNetwork.HostID
        var endpoint: ClientEndpoint
        var sockets: Sockets
        var current: ConnectionHandle?
        var isAsleep = false
        /// Connected again by a person after the trouble.
        var hasTriedAgain = false
        var missed: [(SocketID, SimulatedNetwork.Delivery)] = []
        var up = Direction()
        var down = Direction()
        var token: [UInt8]?

        init(
            _ endpoint: consuming ClientEndpoint,
            identity: StaticKey,
            host: SimulatedNetwork.HostID,
            sockets: Sockets
        ) {
            self.endpoint = endpoint
            self.identity = identity
            self.host = host
            self.sockets = sockets
        }
    }

    package convenience init(seed: UInt64, faults: Faults, clients count: Int) {
        var drawing = Dice(seed: seed).fork("transport run")
        var scene = Scene()
        var configuration = TransportConfiguration()
        if drawing.chance(0.5) {
            configuration.rekeyAfter = drawing.duration(in: .seconds(5)...(.seconds(90)))
        }
        if drawing.chance(0.2) { configuration.rekeyPackets = 200 }
        if drawing.chance(0.3) {
            configuration.idleTimeout = drawing.duration(in: .seconds(60)...(.seconds(300)))
        }
        scene.client.transport = configuration
        scene.server.endpoint.transport = configuration
        let faults = faults.subtracting(.swarmOnly)
        self.init(seed: seed, faults: faults, clients: count, scene: scene, drawing: drawing)
    }

    /// Of the scene the lines and the transport's constants count. `drawing` is what is left of the dice.
    package init(
        seed: UInt64,
        faults: Faults,
        clients count: Int,
        scene: Scene,
        drawing: Dice? = nil
    ) {
        self.seed = seed
        dice = Dice(seed: seed)
        self.drawing = drawing ?? dice.fork("transport run")
        var keys = dice.fork("keys")
        serverKey = StaticKey(dice: &keys)
        let attackerKey = StaticKey(dice: &keys)
        world = World(
            faults: faults,
            dice: dice,
            attackerKey: attackerKey.publicKey,
            lines: scene.lines
        )
        configuration = scene.client.transport
        serverConfiguration = scene.server.endpoint.transport
        startServer()
        for index in 0..<count { addClient(index, &keys) }
    }
}

extension TransportRun {
    static let upStream: UInt64 = 1
    static let downStream: UInt64 = 2

    /// What record `number` of a stream is.
    static func content(_ client: Int, _ stream: UInt64, _ number: UInt64) -> RecordLookup {
        var dice = Dice(seed: UInt64(client) << 48 ^ stream << 40 ^ number)
        if dice.chance(0.05) { return .gone }
        let size = dice.chance(0.02) ? dice.number(in: 5_000...65_536) : dice.number(in: 1...400)
        return .bytes(dice.bytes(size))
    }

    private func startServer() {
        incarnation += 1
        var settings = ServerEndpoint.Configuration()
        settings.transport = serverConfiguration
        server = ServerNode(
            ServerEndpoint(
                identity: serverKey,
                configuration: settings,
                dice: dice.fork("server", incarnation)
            )
        )
        world.watch.serverRestarted()
    }

    private func addClient(_ index: Int, _ keys: inout Dice) {
        let identity = StaticKey(dice: &keys)
        let node = ClientNode(
            ClientEndpoint(
                identity: identity,
                configuration: configuration,
                dice: dice.fork("client", index)
            ),
            identity: identity,
            host: world.addMachine(),
            sockets: Sockets(face: index)
        )
        clients.append(node)
        node.endpoint.useSocket(node.sockets.bind(), at: world.now)
        node.endpoint.connect(
            to: world.serverAddresses,
            trusting: drawing.chance(0.5) ? serverKey.publicKey : nil,
            token: nil,
            secret: nil,
            at: world.now
        )
        world.schedule(.say(index), after: drawing.duration(around: .seconds(1)))
        world.schedule(.datagram(index), after: drawing.duration(around: .seconds(3)))
        if world.faults.contains(.sleep) {
            world.schedule(.sleep(index), after: drawing.duration(around: .seconds(40)))
        }
    }

    /// Runs for `active`, heals, and demands that everything arrives within `patience`.
    package func run(active: Duration, patience: Duration) throws(Violation) {
        if world.faults.contains(.serverCrash) {
            world.schedule(.crash, after: drawing.duration(around: .seconds(30)))
        }
        if world.faults.contains(.restart) {
            world.schedule(.restart, after: drawing.duration(around: .seconds(60)))
        }
        for index in clients.indices { try drain(client: index) }
        try step(until: world.now.advanced(by: active))
        isActive = false
        world.heal()
        for index in clients.indices where clients[index].isAsleep { try wake(index) }
        let end = world.now.advanced(by: patience)
        while world.now < end, !isSettled {
            try step(until: min(end, world.now.advanced(by: .seconds(1))))
        }
        guard isSettled else { throw Violation(.convergence, unsettled) }
    }

    private func step(until end: Instant) throws(Violation) {
        while true {
            var timers: Instant? = server?.endpoint.deadline
            for node in clients where !node.isAsleep {
                guard let deadline = node.endpoint.deadline else { continue }
                timers = timers.map { min($0, deadline) } ?? deadline
            }
            switch try world.next(until: end, timers: timers) {
            case .ended: return
            case .timer: try timePassed()
            case .act(let act): try perform(act)
            case .delivery(let delivery): try deliver(delivery)
            }
        }
    }

    private func timePassed() throws(Violation) {
        let now = world.now
        idleTimers = lastTimer == now ? idleTimers + 1 : 0
        lastTimer = now
        guard idleTimers < 1_000 else {
            throw Violation(.convergence, "a deadline stays in the past.")
        }
        if let server, let deadline = server.endpoint.deadline, deadline <= now {
            server.endpoint.timePassed(to: now)
            try drainServer()
        }
        for (index, node) in clients.enumerated() where !node.isAsleep {
            guard let deadline = node.endpoint.deadline, deadline <= now else { continue }
            node.endpoint.timePassed(to: now)
            try drain(client: index)
        }
    }

    private func deliver(_ delivery: SimulatedNetwork.Delivery) throws(Violation) {
        if delivery.host == world.server {
            guard let server, delivery.local.port == world.serverAddresses[0].port else { return }
            let socket = delivery.local.ip.isVersion4 ? 0 : 1
            server.endpoint.receive(
                delivery.bytes,
                on: Path(socket: SocketID(rawValue: UInt32(socket)), remote: delivery.from),
                at: world.now
            )
            try drainServer()
            return
        }
        guard let index = clients.firstIndex(where: { $0.host == delivery.host }),
            let socket = clients[index].sockets.socket(at: delivery.local.port)
        else { return }
        if clients[index].isAsleep {
            if clients[index].missed.count < 64 { clients[index].missed.append((socket, delivery)) }
            return
        }
        clients[index].endpoint.receive(
            delivery.bytes,
            on: Path(socket: socket, remote: delivery.from),
            at: world.now
        )
        try drain(client: index)
    }
}

extension TransportRun {
    private func perform(_ act: Act) throws(Violation) {
        switch act {
        case .say(let index):
            guard isActive else { return }
            clients[index].up.end += UInt64(drawing.number(in: 0...8))
            clients[index].down.end += UInt64(drawing.number(in: 0...12))
            try offer(index)
            world.schedule(act, after: drawing.duration(around: .seconds(2)))
        case .datagram(let index):
            guard isActive else { return }
            if let handle = clients[index].current {
                clients[index].endpoint.send(datagram: Array("up \(index)".utf8), to: handle)
                try drain(client: index)
            }
            if let server, let handle = server.handles[index] {
                server.endpoint.send(datagram: Array("down \(index)".utf8), to: handle)
                try drainServer()
            }
            world.schedule(act, after: drawing.duration(around: .seconds(3)))
        case .resume(let index, let isServer, let stream, let handle, let when):
            if isServer {
                guard when == incarnation, let server else { return }
                server.endpoint.resume(stream: stream, of: handle)
                try drainServer()
            } else {
                clients[index].endpoint.resume(stream: stream, of: handle)
                if !clients[index].isAsleep { try drain(client: index) }
            }
        case .sleep(let index):
            guard isActive else { return }
            clients[index].isAsleep = true
            world.schedule(.wake(index), after: drawing.duration(in: .seconds(1)...(.seconds(180))))
        case .wake(let index): if clients[index].isAsleep { try wake(index) }
        case .crash, .restart: try stopServer(act)
        case .serverReturns: startServer()
        }
    }

    private func offer(_ index: Int) throws(Violation) {
        let node = clients[index]
        if let handle = node.current {
            node.endpoint.offer(upTo: node.up.end, on: Self.upStream, of: handle)
            if !node.isAsleep { try drain(client: index) }
        }
        if let server, let handle = server.handles[index] {
            server.endpoint.offer(upTo: node.down.end, on: Self.downStream, of: handle)
            try drainServer()
        }
    }

    private func wake(_ index: Int) throws(Violation) {
        let node = clients[index]
        node.isAsleep = false
        let missed = node.missed
        node.missed = []
        for (socket, delivery) in missed {
            let path = Path(socket: socket, remote: delivery.from)
            node.endpoint.receive(delivery.bytes, on: path, at: world.now)
        }
        if drawing.chance(0.7) { node.endpoint.networkChanged(at: world.now) }
        node.endpoint.timePassed(to: world.now)
        try drain(client: index)
        if isActive { world.schedule(.sleep(index), after: drawing.duration(around: .seconds(60))) }
    }

    private func stopServer(_ act: Act) throws(Violation) {
        guard isActive else { return }
        if case .restart = act, let server {
            server.endpoint.closeAll(.restarting, reason: "back soon", at: world.now)
            try drainServer()
        }
        if server != nil {
            server = nil
            counters.crashes += 1
            world.schedule(.serverReturns, after: drawing.duration(around: .seconds(5)))
        }
        world.schedule(act, after: drawing.duration(around: .seconds(60)) + .seconds(11))
    }
}

extension TransportRun {
    /// What a side answers when the transport asks for a record.
    private struct Source: RecordSource {
        var dice: Dice
        let stream: UInt64
        let client: (ConnectionHandle) -> Int?
        var waiting: [(ConnectionHandle, UInt64)] = []

        mutating func record(
            _ number: UInt64,
            stream: UInt64,
            of connection: ConnectionHandle
        ) -> RecordLookup {
            guard stream == self.stream, let client = client(connection) else { return .gone }
            if dice.chance(0.03) {
                waiting.append((connection, stream))
                return .later
            }
            return TransportRun.content(client, stream, number)
        }
    }

    private func drainServer() throws(Violation) {
        guard let server else { return }
        while true {
            var isQuiet = true
            while let event = server.endpoint.nextEvent() {
                isQuiet = false
                try happened(event, server)
            }
            let handles = server.clientOf
            var source = Source(dice: drawing, stream: Self.downStream, client: { handles[$0] })
            while let transmit = server.endpoint.nextTransmit(at: world.now, source: &source) {
                isQuiet = false
                try world.sendFromServer(
                    transmit.bytes,
                    socket: Int(transmit.path.socket.rawValue),
                    to: transmit.path.remote
                )
            }
            drawing = source.dice
            for (handle, stream) in source.waiting {
                guard let client = handles[handle] else { continue }
                schedule(resume: stream, handle, client: client, isServer: true)
            }
            if isQuiet { return }
        }
    }

    private func drain(client index: Int) throws(Violation) {
        let node = clients[index]
        while true {
            var isQuiet = true
            while let event = node.endpoint.nextEvent() {
                isQuiet = false
                try happened(event, index)
            }
            var source = Source(dice: drawing, stream: Self.upStream, client: { _ in index })
            while let transmit = node.endpoint.nextTransmit(at: world.now, source: &source) {
                isQuiet = false
                guard let port = node.sockets.port(of: transmit.path.socket) else { continue }
                try world.sendFromClient(
                    transmit.bytes,
                    face: index,
                    host: node.host,
                    port: port,
                    to: transmit.path.remote
                )
            }
            drawing = source.dice
            for (handle, stream) in source.waiting {
                schedule(resume: stream, handle, client: index, isServer: false)
            }
            if isQuiet { return }
        }
    }

    private func schedule(
        resume stream: UInt64,
        _ handle: ConnectionHandle,
        client: Int,
        isServer: Bool
    ) {
        world.schedule(
            .resume(
                client: client,
                isServer: isServer,
                stream: stream,
                handle,
                incarnation: incarnation
            ),
            after: drawing.duration(around: .milliseconds(20))
        )
    }

    private func happened(_ event: ServerEndpoint.Event, _ server: ServerNode) throws(Violation) {
        switch event {
        case .opened(let handle, let peer, _, _):
            guard let index = clients.firstIndex(where: { $0.identity.publicKey == peer }) else {
                throw Violation(.authentic, "a connection opened for a key that nobody has.")
            }
            server.handles[index] = handle
            server.clientOf[handle] = index
            let down = clients[index].down
            server.endpoint.open(stream: Self.downStream, at: down.acknowledged, of: handle)
            server.endpoint.offer(upTo: down.end, on: Self.downStream, of: handle)
        case .connection(let handle, let what):
            guard let index = server.clientOf[handle] else {
                throw Violation(.authentic, "an event of a connection that never opened: \(what).")
            }
            switch what {
            case .record(let stream, let number, let bytes):
                try arrived(stream, number, bytes, &clients[index].up, from: index, Self.upStream)
            case .acknowledged(_, let below):
                try acknowledged(below, &clients[index].down, of: index, Self.downStream)
            case .datagram(let bytes): try check(datagram: bytes, "up \(index)")
            case .moved: break
            case .closed(let reason):
                counters.closed["server: \(reason)", default: 0] += 1
                if server.handles[index] == handle { server.handles[index] = nil }
                server.clientOf[handle] = nil
            }
        }
    }

    private func happened(_ event: ClientEndpoint.Event, _ index: Int) throws(Violation) {
        let node = clients[index]
        switch event {
        case .opened(let handle, let key, _):
            guard key == serverKey.publicKey else {
                throw Violation(.authentic, "client \(index) opened a connection to another key.")
            }
            counters.opened += 1
            node.current = handle
            node.endpoint.open(stream: Self.upStream, at: node.up.acknowledged, of: handle)
            node.endpoint.offer(upTo: node.up.end, on: Self.upStream, of: handle)
        case .connection(let handle, let what):
            switch what {
            case .record(let stream, let number, let bytes):
                try arrived(stream, number, bytes, &node.down, from: index, Self.downStream)
            case .acknowledged(_, let below):
                try acknowledged(below, &node.up, of: index, Self.upStream)
            case .datagram(let bytes): try check(datagram: bytes, "down \(index)")
            case .moved: break
            case .closed(let reason):
                counters.closed["client: \(reason)", default: 0] += 1
                if node.current == handle { node.current = nil }
            }
        case .wantsSocket: node.endpoint.useSocket(node.sockets.bind(), at: world.now)
        case .mayClose(let socket): node.sockets.close(socket)
        case .token(let token): node.token = token
        case .unreachable: break
        case .stopped where world.faults.contains(.attack) && (isActive || !node.hasTriedAgain):
            // Forged answers can bring a client to ask for a person, who then tries again; those from before the end of
            // the trouble once more after it.
            if !isActive { node.hasTriedAgain = true }
            node.endpoint.connect(
                to: world.serverAddresses,
                trusting: nil,
                token: nil,
                secret: nil,
                at: world.now
            )
        case .stopped(let stop):
            throw Violation(.convergence, "client \(index) stopped for ever: \(stop).")
        }
    }

    private func arrived(
        _ stream: UInt64,
        _ number: UInt64,
        _ bytes: [UInt8],
        _ direction: inout Direction,
        from index: Int,
        _ expected: UInt64
    ) throws(Violation) {
        counters.records += 1
        guard stream == expected, number < direction.end,
            Self.content(index, stream, number) == .bytes(bytes)
        else {
            throw Violation(
                .authentic,
                "record \(number) of stream \(stream) of client \(index) is not what was sent."
            )
        }
        direction.arrived.insert(number)
    }

    private func acknowledged(
        _ below: UInt64,
        _ direction: inout Direction,
        of index: Int,
        _ stream: UInt64
    ) throws(Violation) {
        guard below > direction.acknowledged else { return }
        guard below <= direction.end else {
            throw Violation(
                .acceptedMeansKept,
                "\(below) was acknowledged, \(direction.end) offered."
            )
        }
        for number in direction.acknowledged..<below
        where Self.content(index, stream, number) != .gone && !direction.arrived.contains(number) {
            throw Violation(
                .acceptedMeansKept,
                "record \(number) of stream \(stream) of client \(index) was acknowledged, not delivered."
            )
        }
        direction.acknowledged = below
    }

    private func check(datagram: [UInt8], _ expected: String) throws(Violation) {
        counters.datagrams += 1
        guard datagram == Array(expected.utf8) else {
            throw Violation(.authentic, "a datagram arrived that was not sent: \(datagram).")
        }
    }

    private var isSettled: Bool {
        clients.allSatisfy {
            !$0.isAsleep && $0.up.acknowledged == $0.up.end && $0.down.acknowledged == $0.down.end
        }
    }

    private var unsettled: String {
        clients.enumerated().compactMap { index, node in
            let (up, down) = (node.up, node.down)
            guard up.acknowledged != up.end || down.acknowledged != down.end else { return nil }
            let state = node.current == nil ? "not connected" : "connected"
            return "client \(index) (\(state)): up \(up.acknowledged) of \(up.end), "
                + "down \(down.acknowledged) of \(down.end) acknowledged."
        }
        .joined(separator: " ")
    }
}
