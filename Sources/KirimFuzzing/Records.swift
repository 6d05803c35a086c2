import KirimNoise
import KirimTransport
import KirimWire

/// Made-up records: what each holds follows from its stream and number, so a receiver knows what was sent.
struct Records: RecordSource {
    /// Nothing is there for now.
    var isLate = false

    mutating func record(
        _ number: UInt64,
        stream: UInt64,
        of connection: ConnectionHandle
    ) -> RecordLookup {
        if isLate { return .later }
        guard let bytes = Self.bytes(number, stream) else { return .gone }
        return .bytes(bytes)
    }

    /// `nil` for a record that nobody wants any more.
    static func bytes(_ number: UInt64, _ stream: UInt64) -> [UInt8]? {
        var dice = FixedDice(seed: stream << 32 | number)
        let kind = dice.next() % 32
        if kind == 0 { return nil }
        let size = kind == 1 ? 4_000 : kind < 5 ? 1_500 : Int(dice.next() % 300)
        return [UInt8](repeating: UInt8(truncatingIfNeeded: dice.next()), count: size)
    }
}

extension SessionKeys {
    /// Keys that both ends of a bare connection know.
    static func fixed(isClient: Bool) -> SessionKeys {
        let up = PacketKey([UInt8](repeating: 1, count: 32))
        let down = PacketKey([UInt8](repeating: 2, count: 32))
        return SessionKeys(
            sealing: isClient ? up : down,
            opening: isClient ? down : up,
            handshakeHash: [UInt8](repeating: 3, count: 32)
        )
    }
}

/// Seals what an honest peer never would.
struct Forger {
    var keys: SessionKeys
    var destination: DataHeader.Destination
    private var next: UInt32 = 0

    init(keys: SessionKeys, destination: DataHeader.Destination, next: UInt32 = 0) {
        self.keys = keys
        self.destination = destination
        self.next = next
    }

    /// An authentic packet with these frames, whatever they are; `skipping` packet numbers were lost before it.
    mutating func packet(_ frames: [UInt8], skipping: UInt32 = 0) -> [UInt8] {
        let number = next &+ skipping
        next = number &+ 1
        let header = DataHeader(destination: destination, packetNumber: number).bytes
        return header + keys.sealing.seal(frames, number: UInt64(number), header: header)
    }
}

extension ConnectionLoad {
    /// Whether no part is larger than the same part of `limit`.
    func fits(_ limit: ConnectionLoad) -> Bool {
        var both = limit
        both.formMaximum(self)
        return both == limit
    }
}
