import KirimTransport
import KirimWire
import NIOCore
import NIOPosix

extension Engine {
    /// On Linux there is a second queue for members beside it (``MembersDoor``), where the system gives one.
    func bind(_ address: Address, as socket: SocketID) -> EventLoopFuture<any Channel> {
        let first = served(address, socket, isForMembers: false).bind(to: address.socketAddress)
        #if os(Linux)
        let second = served(address, socket, isForMembers: true)
        return first.assumeIsolated()
            .flatMap { [self] channel in
                MembersDoor.open(beside: channel, second).assumeIsolated()
                    .map { [self] door -> any Channel in
                        membersDoors[socket] = door
                        return channel
                    }
                    .flatMapErrorThrowing { _ in channel }
                    .nonisolated()
            }
            .nonisolated()
        #else
        return first
        #endif
    }

    private func served(
        _ address: Address,
        _ socket: SocketID,
        isForMembers: Bool
    ) -> DatagramBootstrap {
        let engine = NIOLoopBound(self, eventLoop: loop)
        return Self.bootstrap(for: address, on: loop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let doorway = Doorway(engine.value, socket: socket, isForMembers: isForMembers)
                try channel.pipeline.syncOperations.addHandler(doorway)
            }
        }
    }

    private static func bootstrap(for address: Address, on loop: any EventLoop) -> DatagramBootstrap
    {
        // Four calls of the system a turn for sixteen datagrams each. A datagram gets its part of the allocator's
        // buffer, in which the longest of the plain protocol has room.
        let datagrams = 16
        var bootstrap = DatagramBootstrap(group: loop)
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelOption(.datagramVectorReadMessageCount, value: datagrams)
            .channelOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(capacity: datagrams * 65_536)
            )
            .channelOption(.socketOption(.so_rcvbuf), value: 4_194_304)
            .channelOption(
                .writeBufferWaterMark,
                value: .init(low: 1_048_576, high: 4_194_304)
            )
        #if os(Linux)
        // IP_MTU_DISCOVER and IPV6_MTU_DISCOVER, both PROBE: packets are not fragmented, and no
        // forged ICMP makes them seem too long.
        let isV6 = if case .v6 = address.ip { true } else { false }
        let whole = ChannelOptions.Types.SocketOption(
            level: isV6 ? .ipv6 : .ip,
            name: NIOBSDSocket.Option(rawValue: isV6 ? 23 : 10)
        )
        bootstrap = bootstrap.channelOption(whole, value: 3)
        #endif
        if case .v6 = address.ip {
            // IPv4 has its own socket, so that an address is written in one way only.
            let option = ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only)
            bootstrap = bootstrap.channelOption(option, value: 1)
        }
        return bootstrap
    }
}
