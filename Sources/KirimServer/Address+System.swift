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
    /// Bytes of the longest, aligned to eight.
    static let systemSize = 32

    /// `nil` for a socket of another family. IPv4 inside IPv6 becomes IPv4.
    init?(_ address: SocketAddress) {
        let parsed = address.withSockAddr { pointer, size in
            Address(system: UnsafeRawBufferPointer(start: pointer, count: size))
        }
        guard let parsed else { return nil }
        self = parsed
    }

    /// `nil` for a socket of another family. IPv4 inside IPv6 becomes IPv4.
    init?(system bytes: UnsafeRawBufferPointer) {
        #if canImport(Darwin)
        let family = Int32(bytes[1])
        #else
        let family = Int32(bytes.loadUnaligned(as: UInt16.self))
        #endif
        let port = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        switch family {
        case AF_INET:
            let bits = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
            self.init(ip: .v4(UInt32(bigEndian: bits)), port: port)
        case AF_INET6:
            let high = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            let low = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
            let zone = bytes.loadUnaligned(fromByteOffset: 24, as: UInt32.self)
            let ip = IPAddress.v6(UInt64(bigEndian: high), UInt64(bigEndian: low), zone: zone)
            self.init(ip: ip.unmapped, port: port)
        default: return nil
        }
    }

    /// Writes it into ``systemSize`` bytes, and tells how many of them count.
    func store(in bytes: UnsafeMutableRawBufferPointer) -> socklen_t {
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
        let (family, size) =
            switch ip {
            case .v4: (AF_INET, 16)
            case .v6: (AF_INET6, 28)
            }
        #if canImport(Darwin)
        bytes[0] = UInt8(size)
        bytes[1] = UInt8(family)
        #else
        bytes.storeBytes(of: UInt16(family), as: UInt16.self)
        #endif
        switch ip {
        case .v4(let bits):
            bytes.storeBytes(of: bits.bigEndian, toByteOffset: 4, as: UInt32.self)
        case .v6(let high, let low, let zone):
            bytes.storeBytes(of: high.bigEndian, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: low.bigEndian, toByteOffset: 16, as: UInt64.self)
            bytes.storeBytes(of: zone, toByteOffset: 24, as: UInt32.self)
        }
        return socklen_t(size)
    }

    /// Runs `body` with the system's form.
    func withSystem<Result>(
        _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: Self.systemSize, alignment: 8) { bytes in
            let size = store(in: bytes)
            // Never nil: there are thirty-two bytes.
            return body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), size)
        }
    }
}
