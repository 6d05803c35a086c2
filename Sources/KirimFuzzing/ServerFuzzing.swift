import KirimNoise
import KirimTransport
import KirimWire

/// Strangers and guests at a server's door: they greet, prove themselves, shake hands and speak as they like, and
/// nobody without a proved address is ever sent more than came from there.
enum ServerFuzzing {
    static func run(_ bytes: [UInt8]) {
        var script = Script(bytes)
        var stage = Stage(access: script.number(below: 3))
        for _ in 0..<32 where !script.isAtEnd { stage.act(&script) }
    }

    private static let identity = key(1)
    private static let invitation: InvitationID = {
        var dice = FixedDice(seed: 3)
        return InvitationID(endingAt: 30_000_000, dice: &dice)
    }()
    private static let password = [UInt8](repeating: 9, count: 32)

    static func key(_ seed: UInt64) -> StaticKey {
        var dice = FixedDice(seed: seed)
        return StaticKey(dice: &dice)
    }

    private struct Stage: ~Copyable {
        private var server: ServerEndpoint
        private let limit: ServerEndpoint.Load
        private var guests: [Guest]
        private var records = Records()
        private var now = Instant(nanoseconds: 1_000_000_000)
        private var handles: [ConnectionHandle] = []
        /// What came from each address that has proved nothing, less what was sent there.
        private var credit: [Address: Int] = [:]
        private var proved: Set<Address> = []
        private var last: [UInt8] = []

        init(access: Int) {
            var configuration = ServerEndpoint.Configuration()
            configuration.transport.receiveWindow = 8_192
            configuration.transport.unconfirmedLimit = 2
            configuration.connectionLimit = 2
            configuration.startedAt = 1_700_000_000
            var secret: [UInt8]?
            switch access {
            case 1:
                configuration.access = .password(ServerFuzzing.password)
                secret = ServerFuzzing.password
            case 2:
                configuration.access = .invitation(redeemed: [:])
                secret = ServerFuzzing.invitation.secret(of: ServerFuzzing.identity)
            default: break
            }
            server = ServerEndpoint(
                identity: ServerFuzzing.identity,
                configuration: configuration,
                dice: FixedDice(seed: 2)
            )
            limit = ServerEndpoint.Load(limitsOf: configuration, streams: 2)
            guests = (0..<3).map { Guest($0, secret: secret, invitation: ServerFuzzing.invitation) }
        }

        mutating func act(_ script: inout Script) {
            let place = script.number(below: guests.count)
            switch script.number(below: 12) {
            case 0: hear(script.block(limit: 1_210), from: place)
            case 1: hear(guests[place].hello(&script), from: place)
            case 2: hear(guests[place].open(script.block(limit: 255)), from: place)
            case 3: hear(guests[place].badOpen(&script), from: place)
            case 4, 5:
                if let packet = guests[place].data(script.block(limit: 255)) {
                    hear(packet, from: place)
                }
            case 6:
                var copy = last
                if !copy.isEmpty { copy[script.number(below: copy.count)] ^= script.byte() }
                hear(copy, from: script.number(below: 4))
            case 7: wait(script.wait())
            case 8: speak(script.number(below: 16))
            case 9:
                guard let handle = handles.last else { break }
                server.send(datagram: script.block(limit: 100), to: handle)
            case 10:
                guard let handle = handles.last, script.byte() > 200 else { break }
                server.close(handle, .kicked, reason: "out", at: now)
            default: hear(guests[place].data([1]) ?? [0xFF], from: script.number(below: 4))
            }
            drain()
        }

        private mutating func hear(_ bytes: [UInt8], from place: Int) {
            let address = Address.peer(place)
            last = bytes
            if !proved.contains(address) { credit[address, default: 0] += bytes.count }
            server.receive(bytes, on: Path(socket: SocketID(rawValue: 1), remote: address), at: now)
        }

        private mutating func wait(_ time: Duration) {
            now = now.advanced(by: time)
            server.timePassed(to: now)
        }

        private mutating func speak(_ count: Int) {
            guard let handle = handles.last else { return }
            server.open(stream: 2, at: 0, of: handle)
            server.offer(upTo: UInt64(count), on: 2, of: handle)
        }

        private mutating func drain() {
            var turns = 0
            while turns < 2_000 {
                turns += 1
                if let event = server.nextEvent() {
                    if case .opened(let handle, let peer, _, _) = event {
                        handles.append(handle)
                        opened(by: peer)
                    }
                    continue
                }
                guard let transmit = server.nextTransmit(at: now, source: &records) else { break }
                answer(transmit)
            }
            require(turns < 2_000, "a turn ends")
            check()
        }

        /// The cookie proved where its OPEN came from; the packet that confirmed it may have come from anywhere.
        private mutating func opened(by peer: PublicKey) {
            for place in guests.indices where ServerFuzzing.identities[place].publicKey == peer {
                proved.insert(.peer(place))
            }
        }

