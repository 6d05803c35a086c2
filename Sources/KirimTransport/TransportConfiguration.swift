package import KirimNoise
package import KirimWire

/// Every constant of the transport, with its reason and source. Simulations draw their own.
package struct TransportConfiguration: Sendable {
    /// Longest delay before an acknowledgement. RFC 9000 §18.2 names 25 ms.
    package var maxAckDelay: Duration = .milliseconds(25)
    /// The same for packets whose sender says that they can wait (PROTOCOL.md §3).
    package var laterAckDelay: Duration = .milliseconds(100)
    /// Round trip assumed before the first sample. RFC 9002 §6.2.2.
    package var initialRoundTrip: Duration = .milliseconds(333)
    /// Silence after which a server gives back the room that only a conversation needs.
    package var restAfter: Duration = .seconds(3)
    /// Idle time after which the client sends a PING. NATs forget UDP after 30 s (RFC 9000 §10.1.2).
    package var keepAlive: Duration = .seconds(25)
    /// So long after the server's last word the client asks for a sign of life, and then whenever the silence has
    /// become twice as old, up to ``keepAlive`` (docs/decisions/0009-deaf-listeners.md).
    package var attention: Duration = .seconds(2)
    /// After a change of the network that the machine saw: so long without an answer, and all addresses of the
    /// server are knocked at.
    package var roamPatience: Duration = .seconds(1)
    /// Nothing heard for so long ends a connection. Covers a laptop lid.
    package var idleTimeout: Duration = .seconds(30 * 60)
    /// Nothing heard for so long while data is out: take another socket. Mosh: 10 s.
    package var portHop: Duration = .seconds(10)
    /// First wait before a handshake packet is repeated; doubles, with jitter, up to ``handshakeRetryLimit``.
    package var handshakeRetry: Duration = .seconds(1)
    /// Longest wait between handshake packets: a server that is back is found within this.
    package var handshakeRetryLimit: Duration = .seconds(8)
    /// After so long without an answer ``ClientEndpoint/Event/unreachable`` is said.
    package var handshakePatience: Duration = .seconds(90)
    /// A new connection is made before the old one is this old. WireGuard rekeys at 2 minutes; sessions last longer here.
    package var rekeyAfter: Duration = .seconds(3600)
    /// Or before it has sent this many packets; half of the packet numbers.
    package var rekeyPackets: UInt32 = 1 << 31
    /// No packet bears this number or a higher one: a connection that comes so far closes, so that no number is used twice.
    package var endOfPacketNumbers: UInt32 = 4_294_967_295
    /// Bytes of records that the peer may have under way towards us.
    package var receiveWindow = 262_144
    /// How long a server waits for the first DATA of a handshake.
    package var confirmationTimeout: Duration = .seconds(10)
    /// Handshakes that wait for it at once; the oldest gives way.
    package var unconfirmedLimit = 4_096

    /// Bytes that may be under way on a path that is not known yet. RFC 9002 §7.2.
    package var initialWindow = CongestionController.initialWindow
    /// So long a CHALLENGE's cookie proves an address. Longer than four waits of ``handshakeRetryLimit``, after
    /// which a client believes an objection to its OPEN.
    package var cookieLifetime: Duration = .seconds(120)
    /// So long a token lets its bearer begin with OPEN.
    package var tokenLifetime: Duration = .seconds(7 * 86_400)
    package var grease: Grease
    /// Seals and opens the packets of connections; `nil` for swift-crypto, which does the handshakes in any case.
    package var cipher: (any PacketCipher)?

    /// Bytes of an unreliable datagram, so that it fits one packet beside an ACK.
    package static let datagramLimit = 1_000
    /// Bytes that are acknowledged at once: two full packets. Of small ones more go without.
    package static let ackBytes = 2_000
    /// The same where the newest packet says that it can wait: some seven.
    package static let laterAckBytes = 8_000
    /// Nanoseconds that a server waits with the acknowledgement of a record for the answer to it. A client's probe
    /// allows for more (``RoundTrip/promptProbeTimeout``).
    package static let answerDelay: Int64 = 2_000_000

    package init() { grease = Grease() }
}

/// What all connections of an endpoint have in common. The times are reckoned with at every packet, and stand here in
/// nanoseconds.
final class Constants: Sendable {
    let configuration: TransportConfiguration
    let idleTimeout: Int64
    let keepAlive: Int64
    let attention: Int64
    /// Less than what the peer is told by what a timer may be late, as the next one.
    let ackDelay: Int64
    let laterAckDelay: Int64
    let restAfter: Int64

    init(_ configuration: TransportConfiguration) {
        self.configuration = configuration
        idleTimeout = configuration.idleTimeout.inNanoseconds
        keepAlive = configuration.keepAlive.inNanoseconds
        attention = configuration.attention.inNanoseconds
        ackDelay = Self.punctual(configuration.maxAckDelay)
        laterAckDelay = Self.punctual(configuration.laterAckDelay)
        restAfter = configuration.restAfter.inNanoseconds
    }

    private static func punctual(_ delay: Duration) -> Int64 {
        let delay = delay.inNanoseconds
        return max(0, delay - TimerQueue.slack(at: delay))
    }
}

/// How a server lets clients in, with what it needs to check them.
package enum AccessPolicy: Sendable {
    case open
    /// The key made from the password (``PasswordKey``).
    case password([UInt8])
    /// One-time invitations, derived from the server's own key; `redeemed` ones belong to a key already.
    case invitation(redeemed: [InvitationID: PublicKey])
}

/// What a client brings to a closed server.
package enum AccessSecret: Hashable, Sendable {
    case password([UInt8])
    /// The key that was made from it for this one server (``PasswordKey``).
    case passwordKey([UInt8])
    case invitation(InvitationID, secret: [UInt8])
}

/// The public half of an invitation: 8 random bytes and the minute of its end. The secret is derived from it
/// and the server's key, so a server keeps nothing until it is used.
package struct InvitationID: Hashable, Sendable {
    package static let size = 12
    package let bytes: [UInt8]
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        self.bytes = bytes
    }
}
