package import KirimWire

// What the chat above sees of the transport: paths, records, events. Another transport with the same
// three (QUIC, one day) could take this one's place (docs/decisions/0001).

/// One of the shell's UDP sockets, as the core names it.
package struct SocketID: Hashable, Sendable, RawRepresentable {
    package var rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A pair of addresses: one of our sockets, and an address of the peer's.
package struct Path: Hashable, Sendable {
    package var socket: SocketID
    package var remote: Address

    package init(socket: SocketID, remote: Address) {
        self.socket = socket
        self.remote = remote
    }
}

/// A datagram that the shell is to send.
package struct Transmit: Hashable, Sendable {
    package var bytes: [UInt8]
    package var path: Path

    package init(bytes: [UInt8], path: Path) {
        self.bytes = bytes
        self.path = path
    }
}

/// A local name for a connection; never reused, not on the wire.
package struct ConnectionHandle: Hashable, Sendable, RawRepresentable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What the owner of a stream has at a number.
package enum RecordLookup: Hashable, Sendable {
    case bytes([UInt8])
    /// It is being fetched: the stream stands still until `resume(stream:of:)`.
    case later
    /// It is not wanted any more: passed over, and treated as acknowledged.
    case gone
}

/// Owns the records. The transport keeps none: it asks when the window allows, and again after a loss.
package protocol RecordSource {
    mutating func record(
        _ number: UInt64,
        stream: UInt64,
        of connection: ConnectionHandle
    ) -> RecordLookup
}

/// Why a connection is over.
package enum CloseReason: Hashable, Sendable {
    /// We closed it.
    case local
    /// The peer closed it, with its code and reason.
    case peer(CloseCode, reason: String)
    /// The peer does not know it any more.
    case reset
    /// Nothing was heard for the idle time.
    case idle
    /// The peer broke the protocol.
    case violation
    /// A newer connection of ours has taken its place (rekey, reconnect).
    case replaced
}

/// The code of a CLOSE frame. The numbers stand on the wire.
package struct CloseCode: Hashable, Sendable, RawRepresentable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Goodbye.
    package static let done = CloseCode(rawValue: 0)
    /// The server stops and will be back: reconnect.
    package static let restarting = CloseCode(rawValue: 1)
    /// The operator put you out; do not come back by yourself.
    package static let kicked = CloseCode(rawValue: 2)
    package static let banned = CloseCode(rawValue: 3)
    /// The peer broke the protocol.
    package static let violation = CloseCode(rawValue: 4)
    /// Replies pile up unread; reconnect.
    package static let tooSlow = CloseCode(rawValue: 5)
    /// A newer connection took over.
    package static let replaced = CloseCode(rawValue: 6)
    /// The server has as many connections as it may.
    package static let full = CloseCode(rawValue: 7)
}

/// What is known about a connection's path: what `/link` shows.
package struct LinkState: Hashable, Sendable {
    package var path: Path
    /// Smoothed round trip; `nil` before the first sample.
    package var roundTrip: Duration?
    /// Packets lost and packets sent. While the peer is silent the ones that it should have acknowledged by now count as
    /// lost; those that arrive after all do not any more.
    package var packetsLost: UInt64
    package var packetsSent: UInt64
    package var lastHeard: Instant
    package var bytesInFlight: Int
    package var congestionWindow: Int

    package init(
        path: Path,
        roundTrip: Duration?,
        packetsLost: UInt64,
        packetsSent: UInt64,
        lastHeard: Instant,
        bytesInFlight: Int,
        congestionWindow: Int
    ) {
        self.path = path
        self.roundTrip = roundTrip
        self.packetsLost = packetsLost
        self.packetsSent = packetsSent
        self.lastHeard = lastHeard
        self.bytesInFlight = bytesInFlight
        self.congestionWindow = congestionWindow
    }
}

/// What happened on a connection, in the order in which it happened. Both endpoints tell these.
package enum ConnectionEvent: Hashable, Sendable {
    /// A whole record, at once when it is whole: order, and repeats, are the owner's business.
    case record(stream: UInt64, number: UInt64, bytes: [UInt8])
    case datagram([UInt8])
    /// Every record of the stream below this number has been acknowledged (or was `gone`).
    case acknowledged(stream: UInt64, below: UInt64)
    /// The peer is heard on another path.
    case moved(Path)
    /// The last event of a connection.
    case closed(CloseReason)
}
