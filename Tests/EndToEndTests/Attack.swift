import Foundation
import KirimTestKit
import KirimWire

/// Everything that a stranger, and one who sees the members' packets, can throw at a server on loopback.
///
/// All sources are lies: those of strangers lie in 127.x.y.z without 127.0.0.1, so that what the server
/// answers them is told apart from what it tells the members, who are at 127.0.0.1.
struct Attack {
    /// One way to attack. The raw value is the second byte of its sources' addresses.
    enum Kind: UInt8, CaseIterable {
        case garbage = 20
        case hellos, forgedOpens, staleOpens, resetBait, text, unanswerable
        /// From addresses that a socket bound to 127.0.0.1 cannot send to.
        case nowhere
        /// Of those who see the members' packets.
        case replays, flips
        /// In the members' and in the server's own name.
        case forgedMembers, forgedServer
        /// With good cookies, each from an address of its own.
        case handshakes
    }

    private let server: Address
    private let liar: RawSocket
    private let wiretap: Wiretap
    private var dice: SeededDice
    private(set) var sent = Wiretap.Tally()
    private var noise: [UInt8]
    private var strangers: Strangers
    private var newcomers: UInt32 = 0
    /// OPENs that bore a good cookie.
    var opened: Int { strangers.opened }

    /// Sources of each kind: many, and not so many that a long attack could not count them.
    private static let sources = 2_048

    init(on server: Address, liar: RawSocket, wiretap: Wiretap, seed: UInt64) {
        self.server = server
        self.liar = liar
        self.wiretap = wiretap
        var dice = SeededDice(seed: seed)
        noise = (0..<200_000).map { _ in UInt8.random(in: 0...255, using: &dice) }
        strangers = Strangers(at: server, dice: &dice)
        self.dice = dice
    }

    /// A few packets of each kind.
    mutating func round() {
        let talk = wiretap.talk
        let requests = talk.filter { $0.to == server }
        let answers = talk.filter { $0.from == server }
        shakeHands()
        for kind in Kind.allCases where kind != .handshakes {
            for _ in 0..<20 {
                switch kind {
                case .forgedMembers:
                    guard let seen = requests.randomElement(using: &dice) else { continue }
                    // What was there before, or changed, or nothing but its header; the last is as long as a
                    // CLOSE or the answer to a challenge.
                    let forged = [
                        seen.bytes, flipped(seen.bytes), headed(seen.bytes),
                        Array(seen.bytes.prefix(PacketSize.dataHeaderToServer)) + noise(32),
                    ]
                    say(forged[Int.random(in: 0..<4, using: &dice)], from: seen.from)
                case .handshakes: break
                case .forgedServer:
                    guard let seen = answers.randomElement(using: &dice) else { continue }
                    forge(seen, requests)
                case .replays, .flips:
                    guard let seen = talk.randomElement(using: &dice) else { continue }
                    say(kind == .flips ? flipped(seen.bytes) : seen.bytes, from: source(kind))
                case .unanswerable:
                    let bytes = [hello(), Array("halo".utf8), headed([0xFD])]
                    let port = ReflectablePorts.all.randomElement(using: &dice) ?? 0
                    let ip = source(kind).ip
                    say(
                        bytes[Int.random(in: 0..<3, using: &dice)],
                        from: Address(ip: ip, port: port)
                    )
                default: say(packet(kind), from: source(kind))
                }
            }
        }
    }

    /// A few newcomers, and the OPENs of those that were answered.
    private mutating func shakeHands() {
        for sighting in wiretap.answersToOthers {
            guard let open = strangers.open(after: sighting) else { continue }
            say(open, from: sighting.to)
        }
        for _ in 0..<4 {
            newcomers = newcomers % 0xFFFE + 1
            let address = Address(
                ip: .v4(127 << 24 | UInt32(Kind.handshakes.rawValue) << 16 | newcomers),
                port: 20_000
            )
            let own = SeededDice(seed: dice.next())
            if let hello = strangers.hello(from: address, own) { say(hello, from: address) }
        }
    }

