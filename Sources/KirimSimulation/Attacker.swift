package import KirimWire

/// Somebody on the wire who sees every datagram, may claim any source, and holds no key.
///
/// Told what passes (``sees(_:from:to:)``), it makes what to inject (``act(at:)``). It never withholds
/// a datagram: that is the network's part.
package struct Attacker: Sendable {
    private var dice: Dice
    private var captured: [Datagram] = []
    private var passed = 0
    private let server: Address
    private let own: Address
    private let key: PublicKey

    /// How many captures are held; a new one replaces a drawn one.
    package static let memory = 256

    package struct Datagram: Hashable, Sendable {
        package var bytes: [UInt8]
        package var from: Address
        package var to: Address
    }

    package init(server: Address, own: Address, key: PublicKey, dice: Dice) {
        self.server = server
        self.own = own
        self.key = key
        self.dice = dice
    }

    package mutating func sees(_ bytes: [UInt8], from: Address, to: Address) {
        passed += 1
        let datagram = Datagram(bytes: bytes, from: from, to: to)
        if captured.count < Self.memory {
            captured.append(datagram)
        } else {
            // Mostly fresh ones, some very old ones.
            captured[dice.number(below: Self.memory)] = datagram
        }
    }

    /// One act: usually one datagram, a flood of a few at times.
    package mutating func act() -> [Datagram] {
        switch dice.number(below: 16) {
        case 0, 1: return replayed()
        case 2: return replayedFromElsewhere()
        case 3: return [flipped()].compactMap(\.self)
        case 4: return spliced()
        case 5: return [garbage()]
        case 6: return forgedReset()
        case 7: return forgedChallenge()
        case 8: return forgedAccept()
        case 9: return forgedData()
        case 10: return hellos(dice.number(in: 1...20))
        case 11: return opens(dice.number(in: 1...20))
        case 12: return fromReservedPort()
        case 13: return racing()
        case 14: return toClient()
        default: return plainText()
        }
    }
}

extension Attacker {
    private mutating func capture() -> Datagram? {
        captured.isEmpty ? nil : dice.pick(captured)
    }

    private mutating func capture(_ type: PacketType) -> Datagram? {
        let some = captured.filter { $0.bytes.first == type.rawValue }
        return some.isEmpty ? nil : dice.pick(some)
    }

    private mutating func stranger() -> Address {
        Address(
            ip: .v4(0x0900_0000 | UInt32(dice.number(below: 1 << 16))),
            port: UInt16(dice.number(in: 1_024...65_535))
        )
    }

    /// A victim's address with luck, else a stranger's.
    private mutating func anySource() -> Address {
        if dice.chance(0.5), let seen = capture(), seen.to == server { return seen.from }
        return dice.chance(0.3) ? own : stranger()
    }

    private mutating func replayed() -> [Datagram] {
        guard let seen = capture() else { return [] }
        return Array(repeating: seen, count: dice.number(in: 1...3))
    }

    private mutating func replayedFromElsewhere() -> [Datagram] {
        guard var seen = capture(), seen.to == server else { return [] }
        seen.from = anySource()
        return [seen]
    }

    /// The newest capture from an address of ours, so that it may come before the original does.
    private mutating func racing() -> [Datagram] {
        guard var seen = captured.last, seen.to == server else { return [] }
        seen.from = dice.chance(0.5) ? own : stranger()
        return [seen]
    }

    private mutating func flipped() -> Datagram? {
        guard var seen = capture(), !seen.bytes.isEmpty else { return nil }
        for _ in 0..<dice.number(in: 1...4) {
            seen.bytes[dice.number(below: seen.bytes.count)] ^= 1 << UInt8(dice.number(below: 8))
        }
        if dice.chance(0.3) { seen.bytes.removeLast(dice.number(in: 1...seen.bytes.count)) }
        if dice.chance(0.2) { seen.bytes += dice.bytes(dice.number(in: 1...64)) }
        return seen
    }

    /// The head of one capture on the tail of another.
    private mutating func spliced() -> [Datagram] {
        guard var head = capture(), let tail = capture() else { return [] }
        let cut = dice.number(in: 0...min(head.bytes.count, tail.bytes.count))
        head.bytes = Array(head.bytes.prefix(cut)) + Array(tail.bytes.dropFirst(cut))
        return [head]
    }

    private mutating func garbage() -> Datagram {
        let sizes = [0, 1, 2, 12, 13, 25, 29, 30, 72, 200, 1_199, 1_200, 1_201, 1_400]
        var bytes = dice.bytes(dice.chance(0.5) ? dice.pick(sizes) : dice.number(in: 0...1_400))
        if !bytes.isEmpty { bytes[0] = 0xF5 + UInt8(dice.number(below: 11)) }
        return Datagram(bytes: bytes, from: anySource(), to: server)
    }

