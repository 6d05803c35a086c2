import KirimNoise
import KirimTransport
import KirimWire

/// A server and a client from the first HELLO on, and a road on which everything goes wrong. In the end the road
/// heals, the client is connected, and what is sent then arrives.
enum EndpointsFuzzing {
    static func run(_ bytes: [UInt8]) {
        var script = Script(bytes)
        var pair = Pair(&script)
        for _ in 0..<48 where !script.isAtEnd { pair.act(&script) }
        pair.heal()
    }

    fileprivate static let up: UInt64 = 1
    fileprivate static let down: UInt64 = 2
    fileprivate static let host = ServerFuzzing.key(5)
    fileprivate static let identity = ServerFuzzing.key(4)

    fileprivate struct Pair: ~Copyable {
        private var client: ClientEndpoint
        private var server: ServerEndpoint
        private var clientRecords = Records()
        private var serverRecords = Records()
        /// The connection that is spoken on, as each end names it.
        private var clientHandle: ConnectionHandle?
        private var serverHandle: ConnectionHandle?
        private var newest: UInt64 = 0
        private var upward = Progress()
        private var downward = Progress()
        private var road = Road()
        private var now = Instant(nanoseconds: 1_000_000_000)
        private var place = 0
        private var sockets: UInt32 = 0
        private let clientLimit: ClientEndpoint.Load
        private let serverLimit: ServerEndpoint.Load

        init(_ script: inout Script) {
            var configuration = ServerEndpoint.Configuration()
            configuration.transport.receiveWindow = 16_384
            if script.flag() { configuration.transport.rekeyAfter = .seconds(60) }
            configuration.startedAt = 1_700_000_000
            server = ServerEndpoint(
                identity: EndpointsFuzzing.host,
                configuration: configuration,
                dice: FixedDice(seed: 1)
            )
            client = ClientEndpoint(
                identity: EndpointsFuzzing.identity,
                configuration: configuration.transport,
                dice: FixedDice(seed: 2)
            )
            clientLimit = ClientEndpoint.Load(limitsOf: configuration.transport, streams: 1)
            serverLimit = ServerEndpoint.Load(limitsOf: configuration, streams: 1)
            connect()
            drain()
            // Most of what is worth trying happens between two that know each other.
            if script.byte() < 224 { pass(to: now.advanced(by: .milliseconds(150)), steps: 16) }
        }

        private mutating func connect() {
            client.connect(to: [.server], trusting: nil, token: nil, secret: nil, at: now)
        }

        mutating func act(_ script: inout Script) {
            switch script.number(below: 18) {
            case 0, 1: offer(up: script.number(below: 12))
            case 2, 3: offer(down: script.number(below: 12))
            case 4:
                if let handle = clientHandle {
                    client.send(datagram: script.block(limit: 200), to: handle)
                }
            case 5:
                if let handle = serverHandle {
                    server.send(datagram: script.block(limit: 200), to: handle)
                }
            case 6: road.lose(script.number(below: 128))
            case 7: road.duplicate(script.number(below: 128))
            case 8: road.delay(script.number(below: 128), by: script.wait())
            case 9: road.damage(script.number(below: 128), &script)
            case 10:
                if let forged = road.forge(script.number(below: 16), &script) { deliver(forged) }
            case 11: place = script.number(below: 4)
            case 12: client.networkChanged(at: now)
            case 13: clientRecords.isLate = script.flag()
            case 14: serverRecords.isLate = script.flag()
            case 15:
                guard script.byte() > 200 else { break }
                if script.flag() {
                    client.disconnect(at: now)
                } else if let handle = serverHandle {
                    server.close(handle, .restarting, reason: "back soon", at: now)
                }
            default: pass(to: now.advanced(by: script.wait()), steps: 16)
            }
            resume()
            drain()
        }

        private mutating func offer(up count: Int) {
            guard let handle = clientHandle else { return }
            upward.offer(count)
            client.offer(upTo: upward.offered, on: EndpointsFuzzing.up, of: handle)
        }

        private mutating func offer(down count: Int) {
            guard let handle = serverHandle else { return }
            downward.offer(count)
            server.offer(upTo: downward.offered, on: EndpointsFuzzing.down, of: handle)
        }

        /// A client that wants its server finds it, and everything arrives.
        mutating func heal() {
            clientRecords.isLate = false
            serverRecords.isLate = false
            connect()
            resume()
            drain()
            let end = now.advanced(by: .seconds(900))
            var steps = 0
            var isAsked = false
            while !(isAsked && isSettled) {
                require(now < end && steps < 4_000, "a road that healed brings everything")
                step(until: end)
                steps += 1
                if !isAsked, clientHandle != nil, client.current == clientHandle,
                    serverHandle != nil
                {
                    offer(up: 2)
                    offer(down: 2)
                    resume()
                    drain()
                    isAsked = true
                }
            }
            upward.check(EndpointsFuzzing.up)
            downward.check(EndpointsFuzzing.down)
        }

        private var isSettled: Bool { upward.isComplete && downward.isComplete }

        private mutating func resume() {
            if !clientRecords.isLate, let handle = clientHandle {
                client.resume(stream: EndpointsFuzzing.up, of: handle)
            }
            if !serverRecords.isLate, let handle = serverHandle {
                server.resume(stream: EndpointsFuzzing.down, of: handle)
            }
        }

        /// Lets time pass, from one thing that is to happen to the next; what is too much happens at once.
        private mutating func pass(to end: Instant, steps: Int) {
            for _ in 0..<steps where now < end { step(until: end) }
            now = max(now, end)
            arrive()
        }

        private mutating func step(until end: Instant) {
            let moments = [road.nextArrival, client.deadline, server.deadline].compactMap { $0 }
            now = max(now, min(end, moments.min() ?? end))
            arrive()
        }

        private mutating func arrive() {
            for flight in road.arrivals(at: now) { deliver(flight) }
            client.timePassed(to: now)
            server.timePassed(to: now)
            drain()
        }

        private mutating func deliver(_ flight: Road.Flight) {
            if flight.toServer {
                let path = Path(socket: SocketID(rawValue: 9), remote: .peer(flight.place))
                server.receive(flight.bytes, on: path, at: now)
            } else {
                let path = Path(socket: SocketID(rawValue: sockets), remote: .server)
                client.receive(flight.bytes, on: path, at: now)
            }
        }
    }
}

