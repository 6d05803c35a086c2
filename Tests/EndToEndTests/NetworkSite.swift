import Foundation
import KirimTestKit
import Testing

/// A server at 10.77.0.1 and people at 10.77.0.2, each a real process.
final class NetworkSite {
    let pair: NetworkPair
    let folder: String
    let server: ChildProcess
    private let program: String
    private var others: [ChildProcess] = []

    /// `nil`, with the reason printed, where there are no namespaces. `prepare` is called before the server starts,
    /// and says whether there is what the test needs.
    init?(
        _ arguments: [String] = [],
        hosts: [String] = ["10.77.0.1"],
        prepare: (NetworkPair) -> Bool = { _ in true }
    ) throws {
        guard let pair = NetworkPair(), prepare(pair) else { return nil }
        self.pair = pair
        folder =
            FileManager.default.temporaryDirectory.appending(path: "kirim-\(pair.tag)").path
        program = try ChildProcess.built("kirim")
        server = try pair.run(
            in: pair.server,
            program,
            ["serve", "--port", "12345", "--data", "\(folder)/server"]
                + hosts.flatMap { ["--host", $0] } + arguments,
            folder: folder
        )
        #expect(server.line(containing: ":12345") != nil, "\(server.lines)")
    }

    deinit {
        for process in others + [server] { process.end() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    func person(
        _ name: String,
        in network: String,
        at host: String = "10.77.0.1"
    ) throws -> Person {
        let process = try pair.run(
            in: network,
            program,
            ["chat", "\(host):12345", "--json", "--name", name]
                + ["--data", "\(folder)/\(name)"],
            folder: folder
        )
        others.append(process)
        return Person(process)
    }
}