    private mutating func forgedReset() -> [Datagram] {
        guard let data = capture(.data) else { return [] }
        var connection = dice.next()
        if let header = try? DataHeader.parsingToServer(data.bytes),
            case .server(let known) = header.destination
        {
            connection = known
        }
        let bytes = ResetPacket(connectionID: connection, token: dice.bytes(PacketSize.resetToken))
            .bytes
        return [Datagram(bytes: bytes, from: server, to: data.to == server ? data.from : data.to)]
    }

    private mutating func forgedChallenge() -> [Datagram] {
        guard let seen = capture(.hello), let hello = try? HelloPacket(parsing: seen.bytes) else {
            return []
        }
        let challenge = ChallengePacket(
            echo: Array(hello.ephemeral.prefix(8)),
            access: Access(rawValue: UInt8(dice.number(below: 3))) ?? .open,
            versions: [.one, .grease(1)],
            serverKey: key,
            cookie: dice.bytes(PacketSize.cookie)
        )
        return [Datagram(bytes: challenge.bytes, from: server, to: seen.from)]
    }

    private mutating func forgedAccept() -> [Datagram] {
        guard let seen = capture(.open), let open = try? OpenPacket(parsing: seen.bytes) else {
            return []
        }
        let noise = dice.bytes(dice.number(in: 48...300))
        let accept = AcceptPacket(clientIndex: open.clientIndex, noise: noise)
        return [Datagram(bytes: accept.bytes, from: server, to: seen.from)]
    }

    /// DATA with a header that may be true and a body that is not.
    private mutating func forgedData() -> [Datagram] {
        guard var seen = capture(.data) else { return [] }
        let header =
            seen.to == server ? PacketSize.dataHeaderToServer : PacketSize.dataHeaderToClient
        guard seen.bytes.count > header else { return [] }
        if dice.chance(0.5) {
            // Another packet number: the largest, or near.
            let number = dice.chance(0.3) ? UInt32.max : UInt32(truncatingIfNeeded: dice.next())
            for index in 0..<4 {
                let shift = UInt32(24 - 8 * index)
                seen.bytes[header - 4 + index] = UInt8(truncatingIfNeeded: number >> shift)
            }
        }
        let body = dice.bytes(dice.number(in: 0...1_150))
        if dice.chance(0.7) { seen.bytes = Array(seen.bytes.prefix(header)) + body }
        return [seen]
    }

    private mutating func hellos(_ count: Int) -> [Datagram] {
        (0..<count).map { _ in
            let versions: [ProtocolVersion] =
                dice.chance(0.8) ? [.one, .grease(1)] : [ProtocolVersion(rawValue: 7)]
            let hello = HelloPacket(ephemeral: dice.bytes(PublicKey.size), versions: versions)
            return Datagram(bytes: hello.bytes, from: anySource(), to: server)
        }
    }

    /// OPEN with a cookie that was seen, or none that anybody made.
    private mutating func opens(_ count: Int) -> [Datagram] {
        (0..<count).compactMap { _ in
            var cookie = dice.bytes(PacketSize.cookie)
            var source = anySource()
            if dice.chance(0.5), let seen = capture(.challenge),
                let challenge = try? ChallengePacket(parsing: seen.bytes)
            {
                cookie = challenge.cookie
                if dice.chance(0.7) { source = seen.to }
            } else if let seen = capture(.open), let open = try? OpenPacket(parsing: seen.bytes) {
                cookie = open.cookie
                if dice.chance(0.7) { source = seen.from }
            }
            let open = OpenPacket(
                version: .one,
                clientIndex: UInt8(dice.number(below: 256)),
                cookie: cookie,
                noise: dice.bytes(OpenPacket.noiseSize)
            )
            return Datagram(bytes: open.bytes, from: source, to: server)
        }
    }

    private mutating func fromReservedPort() -> [Datagram] {
        guard var seen = capture() else { return [] }
        seen.from = anySource()
        seen.from.port = dice.pick([0, 17, 19, 53, 123, 137, 161, 389, 1_900])
        if dice.chance(0.1) { seen.from.ip = .v4(0) }
        if dice.chance(0.1) { seen.from.ip = .v4(0xFFFF_FFFF) }
        if dice.chance(0.1) { seen.from.ip = .v4(0xE000_0001) }
        seen.to = server
        return [seen]
    }

    /// Things that only a server should get, or nobody, to a client.
    private mutating func toClient() -> [Datagram] {
        guard let seen = capture() else { return [] }
        let client = seen.to == server ? seen.from : seen.to
        guard let other = capture() else { return [] }
        return [Datagram(bytes: other.bytes, from: dice.chance(0.8) ? server : own, to: client)]
    }

    private mutating func plainText() -> [Datagram] {
        let texts = ["halo", "", "\n", "GET / HTTP/1.1\r\n\r\n", "\u{1B}[2J", "kirim"]
        return [Datagram(bytes: Array(dice.pick(texts).utf8), from: own, to: server)]
    }
}
