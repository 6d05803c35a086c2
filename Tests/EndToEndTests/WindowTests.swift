#if GTK
import Foundation
import KirimTestKit
import Testing

/// What `Fixtures/windows.py` plays with real windows, on a display in memory.
@Suite("Real windows", .serialized, .timeLimit(.minutes(5)))
struct WindowTests {
    @Test(
        "go as the scene is written",
        arguments: [
            "chat", "away", "key", "old_programs", "operator", "rooms", "notify", "door",
            "secrets", "narrow", "reading",
        ]
    )
    func scene(name: String) throws {
        let python = "/usr/bin/python3"
        let needed = [python, "/usr/bin/Xvfb", "/usr/bin/xdotool", "/usr/bin/dbus-daemon"]
        if let missing = needed.first(where: { !FileManager.default.isExecutableFile(atPath: $0) })
        {
            print("SKIPPED: without \(missing) the windows are not driven; make prepare gets it.")
            return
        }
        let probe = try ChildProcess(
            python,
            ["-c", "import gi; gi.require_version('Atspi', '2.0')"]
        )
        guard probe.exitCode() == 0 else {
            print("SKIPPED: Python lacks gi and Atspi; make prepare gets them.")
            return
        }
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let pictures = here.appending(path: "../../artifacts/windows").standardizedFileURL.path
        let player = try ChildProcess(
            python,
            [
                "-u", here.appending(path: "Fixtures/windows.py").path,
                try ChildProcess.built("kirim"), name, pictures,
            ]
        )
        defer { player.end() }
        let code = player.exitCode(within: .seconds(240))
        if code != 0 {
            Issue.record(
                "\(name) ended with \(code.map { "\($0)" } ?? "no end"):\n\(player.lines.joined(separator: "\n"))"
            )
        }
    }
}
#endif
