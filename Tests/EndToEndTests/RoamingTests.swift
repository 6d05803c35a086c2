import Foundation
import KirimTestKit
import KirimWire
import Testing

/// A real change of address between two network namespaces.
@Suite("Between networks", .serialized, .timeLimit(.minutes(3)))
struct RoamingTests {
    @Test("a client whose address changes goes on without a word")
    func addressChange() throws {
        guard let pair = NetworkPair() else { return }
        let folder = FileManager.default.temporaryDirectory.appending(path: "kirim-\(pair.tag)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let program = try ChildProcess.built("kirim")
        let home = ["HOME": folder]
        let server = try ChildProcess(
            "/usr/bin/env",
            ["ip", "netns", "exec", pair.server, program, "serve", "--host", "10.77.0.1"]
                + ["--port", "12345", "--data", "\(folder)/server"],
            environment: home
        )
        defer { server.end() }
        #expect(server.line(containing: "12345") != nil, "\(server.lines)")
        let client = try ChildProcess(
            "/usr/bin/env",
            ["ip", "netns", "exec", pair.client, program, "chat", "10.77.0.1:12345", "--json"]
                + ["--name", "ani", "--data", "\(folder)/ani"],
            environment: home
        )
        defer { client.end() }
        let ani = Person(client)
        #expect(ani.isIn())
        ani.says("sebelum")
        #expect(ani.hears("sebelum") != nil)
        #expect(server.line(containing: "Client ('10.77.0.2'") != nil)
        pair.moveClient(from: "10.77.0.2", to: "10.77.0.3")
        ani.says("sesudah")
        #expect(ani.hears("sesudah", within: .seconds(60)) != nil)
        server.type("halo semua")
        #expect(ani.hears("halo semua", within: .seconds(60)) != nil)
        #expect(server.line(containing: "Client ('10.77.0.3'") != nil, "\(server.lines)")
        isWithoutGap(ani)
    }
}
