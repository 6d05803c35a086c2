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
        #expect(server.lines.contains { $0.contains("10.77.0.3") }, "\(server.lines)")
        isWithoutGap(ani)
    }
}

/// Two namespaces with a wire between them; gone with the last reference.
final class NetworkPair {
    let tag = "\(UInt16.random(in: 0 ... .max))"
    var server: String { "kirim-s-\(tag)" }
    var client: String { "kirim-c-\(tag)" }

    /// `nil`, with the reason printed, where this process may not make them.
    init?() {
        let steps = [
            "netns add \(server)", "netns add \(client)",
            "link add ks\(tag) netns \(server) type veth peer name kc\(tag) netns \(client)",
            "-n \(server) link set lo up", "-n \(client) link set lo up",
            "-n \(server) addr add 10.77.0.1/24 dev ks\(tag)",
            "-n \(client) addr add 10.77.0.2/24 dev kc\(tag)",
            "-n \(server) link set ks\(tag) up", "-n \(client) link set kc\(tag) up",
        ]
        for step in steps {
            if let fault = Self.ip(step) {
                print("SKIPPED: no network namespaces here (ip \(step): \(fault)); needs root.")
                return nil
            }
        }
    }

    func moveClient(from old: String, to new: String) {
        // In this order: the kernel removes later addresses of a network together with its first.
        for step in ["addr del \(old)/24", "addr add \(new)/24"] {
            if let fault = Self.ip("-n \(client) \(step) dev kc\(tag)") { Issue.record("\(fault)") }
        }
    }

    /// What `ip` complained about; `nil` when it did it.
    private static func ip(_ arguments: String) -> String? {
        let words = ["ip"] + arguments.split(separator: " ").map(String.init)
        guard let process = try? ChildProcess("/usr/bin/env", words) else {
            return "does not start"
        }
        let code = process.exitCode()
        return code == 0 ? nil : process.lines.joined(separator: " ") + " (\(code ?? -1))"
    }

    deinit {
        _ = Self.ip("netns del \(server)")
        _ = Self.ip("netns del \(client)")
    }
}
