import Foundation
import KirimClient
import KirimNoise
import KirimRooms
import KirimServer
import KirimServerCore
import KirimTestKit
import KirimWire
import Logging

/// A real server on a loopback port of its own, and folders for people, all gone at the end.
actor House {
    nonisolated let folder: String
    private var server: KirimServer?
    private var running: Task<Void, any Error>?
    private var options: ServerOptions
    private(set) var port: UInt16 = 0

    init(_ change: (inout ServerOptions) -> Void = { _ in }) throws {
        folder = NSTemporaryDirectory() + "kirim-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var options = ServerOptions(folder: folder + "/server")
        options.plain = .off
        options.addresses = [Address(ip: .loopback, port: 0)]
        change(&options)
        self.options = options
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Opens the door, at the same port as before.
    func open() async throws {
        if port == 0 { port = try UDPSocket.freePort() }
        options.addresses = [Address(ip: .loopback, port: port)]
        let server = try await KirimServer.open(options, log: Logger(label: "house"))
        self.server = server
        running = Task { try await server.run() }
    }

    func shut() async {
        running?.cancel()
        _ = await running?.result
        running = nil
        server = nil
    }

    /// Another server moves in: another key.
    func forgetKey() { try? FileManager.default.removeItem(atPath: options.keyPath) }

    func say(_ line: String) async { _ = await server?.operatorLine(line) }

    var key: PublicKey? { server?.publicKey }

    func invitation() throws -> String {
        let identity = try KirimServer.key(in: options)
        let (id, secret) = KirimServer.invitation(to: identity, endingAt: .max)
        return ServerAddress.invitation(id, secret: secret)
    }

    /// Where to find it.
    func address() -> ServerAddress { ServerAddress(host: "127.0.0.1", port: port) }

    /// A client of a person, whose belongings stay from one to the next.
    func arrive(
        _ name: String,
        _ change: (inout KirimClient.Options) -> Void = { _ in },
        at address: ServerAddress? = nil
    ) async throws -> KirimClient {
        var options = KirimClient.Options()
        options.dataFolder = folder + "/" + name
        options.patience = .seconds(30)
        change(&options)
        return try await KirimClient.connect(
            to: address ?? self.address(),
            as: name,
            options: options
        )
    }
}

extension KirimClient {
    /// The first event for which `found` has something; `nil` if the events end before.
    func first<T: Sendable>(_ found: @Sendable (Event) -> T?) async -> T? {
        for await event in events { if let found = found(event) { return found } }
        return nil
    }

    /// The texts of the next so many entries that people wrote.
    func texts(_ count: Int) async -> [String] {
        var texts: [String] = []
        for await event in events {
            if case .entry(let entry, _) = event, entry.kind != .notice { texts.append(entry.text) }
            if texts.count == count { break }
        }
        return texts
    }
}
