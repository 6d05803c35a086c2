import KirimWire
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

// The system's form of an address is read and written as bytes at fixed places, the same on Linux and
// Darwin: port at 2, IPv4 address at 4; IPv6 address at 8, zone at 24.

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
        // On the stack, and without a host, which SwiftNIO would have printed: there is one for every datagram.
        withUnsafeTemporaryAllocation(byteCount: 28, alignment: 8) { bytes in
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            switch ip {
            case .v4(let bits):
                Self.begin(bytes, AF_INET, size: 16)
                bytes.storeBytes(of: bits.bigEndian, toByteOffset: 4, as: UInt32.self)
                return SocketAddress(bytes.load(as: sockaddr_in.self), host: "")
            case .v6(let high, let low, let zone):
                Self.begin(bytes, AF_INET6, size: 28)
                bytes.storeBytes(of: high.bigEndian, toByteOffset: 8, as: UInt64.self)
                bytes.storeBytes(of: low.bigEndian, toByteOffset: 16, as: UInt64.self)
                bytes.storeBytes(of: zone, toByteOffset: 24, as: UInt32.self)
                return SocketAddress(bytes.load(as: sockaddr_in6.self), host: "")
            }
        }
    }

    private static func begin(_ bytes: UnsafeMutableRawBufferPointer, _ family: Int32, size: Int) {
        #if canImport(Darwin)
        bytes[0] = UInt8(size)
        bytes[1] = UInt8(family)
        #else
        bytes.storeBytes(of: UInt16(family), as: UInt16.self)
        #endif
    }
}
