public import KirimWire

/// What a face shows about the way to the server.
public struct LinkStatus: Hashable, Sendable {
    /// How things stand.
    public var phase: LinkPhase
    /// The server's address in use; `nil` while there is none.
    public var remote: Address?
    /// The key of the server, once one is trusted; compare ``/KirimWire/PublicKey/fingerprint``.
    public var serverKey: PublicKey?
    /// Smoothed round trip; `nil` before the first sample.
    public var roundTrip: Duration?
    /// Packets lost, and packets sent, since this connection was made. While the server is silent the ones that it should
    /// have acknowledged by now count as lost.
    public var packetsLost: UInt64
    /// See ``packetsLost``.
    public var packetsSent: UInt64
    /// Time since the server was last heard; `nil` while there is no connection.
    public var lastHeard: Duration?
    /// Posts in the outbox that the server has not decided about.
    public var queued: Int
    /// Bytes under way and not acknowledged.
    public var bytesInFlight: Int
    /// This machine's own address changed, and nothing was heard since: the way over the new one is being tried.
    public var isRoaming: Bool

    /// Lost packets of a hundred; 0 before the first was sent.
    public var lossPercent: Double {
        packetsSent == 0 ? 0 : 100 * Double(packetsLost) / Double(packetsSent)
    }

    package init(phase: LinkPhase) {
        self.phase = phase
        packetsLost = 0
        packetsSent = 0
        queued = 0
        bytesInFlight = 0
        isRoaming = false
    }
}
