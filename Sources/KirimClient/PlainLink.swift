#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif
import KirimPlain
import KirimWire
import NIOCore
import NIOPosix

/// A plain text conversation with one server, over a socket of its own: what `kirim chat --plain` uses.
package final class PlainLink: Sendable {
    package enum Event: Hashable, Sendable {
        /// What the server sent.
        case text(String)
        /// Nobody listens at the server's port.
        case refused
        /// The socket failed.
        case failed(String)
    }

    /// What happens, until ``close()``.
    package let events: AsyncStream<Event>
    /// The local port.
    package let localPort: Int
    private let client: PlainClient
    private let channel: any Channel

    private init(
        events: AsyncStream<Event>,
        localPort: Int,
        client: PlainClient,
        channel: any Channel
    ) {
        self.events = events
        self.localPort = localPort
        self.client = client
        self.channel = channel
    }

    /// Opens a socket on the local port, 0 for any, towards the server.
    ///
    /// - Throws: ``KirimError`` with ``KirimError/Code/unknownHost`` or ``KirimError/Code/network``.
    package static func open(to server: ServerAddress, localPort: UInt16) async throws -> PlainLink
    {
        let target: SocketAddress
        do {
            target = try SocketAddress.makeAddressResolvingHost(server.host, port: Int(server.port))
        } catch {
            throw KirimError(
                code: .unknownHost,
                message:
                    "There is no address for the name \(server.host); check how it is written.",
                underlying: error
            )
        }
        guard let address = Address(target) else {
            throw KirimError(code: .unknownHost, message: "\(server.host) has no IP address.")
        }
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        let handler = PlainHandler(client: PlainClient(server: address), events: continuation)
        let wildcard = target.protocol == .inet6 ? "::" : "0.0.0.0"
        let channel: any Channel
        do {
            channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.socketOption(.so_rcvbuf), value: 1 << 20)
                .channelInitializer { $0.pipeline.addHandler(handler) }
                .bind(to: SocketAddress(ipAddress: wildcard, port: Int(localPort)))
                .get()
        } catch {
            let isVersion6 = target.protocol == .inet6
            throw KirimError(BindFailure(error, port: localPort, isVersion6: isVersion6))
        }
        do {
            // A connected socket hears that nobody listens at the other end.
            try await channel.connect(to: target).get()
        } catch {
            try? await channel.close()
            throw KirimError(
                code: .unreachable,
                message: "There is no way from here to \(server.endpoint); look at the network.",
                underlying: error
            )
        }
        return PlainLink(
            events: events,
            localPort: channel.localAddress?.port ?? 0,
            client: PlainClient(server: address),
            channel: channel
        )
    }

    /// Says a line, as one datagram or, where it is long, as several. Whether it arrives nobody tells.
    package func say(_ line: String) async {
        for datagram in client.say(line) {
            try? await channel.writeAndFlush(ByteBuffer(bytes: datagram))
        }
    }

    /// Lets go of the socket. The server learns nothing of it: plain text has no goodbye.
    package func close() async { try? await channel.close() }
}

/// Runs on the channel's event loop only.
private final class PlainHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var client: PlainClient
    private let events: AsyncStream<PlainLink.Event>.Continuation

    init(client: PlainClient, events: AsyncStream<PlainLink.Event>.Continuation) {
        self.client = client
        self.events = events
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let address = Address(envelope.remoteAddress) else { return }
        let bytes = Array(envelope.data.readableBytesView)
        if let text = client.receive(bytes, from: address) { events.yield(.text(text)) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, error.errnoCode == ECONNREFUSED {
            events.yield(.refused)
        } else {
            events.yield(.failed("\(error)"))
        }
    }

    func channelInactive(context: ChannelHandlerContext) { events.finish() }
}
