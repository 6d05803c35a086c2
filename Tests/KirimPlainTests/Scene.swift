import KirimPlain
import KirimRooms
import KirimWire

/// A plain server with its outputs sorted as they come, on a clock that the test moves.
struct Scene {
    var server: PlainServer
    var now = Instant.start
    var joined: [PlainPeer] = []
    var said: [String] = []
    var left: [PlainServer.LeaveReason] = []
    var sent: [(text: String, to: PlainPeer)] = []
    var sentBytes: [[UInt8]] = []

    init(
        _ policy: PlainPolicy = .loopback,
        _ adjust: (inout PlainServer.Configuration) -> Void = { _ in }
    ) {
        var configuration = PlainServer.Configuration()
        configuration.policy = policy
        adjust(&configuration)
        server = PlainServer(configuration: configuration, tag: Self.tag)
    }

    /// Not a MAC, but it depends on every byte.
    @Sendable static func tag(_ bytes: [UInt8]) -> [UInt8] {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash ^= hash >> 29
        hash = hash &* 0xBF58_476D_1CE4_E5B9
        return (0..<16).map { UInt8(truncatingIfNeeded: hash >> (UInt64($0 % 8) * 8)) }
    }

    mutating func hear(_ bytes: [UInt8], from peer: PlainPeer) {
        server.receive(bytes, from: peer, at: now)
        drain()
    }

    mutating func hear(_ text: String, from peer: PlainPeer) { hear(Array(text.utf8), from: peer) }

    mutating func wait(_ duration: Duration) {
        now = now.advanced(by: duration)
        server.timePassed(to: now)
        drain()
    }

    mutating func deliver(
        _ text: String,
        by author: Author,
        kind: EntryKind = .text
    ) {
        server.deliver(entry(text, by: author, kind: kind))
        drain()
    }

    mutating func broadcast(_ text: String) {
        server.broadcast(text)
        drain()
    }

    mutating func drain() {
        while let output = server.nextOutput() {
            switch output {
            case .joined(let peer): joined.append(peer)
            case .said(_, let text): said.append(text)
            case .left(_, let reason): left.append(reason)
            case .transmit(let bytes, let peer):
                sent.append((String(decoding: bytes, as: UTF8.self), peer))
                sentBytes.append(bytes)
            }
        }
    }

    func texts(to peer: PlainPeer) -> [String] {
        sent.filter { $0.to.address == peer.address }.map(\.text)
    }

    mutating func forget() {
        sent = []
        sentBytes = []
        said = []
        joined = []
        left = []
    }
}

func local(_ port: UInt16, socket: UInt32 = 0) -> PlainPeer {
    PlainPeer(address: Address(ip: .loopback, port: port), socket: socket)
}

func remote(_ last: UInt32, port: UInt16 = 50_001) -> PlainPeer {
    PlainPeer(address: Address(ip: .v4(0xC000_0200 + last), port: port), socket: 0)
}

func entry(_ text: String, by author: Author, kind: EntryKind = .text) -> Entry {
    let post = Post(room: .lobby, kind: kind, authored: WallTime(milliseconds: 0), text: text)
    return Entry(
        sequence: SequenceNumber(rawValue: 1),
        post: post,
        author: author,
        id: nil,
        received: WallTime(milliseconds: 0)
    )
}

let ani: Author = {
    guard let name = MemberName("ani") else { preconditionFailure("ani is a name") }
    return .member(MemberID(rawValue: 1), name)
}()

extension Scene {
    /// The code that was sent last.
    var code: String {
        String(sent.last?.text.drop { $0 == "\n" }.split(separator: " ").last?.prefix(6) ?? "")
    }
}
