import KirimWire
import NIOCore
import NIOPosix

/// A queue in the system for what members send, beside that for strangers, so that a flood of HELLOs does not push
/// members' packets out before anybody has read a byte of them.
///
/// Both belong to one port: two sockets share it (SO_REUSEPORT, socket(7)), and a filter of the system chooses the
/// second for packets whose first byte is DATA's. Linux only; elsewhere, and where the system refuses a step, there is one queue
/// for all, as anywhere.
enum MembersDoor {
    #if os(Linux)
    /// SO_REUSEPORT and SO_ATTACH_REUSEPORT_CBPF, as the system numbers them.
    private static let sharing = NIOBSDSocket.Option(rawValue: 15)
    private static let choosing = NIOBSDSocket.Option(rawValue: 51)

    /// Makes the second socket and the filter.
    ///
    /// The first is bound by itself and shares its port afterwards: two servers of one user that begin at once
    /// cannot have the same port, and each hear half. Fails without harm.
    static func open(
        beside first: any Channel,
        _ bootstrap: DatagramBootstrap
    ) -> EventLoopFuture<any Channel> {
        guard let address = first.localAddress, let options = first as? any SocketOptionProvider
        else {
            return first.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        @Sendable func share(_ isOn: Bool) -> EventLoopFuture<Void> {
            options.unsafeSetSocketOption(
                level: .socket,
                name: sharing,
                value: CInt(isOn ? 1 : 0)
            )
        }
        let option = ChannelOptions.Types.SocketOption(level: .socket, name: sharing)
        let second = bootstrap.channelOption(option, value: 1)
        return share(true).assumeIsolated().flatMap {
            second.bind(to: address).flatMap { second in
                options.unsafeSetSocketOption(level: .socket, name: choosing, value: Filter())
                    .map { second }
                    .flatMapError { error in second.close().flatMapThrowing { throw error } }
            }
            .flatMapError { error in share(false).flatMapThrowing { throw error } }
        }
        .nonisolated()
    }

    /// struct sock_fprog, whose steps live for ever.
    private struct Filter: Sendable {
        private let count: UInt = 4
        private let steps: UInt = MembersDoor.steps
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
