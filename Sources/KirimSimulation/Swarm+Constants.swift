import KirimClientCore
import KirimPlain
import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire

/// Gives constants values that are allowed and unusual, and remembers which.
///
/// Each constant has dice of its own, by its name: one more constant changes no other.
struct ConstantDice {
    let dice: Dice
    /// How many of the constants are touched: some worlds are odd in one thing, some in all.
    private let share: Double
    private(set) var changes: [String] = []

    init(_ dice: Dice) {
        self.dice = dice
        var own = dice.fork("share")
        share = own.pick([0, 0.1, 0.3, 0.6])
    }

    /// One of `values`, or what it is.
    mutating func pick<Value>(_ name: String, _ value: inout Value, from values: [Value]) {
        var own = dice.fork(name)
        guard own.chance(share) else { return }
        value = own.pick(values)
        changes.append("\(name) \(value)")
    }
}

extension Scene {
    /// Draws the constants of server and clients. `isCalm`: nothing is sent that only a later version would understand.
    mutating func draw(_ dice: inout ConstantDice, isCalm: Bool) {
        client.transport.draw("client", &dice)
        server.endpoint.transport.draw("server", &dice)
        drawPacketNumbers(&dice)
        // Where nobody says anything, a connection lives by the client's pings, of which some may be lost.
        let idle = min(client.transport.idleTimeout, server.endpoint.transport.idleTimeout)
        client.transport.keepAlive = min(client.transport.keepAlive, idle / 4)
        drawDoor(&dice)
        drawLimits(&dice)
        drawServer(&dice)
        drawClient(&dice)
        guard !isCalm else { return }
        var future = dice.dice.fork("future")
        server.endpoint.transport.grease.draw(&future)
        client.transport.grease.draw(&future)
        server.extensions = Self.drawnExtensions(&future)
        client.chat.extensions = Self.drawnExtensions(&future)
    }

    /// A page of long messages has to fit a connection: on the next one it is asked for from its beginning.
    private mutating func drawPacketNumbers(_ dice: inout ConstantDice) {
        let few: UInt32 = texts == .long ? 8_000 : 300
        let end: UInt32 = few + 1_700
        dice.pick("rekey packets", &client.transport.rekeyPackets, from: [few, 10 * few])
        dice.pick(
            "client's last packet number",
            &client.transport.endOfPacketNumbers,
            from: [end, 10 * end]
        )
        dice.pick(
            "server's last packet number",
            &server.endpoint.transport.endOfPacketNumbers,
            from: [end, 10 * end]
        )
    }

    private mutating func drawDoor(_ dice: inout ConstantDice) {
        // A person's connections: two faces, each with two while it moves over, and those that nobody misses yet.
        dice.pick("connections of a member", &server.connectionsPerMember, from: [6])
        if server.connectionsPerMember == 6 {
            dice.pick("connections", &server.endpoint.connectionLimit, from: [8 * people + 20])
        }
        // New keys all the time need a door that opens as often.
        guard client.transport.rekeyAfter >= .seconds(10),
            client.transport.rekeyPackets >= 1_000,
            client.transport.idleTimeout >= .seconds(30)
        else { return }
        let slow = Rate(perSecond: 2, burst: 1)
        dice.pick("opens", &server.endpoint.opens, from: [slow, Rate(perSecond: 5, burst: 2)])
        dice.pick("hellos", &server.endpoint.hellos, from: [slow, Rate(perSecond: 10, burst: 2)])
        dice.pick("handshakes", &server.endpoint.handshakes, from: [Rate(perSecond: 50, burst: 4)])
        dice.pick("resets", &server.endpoint.resets, from: [Rate(perSecond: 1, burst: 1)])
    }

    private mutating func drawLimits(_ dice: inout ConstantDice) {
        let rooms = rooms.count
        dice.pick("rooms", &server.limits.rooms, from: [1, 3])
        dice.pick("room members", &server.limits.roomMembers, from: [1, 2])
        dice.pick("members", &server.limits.members, from: [people])
        // One for each room, one for a page, one for a gap that is asked for again.
        dice.pick("subscriptions", &server.limits.subscriptions, from: [rooms + 2, rooms + 8])
        dice.pick("posts in flight", &server.limits.postsInFlight, from: [1, 2, 8])
        dice.pick(
            "post bytes in flight",
            &server.limits.postBytesInFlight,
            from: [1, 4_096, 65_536]
        )
        dice.pick("tail entries", &server.limits.tailEntries, from: [1, 2, 4, 16, 64])
        dice.pick("tail bytes", &server.limits.tailBytes, from: [1, 4_096, 65_536])
        dice.pick("post burst", &server.limits.postBurst, from: [1, 20])
        dice.pick("posts a second", &server.limits.postsPerSecond, from: [20, 50])
    }

