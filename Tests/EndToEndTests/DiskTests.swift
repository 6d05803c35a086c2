import Foundation
import KirimRooms
import KirimTestKit
import KirimWire
import Testing

/// Disks that are full, locked, damaged or cut short, under real processes: nothing accepted is lost or there
/// twice, and whoever can do something about it is told what happened and what to do.
@Suite("A disk that fails", .serialized, .timeLimit(.minutes(20)))
struct DiskTests {
    private let long = String(repeating: "x", count: 2_000)

    @Test(
        "a person's full disk is told with what to do; what was kept arrives once, and it goes on"
    )
    func fullClient() throws {
        let stage = try Stage()
        let budi = try stage.person("budi")
        #expect(budi.isIn())
        guard let disk = TinyDisk(at: stage.data(of: "ani"), kilobytes: 1_024) else { return }
        let ani = try stage.person("ani")
        #expect(ani.isIn())
        for number in 1...600 { ani.says("baris \(number) \(long)") }
        // A chat through a pipe ends where it can keep nothing more, so that nothing is thought to be kept.
        #expect(ani.process.exitCode(within: .seconds(60)) == 7)
        #expect(
            ani.process.lines.contains {
                $0.contains("The disk is full, so nothing more is written down here; make room.")
            }
        )
        #expect(disk.resize(kilobytes: 65_536))
        let again = try stage.person("ani")
        again.says("setelah itu")
        #expect(budi.hears("setelah itu", within: .seconds(60)) != nil)
        #expect(again.hears("setelah itu", within: .seconds(60)) != nil)
        let queued = ani.process.lines.compactMap { Person.Event($0) }
            .filter { $0.name == "queued" }.map(\.text)
        #expect(!queued.isEmpty)
        #expect(budi.texts == queued + ["setelah itu"])
        isWithoutGap(again)
        again.process.end()
        stage.stopServer(by: SIGTERM)
        #expect(try stage.texts() == queued + ["setelah itu"])
    }

    @Test("a server that is killed on a full disk keeps what it accepted, and goes on with room")
    func fullServer() throws {
        var disk: TinyDisk?
        let stage = try Stage(prepare: { disk = TinyDisk(at: $0, kilobytes: 1_024) })
        guard let disk else { return }
        defer { withExtendedLifetime(disk) {} }
        let lines = (1...700).map { "baris \($0) \(long)" }
        let sender = try stage.run(["chat", "\(stage.address)", "--data", stage.data(of: "ani")])
        sender.feed(Array((lines.joined(separator: "\n") + "\n").utf8))
        sender.closeInput()
        let told =
            "STORAGE FAILS: nothing is accepted until it works again. The disk is full: make room."
        #expect(stage.server.line(containing: told, within: .seconds(60)) != nil)
        stage.stopServer(by: SIGKILL)
        // Without room it says so at once, or serves what there is.
        do { try stage.restartServer() } catch let unready as Stage.Unready {
            #expect(
                unready.said.contains {
                    $0.contains("The disk is full, so") && $0.contains("make room and start again")
                },
                "\(unready.said)"
            )
        }
        stage.stopServer(by: SIGKILL)
        #expect(disk.resize(kilobytes: 65_536))
        try stage.restartServer()
        #expect(sender.exitCode(within: .seconds(90)) == 0, "\(sender.lines.suffix(3))")
        stage.stopServer(by: SIGTERM)
        #expect(try stage.texts() == lines)
    }

    @Test("a disk without any room keeps a server and a person from starting, with a sentence")
    func noRoom() throws {
        let stage = try Stage()
        let path = "\(stage.folder)/penuh"
        guard let disk = TinyDisk(at: path, kilobytes: 8) else { return }
        defer { withExtendedLifetime(disk) {} }
        let server = try stage.run([
            "serve", "--port", "\(try UDPSocket.freePort())", "--data", "\(path)/server",
        ])
        #expect(server.exitCode() == 73, "\(server.lines)")
        #expect(
            server.lines.contains {
                $0.contains("The disk is full, so \(path)/server")
                    && $0.contains("cannot be written; make room and start again.")
            },
            "\(server.lines)"
        )
        let chat = try stage.run(["chat", "\(stage.address)", "--data", "\(path)/ani"])
        chat.type("halo")
        chat.closeInput()
        #expect(chat.exitCode() != 0)
        #expect(
            chat.lines.contains {
                $0.contains("The disk is full, so nothing more is written down here; make room.")
            },
            "\(chat.lines)"
        )
    }

    @Test("folders that may only be read are named with what to do, and lose nothing")
    func readOnly() throws {
        var disk: TinyDisk?
        let stage = try Stage(prepare: { disk = TinyDisk(at: $0, kilobytes: 8_192) })
        guard let disk else { return }
        defer { withExtendedLifetime(disk) {} }
        guard let other = TinyDisk(at: stage.data(of: "ani"), kilobytes: 8_192) else { return }
        let ani = try stage.person("ani")
        #expect(ani.isIn())
        ani.says("satu")
        #expect(ani.hears("satu") != nil)
        ani.process.end()
        stage.stopServer(by: SIGTERM)
        #expect(disk.setReadOnly(true))
        #expect(other.setReadOnly(true))
        do {
            try stage.restartServer()
            Issue.record("a server started where it may not write")
        } catch let unready as Stage.Unready {
            #expect(
                unready.said.contains {
                    $0.contains("may not be used")
                        && $0.contains("Correct that, or choose another folder with --data.")
                },
                "\(unready.said)"
            )
        }
        let chat = try stage.run(["chat", "\(stage.address)", "--data", stage.data(of: "ani")])
        chat.closeInput()
        #expect(chat.exitCode() != 0)
        #expect(
            chat.lines.contains {
                $0.contains("may not be read or written") && $0.contains("check the permissions")
            },
            "\(chat.lines)"
        )
        #expect(disk.setReadOnly(false))
        #expect(other.setReadOnly(false))
        try stage.restartServer()
        let again = try stage.person("ani", ["--history", "50"])
        #expect(again.hears("satu") != nil)
        again.says("dua")
        #expect(again.hears("dua") != nil)
        stage.stopServer(by: SIGTERM)
        #expect(try stage.texts() == ["satu", "dua"])
        again.process.end()
    }
}
