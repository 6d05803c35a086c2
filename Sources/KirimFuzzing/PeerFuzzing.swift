import KirimTransport
import KirimWire

/// A peer that holds the keys and sends whatever frames it likes, to either end of a connection.
enum PeerFuzzing {
    static func run(_ bytes: [UInt8]) {
        var script = Script(bytes)
        var stage = Stage(isClient: script.flag())
        for _ in 0..<48 where !script.isAtEnd {
            switch script.number(below: 8) {
            case 0...3: stage.hear(script.block(limit: 255), skipping: 0)
            case 4: stage.hear(script.block(limit: 1_100), skipping: UInt32(script.byte()))
            case 5: stage.write(script.number(below: 4), script.number(below: 32))
            case 6: stage.move(to: script.number(below: 4))
            default: stage.wait(script.wait())
            }
            stage.drain()
        }
    }

    private struct Stage: ~Copyable {
        private var connection: BareConnection
        private var forger: Forger
        private var records = Records()
        private var now = Instant(nanoseconds: 1_000_000_000)
        private var path: Path
        private var offered: [UInt64: UInt64] = [:]
        private let isClient: Bool
        private let limit: ConnectionLoad

        init(isClient: Bool) {
            self.isClient = isClient
            path = Path(socket: SocketID(rawValue: 1), remote: .peer(0))
            var configuration = TransportConfiguration()
            configuration.receiveWindow = 8_192
            connection = BareConnection(
                isClient ? .client : .server,
                keys: .fixed(isClient: isClient),
                path: path,
                configuration: configuration,
                dice: FixedDice(seed: 1),
                at: now
            )
            forger = Forger(
                keys: .fixed(isClient: !isClient),
                destination: isClient ? .client(index: 1) : .server(connectionID: 1)
            )
            limit = ConnectionLoad(limitsOf: configuration, streams: 4)
        }

        mutating func hear(_ frames: [UInt8], skipping: UInt32) {
            // A tag alone is no packet.
            let plaintext = frames.isEmpty ? [0] : frames
            connection.receive(forger.packet(plaintext, skipping: skipping), on: path, at: now)
        }

        mutating func write(_ stream: Int, _ count: Int) {
            let stream = UInt64(stream)
            if offered[stream] == nil { connection.open(stream: stream, at: 0) }
            offered[stream, default: 0] += UInt64(count)
            connection.offer(upTo: offered[stream, default: 0], on: stream)
        }

        /// A server stays where it is.
        mutating func move(to place: Int) {
            if !isClient { path.remote = .peer(place) }
        }

        mutating func wait(_ time: Duration) {
            now = now.advanced(by: time)
            connection.timePassed(to: now)
        }

        mutating func drain() {
            while let event = connection.nextEvent() {
                if case .record(_, _, let bytes) = event {
                    require(bytes.count <= RecordFrame.recordLimit, "a record is bounded")
                }
                if case .acknowledged(let stream, let below) = event {
                    require(below <= offered[stream, default: 0], "only what was sent has arrived")
                }
            }
            var sent = 0
            while let transmit = connection.nextTransmit(at: now, source: &records) {
                require(transmit.bytes.count <= PacketSize.maximum, "a packet fits")
                sent += 1
                require(sent < 1_000, "a turn ends")
            }
            require(connection.load.fits(limit), "memory is bounded: \(connection.load)")
        }
    }
}

extension Address {
    /// Four places of two machines.
    static func peer(_ place: Int) -> Address {
        Address(ip: .v4(0x0A00_0001 + UInt32(place / 2)), port: 40_000 + UInt16(place % 2))
    }

    static let server = Address(ip: .v4(0x0A00_00FE), port: 12_345)
}
