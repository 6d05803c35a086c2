import KirimNoise
import KirimTransport
import KirimWire

/// Whatever answers where a client looks for its server: forgers on the way, and a server with the right key that
/// does not keep to the protocol.
enum ClientFuzzing {
    static func run(_ bytes: [UInt8]) {
        var script = Script(bytes)
        var stage = Stage(&script)
        for _ in 0..<32 where !script.isAtEnd { stage.act(&script) }
    }

    private static let identity = ServerFuzzing.key(4)
    private static let host = ServerFuzzing.key(5)
    private static let ephemeral = ServerFuzzing.key(6)
    private static let places = [Address.server, Address(ip: .loopback6, port: 12_345)]
    private static let secret = [UInt8](repeating: 9, count: 32)

    private struct Stage: ~Copyable {
        private var client: ClientEndpoint
        private let limit: ClientEndpoint.Load
        private var now = Instant(nanoseconds: 1_000_000_000)
        private var records = Records()
        private var hello: HelloPacket?
        private var open: OpenPacket?
        private var challenge: ChallengePacket?
        private var forger: Forger?
        private var sockets: UInt32 = 0
        private var handle: ConnectionHandle?
        private let access: Access

        init(_ script: inout Script) {
            var configuration = TransportConfiguration()
            configuration.receiveWindow = 8_192
            if script.flag() { configuration.rekeyPackets = 20 }
            client = ClientEndpoint(
                identity: ClientFuzzing.identity,
                configuration: configuration,
                dice: FixedDice(seed: 7)
            )
            limit = ClientEndpoint.Load(limitsOf: configuration, streams: 2)
            access = script.flag() ? .password : .open
            connect(&script)
            drain()
        }

        private mutating func connect(_ script: inout Script) {
            let choice = script.byte()
            client.connect(
                to: ClientFuzzing.places,
                trusting: choice & 1 == 0 ? nil : ClientFuzzing.host.publicKey,
                token: choice & 2 == 0 ? nil : [UInt8](repeating: choice, count: PacketSize.cookie),
                secret: access == .open ? nil : .passwordKey(ClientFuzzing.secret),
                at: now
            )
        }

        mutating func act(_ script: inout Script) {
            switch script.number(below: 14) {
            case 0: hear(script.block(limit: 1_210), &script)
            case 1: hear(challenge(&script), &script)
            case 2, 3: hear(accept(script.block(limit: 255)), &script)
            case 4:
                let noise = script.block(limit: 300)
                hear(AcceptPacket(clientIndex: script.byte(), noise: noise).bytes, &script)
            case 5, 6, 7:
                let frames = script.block(limit: 255)
                guard let packet = forger?.packet(frames.isEmpty ? [0] : frames) else { break }
                hear(packet, &script)
            case 8:
                let token = [UInt8](repeating: script.byte() & 1, count: PacketSize.resetToken)
                let id: UInt64 = script.flag() ? Self.connectionID : 0
                hear(ResetPacket(connectionID: id, token: token).bytes, &script)
            case 9: wait(script.wait())
            case 10: client.networkChanged(at: now)
            case 11: write(script.number(below: 16))
            case 12:
                if script.byte() > 200 { client.disconnect(at: now) } else { wait(.seconds(1)) }
            default: if script.byte() > 128 { connect(&script) }
            }
            drain()
        }

        private static let connectionID: UInt64 = 77

        private mutating func hear(_ bytes: [UInt8], _ script: inout Script) {
            let remote = ClientFuzzing.places[script.number(below: ClientFuzzing.places.count)]
            let path = Path(socket: SocketID(rawValue: sockets), remote: remote)
            client.receive(bytes, on: path, at: now)
        }

