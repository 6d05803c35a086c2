import KirimTransport
import KirimWire

/// Two ends of a connection that have their keys, and a road on which everything goes wrong. In the end the road
/// heals, and all that was sent arrives.
enum LinkFuzzing {
    static func run(_ bytes: [UInt8]) {
        var script = Script(bytes)
        var link = Link()
        for _ in 0..<64 where !script.isAtEnd { link.act(&script) }
        link.heal()
    }

    private static let up: UInt64 = 1
    private static let down: UInt64 = 2

    private struct Link: ~Copyable {
        private var client: BareConnection
        private var server: BareConnection
        private var clientRecords = Records()
        private var serverRecords = Records()
        private var upward = Progress()
        private var downward = Progress()
        private var road = Road()
        private var now = Instant(nanoseconds: 1_000_000_000)
        private var place = 0
        private let limit: ConnectionLoad

        init() {
            var configuration = TransportConfiguration()
            configuration.receiveWindow = 16_384
            client = BareConnection(
                .client,
                keys: .fixed(isClient: true),
                path: Path(socket: SocketID(rawValue: 1), remote: .server),
                configuration: configuration,
                dice: FixedDice(seed: 1),
                at: now
            )
            server = BareConnection(
                .server,
                keys: .fixed(isClient: false),
                path: Path(socket: SocketID(rawValue: 2), remote: .peer(0)),
                configuration: configuration,
                dice: FixedDice(seed: 2),
                at: now
            )
            client.open(stream: LinkFuzzing.up, at: 0)
            server.open(stream: LinkFuzzing.down, at: 0)
            limit = ConnectionLoad(limitsOf: configuration, streams: 1)
        }

        mutating func act(_ script: inout Script) {
            switch script.number(below: 16) {
            case 0, 1:
                upward.offer(script.number(below: 12))
                client.offer(upTo: upward.offered, on: LinkFuzzing.up)
            case 2, 3:
                downward.offer(script.number(below: 12))
                server.offer(upTo: downward.offered, on: LinkFuzzing.down)
            case 4: client.send(datagram: script.block(limit: 200))
            case 5: server.send(datagram: script.block(limit: 200))
            case 6: road.lose(script.number(below: 128))
            case 7: road.duplicate(script.number(below: 128))
            case 8: road.delay(script.number(below: 128), by: script.wait())
            case 9: road.damage(script.number(below: 128), &script)
            case 10:
                if let forged = road.forge(script.number(below: 16), &script) { deliver(forged) }
            case 11: place = script.number(below: 4)
            case 12: clientRecords.isLate = script.flag()
            case 13: serverRecords.isLate = script.flag()
            case 14:
                guard script.byte() == 255 else { break }
                if script.flag() {
                    client.close(.done, reason: "bye", at: now)
                } else {
                    server.close(.restarting, reason: "bye", at: now)
                }
            default: pass(to: now.advanced(by: script.wait()), steps: 16)
            }
            resume()
            drain()
        }

        /// Everything arrives from here on, unless a side has said goodbye.
        mutating func heal() {
            clientRecords.isLate = false
            serverRecords.isLate = false
            resume()
            drain()
            let end = now.advanced(by: .seconds(600))
            var steps = 0
            while client.isOpen, server.isOpen, !(upward.isComplete && downward.isComplete) {
                require(now < end && steps < 4_000, "a road that healed brings everything")
                step(until: end)
                steps += 1
            }
            upward.check(LinkFuzzing.up)
            downward.check(LinkFuzzing.down)
        }

        private mutating func resume() {
            if !clientRecords.isLate { client.resume(stream: LinkFuzzing.up) }
            if !serverRecords.isLate { server.resume(stream: LinkFuzzing.down) }
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
                let path = Path(socket: SocketID(rawValue: 2), remote: .peer(flight.place))
                server.receive(flight.bytes, on: path, at: now)
            } else {
                let path = Path(socket: SocketID(rawValue: 1), remote: .server)
                client.receive(flight.bytes, on: path, at: now)
            }
        }

        private mutating func drain() {
            while let event = client.nextEvent() {
                switch event {
                case .record(let stream, let number, let bytes):
                    require(
                        stream == LinkFuzzing.down,
                        "records come on the stream that they were sent on"
                    )
                    downward.arrived(number, of: stream, bytes)
                case .acknowledged(_, let below): upward.acknowledged(below: below)
                case .closed(.violation): fatalError("an honest server broke the protocol")
                default: break
                }
            }
            while let event = server.nextEvent() {
                switch event {
                case .record(let stream, let number, let bytes):
                    require(
                        stream == LinkFuzzing.up,
                        "records come on the stream that they were sent on"
                    )
                    upward.arrived(number, of: stream, bytes)
                case .acknowledged(_, let below): downward.acknowledged(below: below)
                case .closed(.violation): fatalError("an honest client broke the protocol")
                default: break
                }
            }
            while let transmit = client.nextTransmit(at: now, source: &clientRecords) {
                require(transmit.bytes.count <= PacketSize.maximum, "a packet fits")
                road.send(transmit.bytes, toServer: true, place: place, at: now)
            }
            while let transmit = server.nextTransmit(at: now, source: &serverRecords) {
                require(transmit.bytes.count <= PacketSize.maximum, "a packet fits")
                // Who has moved on is not there any more.
                if transmit.path.remote == .peer(place) {
                    road.send(transmit.bytes, toServer: false, place: place, at: now)
                }
            }
            require(client.load.fits(limit), "the client's memory is bounded: \(client.load)")
            require(server.load.fits(limit), "the server's memory is bounded: \(server.load)")
        }
    }
}
