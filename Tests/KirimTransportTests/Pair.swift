import KirimNoise
import KirimTestKit
import KirimTransport
import KirimWire

/// Records of one side: a stream is an array of byte strings.
struct Shelf: RecordSource {
    var streams: [UInt64: [[UInt8]]] = [:]
    var later: Set<UInt64> = []
    var gone: Set<UInt64> = []

    mutating func record(
        _ number: UInt64,
        stream: UInt64,
        of connection: ConnectionHandle
    ) -> RecordLookup {
        if later.contains(number) { return .later }
        if gone.contains(number) { return .gone }
        guard let records = streams[stream], number < records.count else { return .gone }
        return .bytes(records[Int(number)])
    }
}

/// One server, one client, one virtual clock, one scripted network.
struct Pair: ~Copyable {
    var server: ServerEndpoint
    var client: ClientEndpoint
    var serverShelf = Shelf()
    var clientShelf = Shelf()
    var now = Instant(nanoseconds: 1_000_000_000)
    var delay = Duration.milliseconds(25)
    /// The server looks at the world at multiples of so many nanoseconds; zero: always.
    var serverTurn: Int64 = 0
    private var nextTurn = Instant(nanoseconds: 0)
    private var isServersTurn: Bool { now >= nextTurn }

    /// Decides the fate of a datagram: `false` drops it.
    var passes: (_ toServer: Bool, _ bytes: [UInt8], _ index: Int) -> Bool = { _, _, _ in true }
    /// Where the server sees the client.
    var clientAddress = Address(ip: .v4(0x0A00_0001), port: 40_000)
    /// The server sees each of the client's sockets at a port of its own.
    var hasPorts = false
    let serverAddress = Address(ip: .v4(0x0A00_00FE), port: 12_345)

    var serverEvents: [ServerEndpoint.Event] = []
    var clientEvents: [ClientEndpoint.Event] = []
    var toServer: [[UInt8]] = []
    /// All that the server sent, wherever to.
    private(set) var fromServer: [Transmit] = []
    var toClient: [[UInt8]] { fromServer.map(\.bytes) }
    /// What reached the server, by where it seemed to come from.
    private(set) var bytesIn: [Address: Int] = [:]
    private var flying: [(at: Instant, toServer: Bool, path: Path, bytes: [UInt8])] = []
    private var nextSocket: UInt32 = 1
    private(set) var clientSocket = SocketID(rawValue: 0)

    init(
        seed: UInt64 = 1,
        configuration: TransportConfiguration = TransportConfiguration(),
        access: AccessPolicy = .open,
        serversCipher: (any PacketCipher)? = nil
    ) {
        var dice = SeededDice(seed: seed)
        var serverConfiguration = ServerEndpoint.Configuration()
        serverConfiguration.transport = configuration
        serverConfiguration.transport.cipher = serversCipher
        serverConfiguration.access = access
        serverConfiguration.startedAt = 1_700_000_000
        server = ServerEndpoint(
            identity: StaticKey(dice: &dice),
            configuration: serverConfiguration,
            dice: SeededDice(seed: seed &+ 100)
        )
        client = ClientEndpoint(
            identity: StaticKey(dice: &dice),
            configuration: configuration,
            dice: SeededDice(seed: seed &+ 200)
        )
    }

    mutating func connect(
        trusting key: PublicKey? = nil,
        token: [UInt8]? = nil,
        secret: AccessSecret? = nil
    ) {
        client.connect(to: [serverAddress], trusting: key, token: token, secret: secret, at: now)
    }

    /// A client that came in so long ago.
    static func connected(
        seed: UInt64 = 1,
        _ configuration: TransportConfiguration = TransportConfiguration(),
        since time: Duration = .zero
    ) -> Pair {
        var pair = Pair(seed: seed, configuration: configuration)
        pair.connect()
        pair.run(for: .seconds(5)) { $0.serverConnection != nil }
        pair.run(for: time)
        return pair
    }

    /// Lets the two exchange all they have, and time pass, until `limit` or until `done`.
    mutating func run(
        for limit: Duration,
        until done: (borrowing Pair) -> Bool = { _ in false }
    ) {
        let end = now.advanced(by: limit)
        while true {
            drain()
            if serverTurn > 0, isServersTurn {
                nextTurn = Instant(nanoseconds: (now.nanoseconds / serverTurn + 1) * serverTurn)
            }
            if done(self) { return }
            var next = end
            func consider(_ moment: Instant) { next = min(next, max(moment, now)) }
            for datagram in flying {
                consider(datagram.toServer ? max(datagram.at, nextTurn) : datagram.at)
            }
            if let deadline = server.deadline { consider(max(deadline, nextTurn)) }
            if let deadline = client.deadline { next = min(next, deadline) }
            if next > now { now = next }
            if now >= end { return }
            let (moment, mayServer) = (now, isServersTurn)
            let due = flying.filter { $0.at <= moment && (mayServer || !$0.toServer) }
            flying.removeAll { $0.at <= moment && (mayServer || !$0.toServer) }
            for datagram in due {
                if datagram.toServer {
                    bytesIn[datagram.path.remote, default: 0] += datagram.bytes.count
                    server.receive(datagram.bytes, on: datagram.path, at: now)
                } else {
                    client.receive(datagram.bytes, on: datagram.path, at: now)
                }
            }
            if isServersTurn { server.timePassed(to: now) }
            client.timePassed(to: now)
        }
    }

