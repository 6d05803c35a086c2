import Foundation
import KirimTestKit
import Testing

/// A client that was written from the protocol's text alone, with the built server.
@Suite("The second implementation", .serialized, .timeLimit(.minutes(5)))
struct SecondImplementationTests {
    @Test("connects, chats, moves, loses packets and comes back as the document says")
    func scenes() throws {
        let python = "/usr/bin/python3"
        guard FileManager.default.isExecutableFile(atPath: python) else {
            print("SKIPPED: there is no \(python) to run the second implementation.")
            return
        }
        let probe = try ChildProcess(python, ["-c", "import cryptography"])
        guard probe.exitCode() == 0 else {
            print("SKIPPED: Python lacks cryptography; make test gets python3-cryptography.")
            return
        }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../SecondImplementation/second.py").standardizedFileURL.path
        let player = try ChildProcess(
            python,
            ["-u", script, "--kirim", try ChildProcess.built("kirim")]
        )
        defer { player.end() }
        let code = player.exitCode(within: .seconds(240))
        if code != 0 {
            Issue.record(
                "it ended with \(code.map { "\($0)" } ?? "no end"):\n\(player.lines.joined(separator: "\n"))"
            )
        }
    }
}
