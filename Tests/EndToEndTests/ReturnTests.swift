import Foundation
import KirimTestKit
import KirimWire
import Testing

/// Clients without number, each the real core on a socket of its own (`kirim-load`).
@Suite("All come back at once", .serialized, .timeLimit(.minutes(5)))
struct ReturnTests {
    private struct Report: Decodable {
        struct Storm: Decodable {
            let clients: Int
            let back: Int
        }
        let connected: Int
        let sent: Int
        let expected: Int
        let received: Int
        let lost: Int
        let dup: Int
        let reconnects: Int
        let storm: Storm
    }

    @Test(
        "three hundred who lose all but their disks are all back, and those who chat miss nothing"
    )
    func storm() throws {
        let stage = try Stage(["--plain", "off", "--new-members", "10000"])
        let load = try ChildProcess(
            try ChildProcess.built("kirim-load"),
            ["--port", "\(stage.address.port)", "--clients", "10", "--senders", "5"]
                + ["--mode", "open", "--rate", "40", "--duration", "8", "--storm", "1:300"],
            environment: [:]
        )
        defer { load.end() }
        let line = try #require(load.line(containing: "\"storm\"", within: .seconds(120)))
        let report = try JSONDecoder().decode(Report.self, from: Data(line.utf8))
        #expect(report.connected == 310)
        #expect(report.storm.clients == 300 && report.storm.back == 300)
        #expect(report.reconnects == 300)
        #expect(report.sent > 100 && report.received == report.expected)
        #expect(report.lost == 0 && report.dup == 0)
        #expect(load.exitCode(within: .seconds(10)) == 0)
    }
}
