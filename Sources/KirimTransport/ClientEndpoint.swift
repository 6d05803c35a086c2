package import KirimNoise
package import KirimWire

/// One client's side: finds the server, opens a connection, keeps one open through moves, restarts and rekeys.
///
/// Once told to ``connect(to:trusting:token:secret:at:)`` it never gives up by itself, except where going on
/// would be wrong (``Event/stopped(_:)``): each time a connection is ready it says ``Event/opened(_:serverKey:path:)``.
/// There may be two connections for a moment; the newest is the one to use.
package struct ClientEndpoint: ~Copyable {
    package enum Event: Hashable, Sendable {
        /// Ready. Everything said on an older connection must be asked for again.
        case opened(ConnectionHandle, serverKey: PublicKey, path: Path)
        case connection(ConnectionHandle, ConnectionEvent)
        /// A fresh socket is wanted: the shell makes one and says ``useSocket(_:at:)``. The old ones stay
        /// until ``mayClose``.
        case wantsSocket
        /// Nothing more will come on this socket.
        case mayClose(SocketID)
        /// Keep it for the next ``connect(to:trusting:token:secret:at:)``.
        case token([UInt8])
        /// Nobody answered for 90 s (``TransportConfiguration/handshakePatience``). It is still being tried.
        case unreachable
        /// Going on needs a person.
        case stopped(Stop)
    }

    package enum Stop: Hashable, Sendable {
        /// Another key than the trusted one answers there.
        case serverKeyChanged(PublicKey)
        case passwordNeeded
        case invitationNeeded
        /// The handshake was tried with the secret and never confirmed.
        case secretRefused
        case noCommonVersion
        case kicked(reason: String)
        case banned(reason: String)
    }

    package init(
        identity: StaticKey,
        configuration: TransportConfiguration,
        dice: any RandomNumberGenerator & Sendable
    ) {}

    /// Begins, or begins again, with these addresses at once (the first that answers is taken).
    package mutating func connect(
        to addresses: [Address],
        trusting serverKey: PublicKey?,
        token: [UInt8]?,
        secret: AccessSecret?,
        at now: Instant
    ) {}
    /// Says goodbye and stays quiet.
    package mutating func disconnect(at now: Instant) {}
    package mutating func receive(_ datagram: [UInt8], on path: Path, at now: Instant) {}
    package mutating func timePassed(to now: Instant) {}
    /// From now on send from this socket.
    package mutating func useSocket(_ socket: SocketID, at now: Instant) {}
    /// The machine's addresses or routes changed, the clock jumped, or a socket died.
    package mutating func networkChanged(at now: Instant) {}

    package mutating func open(stream: UInt64, at first: UInt64, of connection: ConnectionHandle) {}
    package mutating func offer(upTo end: UInt64, on stream: UInt64, of connection: ConnectionHandle) {}
    package mutating func resume(stream: UInt64, of connection: ConnectionHandle) {}
    package mutating func drop(stream: UInt64, of connection: ConnectionHandle) {}
    package mutating func send(datagram: [UInt8], to connection: ConnectionHandle) {}

    package mutating func nextEvent() -> Event? { nil }
    package mutating func nextTransmit(
        at now: Instant,
        source: inout some RecordSource
    ) -> Transmit? { nil }

    package var deadline: Instant? { nil }
    /// The newest open connection.
    package var current: ConnectionHandle? { nil }
    package func link() -> LinkState? { nil }
}
