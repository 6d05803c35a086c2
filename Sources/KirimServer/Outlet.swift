package import KirimWire

#if os(Linux)
import CLinux
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Sends what the server says on one of its sockets, many datagrams with one call of the system.
///
/// SwiftNIO reads from the same socket, but does not write to it: it closes a datagram channel when a send fails for want
/// of a route, for a broadcast address or for a source that does not go with it, so that whoever forges such a source
/// would make the server deaf, packet for packet; and its envelopes cost a fifth of a delivery
/// (docs/decisions/0011). Here a datagram that the system refuses is lost by itself, as any may be.
package final class Outlet {
    private let descriptor: CInt
    /// The datagrams that wait, one after another.
    private var bytes: [UInt8] = []
    private var waiting: [Waiting] = []
    /// Those before have left.
    private var first = 0
    private var firstByte = 0
    /// Those before are sent one by one.
    private var singleBelow = 0
    #if os(Linux)
    private let messages = Messages()
    /// Whether the system cuts one send into datagrams (UDP_SEGMENT, udp(7)). An older one would not say no, but join them.
    private var canSegment: Bool
    #endif

    private struct Waiting {
        var size: Int
        var remote: Address
    }

    /// Bytes that wait for the network: beyond, what is to be sent is lost, as in any queue on its way.
    package static let limit = 4_194_304
    /// What is kept of the room for them, once they have left.
    private static let idleRoom = 262_144

    /// Sends from a socket that somebody else reads from, and closes: it is shared, so that neither depends on when.
    /// `nil` where there is no descriptor to be had.
    package init?(sharing socket: CInt) {
        let shared = dup(socket)
        guard shared >= 0 else { return nil }
        _ = fcntl(shared, F_SETFD, FD_CLOEXEC)
        #if os(Linux)
        canSegment = Messages.canSegment(on: shared)
        #endif
        descriptor = shared
    }

    deinit { close(descriptor) }

    /// Something waits until the network has room.
    package var isWaiting: Bool { first < waiting.count }

    /// Takes a datagram; ``flush()`` sends what was taken. `false` if there is no room.
    package func take(_ datagram: [UInt8], to remote: Address) -> Bool {
        guard bytes.count - firstByte + datagram.count <= Self.limit else { return false }
        if firstByte > Self.limit / 4 { forgetSent() }
        bytes += datagram
        waiting.append(Waiting(size: datagram.count, remote: remote))
        return true
    }

    /// Where something waits again and again, what has left does not keep its place for ever.
    private func forgetSent() {
        bytes.removeFirst(firstByte)
        waiting.removeFirst(first)
        singleBelow = max(0, singleBelow - first)
        first = 0
        firstByte = 0
    }

    /// Sends until nothing waits, or the network has no room for more: then it is to be called again. Tells how many
    /// datagrams the system would not send.
    package func flush() -> Int {
        var refused = 0
        while isWaiting {
            let (left, problem) = send()
            for _ in 0..<left { pass() }
            switch problem {
            case 0, EINTR: continue
            case EAGAIN: return refused
            default:
                // One alone is refused: the others have nothing to do with it.
                guard !triesOneByOne(after: problem) else { continue }
                refused += 1
                pass()
            }
        }
        first = 0
        firstByte = 0
        singleBelow = 0
        waiting.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.idleRoom)
        return refused
    }

    private func pass() {
        firstByte += waiting[first].size
        first += 1
    }

    #if os(Linux)
    /// Datagrams that have left, and why the next did not.
    private func send() -> (left: Int, problem: CInt) {
        bytes.withUnsafeMutableBytes { bytes in
            messages.clear()
            var (next, place) = (first, firstByte)
            while next < waiting.count, !messages.isFull {
                let segments = run(from: next)
                let size = waiting[next..<next + segments].reduce(0) { $0 + $1.size }
                messages.add(
                    UnsafeMutableRawBufferPointer(rebasing: bytes[place..<place + size]),
                    datagrams: segments,
                    each: waiting[next].size,
                    to: waiting[next].remote
                )
                next += segments
                place += size
            }
            return messages.send(on: descriptor)
        }
    }

    /// How many leave with one send: those that go to the same address one after another and are of one size, but for the
    /// last, which may be shorter. Of nothing the system cuts nothing.
    private func run(from start: Int) -> Int {
        let model = waiting[start]
        guard canSegment, start >= singleBelow, model.size > 0 else { return 1 }
        var (end, size) = (start + 1, model.size)
        while end < waiting.count, end - start < Messages.segmentLimit,
            waiting[end].remote == model.remote, (1...model.size).contains(waiting[end].size)
        {
            size += waiting[end].size
            guard size <= Messages.segmentedBytes else { break }
            end += 1
            if waiting[end - 1].size < model.size { break }
        }
        return end - start
    }

    /// What the system refused may have been several: it may mean one of them, or their address. Where it is the device
    /// that cannot cut (EIO), it is not asked for that again.
    private func triesOneByOne(after problem: CInt) -> Bool {
        let refused = run(from: first)
        guard refused > 1 else { return false }
        singleBelow = first + refused
        if problem == EIO { canSegment = false }
        return true
    }
    #else
    private func send() -> (left: Int, problem: CInt) {
        let next = waiting[first]
        let sent = bytes.withUnsafeBytes { bytes in
            let start = bytes.baseAddress.map { $0 + firstByte }
            return next.remote.withSystem {
                sendto(descriptor, start, next.size, CInt(MSG_DONTWAIT), $0, $1)
            }
        }
        return sent < 0 ? (0, errno) : (1, 0)
    }

    private func triesOneByOne(after problem: CInt) -> Bool { false }
    #endif
}

