package import KirimNoise
import KirimWire

extension InvitationID {
    /// A fresh invitation that ends at `minute` (minutes since 1970).
    package init(endingAt minute: UInt32, dice: inout some RandomNumberGenerator) {
        var writer = ByteWriter(capacity: Self.size)
        writer.integer(dice.next() as UInt64)
        writer.integer(minute)
        bytes = writer.bytes
    }

    /// Minutes since 1970.
    package var endMinute: UInt32 { bytes[8...].reduce(0) { $0 << 8 | UInt32($1) } }

    /// The half that only the server and the invited know: derived, so that a server stores nothing.
    package func secret(of server: StaticKey) -> [UInt8] {
        server.derive("kirim/1 invitation", context: bytes)
    }
}

extension AccessPolicy {
    var access: Access {
        switch self {
        case .open: .open
        case .password: .password
        case .invitation: .invitation
        }
    }
}
