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
        switch ip {
        case .v4(let bits):
            var bytes = Self.head(AF_INET, size: 16)
            bytes.storeBytes(of: port.bigEndian, at: 2)
            bytes.storeBytes(of: bits.bigEndian, at: 4)
            return SocketAddress(bytes.withUnsafeBytes { $0.loadUnaligned(as: sockaddr_in.self) })
        case .v6(let high, let low, let zone):
            var bytes = Self.head(AF_INET6, size: 28)
            bytes.storeBytes(of: port.bigEndian, at: 2)
            bytes.storeBytes(of: high.bigEndian, at: 8)
            bytes.storeBytes(of: low.bigEndian, at: 16)
            bytes.storeBytes(of: zone, at: 24)
            return SocketAddress(bytes.withUnsafeBytes { $0.loadUnaligned(as: sockaddr_in6.self) })
        }
    }

    private static func head(_ family: Int32, size: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        #if canImport(Darwin)
        bytes[0] = UInt8(size)
        bytes[1] = UInt8(family)
        #else
        bytes.storeBytes(of: UInt16(family), at: 0)
        #endif
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func storeBytes<T: BitwiseCopyable>(of value: T, at place: Int) {
        withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: place, as: T.self) }
    }
}
