/// An IP address, version 4 or 6, as a value without a socket behind it.
public enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    /// The two halves of the 128 bits, and the zone (interface index) of a link-local address; 0 otherwise.
    case v6(UInt64, UInt64, zone: UInt32)
}

/// Where datagrams come from and go to: an IP address and a UDP port.
public struct Address: Hashable, Sendable {
    /// The machine, or one of its interfaces.
    public var ip: IPAddress
    /// 0 to 65,535. A source port of 0 is never answered.
    public var port: UInt16

    /// An address from its two parts.
    public init(ip: IPAddress, port: UInt16) {
        self.ip = ip
        self.port = port
    }
}

extension IPAddress {
    /// `127.0.0.1`: this machine, over version 4.
    public static let loopback = IPAddress.v4(0x7F00_0001)
    /// `::1`: this machine, over version 6.
    public static let loopback6 = IPAddress.v6(0, 1, zone: 0)

    /// The IPv4 address inside `::ffff:0:0/96`, or the address itself.
    public var unmapped: IPAddress {
        if case .v6(0, let low, _) = self, low >> 32 == 0xFFFF {
            return .v4(UInt32(truncatingIfNeeded: low))
        }
        return self
    }

    /// Whether it can only be this machine, written either way.
    public var isLoopback: Bool {
        switch unmapped {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let high, let low, _): high == 0 && low == 1
        }
    }

    /// Whether it names nobody: `::` and all of `0.0.0.0/8`.
    public var isUnspecified: Bool {
        switch unmapped {
        case .v4(let bits): bits >> 24 == 0
        case .v6(let high, let low, _): high == 0 && low == 0
        }
    }

    /// Multicast, limited broadcast, and the reserved class E, none of which may send.
    public var isMulticastOrBroadcast: Bool {
        switch unmapped {
        // The last address of the loopback network is its broadcast address.
        case .v4(let bits): bits >> 28 >= 0xE || bits == 0x7FFF_FFFF
        case .v6(let high, _, _): high >> 56 == 0xFF
        }
    }

    /// The unit in which strangers are counted: a /32 of IPv4, a /64 of IPv6.
    package var prefix: IPAddress {
        switch unmapped {
        case .v4(let bits): .v4(bits)
        case .v6(let high, _, let zone): .v6(high, 0, zone: zone)
        }
    }

    /// The first so many bits, and zeros. What is the same when masked is in the same prefix.
    package func masked(to bits: UInt8) -> IPAddress {
        switch self {
        case .v4(let all): return .v4(bits == 0 ? 0 : all & (.max << (32 - UInt32(min(bits, 32)))))
        case .v6(let high, let low, _):
            let upper = UInt64(min(bits, 64))
            let lower = UInt64(min(bits, 128)) - upper
            return .v6(
                upper == 0 ? 0 : high & (.max << (64 - upper)),
                lower == 0 ? 0 : low & (.max << (64 - lower)),
                zone: 0
            )
        }
    }

    /// 4 or 16 bytes, the form that goes under a MAC.
    package var octets: [UInt8] {
        var writer = ByteWriter(capacity: 16)
        switch unmapped {
        case .v4(let bits): writer.integer(bits)
        case .v6(let high, let low, _):
            writer.integer(high)
            writer.integer(low)
        }
        return writer.bytes
    }
}
