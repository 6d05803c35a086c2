package import KirimClientCore
import KirimPlain
package import KirimRooms
package import KirimServerCore
import KirimTransport

/// What a run of the chat is about: who is there, with which constants, and how much they say.
package struct Scene: Sendable {
    package var people = 3
    package var rooms = ["lobby", "lab", "kapal", "ruang-1"].compactMap { RoomName($0) }
    package var server = ServerCore.Configuration()
    package var client = ClientCore.Configuration()
    package var lines: Lines = .presets
    /// Mean time between two things that a person does.
    package var pace: Duration = .seconds(3)
    /// Posts of one who pastes.
    package var burst = 5...40
    package var texts: Texts = .mixed

    /// How long people's messages are.
    package enum Texts: String, CaseIterable, Sendable {
        /// Of every length, most of them short.
        case mixed
        case short
        /// Thousands of bytes each, up to the longest that there may be.
        case long
    }

    package init() {}

    /// What a person posts on average: three of five wishes are posts, one in ten of these pastes.
    var postsPerSecond: Double {
        let posts = 0.9 * 2 + 0.1 * Double(burst.lowerBound + burst.upperBound) / 2
        return 0.6 * posts / (pace / .seconds(1))
    }

    /// The scene that seeds draw without a ``Swarm``. What they draw, and in which order, never changes.
    init(drawing: inout Dice, narrowing: inout Dice, size: RunSize) {
        (server, client) = Self.drawnConfiguration(&drawing)
        Self.narrow(&server, &client, &narrowing)
        people = drawing.number(in: size == .small ? 1...3 : 2...7)
    }

    /// Limits small enough that a short run meets them.
    private static func drawnConfiguration(
        _ dice: inout Dice
    ) -> (ServerCore.Configuration, ClientCore.Configuration) {
        var transport = TransportConfiguration()
        if dice.chance(0.4) {
            transport.rekeyAfter = dice.duration(in: .seconds(10)...(.seconds(120)))
        }
        if dice.chance(0.2) { transport.rekeyPackets = 300 }
        var server = ServerCore.Configuration()
        server.endpoint.transport = transport
        server.limits.tailEntries = dice.pick([4, 16, 64, 256])
        server.limits.tailBytes = dice.pick([4_096, 65_536, 1_048_576])
        server.limits.postsInFlight = dice.pick([2, 8, 64])
        server.limits.postBytesInFlight = dice.pick([4_096, 65_536, 262_144])
        if dice.chance(0.2) {
            server.limits.postBurst = 20
            server.limits.postsPerSecond = 5
        }
        var client = ClientCore.Configuration()
        client.transport = transport
        client.chat.history = dice.pick([0, 5, 50, 500])
        return (server, client)
    }

    /// The limits that protect memory, in every other run small enough to matter.
    private static func narrow(
        _ server: inout ServerCore.Configuration,
        _ client: inout ClientCore.Configuration,
        _ dice: inout Dice
    ) {
        func draw(_ narrow: Int, or wide: Int) -> Int { dice.chance(0.5) ? narrow : wide }
        server.limits.rooms = draw(3, or: server.limits.rooms)
        server.limits.roomMembers = draw(2, or: server.limits.roomMembers)
        server.limits.subscriptions = draw(8, or: server.limits.subscriptions)
        server.replyRecords = draw(160, or: server.replyRecords)
        server.replyBytes = draw(16_384, or: server.replyBytes)
        server.gatheredBytes = draw(20_000, or: server.gatheredBytes)
        server.presenceAudience = draw(2, or: server.presenceAudience)
        server.plain.clientLimit = draw(1, or: server.plain.clientLimit)
        let window = draw(32_768, or: server.endpoint.transport.receiveWindow)
        server.endpoint.transport.receiveWindow = window
        server.endpoint.transport.unconfirmedLimit = draw(4, or: 4_096)
        if dice.chance(0.5) {
            // Seven people at most, and some that are on their way in or out.
            server.connectionsPerMember = 6
            server.endpoint.connectionLimit = 50
        }
        client.transport.receiveWindow = window
        client.chat.outboxLimit = draw(60, or: client.chat.outboxLimit)
        client.chat.wishLimit = draw(4, or: client.chat.wishLimit)
    }
}