        private mutating func answer(_ transmit: Transmit) {
            require(transmit.bytes.count <= PacketSize.maximum, "a packet fits")
            let address = transmit.path.remote
            for place in guests.indices where Address.peer(place) == address {
                guests[place].hear(transmit.bytes)
            }
            guard !proved.contains(address) else { return }
            // An address that a guest moved to is trusted with three times what came from there.
            let factor = transmit.bytes[0] == PacketType.data.rawValue ? 3 : 1
            credit[address, default: 0] -= transmit.bytes.count / factor
            require(credit[address, default: 0] >= 0, "who proved nothing gets less than it gave")
        }

        private func check() {
            let load = server.load
            require(load.connections <= limit.connections, "few connections: \(load)")
            require(load.unconfirmed <= limit.unconfirmed, "few handshakes: \(load)")
            require(load.openings <= limit.openings, "few ephemeral keys: \(load)")
            require(load.strangers == 0 && load.unfinished == 0, "nothing waits: \(load)")
            require(load.waiting <= limit.waiting, "few wait for their handshake: \(load)")
            require(load.agenda <= limit.agenda && load.timers <= limit.timers, "\(load)")
            require(load.largest.fits(limit.largest), "a connection is bounded: \(load)")
        }
    }

    /// A client by hand, which need not be honest.
    private struct Guest {
        private let identity: StaticKey
        private let index: UInt8
        private let secret: [UInt8]?
        private let invitation: InvitationID
        private var ephemeral: StaticKey
        private var dice: FixedDice
        private var challenge: ChallengePacket?
        private var forger: Forger?
        private var handshake: Handshake?

        /// Arrays hold nothing that cannot be copied.
        private final class Handshake {
            var state: InitiatorHandshake
            init(_ state: consuming InitiatorHandshake) { self.state = state }
        }

        init(_ place: Int, secret: [UInt8]?, invitation: InvitationID) {
            identity = ServerFuzzing.identities[place]
            index = UInt8(place)
            self.secret = secret
            self.invitation = invitation
            dice = FixedDice(seed: 20 + UInt64(place))
            ephemeral = ServerFuzzing.ephemerals[place]
        }

        func hello(_ script: inout Script) -> [UInt8] {
            let count = 1 + script.number(below: PacketSize.versionLimit)
            let versions = (0..<count).map { _ in ProtocolVersion(rawValue: UInt32(script.byte())) }
            return HelloPacket(ephemeral: ephemeral.publicKey.bytes, versions: versions).bytes
        }

        /// A handshake that is as it should be, with these parameters.
        mutating func open(_ parameters: [UInt8]) -> [UInt8] {
            guard let challenge else { return [0xFA] }
            if handshake != nil { ephemeral = StaticKey(dice: &dice) }
            var prologue = ByteWriter(capacity: 32)
            prologue.append("kirim/1".utf8)
            prologue.integer(ProtocolVersion.one.rawValue)
            prologue.byte(challenge.access.rawValue)
            prologue.versions(challenge.versions.filter { !$0.isGrease })
            var state = InitiatorHandshake(
                identity: identity,
                ephemeral: ephemeral,
                remote: challenge.serverKey,
                prologue: prologue.bytes,
                psk: secret
            )
            var payload = ByteWriter(capacity: OpenPacket.parametersSize)
            if challenge.access == .invitation {
                payload.varint(4 as UInt64)
                payload.prefixed(invitation.bytes)
            }
            payload.append(parameters)
            payload.pad(to: OpenPacket.parametersSize)
            guard let noise = try? state.writeMessage1(payload.bytes) else { return [0xFA] }
            handshake = Handshake(state)
            return OpenPacket(
                version: .one,
                clientIndex: index,
                cookie: challenge.cookie,
                noise: noise
            ).bytes
        }

        /// A cookie that may be good, and the rest not.
        func badOpen(_ script: inout Script) -> [UInt8] {
            let cookie = challenge?.cookie ?? [UInt8](repeating: 0, count: PacketSize.cookie)
            var noise = ephemeral.publicKey.bytes + script.block(limit: 255)
            noise += [UInt8](repeating: 0, count: OpenPacket.noiseSize - noise.count)
            return OpenPacket(
                version: ProtocolVersion(rawValue: UInt32(script.byte() & 1)),
                clientIndex: script.byte(),
                cookie: cookie,
                noise: noise
            ).bytes
        }

        mutating func data(_ frames: [UInt8]) -> [UInt8]? {
            forger?.packet(frames.isEmpty ? [0] : frames)
        }

        mutating func hear(_ bytes: [UInt8]) {
            if let packet = try? ChallengePacket(parsing: bytes) {
                challenge = packet
            } else if let packet = try? AcceptPacket(parsing: bytes), let handshake,
                let (payload, keys) = try? handshake.state.readMessage2(packet.noise)
            {
                var reader = ByteReader(payload)
                guard let id: UInt64 = try? reader.integer() else { return }
                forger = Forger(keys: keys, destination: .server(connectionID: id))
            }
        }
    }

    private static let identities = (0..<3).map { key(10 + UInt64($0)) }
    private static let ephemerals = (0..<3).map { key(30 + UInt64($0)) }
}
