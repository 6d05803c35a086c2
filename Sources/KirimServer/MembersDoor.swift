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
    static let sharing = NIOBSDSocket.Option(rawValue: 15)
    private static let choosing = NIOBSDSocket.Option(rawValue: 51)

    /// Makes the second socket and the filter. The first must be bound with SO_REUSEPORT, and nothing else to its port.
    ///
    /// Fails without harm.
    static func open(
        beside first: any Channel,
        _ bootstrap: DatagramBootstrap
    ) -> EventLoopFuture<any Channel> {
        guard let address = first.localAddress else {
            return first.eventLoop.makeFailedFuture(ChannelError.unknownLocalAddress)
        }
        return bootstrap.bind(to: address).flatMap { second in
            guard let options = first as? any SocketOptionProvider else {
                return second.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
            }
            return options.unsafeSetSocketOption(
                level: .socket,
                name: choosing,
                value: Filter()
            )
            .map { second }
            .flatMapError { error in second.close().flatMapThrowing { throw error } }
        }
    }

    /// The address with the port that is to be shared, where nobody else has it: otherwise two servers of one user would
    /// share it, and each hear half.
    static func free(
        _ address: Address,
        _ bootstrap: DatagramBootstrap
    ) -> EventLoopFuture<SocketAddress> {
        bootstrap.bind(to: address.socketAddress).flatMap { probe in
            let free = probe.localAddress ?? address.socketAddress
            return probe.close().map { free }
        }
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