    private mutating func packet(_ kind: Kind) -> [UInt8] {
        switch kind {
        case .garbage:
            var bytes = noise(Int.random(in: 0...1_472, using: &dice))
            if dice.happens(0.01) { bytes = noise(Int.random(in: 0...60_000, using: &dice)) }
            if !bytes.isEmpty { bytes[0] = UInt8.random(in: 0xF5...0xFF, using: &dice) }
            return bytes
        case .hellos, .nowhere: return hello()
        case .forgedOpens: return open(with: [UInt8.random(in: 0...3, using: &dice)] + noise(20))
        case .staleOpens:
            // A good cookie of another address.
            let seen = wiretap.answersToOthers.randomElement(using: &dice)
            let cookie = seen.flatMap { try? ChallengePacket(parsing: $0.bytes).cookie }
            return open(with: cookie ?? [1] + noise(20))
        case .resetBait: return headed([0xFD])
        default:
            let texts = ["halo", "🎉", "To join this chat, send 123456\n", ""]
            return Array((texts.randomElement(using: &dice) ?? "").utf8)
        }
    }

    /// To a member, in the server's name.
    private mutating func forge(_ seen: Wiretap.Sighting, _ requests: [Wiretap.Sighting]) {
        let id = requests.last.flatMap { try? DataHeader.parsingToServer($0.bytes) }
        var connection: UInt64 = 0
        if case .server(let number)? = id?.destination { connection = number }
        let forged: [UInt8]
        switch Int.random(in: 0..<6, using: &dice) {
        case 0: forged = ResetPacket(connectionID: connection, token: noise(16)).bytes
        case 1:
            guard let key = PublicKey(bytes: noise(32)) else { return }
            forged =
                ChallengePacket(
                    echo: noise(8),
                    access: .open,
                    versions: [.one, .grease(7)],
                    serverKey: key,
                    cookie: noise(21)
                ).bytes
        case 2:
            let index = UInt8.random(in: 0...255, using: &dice)
            forged = AcceptPacket(clientIndex: index, noise: noise(140)).bytes
        case 3: forged = seen.bytes
        case 4: forged = flipped(seen.bytes)
        // The size of a CLOSE, under keys that nobody has.
        default: forged = Array(seen.bytes.prefix(6)) + noise(32)
        }
        count(forged)
        try? liar.send(forged, from: server, to: seen.to)
    }

    private mutating func hello() -> [UInt8] {
        HelloPacket(ephemeral: noise(32), versions: [.one, .grease(7)]).bytes
    }

    private mutating func open(with cookie: [UInt8]) -> [UInt8] {
        OpenPacket(
            version: .one,
            clientIndex: 1,
            cookie: cookie,
            noise: noise(OpenPacket.noiseSize)
        ).bytes
    }

    /// The header of a DATA packet, or what is at hand of it, and noise.
    private mutating func headed(_ bytes: [UInt8]) -> [UInt8] {
        Array(bytes.prefix(PacketSize.dataHeaderToServer))
            + noise(Int.random(in: 20...200, using: &dice))
    }

    private mutating func flipped(_ bytes: [UInt8]) -> [UInt8] {
        guard !bytes.isEmpty else { return bytes }
        var bytes = bytes
        let bit = Int.random(in: 0..<bytes.count * 8, using: &dice)
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        return bytes
    }

    /// Cut from a store of it, since a flood has no time for dice.
    private mutating func noise(_ count: Int) -> [UInt8] {
        let start = Int.random(in: 0...noise.count - count, using: &dice)
        return Array(noise[start..<start + count])
    }

    private mutating func source(_ kind: Kind) -> Address {
        let number = UInt32.random(in: 1...UInt32(Self.sources), using: &dice)
        let first: UInt32 = kind == .nowhere ? 8 : 127
        return Address(
            ip: .v4(first << 24 | UInt32(kind.rawValue) << 16 | number),
            port: UInt16(20_000 + number % 4)
        )
    }

    private mutating func say(_ bytes: [UInt8], from source: Address) {
        count(bytes)
        try? liar.send(bytes, from: source, to: server)
    }

    private mutating func count(_ bytes: [UInt8]) { sent.add(bytes.count) }
}
