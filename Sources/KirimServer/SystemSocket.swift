import KirimWire
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Makes the server's UDP sockets.
enum SystemSocket {
    /// Bytes that the system keeps until they are read; it may give less.
    private static let room: CInt = 4_194_304

    /// A socket at that address, which is the caller's to close. `isShared`: beside another (SO_REUSEPORT, socket(7)).
    static func open(at address: Address, isShared: Bool = false) throws(IOError) -> CInt {
        let isV6 = if case .v6 = address.ip { true } else { false }
        #if canImport(Glibc)
        let kind = Int32(SOCK_DGRAM.rawValue)
        #else
        let kind = SOCK_DGRAM
        #endif
        let descriptor = socket(isV6 ? AF_INET6 : AF_INET, kind, 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        set(descriptor, SOL_SOCKET, SO_RCVBUF, to: room)
        set(descriptor, SOL_SOCKET, SO_SNDBUF, to: room)
        // IPv4 has its own socket, so that an address is written in one way only.
        if isV6 { set(descriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY, to: 1) }
        #if os(Linux)
        // IP_PMTUDISC_PROBE (ip(7), ipv6(7)): packets are not fragmented, and no forged ICMP makes them seem too long.
        if isV6 {
            set(descriptor, CInt(IPPROTO_IPV6), IPV6_MTU_DISCOVER, to: 3)
        } else {
            set(descriptor, CInt(IPPROTO_IP), IP_MTU_DISCOVER, to: 3)
        }
        if isShared { set(descriptor, SOL_SOCKET, SO_REUSEPORT, to: 1) }
        #endif
        guard address.withSystem({ bind(descriptor, $0, $1) == 0 }) else {
            let problem = errno
            close(descriptor)
            throw IOError(errnoCode: problem, reason: "bind")
        }
        return descriptor
    }

    /// The address that a socket got.
    static func address(of descriptor: CInt) -> Address? {
        withUnsafeTemporaryAllocation(byteCount: Address.systemSize, alignment: 8) { bytes in
            var size = socklen_t(bytes.count)
            let name = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            guard let name, getsockname(descriptor, name, &size) == 0 else { return nil }
            return Address(system: UnsafeRawBufferPointer(bytes))
        }
    }

    /// Whether the system took it; where it does not, the socket is as good as it can be there.
    @discardableResult
    private static func set<Value>(
        _ descriptor: CInt,
        _ level: CInt,
        _ option: CInt,
        to value: Value
    ) -> Bool {
        withUnsafePointer(to: value) {
            setsockopt(descriptor, level, option, $0, socklen_t(MemoryLayout<Value>.size)) == 0
        }
    }

    #if os(Linux)
    /// A queue in the system for what members send, beside that for strangers, so that a flood of HELLOs does not push
    /// members' packets out before anybody has read a byte of them.
    ///
    /// Both belong to one port: two sockets share it, and a filter of the system (SO_ATTACH_REUSEPORT_CBPF) chooses the
    /// second for packets whose first byte is DATA's. Linux only; elsewhere, and where the system refuses a step, there is
    /// one queue for all, as anywhere.
    ///
    /// The first is bound by itself and shares its port afterwards: two servers of one user that begin at once
    /// cannot have the same port, and each hear half.
    static func openForMembers(beside first: CInt, at address: Address) -> CInt? {
        guard set(first, SOL_SOCKET, SO_REUSEPORT, to: CInt(1)) else { return nil }
        guard let second = try? open(at: address, isShared: true) else {
            set(first, SOL_SOCKET, SO_REUSEPORT, to: CInt(0))
            return nil
        }
        guard set(first, SOL_SOCKET, choosing, to: Filter()) else {
            close(second)
            set(first, SOL_SOCKET, SO_REUSEPORT, to: CInt(0))
            return nil
        }
        return second
    }

    /// SO_ATTACH_REUSEPORT_CBPF, as the system numbers it.
    private static let choosing: CInt = 51

    /// struct sock_fprog, whose steps live for ever.
    private struct Filter {
        private let count: UInt = 4
        private let steps: UInt = SystemSocket.steps
    }

    /// The first byte of the payload is compared; the number that comes out is that of the socket, in the order in
    /// which they were bound. Each step is struct sock_filter (bpf(4)): code, jumps, value.
    private static let steps: UInt = {
        let program: [UInt64] = [
            step(0x30, 0), step(0x15, UInt32(PacketType.data.rawValue), otherwise: 1),
            step(0x06, 1), step(0x06, 0),
        ]
        let kept = UnsafeMutablePointer<UInt64>.allocate(capacity: program.count)
        kept.initialize(from: program, count: program.count)
        return UInt(bitPattern: kept)
    }()

    private static func step(_ code: UInt16, _ value: UInt32, otherwise: UInt8 = 0) -> UInt64 {
        UInt64(code) | UInt64(otherwise) << 24 | UInt64(value) << 32
    }
    #endif
}
