import Foundation
package import KirimWire
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What the system said no to, in a sentence.
package struct SystemFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ doing: String, code: Int32 = errno) {
        description = "\(doing): \(String(cString: strerror(code)))"
    }
}

/// A plain IPv4 datagram socket, on loopback unless told otherwise, as the old programs have it.
package final class UDPSocket: Sendable {
    package let address: Address
    package let descriptor: Int32

    /// Binds the port; 0 picks a free one.
    package init(ip: IPAddress = .loopback, port: UInt16 = 0) throws {
        let descriptor = socket(AF_INET, datagramKind | closeOnExec, 0)
        guard descriptor >= 0 else { throw SystemFailure("no socket") }
        var name = sockaddr_in(Address(ip: ip, port: port))
        let bound = name.withPointer { bind(descriptor, $0, $1) }
        guard bound == 0 else {
            let code = errno
            close(descriptor)
            throw SystemFailure("port \(port) cannot be bound", code: code)
        }
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutableBytes(of: &name) { bytes in
            getsockname(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, &size)
        }
        self.descriptor = descriptor
        address = Address(name)
        // Room for a burst of the largest messages while the reader is not scheduled.
        var room: Int32 = 4 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(descriptor) }

    /// A port that nobody has now. It lies below those that systems give to sockets without a wish, so that
    /// it is still free when a server comes back to it. This process gets none twice: tests that run beside each other
    /// ask at the same time, and their servers come later.
    package static func freePort() throws -> UInt16 {
        for _ in 0..<100 {
            let port = UInt16.random(in: 20_000..<30_000)
            guard given.withLock({ $0.insert(port).inserted }) else { continue }
            if let found = try? UDPSocket(port: port) { return found.address.port }
        }
        throw SystemFailure("no free port", code: EADDRINUSE)
    }

    private static let given = Mutex<Set<UInt16>>([])

    /// Whether this machine can talk to itself over IPv6.
    package static var hasVersion6: Bool {
        let descriptor = socket(AF_INET6, datagramKind | closeOnExec, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_addr = in6addr_loopback
        return withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
    }

    /// False where the system does not take it.
    @discardableResult
    package func send(_ bytes: [UInt8], to target: Address) -> Bool {
        var name = sockaddr_in(target)
        return name.withPointer { sendto(descriptor, bytes, bytes.count, 0, $0, $1) } == bytes.count
    }

    package func send(_ text: String, to target: Address) { send(Array(text.utf8), to: target) }

    /// The next datagram; `nil` when none came in time.
    package func receive(within patience: Duration) -> (bytes: [UInt8], from: Address)? {
        let milliseconds = Int32(patience / .milliseconds(1))
        var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&wanted, 1, milliseconds) > 0 else { return nil }
        return receiveNow()
    }

    /// The next text that came in time and is valid UTF-8.
    package func receiveText(within patience: Duration) -> String? {
        receive(within: patience).flatMap { String(validating: $0.bytes, as: UTF8.self) }
    }

    func receiveNow() -> (bytes: [UInt8], from: Address)? {
        var name = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bytes = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { buffer in
            let count = withUnsafeMutableBytes(of: &name) { bytes in
                let pointer = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
                let flags = Int32(MSG_DONTWAIT)
                return recvfrom(
                    descriptor,
                    buffer.baseAddress,
                    buffer.count,
                    flags,
                    pointer,
                    &size
                )
            }
            return count < 0 ? nil : Array(buffer.prefix(count))
        }
        return bytes.map { ($0, Address(name)) }
    }
}

#if canImport(Glibc)
let datagramKind = Int32(SOCK_DGRAM.rawValue)
let closeOnExec = Int32(SOCK_CLOEXEC.rawValue)
#elseif canImport(Musl)
let datagramKind = SOCK_DGRAM
let closeOnExec = SOCK_CLOEXEC
#else
let datagramKind = SOCK_DGRAM
let closeOnExec: Int32 = 0
#endif

extension sockaddr_in {
    init(_ address: Address) {
        self.init()
        sin_family = sa_family_t(AF_INET)
        sin_port = address.port.bigEndian
        if case .v4(let bits) = address.ip.unmapped { sin_addr.s_addr = bits.bigEndian }
    }

    mutating func withPointer<T>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
        withUnsafePointer(to: &self) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

extension Address {
    init(_ name: sockaddr_in) {
        self.init(
            ip: .v4(UInt32(bigEndian: name.sin_addr.s_addr)),
            port: UInt16(bigEndian: name.sin_port)
        )
    }
}
