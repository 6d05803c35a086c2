#if os(Linux)
import CLinux
import Foundation
package import KirimWire
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Datagrams with forged sources, made beforehand and sent over and over, as fast as the system takes them.
///
/// IPv4 only: sixty-four leave with one call, so that one core makes more of them than a server can read.
package final class Flood: @unchecked Sendable {
    private let descriptor: Int32
    private let bytes: UnsafeMutableRawPointer
    private let vectors: UnsafeMutablePointer<Piece>
    private let messages: UnsafeMutablePointer<Message>
    private let target: UnsafeMutablePointer<sockaddr_in>
    private let count: Int
    private let payload: Int
    private let state = Mutex(State())

    private struct State {
        var isOver = false
        var isDone = true
        var datagrams = 0
    }

    private static let batch = 64

    /// All of `packets` are of one size. `nil` where this process may not forge.
    package init?(_ packets: [(bytes: [UInt8], source: Address)], to server: Address) {
        #if canImport(Glibc)
        let kind = Int32(SOCK_RAW.rawValue)
        #else
        let kind = SOCK_RAW
        #endif
        guard let size = packets.first?.bytes.count else { return nil }
        descriptor = socket(AF_INET, kind | closeOnExec, Int32(IPPROTO_RAW))
        guard descriptor >= 0 else { return nil }
        count = packets.count / Self.batch * Self.batch
        payload = size
        let length = 28 + size
        bytes = .allocate(byteCount: count * length, alignment: 16)
        vectors = .allocate(capacity: count)
        messages = .allocate(capacity: count)
        target = .allocate(capacity: 1)
        target.initialize(to: sockaddr_in(Address(ip: server.ip, port: 0)))
        for (place, packet) in packets.prefix(count).enumerated() {
            let whole = RawSocket.packet(packet.bytes, from: packet.source, to: server)
            let start = bytes + place * length
            start.copyMemory(from: whole, byteCount: length)
            (vectors + place).initialize(to: Piece(base: start, size: length))
            var message = Message()
            message.name = UnsafeMutableRawPointer(target)
            message.nameSize = socklen_t(MemoryLayout<sockaddr_in>.size)
            message.pieces = vectors + place
            message.pieceCount = 1
            (messages + place).initialize(to: message)
        }
    }

    deinit {
        bytes.deallocate()
        vectors.deallocate()
        messages.deallocate()
        target.deallocate()
        close(descriptor)
    }

    /// Begins, with so many a second at most; 0 for all that can be made.
    package func begin(perSecond rate: Double = 0) {
        state.withLock { $0 = State(isDone: false) }
        let thread = Thread { [self] in run(rate) }
        thread.name = "flood"
        thread.start()
    }

    /// Datagrams and bytes of payload that have left.
    package func end() -> (datagrams: Int, bytes: Int) {
        state.withLock { $0.isOver = true }
        while !state.withLock({ $0.isDone }) { usleep(1_000) }
        let datagrams = state.withLock { $0.datagrams }
        return (datagrams, datagrams * payload)
    }

    private func run(_ rate: Double) {
        let start = ContinuousClock.now
        var sent = 0
        var place = 0
        while !state.withLock({ $0.isOver }) {
            let left = sendMany(descriptor, messages + place, UInt32(Self.batch))
            sent += max(0, Int(left))
            place = (place + Self.batch) % count
            guard rate > 0 else { continue }
            let due = start + .seconds(Double(sent) / rate)
            let wait = (due - .now) / .microseconds(1)
            if wait > 100 { usleep(UInt32(min(wait, 100_000))) }
        }
        state.withLock { state in
            state.datagrams = sent
            state.isDone = true
        }
    }
}
#endif
