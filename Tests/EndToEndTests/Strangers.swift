import KirimNoise
import KirimTestKit
import KirimTransport
import KirimWire

/// Who sees the answers to forged addresses, and so gets good cookies, shakes hands with each of them and never says
/// a word after that.
struct Strangers {
    private final class Stranger {
        var endpoint: ClientEndpoint

        init(_ endpoint: consuming ClientEndpoint) { self.endpoint = endpoint }
    }

    private struct NoRecords: RecordSource {
        mutating func record(
            _ number: UInt64,
            stream: UInt64,
            of connection: ConnectionHandle
        ) -> RecordLookup { .gone }
    }

    private let server: Address
    private let identity: StaticKey
    private var waiting: [Address: Stranger] = [:]
    private(set) var opened = 0

    init(at server: Address, dice: inout SeededDice) {
        self.server = server
        identity = StaticKey(dice: &dice)
    }

    /// What somebody new says first.
    mutating func hello(from source: Address, _ dice: SeededDice) -> [UInt8]? {
        // Not all of them are answered; the older ones are given up.
        if waiting.count > 512 { waiting = [:] }
        let stranger = Stranger(
            ClientEndpoint(identity: identity, configuration: .init(), dice: dice)
        )
        stranger.endpoint.connect(to: [server], trusting: nil, token: nil, secret: nil, at: .start)
        stranger.endpoint.useSocket(SocketID(rawValue: 1), at: .start)
        stranger.endpoint.timePassed(to: .start)
        waiting[source] = stranger
        return packet(of: stranger)
    }

    /// What follows the server's answer, where that is a CHALLENGE to one of them.
    mutating func open(after sighting: Wiretap.Sighting) -> [UInt8]? {
        guard sighting.bytes.first == PacketType.challenge.rawValue,
            let stranger = waiting.removeValue(forKey: sighting.to)
        else { return nil }
        let path = Path(socket: SocketID(rawValue: 1), remote: server)
        stranger.endpoint.receive(sighting.bytes, on: path, at: .start)
        opened += 1
        return packet(of: stranger)
    }

    private func packet(of stranger: Stranger) -> [UInt8]? {
        var source = NoRecords()
        return stranger.endpoint.nextTransmit(at: .start, source: &source)?.bytes
    }
}
