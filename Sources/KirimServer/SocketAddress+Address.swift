import KirimWire
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

// The system's form of an address is read as bytes at fixed places, the same on Linux and Darwin: port at 2, IPv4 address at 4; IPv6 address at 8, zone at 24.

extension Address {
    /// `nil` for a socket of another family. IPv4 inside IPv6 becomes IPv4.
    init?(_ address: SocketAddress) {
        let parsed: Address? = address.withSockAddr { pointer, size in
            let bytes = UnsafeRawBufferPointer(start: pointer, count: size)
            switch address {
            case .v4:
                let ip = IPAddress.v4(
                    UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
                )
                return Address(ip: ip, port: Self.port(in: bytes))
            case .v6:
                let high = UInt64(
                    bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                )
                let low = UInt64(
                    bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
                )
                let zone = bytes.loadUnaligned(fromByteOffset: 24, as: UInt32.self)
                return Address(
                    ip: IPAddress.v6(high, low, zone: zone).unmapped,
                    port: Self.port(in: bytes)
                )
            case .unixDomainSocket: return nil
            }
        }
        guard let parsed else { return nil }
        self = parsed
    }

    private static func port(in bytes: UnsafeRawBufferPointer) -> UInt16 {
        UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    }

    var socketAddress: SocketAddress {
        switch ip {
        case .v4(let bits):
            var address = sockaddr_in()
            #if canImport(Darwin)
            address.sin_len = UInt8(MemoryLayout<sockaddr_in>.size)
            #endif
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = bits.bigEndian
            return SocketAddress(address)
        case .v6(let high, let low, let zone):
            var address = sockaddr_in6()
            #if canImport(Darwin)
            address.sin6_len = UInt8(MemoryLayout<sockaddr_in6>.size)
            #endif
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &address.sin6_addr) {
                $0.storeBytes(of: high.bigEndian, as: UInt64.self)
                $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            address.sin6_scope_id = zone
            return SocketAddress(address)
        }
    }
}
