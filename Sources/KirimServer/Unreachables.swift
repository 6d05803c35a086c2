package import KirimWire
package import NIOCore
import NIOPosix

/// Hears the network say that nobody listens at an address any more: ICMP port unreachable (RFC 792).
///
/// The system tells an unconnected UDP socket nothing of it, so this takes a raw socket, and with it root
/// or CAP_NET_RAW. Without that right, plain clients that went leave by their silence alone.
package final class Unreachables: ChannelInboundHandler {
    package typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let engine: Engine

    private init(_ engine: Engine) { self.engine = engine }

    /// Fails where the right is missing.
    static func listen(
        for engine: NIOLoopBound<Engine>,
        on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        NIORawSocketBootstrap(group: loop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Unreachables(engine.value))
            }
        }.bind(host: "0.0.0.0", ipProtocol: .icmp)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Array(unwrapInboundIn(data).data.readableBytesView)
        guard let report = try? Self.read(bytes) else { return }
        engine.unreachable(report.receiver, from: report.sender)
    }

    package func channelReadComplete(context: ChannelHandlerContext) { engine.endTurn() }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    /// Who sent the datagram that nobody took, and to whom it went.
    package static func read(
        _ packet: [UInt8]
    ) throws(WireError) -> (sender: Address, receiver: Address) {
        var reader = ByteReader(packet)
        try skipHeader(&reader, of: 1)
        // Port unreachable, no other code: a host or net may be back in a moment.
        guard try reader.byte() == 3, try reader.byte() == 3 else { throw .malformed }
        try reader.skip(6)
        let (sender, receiver) = try skipHeader(&reader, of: 17)
        return (
            Address(ip: .v4(sender), port: try reader.integer()),
            Address(ip: .v4(receiver), port: try reader.integer())
        )
    }

    /// Passes over an IPv4 header (RFC 791 §3.1) of a packet that carries `wanted`.
    @discardableResult
    private static func skipHeader(
        _ reader: inout ByteReader,
        of wanted: UInt8
    ) throws(WireError) -> (source: UInt32, destination: UInt32) {
        let first = try reader.byte()
        let length = Int(first & 0xF) * 4
        guard first >> 4 == 4, length >= 20 else { throw .malformed }
        try reader.skip(8)
        guard try reader.byte() == wanted else { throw .malformed }
        try reader.skip(2)
        let source: UInt32 = try reader.integer()
        let destination: UInt32 = try reader.integer()
        try reader.skip(length - 20)
        return (source, destination)
    }
}
