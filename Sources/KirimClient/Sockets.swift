import KirimTransport
import KirimWire
import NIOCore
import NIOPosix

/// The UDP sockets of one client: unconnected, so that a change of network closes none of them.
///
/// One ``KirimTransport/SocketID`` stands for up to two channels, one for each version of IP, made when they are
/// first needed. A channel that NIO closes (a send that the system refused with EINVAL, ENETUNREACH or EPERM) is
/// simply made anew with the next datagram: the state of the connection is not in it.
///
/// Lives on one event loop.
final class Sockets {
    private let loop: any EventLoop
    private let localPort: UInt16
    private let receive: @Sendable ([Datagram], SocketID) -> Void
    private let failed: @Sendable (BindFailure) -> Void
    private var slots: [Key: Slot] = [:]
    private var unflushed: [any Channel] = []
    private(set) var current: SocketID?
    private var lastID: UInt32 = 0
    /// Datagrams that no channel would take. Only ever grows.
    private(set) var unsent: UInt64 = 0

    struct Datagram: Sendable {
        var bytes: [UInt8]
        var remote: Address
    }

    private struct Key: Hashable {
        var socket: SocketID
        var isVersion6: Bool
    }

    private enum Slot {
        /// Leads to `open`, `failed`.
        case binding(queue: [Transmit])
        /// Leads to nothing: a closed channel is not in the table.
        case open(any Channel)
        /// The machine has no such address; tried again later.
        case failed(until: NIODeadline)
    }

    /// Datagrams that wait for a channel to be made: a handshake's first.
    private static let queueLimit = 64

    /// `failed` hears of each channel that could not be made; it is tried again with a later datagram.
    init(
        on loop: any EventLoop,
        localPort: UInt16,
        receive: @escaping @Sendable ([Datagram], SocketID) -> Void,
        failed: @escaping @Sendable (BindFailure) -> Void
    ) {
        self.loop = loop
        self.localPort = localPort
        self.receive = receive
        self.failed = failed
    }

    /// Takes the fixed local port, for an address of that version of IP, or for one that is not known yet.
    ///
    /// A machine without one version of IP still has the other, so only a port that another program has, or
    /// that may not be had, is a failure here; of all others `failed` hears when they are met.
    func claim(for ip: IPAddress?) async throws(BindFailure) {
        let socket = make()
        let versions =
            switch ip?.unmapped {
            case .v4?: [false]
            case .v6?: [true]
            case nil: [false, true]
            }
        for isVersion6 in versions {
            let key = Key(socket: socket, isVersion6: isVersion6)
            do {
                take(try await bind(key).get(), key)
            } catch {
                let failure = BindFailure(error, port: localPort, isVersion6: isVersion6)
                if failure.isForPort { throw failure }
            }
        }
    }

    /// A fresh socket; with a fixed local port the same as ever, because two cannot have it.
    func make() -> SocketID {
        if localPort != 0, let current { return current }
        lastID += 1
        let socket = SocketID(rawValue: lastID)
        current = socket
        return socket
    }

    func close(_ socket: SocketID) {
        if socket == current { return }
        for isVersion6 in [false, true] {
            if case .open(let channel)? = slots.removeValue(
                forKey: Key(socket: socket, isVersion6: isVersion6)
            ) {
                channel.close(promise: nil)
            }
        }
    }

    func closeAll() {
        flush()
        for case .open(let channel) in slots.values { channel.close(promise: nil) }
        slots = [:]
    }

    /// Takes a datagram; ``flush()`` sends what was taken.
    func send(_ transmit: Transmit) {
        let isVersion6 = if case .v6 = transmit.path.remote.ip.unmapped { true } else { false }
        let key = Key(socket: transmit.path.socket, isVersion6: isVersion6)
        switch slots[key] {
        case .open(let channel): write(transmit, to: channel)
        case .binding(var queue):
            guard queue.count < Self.queueLimit else {
                unsent += 1
                return
            }
            queue.append(transmit)
            slots[key] = .binding(queue: queue)
        case .failed(let until) where until > .now(): unsent += 1
        case .failed, nil:
            slots[key] = .binding(queue: [transmit])
            open(key)
        }
    }

    func flush() {
        for channel in unflushed { channel.flush() }
        unflushed = []
    }

    private func write(_ transmit: Transmit, to channel: any Channel) {
        guard let remote = transmit.path.remote.system else {
            unsent += 1
            return
        }
        let envelope = AddressedEnvelope(
            remoteAddress: remote,
            data: ByteBuffer(bytes: transmit.bytes)
        )
        channel.write(envelope, promise: nil)
        if !unflushed.contains(where: { $0 === channel }) { unflushed.append(channel) }
    }

    private func open(_ key: Key) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        bind(key).whenComplete { bound.value.bound(key, $0) }
    }

    private func bind(_ key: Key) -> EventLoopFuture<any Channel> {
        let socket = key.socket
        let receive = receive
        var bootstrap = DatagramBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        Inbox { receive($0, socket) }
                    )
                }
            }
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 2_048))
        if key.isVersion6 {
            // The other version has its own channel. The short form of this option means another level.
            let option = ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only)
            bootstrap = bootstrap.channelOption(option, value: 1)
        }
        let host = key.isVersion6 ? "::" : "0.0.0.0"
        return bootstrap.bind(host: host, port: Int(localPort)).hop(to: loop)
    }

    private func bound(_ key: Key, _ result: Result<any Channel, any Error>) {
        guard case .binding(let queue)? = slots[key] else {
            if case .success(let channel) = result { channel.close(promise: nil) }
            return
        }
        switch result {
        case .success(let channel):
            take(channel, key)
            for transmit in queue { write(transmit, to: channel) }
            flush()
        case .failure(let error):
            unsent += UInt64(queue.count)
            slots[key] = .failed(until: .now() + .seconds(5))
            failed(BindFailure(error, port: localPort, isVersion6: key.isVersion6))
        }
    }

    private func take(_ channel: any Channel, _ key: Key) {
        slots[key] = .open(channel)
        let bound = NIOLoopBound(self, eventLoop: loop)
        channel.closeFuture.whenComplete { _ in bound.value.closed(key, channel) }
    }

    private func closed(_ key: Key, _ channel: any Channel) {
        unflushed.removeAll { $0 === channel }
        if case .open(let present)? = slots[key], present === channel { slots[key] = nil }
    }
}

/// Gathers what one turn of the loop reads, and hands it on in one piece.
private final class Inbox: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private var datagrams: [Sockets.Datagram] = []
    private let receive: ([Sockets.Datagram]) -> Void

    init(receive: @escaping ([Sockets.Datagram]) -> Void) { self.receive = receive }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let remote = Address(envelope.remoteAddress) else { return }
        datagrams.append(
            Sockets.Datagram(bytes: Array(envelope.data.readableBytesView), remote: remote)
        )
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        let read = datagrams
        datagrams = []
        if !read.isEmpty { receive(read) }
    }

    /// A refused port or an unreachable network is news about one datagram, not the end of the socket.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
