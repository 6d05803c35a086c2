import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Wakes a client when the system says that links, addresses or routes changed (rtnetlink(7)), so that it need not
/// wait for its next look. What is said is not read: ``NetworkWatch`` looks for itself.
///
/// Only Linux says so in this way. Elsewhere, and where a sandbox forbids it, the looks alone must do.
final class NetworkNews: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let heard: () -> Void

    private init(_ heard: @escaping () -> Void) { self.heard = heard }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { heard() }

    /// More was said than was read; the channel ends with it, and its owner listens anew.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    /// `heard` is called on the loop, some times for one change. `nil` where there is no such news.
    static func listen(
        on loop: any EventLoop,
        _ heard: @escaping @Sendable () -> Void
    ) -> EventLoopFuture<any Channel>? {
        #if os(Linux)
        guard let descriptor = open() else { return nil }
        return NIOPipeBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NetworkNews(heard))
                }
            }
            .takingOwnershipOfDescriptor(input: descriptor)
        #else
        return nil
        #endif
    }

    #if os(Linux)
    /// AF_NETLINK, which not every C library shows to Swift.
    private static let family: CInt = 16
    /// RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_IFADDR, RTMGRP_IPV6_ROUTE.
    private static let groups: UInt32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400

    private static func open() -> CInt? {
        #if canImport(Glibc)
        let kind = CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        #else
        let kind = CInt(SOCK_RAW) | CInt(SOCK_CLOEXEC)
        #endif
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { return nil }
        // struct sockaddr_nl: family, padding, port number (0: the kernel's choice), groups.
        let name = [UInt32(family), 0, groups]
        let bound = name.withUnsafeBytes { bytes in
            bind(
                descriptor,
                bytes.assumingMemoryBound(to: sockaddr.self).baseAddress,
                socklen_t(bytes.count)
            )
        }
        guard bound == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
    #endif
}
