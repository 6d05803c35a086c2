import Foundation
import KirimRooms
import KirimServer
import KirimServerCore
import KirimTestKit
import KirimWire
import Logging
import Testing

@Suite("A server with its sockets and files")
struct KirimServerTests {
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func options() -> ServerOptions {
        let folder = FileManager.default.temporaryDirectory.path + "/kirim-\(UUID().uuidString)"
        var options = ServerOptions(folder: folder)
        options.addresses = [Address(ip: .loopback, port: 0)]
        return options
    }

    /// Runs a server for as long as `body` takes, then stops it and waits for its end.
    private func serve(
        _ options: ServerOptions,
        _ body: (KirimServer) async throws -> Void
    ) async throws -> KirimServer {
        let server = try await KirimServer.open(options, log: log)
        let running = Task { try await server.run() }
        try await body(server)
        running.cancel()
        try await running.value
        return server
    }

    @Test("it listens on every address, answers the operator, stops, and is itself again")
    func lifetime() async throws {
        var options = Self.options()
        defer { try? FileManager.default.removeItem(atPath: options.folder) }
        // A machine without IPv6 still has a server.
        if (try? UDPSocket(ip: .loopback6)) != nil {
            options.addresses.append(Address(ip: .loopback6, port: 0))
        }
        let first = try await serve(options) { server in
            #expect(server.addresses.count == options.addresses.count)
            #expect(server.addresses.allSatisfy { $0.port != 0 })
            #expect(await server.operatorLine("/who") == .text("Nobody is here."))
            #expect(await server.operatorLine("/rooms") == .text("#lobby: 0 members, 0 messages"))
            #expect(await server.operatorLine("halo!") == .nothing)
            #expect(await server.notes.first { _ in true } == [.broadcast("halo!")])
            #expect(await server.operatorLine("/quit") == .quit)
        }
        let second = try await serve(options) { again in
            #expect(await again.operatorLine("/rooms") == .text("#lobby: 0 members, 1 messages"))
        }
        #expect(second.publicKey == first.publicKey)
    }

    @Test("it tells an operator's window who is here, and does what that wishes")
    func status() async throws {
        let options = Self.options()
        defer { try? FileManager.default.removeItem(atPath: options.folder) }
        _ = try await serve(options) { server in
            let client = try UDPSocket()
            client.send("halo", to: server.addresses[0])
            _ = await server.notes.first { notes in
                notes.contains { if case .said = $0 { true } else { false } }
            }
            let status = try #require(await server.status())
            let guest = try #require(status.guests.first)
            #expect(guest.isPlain && guest.id == .plain(guest.address))
            #expect(status.rooms.map(\.last.rawValue) == [1])
            #expect(status.counters.contains { $0.name == "plain said" && $0.value == 1 })
            await server.carryOut(.say("halo semua"))
            #expect(client.receiveText(within: .seconds(2)) == "halo semua")
            await server.carryOut(.kick(guest.id))
            await server.carryOut(.ban(.prefix(.loopback, bits: 32)))
            let after = try #require(await server.status())
            #expect(after.guests.isEmpty)
            #expect(after.bans == [.prefix(.loopback, bits: 32)])
            await server.carryOut(.unban(.prefix(.loopback, bits: 32)))
            #expect(await server.status()?.bans == [])
        }
    }

    @Test("the operator reaches people by whatever is shown of them")
    func whom() async throws {
        let options = Self.options()
        defer { try? FileManager.default.removeItem(atPath: options.folder) }
        _ = try await serve(options) { server in
            func answer(_ line: String) async -> String {
                if case .text(let text) = await server.operatorLine(line) { text } else { "" }
            }
            #expect(await answer("/kick 127.0.0.1:9") == "Nobody is there; /who lists all.")
            #expect(await answer("/ban 10.1.2.3/16") == "")
            #expect(await answer("/bans") == "10.1.0.0/16")
            #expect(await answer("/ban 10.1.9.9/16") == "That is so already.")
            let covered = await answer("/unban 10.1.2.3")
            #expect(covered.contains("kept out by 10.1.0.0/16"), "\(covered)")
            #expect(await answer("/unban 10.2.0.1").hasPrefix("Nobody keeps"))
            #expect(await answer("/unban 10.1.2.3/16") == "")
            #expect(await answer("/bans") == "Nobody is kept out.")
            let client = try UDPSocket()
            client.send("halo", to: server.addresses[0])
            _ = await server.notes.first { notes in
                notes.contains { if case .said = $0 { true } else { false } }
            }
            #expect(await answer("/kick \(client.address)") == "")
            #expect(await server.status()?.guests.isEmpty == true)
        }
    }

    @Test("what was typed just before the end is kept and told before the goodbye")
    func lastWords() async throws {
        let options = Self.options()
        defer { try? FileManager.default.removeItem(atPath: options.folder) }
        let client = try UDPSocket()
        let server = try await serve(options) { server in
            client.send("halo", to: server.addresses[0])
            _ = await server.notes.first { notes in
                notes.contains { if case .said(_, _, _, _, "halo") = $0 { true } else { false } }
            }
            for word in ["a", "b", "c"] { #expect(await server.operatorLine(word) == .nothing) }
        }
        var notes: [ServerNote] = []
        for await more in server.notes { notes += more }
        #expect(notes == [.broadcast("a"), .broadcast("b"), .broadcast("c")])
        for word in ["a", "b", "c"] {
            #expect(client.receiveText(within: .seconds(1)) == word)
        }
        _ = try await serve(options) { again in
            #expect(await again.operatorLine("/rooms") == .text("#lobby: 0 members, 4 messages"))
        }
    }

    @Test("a port or a folder that another server has is refused in one sentence")
    func taken() async throws {
        let options = Self.options()
        defer { try? FileManager.default.removeItem(atPath: options.folder) }
        let server = try await KirimServer.open(options, log: log)
        let running = Task { try await server.run() }
        await #expect(throws: ServerError.storage(.locked, path: options.journalPath)) {
            _ = try await KirimServer.open(options, log: log)
        }
        var other = Self.options()
        other.addresses = server.addresses
        defer { try? FileManager.default.removeItem(atPath: other.folder) }
        await #expect(throws: ServerError.addressInUse(server.addresses[0])) {
            _ = try await KirimServer.open(other, log: log)
        }
        // What the failed attempts opened, they closed: the folder is free again.
        other.addresses = [Address(ip: .loopback, port: 0)]
        let third = try await KirimServer.open(other, log: log)
        for task in [running, Task { try await third.run() }] {
            task.cancel()
            try await task.value
        }
    }
}
