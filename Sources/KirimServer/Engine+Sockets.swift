import KirimTransport
import KirimWire
import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension Engine {
    /// Opens a socket there, and on Linux a second for members beside it, where the system gives one. Tells the
    /// address that it got.
    func open(_ address: Address, as socket: SocketID) -> EventLoopFuture<Address> {
        let descriptor: CInt
        do { descriptor = try SystemSocket.open(at: address) } catch {
            return loop.makeFailedFuture(error)
        }
        guard let local = SystemSocket.address(of: descriptor),
            let outlet = Outlet(sharing: descriptor)
        else {
            let problem = errno
            close(descriptor)
            return loop.makeFailedFuture(IOError(errnoCode: problem, reason: "dup"))
        }
        let first = read(from: descriptor, socket, isForMembers: false).assumeIsolated()
            .map { [self] channel in add(channel, outlet, at: local, as: socket) }
        #if os(Linux)
        guard let second = SystemSocket.openForMembers(beside: descriptor, at: local) else {
            return first.map { local }.nonisolated()
        }
        first.whenFailure { _ in close(second) }
        return first.flatMap { [self] in
            read(from: second, socket, isForMembers: true).assumeIsolated()
                .map { [self] door in add(membersDoor: door, of: socket) }
                .flatMapErrorThrowing { _ in }
                .nonisolated()
        }
        .map { local }.nonisolated()
        #else
        return first.map { local }.nonisolated()
        #endif
    }

    private func read(
        from descriptor: CInt,
        _ socket: SocketID,
        isForMembers: Bool
    ) -> EventLoopFuture<any Channel> {
        let engine = NIOLoopBound(self, eventLoop: loop)
        // Four calls of the system a turn for sixteen datagrams each. A datagram gets its part of the allocator's
        // buffer, in which the longest of the plain protocol has room.
        let datagrams = 16
        return DatagramBootstrap(group: loop)
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelOption(.datagramVectorReadMessageCount, value: datagrams)
            .channelOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(capacity: datagrams * 65_536)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let doorway = Doorway(engine.value, socket: socket, isForMembers: isForMembers)
                    try channel.pipeline.syncOperations.addHandler(doorway)
                }
            }
            .withBoundSocket(descriptor)
    }
}