        /// An answer to the last HELLO, true in as much as the script wants it.
        private mutating func challenge(_ script: inout Script) -> [UInt8] {
            let lies = script.byte()
            let seen = open?.ephemeral ?? hello?.ephemeral ?? [UInt8](repeating: 0, count: 32)
            let echo = lies & 1 == 0 ? hello?.ephemeral ?? seen : seen
            var key = ClientFuzzing.host.publicKey
            // A key of low order, with which everybody knows the secret.
            if lies & 6 == 6, let low = PublicKey(bytes: [UInt8](repeating: 0, count: 32)) {
                key = low
            } else if lies & 4 != 0 {
                key = ClientFuzzing.identity.publicKey
            }
            let packet = ChallengePacket(
                echo: Array(echo.prefix(8)),
                access: lies & 8 == 0 ? access : Access(rawValue: lies % 3) ?? .open,
                versions: [lies & 16 == 0 ? .one : .grease(UInt16(lies)), .grease(7)],
                serverKey: key,
                cookie: [UInt8](repeating: lies, count: PacketSize.cookie)
            )
            challenge = packet
            return packet.bytes
        }

        /// The true server's answer to the last OPEN, with these parameters.
        private mutating func accept(_ parameters: [UInt8]) -> [UInt8] {
            guard let open else { return [PacketType.accept.rawValue] }
            var prologue = ByteWriter(capacity: 32)
            prologue.append("kirim/1".utf8)
            prologue.integer(ProtocolVersion.one.rawValue)
            prologue.byte(access.rawValue)
            let listed = challenge.map { $0.cookie == open.cookie ? $0.versions : [] } ?? []
            prologue.versions(listed.filter { !$0.isGrease })
            var handshake = ResponderHandshake(
                identity: ClientFuzzing.host,
                prologue: prologue.bytes,
                usesPSK: access != .open
            )
            guard (try? handshake.readMessage1(open.noise)) != nil else { return [0xFB] }
            var reply = ByteWriter(capacity: 128)
            reply.integer(Self.connectionID)
            reply.append([UInt8](repeating: 1, count: PacketSize.resetToken))
            reply.append([UInt8](repeating: 2, count: PacketSize.cookie))
            reply.append(parameters)
            guard
                let (message, keys) = try? handshake.writeMessage2(
                    reply.bytes,
                    ephemeral: ClientFuzzing.ephemeral,
                    psk: access == .open ? nil : ClientFuzzing.secret
                )
            else { return [0xFB] }
            forger = Forger(keys: keys, destination: .client(index: open.clientIndex))
            return AcceptPacket(clientIndex: open.clientIndex, noise: message).bytes
        }

        private mutating func wait(_ time: Duration) {
            now = now.advanced(by: time)
            client.timePassed(to: now)
        }

        private mutating func write(_ count: Int) {
            guard let handle else { return }
            client.open(stream: 1, at: 0, of: handle)
            client.offer(upTo: UInt64(count), on: 1, of: handle)
        }

        private mutating func drain() {
            var turns = 0
            while turns < 2_000 {
                turns += 1
                if let event = client.nextEvent() {
                    switch event {
                    case .wantsSocket:
                        sockets += 1
                        client.useSocket(SocketID(rawValue: sockets), at: now)
                    case .opened(let opened, let key, _):
                        require(key == ClientFuzzing.host.publicKey, "only who has the key is it")
                        handle = opened
                    default: break
                    }
                    continue
                }
                guard let transmit = client.nextTransmit(at: now, source: &records) else { break }
                require(transmit.bytes.count <= PacketSize.maximum, "a packet fits")
                require(
                    ClientFuzzing.places.contains(transmit.path.remote),
                    "it goes to the server"
                )
                hello = (try? HelloPacket(parsing: transmit.bytes)) ?? hello
                open = (try? OpenPacket(parsing: transmit.bytes)) ?? open
            }
            require(turns < 2_000, "a turn ends")
            check()
        }

        private func check() {
            let load = client.load
            require(load.connections <= limit.connections, "few connections: \(load)")
            require(load.retiring <= limit.retiring, "few sockets: \(load)")
            require(load.unfinished == 0, "nothing waits: \(load)")
            require(load.largest.fits(limit.largest), "a connection is bounded: \(load)")
        }
    }
}