    private mutating func drain() {
        while true {
            var isQuiet = true
            while isServersTurn, let event = server.nextEvent() {
                serverEvents.append(event)
                isQuiet = false
            }
            while let event = client.nextEvent() {
                clientEvents.append(event)
                isQuiet = false
                if case .wantsSocket = event {
                    clientSocket = SocketID(rawValue: nextSocket)
                    nextSocket += 1
                    client.useSocket(clientSocket, at: now)
                }
            }
            while isServersTurn, let transmit = server.nextTransmit(at: now, source: &serverShelf) {
                isQuiet = false
                fromServer.append(transmit)
                if let socket = socket(seenAt: transmit.path.remote),
                    passes(false, transmit.bytes, fromServer.count)
                {
                    let path = Path(socket: socket, remote: serverAddress)
                    flying.append((now.advanced(by: delay), false, path, transmit.bytes))
                }
            }
            while let transmit = client.nextTransmit(at: now, source: &clientShelf) {
                isQuiet = false
                toServer.append(transmit.bytes)
                if passes(true, transmit.bytes, toServer.count) {
                    let source = address(of: transmit.path.socket)
                    let path = Path(socket: SocketID(rawValue: 9), remote: source)
                    flying.append((now.advanced(by: delay), true, path, transmit.bytes))
                }
            }
            if isQuiet { return }
        }
    }

    private func address(of socket: SocketID) -> Address {
        var address = clientAddress
        if hasPorts { address.port += UInt16(socket.rawValue) }
        return address
    }

    private func socket(seenAt remote: Address) -> SocketID? {
        guard hasPorts else { return remote == clientAddress ? clientSocket : nil }
        return (0..<nextSocket).map(SocketID.init).first { address(of: $0) == remote }
    }

    /// Injects a datagram from anywhere at once.
    mutating func inject(_ bytes: [UInt8], from address: Address) {
        bytesIn[address, default: 0] += bytes.count
        server.receive(bytes, on: Path(socket: SocketID(rawValue: 9), remote: address), at: now)
    }

    mutating func injectToClient(_ bytes: [UInt8], from address: Address? = nil) {
        let path = Path(socket: clientSocket, remote: address ?? serverAddress)
        client.receive(bytes, on: path, at: now)
    }

    /// Another server with the same key, as after a restart.
    consuming func intoServer() -> ServerEndpoint { server }

    // MARK: What happened

    /// What the server sent to an address, from the given transmit on.
    func sent(to address: Address, from first: Int = 0) -> [[UInt8]] {
        fromServer[first...].filter { $0.path.remote == address }.map(\.bytes)
    }

    /// The connections that the server announced, and the invitation that each used up.
    private var opened: [(handle: ConnectionHandle, redeemed: InvitationID?)] {
        serverEvents.compactMap {
            if case .opened(let handle, _, _, let redeemed) = $0 { (handle, redeemed) } else { nil }
        }
    }

    var serverConnection: ConnectionHandle? { opened.last?.handle }
    var openedCount: Int { opened.count }
    var redeemed: [InvitationID] { opened.compactMap(\.redeemed) }

    var clientConnection: ConnectionHandle? {
        clientEvents.compactMap { if case .opened(let handle, _, _) = $0 { handle } else { nil } }
            .last
    }

    func recordsAtServer(_ stream: UInt64) -> [UInt64: [UInt8]] {
        var records: [UInt64: [UInt8]] = [:]
        for event in serverEvents {
            if case .connection(_, .record(stream, let number, let bytes)) = event {
                records[number] = bytes
            }
        }
        return records
    }

    func recordsAtClient(_ stream: UInt64) -> [UInt64: [UInt8]] {
        var records: [UInt64: [UInt8]] = [:]
        for event in clientEvents {
            if case .connection(_, .record(stream, let number, let bytes)) = event {
                records[number] = bytes
            }
        }
        return records
    }

    /// Puts records on a stream of the client's and offers them.
    mutating func clientSends(_ records: [[UInt8]], on stream: UInt64) {
        guard let handle = clientConnection else { return }
        clientShelf.streams[stream] = records
        client.open(stream: stream, at: 0, of: handle)
        client.offer(upTo: UInt64(records.count), on: stream, of: handle)
    }

    mutating func serverSends(_ records: [[UInt8]], on stream: UInt64) {
        guard let handle = serverConnection else { return }
        serverShelf.streams[stream] = records
        server.open(stream: stream, at: 0, of: handle)
        server.offer(upTo: UInt64(records.count), on: stream, of: handle)
    }
}