extension EndpointsFuzzing.Pair {
    private mutating func drain() {
        var turns = 0
        while turns < 4_000 {
            turns += 1
            if let event = client.nextEvent() {
                take(event)
            } else if let event = server.nextEvent() {
                take(event)
            } else if let transmit = client.nextTransmit(at: now, source: &clientRecords) {
                require(transmit.bytes.count <= PacketSize.maximum, "a packet fits")
                road.send(transmit.bytes, toServer: true, place: place, at: now)
            } else if let transmit = server.nextTransmit(at: now, source: &serverRecords) {
                require(transmit.bytes.count <= PacketSize.maximum, "a packet fits")
                // Who has moved on is not there any more.
                if transmit.path.remote == .peer(place) {
                    road.send(transmit.bytes, toServer: false, place: place, at: now)
                }
            } else {
                break
            }
        }
        require(turns < 4_000, "a turn ends")
        let clientLoad = client.load
        require(clientLoad.connections <= clientLimit.connections, "\(clientLoad)")
        require(clientLoad.retiring <= clientLimit.retiring, "\(clientLoad)")
        require(clientLoad.largest.fits(clientLimit.largest), "\(clientLoad)")
        let serverLoad = server.load
        require(serverLoad.timers <= serverLimit.timers, "\(serverLoad)")
        require(serverLoad.largest.fits(serverLimit.largest), "\(serverLoad)")
    }

    private mutating func take(_ event: ClientEndpoint.Event) {
        switch event {
        case .wantsSocket:
            sockets += 1
            client.useSocket(SocketID(rawValue: sockets), at: now)
        case .opened(let handle, let key, _):
            require(key == EndpointsFuzzing.host.publicKey, "the client finds its server")
            clientHandle = handle
            upward.renew()
            client.open(stream: EndpointsFuzzing.up, at: 0, of: handle)
        case .connection(_, .record(let stream, let number, let bytes)):
            downward.arrived(number, of: stream, bytes)
        case .connection(let handle, .acknowledged(_, let below)):
            if handle == clientHandle { upward.acknowledged(below: below) }
        case .connection(let handle, .closed(let reason)):
            require(reason != .violation, "an honest server keeps to the protocol")
            if handle == clientHandle { clientHandle = nil }
        default: break
        }
    }

    private mutating func take(_ event: ServerEndpoint.Event) {
        switch event {
        case .opened(let handle, let peer, _, _):
            require(peer == client.publicKey, "the server knows who came")
            // A late packet may confirm a handshake that the client has given up for a newer one.
            guard handle.rawValue > newest else { break }
            newest = handle.rawValue
            serverHandle = handle
            downward.renew()
            server.open(stream: EndpointsFuzzing.down, at: 0, of: handle)
        case .connection(_, .record(let stream, let number, let bytes)):
            upward.arrived(number, of: stream, bytes)
        case .connection(let handle, .acknowledged(_, let below)):
            if handle == serverHandle { downward.acknowledged(below: below) }
        case .connection(let handle, .closed(let reason)):
            require(reason != .violation, "an honest client keeps to the protocol")
            if handle == serverHandle { serverHandle = nil }
        default: break
        }
    }
}
