import KirimWire
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension Address {
    /// The address of an IP socket; `nil` for any other.
    init?(_ address: SocketAddress) {
        switch address {
        case .v4(let v4): self = withUnsafeBytes(of: v4.address) { Address(version4: $0) }
        case .v6(let v6): self = withUnsafeBytes(of: v6.address) { Address(version6: $0) }
        case .unixDomainSocket: return nil
        }
    }

    // `sockaddr_in` and `sockaddr_in6` have the same layout on every system that has them: two bytes of
    // length and family, then port, (flow,) address, (zone), all but the zone in network order.

    private init(version4 bytes: UnsafeRawBufferPointer) {
        self.init(
            ip: .v4(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))),
            port: UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        )
    }

    private init(version6 bytes: UnsafeRawBufferPointer) {
        let ip = IPAddress.v6(
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
            zone: bytes.loadUnaligned(fromByteOffset: 24, as: UInt32.self)
        )
        self.init(
            ip: ip.unmapped,
            port: UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        )
    }

    /// For the system's calls; `nil` never happens for an address that has 4 or 16 bytes.
    var system: SocketAddress? {
        if case .v6(_, _, let zone) = ip.unmapped, zone != 0 { return systemWithZone(zone) }
        return try? SocketAddress(packedIPAddress: ByteBuffer(bytes: ip.octets), port: Int(port))
    }

    private func systemWithZone(_ zone: UInt32) -> SocketAddress? {
        let size = MemoryLayout<sockaddr_in6>.size
        let octets = ip.octets
        let port = port
        let address = withUnsafeTemporaryAllocation(
            byteCount: size,
            alignment: MemoryLayout<sockaddr_in6>.alignment
        ) { bytes in
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            #if canImport(Darwin)
            bytes[0] = UInt8(size)
            bytes[1] = UInt8(AF_INET6)
            #else
            bytes.storeBytes(of: UInt16(AF_INET6), as: UInt16.self)
            #endif
            bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            for (index, octet) in octets.enumerated() { bytes[8 + index] = octet }
            bytes.storeBytes(of: zone, toByteOffset: 24, as: UInt32.self)
            return bytes.load(as: sockaddr_in6.self)
        }
        return SocketAddress(address, host: "")
    }

    /// All addresses that a name has, at least one, in the system's order of preference. Blocks.
    static func resolve(_ host: String, port: UInt16) throws(UnknownHost) -> [Address] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        #else
        hints.ai_socktype = SOCK_DGRAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0, let list else {
            let reason = gai_strerror(code).map { String(cString: $0) } ?? "error \(code)"
            throw UnknownHost(name: host, reason: reason)
        }
        defer { freeaddrinfo(list) }
        var found: [Address] = []
        for item in sequence(first: list, next: { $0.pointee.ai_next }) {
            guard let raw = item.pointee.ai_addr else { continue }
            let bytes = UnsafeRawBufferPointer(
                start: UnsafeRawPointer(raw),
                count: Int(item.pointee.ai_addrlen)
            )
            let address: Address? =
                switch item.pointee.ai_family {
                case AF_INET: Address(version4: bytes)
                case AF_INET6: Address(version6: bytes)
                default: nil
                }
            if let address, !found.contains(address) { found.append(address) }
        }
        guard !found.isEmpty else { throw UnknownHost(name: host, reason: "no IP address") }
        return found
    }
}

/// A name that could not be looked up.
struct UnknownHost: Error, Hashable {
    var name: String
    /// The system's words.
    var reason: String
}

extension KirimError {
    init(_ unknown: UnknownHost) { self.init(unknownHost: unknown.name, reason: unknown.reason) }

    package init(unknownHost name: String, reason: String) {
        self.init(
            code: .unknownHost,
            message:
                "The name \(name) could not be looked up (\(reason)); check the spelling and the"
                + " network."
        )
    }
}

/// The machine's clocks and folders, read in one place.
enum Machine {
    /// Civil time in milliseconds.
    static func wallMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    /// Where a person's own files go (XDG Base Directory Specification).
    static func dataFolder() throws(KirimError) -> String {
        if let folder = environment("XDG_DATA_HOME"), folder.hasPrefix("/") {
            return folder + "/kirim"
        }
        if let home = environment("HOME") { return home + "/.local/share/kirim" }
        throw KirimError(
            code: .storage,
            message: "There is no home folder for key and outbox; name a data folder."
        )
    }
}
