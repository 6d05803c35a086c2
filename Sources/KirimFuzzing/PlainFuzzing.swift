import KirimPlain
import KirimRooms
import KirimWire

/// Plain datagrams from people, strangers and echoes at a server, and at a client.
enum PlainFuzzing {
    private static let addresses: [Address] = [
        Address(ip: .loopback, port: 50_001), Address(ip: .loopback, port: 50_002),
        Address(ip: .v4(0x0A00_0001), port: 40_000), Address(ip: .v4(0x0A00_0001), port: 40_001),
        Address(ip: .v6(0x2001_0DB8 << 32, 1, zone: 0), port: 40_000),
        Address(ip: .v6(0, 0xFFFF_0A00_0001, zone: 0), port: 40_000),
        Address(ip: .v4(0xE000_0001), port: 40_000), Address(ip: .v4(0x0A00_0002), port: 7),
    ]

    static func run(_ bytes: [UInt8]) {
        var script = Script(bytes)
        var configuration = PlainServer.Configuration()
        let policies: [PlainPolicy] = [.lan, .lan, .lan, .loopback]
        configuration.policy = policies[script.number(below: policies.count)]
        configuration.clientLimit = 4
        configuration.clientsPerPrefix = 2
        configuration.backlogBytes = 4_096
        var scene = Scene(PlainServer(configuration: configuration, tag: Scene.tag))
        var client = PlainClient(server: addresses[0])
        for _ in 0..<64 where !script.isAtEnd {
            let address = addresses[script.number(below: addresses.count)]
            switch script.number(below: 8) {
            case 0, 1: scene.hear(script.block(limit: 300), from: address)
            case 2: scene.hear(scene.last[address] ?? [], from: address)
            case 3: scene.bringCode(and: script.block(limit: 60), from: address)
            case 4: scene.wait(script.wait())
            case 5: scene.server.unreachable(address)
            case 6:
                let text = String(decoding: script.block(limit: 2_000), as: UTF8.self)
                if text.isEmpty {
                    scene.server.remove(address, until: scene.now.advanced(by: .seconds(60)))
                } else {
                    scene.server.broadcast(text)
                }
            default:
                let bytes = script.block(limit: 1_100)
                if let text = client.receive(bytes, from: address) {
                    for datagram in client.say(text) {
                        require(datagram.count <= PlainText.datagramLimit, "a line is cut")
                    }
                }
                scene.deliver(String(decoding: bytes, as: UTF8.self), from: address)
            }
            scene.drain()
        }
    }

    /// A server, what came to it from each address, and what it sent there.
    private struct Scene {
        var server: PlainServer
        var now = Instant(nanoseconds: 1_000_000_000)
        /// What each address was sent last.
        var last: [Address: [UInt8]] = [:]
        private var isInside: Set<Address> = []
        /// Bytes from each address while it was a stranger's, less those to it.
        private var credit: [Address: Int] = [:]

        init(_ server: PlainServer) { self.server = server }

        /// Not a MAC, but it depends on every byte.
        @Sendable static func tag(_ bytes: [UInt8]) -> [UInt8] {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            var dice = FixedDice(seed: hash)
            let words = [dice.next(), dice.next()]
            return (0..<16).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> (UInt64($0 % 8) * 8)) }
        }

        mutating func hear(_ datagram: [UInt8], from address: Address) {
            if !isInside.contains(address) { credit[address, default: 0] += datagram.count }
            server.receive(datagram, from: PlainPeer(address: address, socket: 1), at: now)
        }

        /// What the door asks a stranger to do.
        mutating func bringCode(and text: [UInt8], from address: Address) {
            let code = (last[address] ?? []).filter { $0 != 0x0A }.suffix(6)
            hear(Array(code) + [0x20] + text, from: address)
        }

        mutating func wait(_ time: Duration) {
            now = now.advanced(by: time)
            server.timePassed(to: now)
        }

        mutating func deliver(_ text: String, from address: Address) {
            let author: Author = address.ip.isLoopback ? .server : .plain(address)
            let post = Post(
                room: .lobby,
                kind: EntryKind.allCases[text.utf8.count % EntryKind.allCases.count],
                authored: WallTime(milliseconds: 0),
                text: text
            )
            let draft = EntryDraft(
                post: post,
                author: author,
                id: nil,
                received: WallTime(milliseconds: 0)
            )
            server.deliver(Entry(draft, at: SequenceNumber(rawValue: 1)))
        }

        mutating func drain() {
            while let output = server.nextOutput() {
                switch output {
                case .joined(let peer):
                    require(isInside.insert(peer.address).inserted, "nobody joins twice")
                case .left(let peer, _):
                    require(isInside.remove(peer.address) != nil, "only who is here leaves")
                case .said(let peer, let text):
                    require(isInside.contains(peer.address), "only who is here speaks")
                    require(!text.isEmpty, "nothing is not a message")
                case .transmit(let bytes, let peer):
                    require(!bytes.isEmpty, "an empty datagram says nothing")
                    require(bytes.count <= PlainText.datagramLimit, "a datagram is short")
                    last[peer.address] = bytes
                    if isInside.contains(peer.address) { continue }
                    credit[peer.address, default: 0] -= bytes.count
                    require(
                        credit[peer.address, default: 0] >= 0,
                        "strangers get less than they gave"
                    )
                }
            }
            let load = server.load
            require(load.clients <= 4 && load.clients == isInside.count, "few people are here")
            require(load.unfinished == 0 && load.backlogBytes == 0, "nothing waits after a turn")
        }
    }
}
