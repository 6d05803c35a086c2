#if GTK
import ArgumentParser
import KirimClient
import KirimRooms
import KirimServer
import KirimWindow
import KirimWire
import NIOCore
import ServiceLifecycle

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// `kirim serve --window`: the same server, and its operator at a window.
extension ServeCommand: WindowedCommand {
    var opensWindow: Bool { window }

    func runWindow() throws -> Int32 {
        let ending = OperatorProgram.run(
            open: {
                let (server, settings) = try await open()
                let group = Self.group(of: server)
                // The end of the server ends its notes, and these the window.
                Task { try await group.run() }
                return OperatorDoor(server, settings.options) {
                    await group.triggerGracefulShutdown()
                }
            },
            sentence: { Self.sentence(for: $0) }
        )
        switch ending {
        case .stopped: return 0
        case .noDisplay: throw Main.withoutDisplay.said()
        case .failed(let error): throw said(error)
        }
    }

    private static func sentence(for error: any Error) -> String {
        switch error {
        case let complaint as Complaint: complaint.sentence
        case let error as ServerError: error.sentence
        default: "\(error)"
        }
    }
}

extension OperatorDoor {
    init(
        _ server: KirimServer,
        _ options: ServerOptions,
        stop: @escaping @Sendable () async -> Void
    ) {
        var canInvite = false
        if case .invitation = options.access { canInvite = true }
        let nobody = ServerStatus(guests: [], rooms: [], bans: [], counters: [], connections: 0)
        self.init(
            addresses: server.addresses,
            outside: Self.outside,
            key: server.publicKey,
            name: options.name,
            canInvite: canInvite,
            notes: server.notes,
            visible: { ServerLog.visible($0) },
            status: { await server.status() ?? nobody },
            perform: { await server.carryOut($0) },
            invite: { Self.invitation(to: server, options) },
            stop: stop
        )
    }

    /// The first address of this machine, IPv4 before IPv6, that is not its own business.
    private static var outside: IPAddress? {
        let devices = (try? System.enumerateDevices()) ?? []
        // Addresses of one wire are of no use without the name that it has here.
        let texts = devices.compactMap { $0.address?.ipAddress }.filter { !$0.hasPrefix("fe80:") }
        let usable = texts.compactMap { IPAddress($0) }.filter { !$0.isLoopback }
        return usable.first { if case .v4 = $0 { true } else { false } } ?? usable.first
    }

    /// Good for a day, like those of `kirim invite`.
    private static func invitation(
        to server: KirimServer,
        _ options: ServerOptions
    ) -> ServerAddress? {
        guard let key = try? KirimServer.key(in: options), let place = server.addresses.first
        else { return nil }
        let end = Int64(time(nil)) / 60 + 24 * 60
        let (id, secret) = KirimServer.invitation(to: key, endingAt: UInt32(clamping: end))
        let host = place.ip.isUnspecified ? outside ?? .loopback : place.ip
        return ServerAddress(
            host: host.description,
            port: place.port,
            key: server.publicKey,
            invitation: ServerAddress.invitation(id, secret: secret)
        )
    }
}
#endif
