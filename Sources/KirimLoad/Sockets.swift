#if os(Linux)
import CLinux
import Glibc
import KirimWire

/// The UDP sockets of all clients, and which of them has something.
final class Sockets {
    private let poll = epoll_create1(Int32(EPOLL_CLOEXEC))
    private var events = [epoll_event](repeating: epoll_event(), count: 512)
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    /// Datagrams that the local kernel refused.
    private(set) var refused: UInt64 = 0
    private(set) var lastError: Int32 = 0

    deinit {
        close(poll)
        buffer.deallocate()
    }

    /// A socket of its own for the client of this number; `nil` where there is none to be had.
    func make(for client: Int, source: UInt32?) -> Int32? {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = Glibc.socket(AF_INET, type, 0)
        guard socket >= 0 else {
            lastError = errno
            return nil
        }
        var size: Int32 = 1 << 20
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        if let source {
            var address = sockaddr_in(Address(ip: .v4(source), port: 0))
            let bound = withPointer(to: &address) { bind(socket, $0, $1) }
            if bound != 0 { lastError = errno }
        }
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = UInt64(client) << 32 | UInt64(UInt32(bitPattern: socket))
        epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event)
        return socket
    }

    func send(_ bytes: [UInt8], to address: inout sockaddr_in, from socket: Int32) {
        let sent = withPointer(to: &address) { sendto(socket, bytes, bytes.count, 0, $0, $1) }
        guard sent < 0 else { return }
        refused += 1
        lastError = errno
    }

    /// The next datagram of a socket, if it has one.
    func receive(from socket: Int32) -> (bytes: [UInt8], source: Address)? {
        var source = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withPointer(to: &source) { address, _ in
            recvfrom(socket, buffer.baseAddress, buffer.count, 0, address, &size)
        }
        guard count > 0 else { return nil }
        return (Array(buffer[..<count]), Address(source))
    }

    /// Waits, at most so many nanoseconds, and names each socket that has something with its client.
    func wait(_ nanoseconds: Int64, _ readable: (_ client: Int, _ socket: Int32) -> Void) {
        let wait = max(0, nanoseconds)
        var time = timespec(
            tv_sec: Int(wait / 1_000_000_000),
            tv_nsec: Int(wait % 1_000_000_000)
        )
        let count = epoll_pwait2(poll, &events, Int32(events.count), &time, nil)
        for place in 0..<max(0, Int(count)) {
            let data = events[place].data.u64
            readable(Int(data >> 32), Int32(truncatingIfNeeded: data))
        }
    }
}

extension sockaddr_in {
    /// IPv6 is not measured here.
    init(_ address: Address) {
        self.init()
        sin_family = sa_family_t(AF_INET)
        sin_port = address.port.bigEndian
        if case .v4(let bits) = address.ip.unmapped { sin_addr.s_addr = bits.bigEndian }
    }
}

extension Address {
    init(_ address: sockaddr_in) {
        self.init(
            ip: .v4(UInt32(bigEndian: address.sin_addr.s_addr)),
            port: UInt16(bigEndian: address.sin_port)
        )
    }
}

private func withPointer<R>(
    to address: inout sockaddr_in,
    _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> R
) -> R {
    withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
#endif