    private mutating func drawServer(_ dice: inout ConstantDice) {
        dice.pick("presence gone", &server.presenceGone, from: [.seconds(5), .seconds(30)])
        dice.pick("kick memory", &server.kickMemory, from: [.seconds(1), .seconds(10)])
        dice.pick("hello patience", &server.helloPatience, from: [.seconds(20)])
        dice.pick("gathered bytes", &server.gatheredBytes, from: [20_000, 200_000])
        dice.pick("storage retry", &server.storageRetry, from: [.milliseconds(50), .seconds(3)])
        dice.pick("requests a second", &server.requestsPerSecond, from: [10])
        dice.pick("request burst", &server.requestBurst, from: [30])
        // Fewer than posts and requests in flight together would close a connection that did nothing wrong, again and again.
        dice.pick("reply records", &server.replyRecords, from: [160])
        dice.pick("reply bytes", &server.replyBytes, from: [16_384])
        dice.pick("presence audience", &server.presenceAudience, from: [0, 2])
        dice.pick("notice audience", &server.noticeAudience, from: [0, 2])
        dice.pick("plain clients", &server.plain.clientLimit, from: [1])
        dice.pick("enrolments", &server.enrolments, from: [Rate(oneIn: .seconds(2), burst: 1)])
    }

    private mutating func drawClient(_ dice: inout ConstantDice) {
        dice.pick("history", &client.chat.history, from: [0, 1, 5, 500])
        dice.pick("gap patience", &client.chat.gapPatience, from: [.seconds(2), .seconds(10)])
        dice.pick("decision patience", &client.chat.decisionPatience, from: [.seconds(5)])
        dice.pick("store retry", &client.chat.storeRetry, from: [.milliseconds(100), .seconds(1)])
        dice.pick("ask again", &client.chat.askAgain, from: [.seconds(1)])
        dice.pick("outbox limit", &client.chat.outboxLimit, from: [5, 60])
        dice.pick("outbox bytes", &client.chat.outboxByteLimit, from: [100_000])
        dice.pick("wishes", &client.chat.wishLimit, from: [1, 4])
        dice.pick("wishes in flight", &client.chat.wishesInFlight, from: [1, 2])
    }

    private static func drawnExtensions(_ dice: inout Dice) -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        for _ in 0..<dice.number(in: 0...3) {
            writer.varint(UInt64(dice.number(below: dice.pick([64, 1 << 14, 1 << 40]))))
            writer.prefixed(dice.bytes(dice.number(in: 0...12)))
        }
        return writer.bytes
    }
}

extension Grease {
    fileprivate mutating func draw(_ dice: inout Dice) {
        let number = dice.number(in: 0...(PacketSize.versionLimit - 2))
        versions = (0..<number).map { _ in
            ProtocolVersion(rawValue: UInt32(truncatingIfNeeded: dice.next()) | 0x10)
        }
        framesOneIn = dice.pick([1, 2, 8])
        frameBytes = dice.pick([1, 8, 64, 1_000])
        parameters = dice.number(in: 0...5)
    }
}

extension TransportConfiguration {
    /// Each end has constants of its own.
    mutating func draw(_ end: String, _ dice: inout ConstantDice) {
        dice.pick(
            "\(end)'s ack delay",
            &maxAckDelay,
            from: [.zero, .milliseconds(1), .milliseconds(100), .milliseconds(1_000)]
        )
        dice.pick(
            "\(end)'s later ack delay",
            &laterAckDelay,
            from: [.zero, .milliseconds(10), .milliseconds(1_000)]
        )
        dice.pick(
            "\(end)'s first round trip",
            &initialRoundTrip,
            from: [.milliseconds(10), .milliseconds(100), .seconds(1)]
        )
        dice.pick(
            "\(end)'s initial window",
            &initialWindow,
            from: [CongestionController.minimumWindow]
        )
        dice.pick("\(end)'s receive window", &receiveWindow, from: [1, 1_200, 8_192, 32_768])
        dice.pick(
            "\(end)'s idle timeout",
            &idleTimeout,
            from: [.seconds(5), .seconds(30), .seconds(90)]
        )
        if end == "client" { drawClient(&dice) } else { drawServer(&dice) }
    }

    private mutating func drawClient(_ dice: inout ConstantDice) {
        dice.pick("keepalive", &keepAlive, from: [.seconds(1), .seconds(2), .seconds(8)])
        dice.pick("port hop", &portHop, from: [.seconds(2), .seconds(5)])
        dice.pick(
            "rekey after",
            &rekeyAfter,
            from: [.seconds(1), .seconds(3), .seconds(10), .seconds(60)]
        )
        dice.pick("handshake retry", &handshakeRetry, from: [.milliseconds(200), .seconds(2)])
        dice.pick("handshake retry limit", &handshakeRetryLimit, from: [.seconds(2)])
        dice.pick("handshake patience", &handshakePatience, from: [.seconds(5)])
    }

    private mutating func drawServer(_ dice: inout ConstantDice) {
        dice.pick("confirmation timeout", &confirmationTimeout, from: [.seconds(2)])
        dice.pick("unconfirmed", &unconfirmedLimit, from: [4, 16])
        dice.pick("cookie lifetime", &cookieLifetime, from: [.seconds(45), .seconds(60)])
        dice.pick("token lifetime", &tokenLifetime, from: [.seconds(1), .seconds(30)])
    }
}
