import KirimNoise
import KirimWire

/// What the two ends tell each other inside the handshake: (id, length, value) triples, unknown ones skipped.
struct Parameters: Hashable {
    var maxAckDelay: Duration = .milliseconds(25)
    /// Zero: it is not to be asked to acknowledge later.
    var laterAckDelay: Duration = .zero
    /// Bytes of fragmented records that may be under way towards the sender of this.
    var window = 262_144
    var idleTimeout: Duration = .seconds(1800)
    var invitation: InvitationID?
    /// How many parameters that mean nothing are told beside these.
    var greaseCount = 1

    private enum ID {
        static let padding: UInt64 = 0
        static let maxAckDelay: UInt64 = 1
        static let window: UInt64 = 2
        static let idleTimeout: UInt64 = 3
        static let invitation: UInt64 = 4
        static let laterAckDelay: UInt64 = 5
        /// Ids from here on mean nothing and keep receivers honest.
        static let firstGrease: UInt64 = 0x40
    }

    /// A peer may not ask us to wait longer than this for its acknowledgements.
    private static let longestAckDelay: UInt64 = 1_000

    init(_ configuration: TransportConfiguration, invitation: InvitationID? = nil) {
        maxAckDelay = configuration.maxAckDelay
        laterAckDelay = configuration.laterAckDelay
        window = configuration.receiveWindow
        idleTimeout = configuration.idleTimeout
        greaseCount = configuration.grease.parameters
        self.invitation = invitation
    }

    /// Zeros are padding. What is not said keeps this side's own value.
    init(_ configuration: TransportConfiguration, parsing bytes: [UInt8]) throws(WireError) {
        self.init(configuration)
        laterAckDelay = .zero
        var reader = ByteReader(bytes)
        while !reader.isAtEnd {
            let id = try reader.varint()
            if id == ID.padding { continue }
            var value = ByteReader(try reader.prefixed(limit: PacketSize.maximum))
            switch id {
            case ID.maxAckDelay:
                maxAckDelay = .milliseconds(min(try value.varint(), Self.longestAckDelay))
            case ID.laterAckDelay:
                laterAckDelay = .milliseconds(min(try value.varint(), Self.longestAckDelay))
            case ID.window:
                window = Int(min(try value.varint(), 16 << 20))
            case ID.idleTimeout:
                idleTimeout = .seconds(min(try value.varint(), 86_400))
            case ID.invitation:
                guard let invitation = InvitationID(bytes: value.rest()) else { throw .malformed }
                self.invitation = invitation
            default: _ = value.rest()
            }
            try value.finish()
        }
    }

    /// The bytes of all of them; `grease` is a random byte that makes up ids that mean nothing.
    func bytes(grease: UInt8) -> [UInt8] {
        var writer = ByteWriter(capacity: 48)
        writer.number(ID.maxAckDelay, UInt64(maxAckDelay.inMilliseconds))
        writer.number(ID.laterAckDelay, UInt64(laterAckDelay.inMilliseconds))
        writer.number(ID.window, UInt64(window))
        writer.number(ID.idleTimeout, UInt64(idleTimeout.components.seconds))
        if let invitation {
            writer.varint(ID.invitation)
            writer.prefixed(invitation.bytes)
        }
        for index in 0..<greaseCount {
            writer.varint((ID.firstGrease + UInt64(grease)) << UInt64(7 * index))
            writer.prefixed(Array(repeating: grease, count: 1 + 3 * index))
        }
        return writer.bytes
    }
}

extension ByteWriter {
    fileprivate mutating func number(_ id: UInt64, _ value: UInt64) {
        varint(id)
        varint(ByteWriter.varintSize(value))
        varint(value)
    }
}