#if os(Linux)
/// The system's form of some datagrams that are to leave with one call: sendmmsg(2), cut as udp(7) has it.
private final class Messages {
    private let messages = UnsafeMutablePointer<Message>.allocate(capacity: limit)
    private let pieces = UnsafeMutablePointer<Piece>.allocate(capacity: limit)
    private let names = UnsafeMutableRawBufferPointer.allocate(
        byteCount: limit * Address.systemSize,
        alignment: 8
    )
    private let controls = UnsafeMutableRawBufferPointer.allocate(
        byteCount: limit * controlSize,
        alignment: 8
    )
    private let datagrams = UnsafeMutablePointer<Int>.allocate(capacity: limit)
    private var count = 0

    private static let limit = 32
    /// What the system cuts one send into at most, and the bytes of it.
    static let segmentLimit = 64
    static let segmentedBytes = 65_000
    /// A header of sixteen bytes, two of size, and six to fill up.
    private static let controlSize = 24
    /// UDP_SEGMENT (udp(7)).
    private static let segmentOption: CInt = 103

    deinit {
        messages.deallocate()
        pieces.deallocate()
        names.deallocate()
        controls.deallocate()
        datagrams.deallocate()
    }

    /// Kernels before 4.18 know nothing of it, and pass over what they do not know.
    static func canSegment(on socket: CInt) -> Bool {
        var (size, length) = (CInt(0), socklen_t(MemoryLayout<CInt>.size))
        return getsockopt(socket, CInt(IPPROTO_UDP), segmentOption, &size, &length) == 0
    }

    var isFull: Bool { count == Self.limit }

    func clear() { count = 0 }

    /// `bytes` must stay until they are sent.
    func add(
        _ bytes: UnsafeMutableRawBufferPointer,
        datagrams: Int,
        each size: Int,
        to remote: Address
    ) {
        let name = UnsafeMutableRawBufferPointer(
            rebasing: names[count * Address.systemSize..<(count + 1) * Address.systemSize]
        )
        (pieces + count).initialize(to: Piece(base: bytes.baseAddress, size: bytes.count))
        var message = Message()
        message.nameSize = remote.store(in: name)
        message.name = name.baseAddress
        message.pieces = pieces + count
        message.pieceCount = 1
        if datagrams > 1 {
            let control = UnsafeMutableRawBufferPointer(
                rebasing: controls[count * Self.controlSize..<(count + 1) * Self.controlSize]
            )
            control.storeBytes(of: Self.controlSize - 6, as: Int.self)
            control.storeBytes(of: CInt(IPPROTO_UDP), toByteOffset: 8, as: CInt.self)
            control.storeBytes(of: Self.segmentOption, toByteOffset: 12, as: CInt.self)
            control.storeBytes(of: UInt16(size), toByteOffset: 16, as: UInt16.self)
            message.control = control.baseAddress
            message.controlSize = Self.controlSize
        }
        (messages + count).initialize(to: message)
        (self.datagrams + count).initialize(to: datagrams)
        count += 1
    }

    /// How many datagrams left, and why the next did not.
    func send(on socket: CInt) -> (left: Int, problem: CInt) {
        let sent = sendMany(socket, messages, UInt32(count))
        guard sent >= 0 else { return (0, errno) }
        return ((0..<Int(sent)).reduce(0) { $0 + datagrams[$1] }, 0)
    }
}
#endif
