import KirimTransport
import KirimWire
import NIOCore

/// One socket's end of the pipeline: hands datagrams to the engine, and ends its turns.
final class Doorway: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let engine: Engine
    private let socket: SocketID
    /// Whether it is the second of two (``SystemSocket``), whose loss leaves the first to hear everything.
    private let isForMembers: Bool

    init(_ engine: Engine, socket: SocketID, isForMembers: Bool) {
        self.engine = engine
        self.socket = socket
        self.isForMembers = isForMembers
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let remote = Address(envelope.remoteAddress) else { return }
        let bytes = Array(envelope.data.readableBytesView)
        engine.receive(bytes, on: Path(socket: socket, remote: remote))
    }

    func channelReadComplete(context: ChannelHandlerContext) { engine.endTurn() }

    /// NIO closes a datagram channel when a read fails in certain ways; it needs a new one, or the server would be deaf.
    func channelInactive(context: ChannelHandlerContext) {
        if !isForMembers { engine.lost(socket) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { engine.failed(error) }
}
