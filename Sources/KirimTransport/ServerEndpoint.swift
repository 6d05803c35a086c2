package import KirimNoise
package import KirimWire

/// All connections of a server, and the door before them. Does no I/O, owns no clock.
///
/// - Facts in: ``receive(_:on:at:)``, ``timePassed(to:)``.
/// - Wishes in: ``open(stream:at:of:)``, ``offer(upTo:on:of:)``, ``resume(stream:of:)``, ``send(datagram:to:)``, ``close(_:_:reason:at:)``.
/// - Work out: ``nextEvent()``, then ``nextTransmit(at:source:)``, each until `nil`.
/// - One ``deadline``.
package struct ServerEndpoint: ~Copyable {
    package enum Event: Hashable, Sendable {
        /// The peer proved its key and its address. `invitation` is the one it came with.
        case opened(ConnectionHandle, peer: PublicKey, path: Path, invitation: InvitationID?)
        case connection(ConnectionHandle, ConnectionEvent)
    }

    package init(
        identity: StaticKey,
        configuration: Configuration,
        dice: any RandomNumberGenerator & Sendable
    ) {}

    /// A datagram came in whose first byte is at least F5. Anything at all may be in it.
    package mutating func receive(_ datagram: [UInt8], on path: Path, at now: Instant) {}
    package mutating func timePassed(to now: Instant) {}

    /// The stream's next record is `first`. Needed once before ``offer(upTo:on:of:)``; streams that were
    /// opened earlier go first when the window is short.
    package mutating func open(stream: UInt64, at first: UInt64, of connection: ConnectionHandle) {}
    /// Records below `end` may be asked for.
    package mutating func offer(upTo end: UInt64, on stream: UInt64, of connection: ConnectionHandle) {}
    /// What was `later` is there now.
    package mutating func resume(stream: UInt64, of connection: ConnectionHandle) {}
    /// Sends no more of the stream.
    package mutating func drop(stream: UInt64, of connection: ConnectionHandle) {}
    /// At most ``Configuration/datagramLimit`` bytes; older unsent ones give way.
    package mutating func send(datagram: [UInt8], to connection: ConnectionHandle) {}
    package mutating func close(
        _ connection: ConnectionHandle,
        _ code: CloseCode,
        reason: String,
        at now: Instant
    ) {}
    /// Says goodbye to everybody; later packets meet a RESET.
    package mutating func closeAll(_ code: CloseCode, reason: String, at now: Instant) {}
    /// Lets an invitation be used by this key only.
    package mutating func redeem(_ invitation: InvitationID, by key: PublicKey) {}

    package mutating func nextEvent() -> Event? { nil }
    package mutating func nextTransmit(
        at now: Instant,
        source: inout some RecordSource
    ) -> Transmit? { nil }

    package var deadline: Instant? { nil }
    package func link(of connection: ConnectionHandle) -> LinkState? { nil }
    package var connectionCount: Int { 0 }
    package var counters: Counters { Counters() }
}

extension ServerEndpoint {
    package struct Configuration: Sendable {
        package var transport = TransportConfiguration()
        package var access: AccessPolicy = .open
        /// Connections in all; the one over it is answered CLOSE(full).
        package var connectionLimit = 10_000
        package init() {}
    }

    /// What the door and the connections counted. Only ever grows.
    package struct Counters: Hashable, Sendable {
        package init() {}
    }
}
