import Foundation
package import KirimWire

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Sends datagrams whose source is a lie. Only root may.
package final class RawSocket: Sendable {
    private let descriptor: Int32

    /// `nil` where this process may not have one.
    package init?() {
        #if canImport(Glibc)
        let kind = Int32(SOCK_RAW.rawValue)
        #else
        let kind = SOCK_RAW
        #endif
        descriptor = socket(AF_INET, kind | closeOnExec, Int32(IPPROTO_RAW))
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// IPv4 only. The system fills in the header's checksum; UDP's is 0, which means none.
    package func send(_ bytes: [UInt8], from source: Address, to target: Address) throws {
        guard case .v4 = source.ip, case .v4 = target.ip else {
            throw SystemFailure("only IPv4 is forged here", code: EAFNOSUPPORT)
        }
        let whole = Self.packet(bytes, from: source, to: target)
        var name = sockaddr_in(Address(ip: target.ip, port: 0))
        let sent = name.withPointer { sendto(descriptor, whole, whole.count, 0, $0, $1) }
        guard sent == whole.count else { throw SystemFailure("the forged packet does not leave") }
    }

    /// With the headers of IPv4 and UDP. Addresses of another kind are 0.0.0.0.
    static func packet(_ bytes: [UInt8], from source: Address, to target: Address) -> [UInt8] {
        func bits(_ ip: IPAddress) -> UInt32 { if case .v4(let bits) = ip { bits } else { 0 } }
        var packet = ByteWriter(capacity: 28 + bytes.count)
        packet.byte(0x45)
        packet.byte(0)
        packet.integer(UInt16(28 + bytes.count))
        packet.integer(UInt16(0))
        packet.integer(UInt16(0))
        packet.byte(64)
        packet.byte(17)
        packet.integer(UInt16(0))
        packet.integer(bits(source.ip))
        packet.integer(bits(target.ip))
        packet.integer(source.port)
        packet.integer(target.port)
        packet.integer(UInt16(8 + bytes.count))
        packet.integer(UInt16(0))
        packet.append(bytes)
        return packet.bytes
    }
}
