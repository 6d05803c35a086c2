import Foundation
import KirimRooms
import KirimTestKit
import KirimWire
import Testing

/// Server and people as real processes over loopback.
@Suite("A real chat", .serialized, .timeLimit(.minutes(5)))
struct ChatTests {
    @Test("two people read each other")
    func twoPeople() throws {
        let stage = try Stage()
        let (ani, budi) = (try stage.person("ani"), try stage.person("budi"))
        #expect(ani.isIn())
        #expect(budi.isIn())
        ani.says("halo budi")
        #expect(budi.hears("halo budi")?.author == "ani")
        budi.says("halo ani")
        #expect(ani.hears("halo ani")?.author == "budi")
        #expect(ani.entries.filter { $0.kind == "text" }.map(\.text) == ["halo budi", "halo ani"])
        #expect(stage.server.line(containing: " ani: halo budi") != nil)
    }

    @Test("the operator puts people out by fingerprint, and by address and port")
    func kick() throws {
        let stage = try Stage()
        let ani = try stage.person("ani")
        let enrolled = try #require(stage.server.line(containing: "New member: ani, key "))
        #expect(ani.isIn())
        stage.server.type("/kick " + enrolled.suffix(23))
        #expect(stage.server.line(containing: "ani is put out") != nil)
        #expect(ani.process.exitCode() == 6, "\(ani.process.lines)")
        let budi = try stage.person("budi")
        #expect(budi.isIn())
        let arrived = try #require(stage.server.line(containing: " budi is here"))
        let port = arrived.split { !$0.isNumber }.last ?? ""
        stage.server.type("/kick 127.0.0.1:\(port)")
        #expect(stage.server.line(containing: "budi is put out") != nil)
        #expect(budi.process.exitCode() == 6, "\(budi.process.lines)")
    }

    @Test("people chat over IPv6 as over IPv4")
    func version6() throws {
        guard UDPSocket.hasVersion6 else {
            print("SKIPPED: this machine has no ::1, so nobody can chat over IPv6 here.")
            return
        }
        let stage = try Stage(["--host", "127.0.0.1", "--host", "::1"])
        let door = Address(ip: .v6(0, 1, zone: 0), port: stage.address.port)
        let (ani, budi) = (try stage.person("ani", at: door), try stage.person("budi"))
        #expect(ani.isIn())
        #expect(budi.isIn())
        ani.says("halo lewat enam")
        #expect(budi.hears("halo lewat enam")?.author == "ani")
        let send = try stage.run(["send", "\(door)", "--data", stage.data(of: "citra"), "enam"])
        #expect(send.exitCode() == 0, "\(send.lines)")
        #expect(ani.hears("enam") != nil)
    }

    @Test("a local port that another program has ends it with 7 and a sentence")
    func takenLocalPort() throws {
        let stage = try Stage()
        let taken = try UDPSocket()
        let port = "\(taken.address.port)"
        for more in [[], ["--json"], ["--plain"]] {
            let chat = try stage.run(
                ["chat", "\(stage.address)", "--data", stage.data(of: "ani"), "--port", port] + more
            )
            #expect(chat.exitCode() == 7, "\(chat.lines)")
            // A program that reads hears in its own way that this was all.
            let end = #"{"event":"done","accepted":0,"refused":0,"exit":7}"#
            let said = "kirim: Another program has the local port \(port); choose another."
            #expect(chat.lines == [said] + (more == ["--json"] ? [end] : []))
        }
        let free = "\(try UDPSocket.freePort())"
        let chat = try stage.run([
            "chat", "\(stage.address)", "--data", stage.data(of: "ani"), "--port", free,
        ])
        chat.type("halo")
        chat.closeInput()
        #expect(chat.exitCode() == 0, "\(chat.lines)")
    }

    @Test("plain text into a port where nobody listens ends with 3")
    func plainIntoNothing() throws {
        let stage = try Stage()
        let chat = try stage.run([
            "chat", "--plain", "127.0.0.1:\(try UDPSocket.freePort())", "--port", "0",
        ])
        chat.type("halo")
        chat.closeInput()
        #expect(chat.exitCode() == 3, "\(chat.lines)")
    }

    @Test("a piped line is sent, accepted, and the program ends with 0")
    func pipedLine() throws {
        let stage = try Stage()
        let echo = try stage.run([
            "chat", "\(stage.address)", "--room", "lobby", "--data", stage.data(of: "ani"),
        ])
        echo.type("hi")
        echo.closeInput()
        #expect(echo.exitCode() == 0, "\(echo.lines)")
        stage.stopServer(by: SIGTERM)
        #expect(try stage.log().filter { $0.kind == .text }.map(\.text) == ["hi"])
    }

    @Test("kirim send sends one message and ends with 0")
    func send() throws {
        let stage = try Stage()
        let send = try stage.run([
            "send", "--to", "\(stage.address)", "--room", "lobby", "--data", stage.data(of: "ani"),
            "hi",
            "there",
        ])
        send.closeInput()
        #expect(send.exitCode() == 0, "\(send.lines)")
        stage.stopServer(by: SIGTERM)
        #expect(try stage.log().filter { $0.kind == .text }.map(\.text) == ["hi there"])
    }

    @Test("the server stops on SIGTERM and on SIGINT with 0", arguments: [SIGTERM, SIGINT])
    func gracefulStop(_ number: Int32) throws {
        let stage = try Stage()
        stage.server.kill(number)
        #expect(stage.server.exitCode() == 0, "\(stage.server.lines)")
    }

    @Test("a second server on the same data is told so in a sentence")
    func lockedData() throws {
        let stage = try Stage()
        let second = try stage.run([
            "serve", "--port", "\(try UDPSocket.freePort())", "--data", "\(stage.folder)/server",
        ])
        let code = second.exitCode()
        #expect(code != nil && code != 0)
        #expect(second.lines.count <= 3, "\(second.lines)")
    }

    @Test("a second server on the same port is told so in a sentence")
    func takenPort() throws {
        let stage = try Stage()
        let second = try stage.run([
            "serve", "--port", "\(stage.address.port)", "--data", "\(stage.folder)/other",
        ])
        let code = second.exitCode()
        #expect(code != nil && code != 0)
        #expect(second.lines.contains { $0.contains("\(stage.address.port)") }, "\(second.lines)")
    }

    @Test("64 KiB of mixed scripts in one piped line arrive byte for byte")
    func longLine() throws {
        let stage = try Stage()
        let ani = try stage.person("ani")
        #expect(ani.isIn())
        let text = mixedScripts(bytes: 65_536, lineEnds: false)
        let sender = try stage.run([
            "chat", "\(stage.address)", "--data", stage.data(of: "budi"),
        ])
        sender.feed(Array(text.utf8))
        sender.closeInput()
        #expect(sender.exitCode(within: .seconds(60)) == 0, "\(sender.lines)")
        let heard = try #require(ani.hears(text))
        #expect(Array(heard.text.utf8) == Array(text.utf8))
    }

    @Test("10,000 piped lines arrive once and in order")
    func manyLines() throws {
        let stage = try Stage()
        let ani = try stage.person("ani")
        #expect(ani.isIn())
        let lines = (1...10_000).map { "baris \($0)" }
        let sender = try stage.run([
            "chat", "\(stage.address)", "--data", stage.data(of: "budi"),
        ])
        sender.feed(Array((lines.joined(separator: "\n") + "\n").utf8))
        sender.closeInput()
        #expect(sender.exitCode(within: .seconds(120)) == 0, "\(sender.lines.suffix(3))")
        #expect(ani.hears("baris 10000", within: .seconds(60)) != nil)
        #expect(ani.entries.filter { $0.kind == "text" }.map(\.text) == lines)
        isWithoutGap(ani)
        stage.stopServer(by: SIGTERM)
        #expect(try stage.log().filter { $0.kind == .text }.map(\.text) == lines)
    }

    @Test("an empty input sends what an earlier run left, and says where it is still kept")
    func emptyInput() throws {
        let stage = try Stage()
        stage.stopServer(by: SIGKILL)
        func run(_ text: String?, patience: Int) throws -> ChildProcess {
            let chat = try stage.run([
                "chat", "\(stage.address)", "--data", stage.data(of: "ani"), "--timeout",
                "\(patience)",
            ])
            if let text { chat.type(text) }
            chat.closeInput()
            return chat
        }
        for text in ["satu", nil] {
            let chat = try run(text, patience: 1)
            #expect(chat.exitCode() == 3, "\(chat.lines)")
            #expect(chat.lines.contains { $0.contains("is kept") }, "\(chat.lines)")
        }
        try stage.restartServer()
        for _ in 1...2 {
            let chat = try run(nil, patience: 30)
            #expect(chat.exitCode() == 0, "\(chat.lines)")
        }
        stage.stopServer(by: SIGTERM)
        #expect(try stage.log().filter { $0.kind == .text }.map(\.text) == ["satu"])
    }

    @Test("an output that nobody reads any more keeps nothing from being sent; a full one is told")
    func brokenOutput() throws {
        let stage = try Stage()
        let lines = (1...500).map { "line \($0)" }.joined(separator: "\n")
        for (name, output, code) in [("ani", "| head -n 1", 0), ("budi", ">/dev/full", 7)] {
            let command =
                "\(stage.program) chat \(stage.address) --data \(stage.data(of: name)) \(output)"
            let shell = try ChildProcess(
                "/bin/bash",
                ["-c", "set -o pipefail; \(command); echo ended $?"],
                environment: ["HOME": stage.folder]
            )
            defer { shell.end() }
            shell.type(lines)
            shell.closeInput()
            #expect(shell.line(containing: "ended \(code)") != nil, "\(shell.lines)")
            if code == 7 { #expect(shell.lines.contains { $0.contains("cannot be written") }) }
        }
        stage.stopServer(by: SIGTERM)
        #expect(try stage.log().filter { $0.kind == .text }.count == 1_000)
    }

    @Test("who is read slowly prints everything before it ends")
    func slowReader() throws {
        let stage = try Stage()
        let data = stage.data(of: "ani")
        let shell = try ChildProcess(
            "/bin/bash",
            [
                "-c",
                "\(stage.program) chat \(stage.address) --json --data \(data) | (sleep 5; cat)",
            ],
            environment: ["HOME": stage.folder]
        )
        defer { shell.end() }
        shell.type((1...3_000).map { "line \($0)" }.joined(separator: "\n"))
        shell.closeInput()
        #expect(shell.line(containing: #""event":"done""#, within: .seconds(60)) != nil)
        #expect(shell.lines.count { $0.contains(#""event":"decided""#) } == 3_000)
        #expect(
            shell.lines.count { $0.contains(#""event":"entry""#) && $0.contains("line ") } == 3_000
        )
    }

    @Test("an input that says when it has nothing yet is read to its end")
    func impatientInput() throws {
        let stage = try Stage()
        let command = [stage.program, "chat", "\(stage.address)", "--data", stage.data(of: "ani")]
        guard let python = try stage.python("impatient_input.py", command) else { return }
        #expect(python.line(containing: "ended 0") != nil, "\(python.lines)")
        stage.stopServer(by: SIGTERM)
        #expect(try stage.log().filter { $0.kind == .text }.map(\.text) == ["satu", "dua"])
    }

    @Test("who follows a chat and is not read any more ends, though the input is open")
    func followerGone() throws {
        let stage = try Stage()
        let command =
            "\(stage.program) chat \(stage.address) --follow --data \(stage.data(of: "ani")) | head -n 1"
        let shell = try ChildProcess(
            "/bin/bash",
            ["-c", "set -o pipefail; \(command); echo ended $?"],
            environment: ["HOME": stage.folder]
        )
        defer { shell.end() }
        shell.type("line 1\n")
        #expect(shell.line(containing: "line 1") != nil)
        for number in 2...3 {
            shell.type("line \(number)\n")
            usleep(200_000)
        }
        #expect(shell.line(containing: "ended 0") != nil, "\(shell.lines)")
        stage.stopServer(by: SIGTERM)
        #expect(try stage.log().contains { $0.text == "line 1" })
    }

    @Test("a line that cannot be a message is named also where the server is away")
    func badLineOffline() throws {
        let stage = try Stage()
        stage.stopServer(by: SIGKILL)
        let shell = try ChildProcess(
            "/bin/bash",
            [
                "-c",
                "printf 'aaa\\n\\377\\nccc\\n' | \(stage.program) chat \(stage.address) --timeout 1 "
                    + "--data \(stage.data(of: "ani")); echo ended $?",
            ],
            environment: ["HOME": stage.folder]
        )
        defer { shell.end() }
        #expect(shell.line(containing: "ended 1") != nil, "\(shell.lines)")
        #expect(shell.lines.contains { $0.contains("Line 2 is not valid UTF-8") })
        #expect(shell.lines.contains { $0.contains("is kept") })
    }

    @Test("an interrupted chat for programs says goodbye, and its last line")
    func interrupted() throws {
        let stage = try Stage()
        let chat = try stage.run([
            "chat", "\(stage.address)", "--json", "--follow", "--data", stage.data(of: "ani"),
        ])
        #expect(chat.line(containing: "welcomed") != nil, "\(chat.lines)")
        chat.kill(SIGINT)
        #expect(chat.exitCode() == 130)
        #expect(chat.lines.last?.contains(#""event":"done""#) == true, "\(chat.lines)")
        #expect(stage.server.line(containing: "is gone") != nil)
    }

    @Test("what is written without a server for a room of the future is kept, and sent there")
    func offlineRoom() throws {
        let stage = try Stage()
        stage.stopServer(by: SIGKILL)
        let data = ["--data", stage.data(of: "ani"), "--timeout"]
        let chat = try stage.run(["chat", "\(stage.address)", "--room", "baru"] + data + ["1"])
        chat.type("satu")
        chat.closeInput()
        #expect(chat.exitCode() == 3, "\(chat.lines)")
        #expect(chat.lines.contains { $0.contains("is kept") }, "\(chat.lines)")
        let send = try stage.run(
            ["send", "\(stage.address)", "--room", "lain"] + data + ["1", "dua"]
        )
        #expect(send.exitCode() == 3, "\(send.lines)")
        #expect(send.lines.contains { $0.contains("is kept") }, "\(send.lines)")
        try stage.restartServer()
        let later = try stage.run(["chat", "\(stage.address)"] + data + ["30"])
        later.type("tiga")
        later.closeInput()
        #expect(later.exitCode() == 0, "\(later.lines)")
        stage.stopServer(by: SIGTERM)
        for (room, text) in [("baru", "satu"), ("lain", "dua"), ("lobby", "tiga")] {
            let log = try stage.log(of: try #require(RoomName(room)))
            #expect(log.filter { $0.kind == .text }.map(\.text) == [text])
        }
    }

    @Test("a wrong key in a link does not let the next server in under the known address")
    func wrongLink() throws {
        let stage = try Stage()
        let wrong = try #require(PublicKey(bytes: [UInt8](repeating: 9, count: 32)))
        func exit(_ door: String, _ more: String...) throws -> Int32? {
            let chat = try stage.run(["chat", door, "--data", stage.data(of: "ani")] + more)
            chat.type("halo")
            chat.closeInput()
            return chat.exitCode()
        }
        #expect(try exit("\(stage.address)") == 0)
        #expect(try exit("kirim://\(stage.address)/\(wrong)") == 4)
        #expect(try exit("\(stage.address)", "--trust", "\(wrong)") == 4)
        #expect(try exit("\(stage.address)") == 0)
        stage.stopServer(by: SIGTERM)
        #expect(try stage.log().filter { $0.kind == .text }.map(\.text) == ["halo", "halo"])
        try FileManager.default.removeItem(atPath: "\(stage.folder)/server/server.key")
        try stage.restartServer()
        #expect(try exit("\(stage.address)") == 4)
    }

    @Test("a name that cannot be looked up is named, once, and what was written is kept")
    func unknownHost() throws {
        let stage = try Stage()
        for more in [[], ["--json"]] {
            let chat = try stage.run(
                ["chat", "nobody-", "--data", stage.data(of: "ani"), "--timeout", "6"] + more
            )
            chat.type("halo")
            chat.closeInput()
            #expect(chat.exitCode() == 3, "\(chat.lines)")
            let mark = more.isEmpty ? "spelling" : "\"unknown_host\""
            #expect(chat.lines.filter { $0.contains(mark) }.count == 1, "\(chat.lines)")
            #expect(chat.lines.contains { $0.contains("nobody-") && $0.contains("is kept") })
        }
    }

    @Test(
        "lines written while there is no server are sent when it comes, after a restart of the client too"
    )
    func offline() throws {
        let stage = try Stage()
        let first = try stage.person("ani")
        #expect(first.isIn())
        stage.stopServer(by: SIGKILL)
        first.says("satu")
        #expect(first.process.line(containing: "queued") != nil)
        first.process.end()
        let second = try stage.person("ani")
        second.says("dua")
        #expect(second.process.line(containing: "queued") != nil)
        try stage.restartServer()
        #expect(second.hears("satu", within: .seconds(60)) != nil)
        #expect(second.hears("dua", within: .seconds(60)) != nil)
        stage.stopServer(by: SIGTERM)
        #expect(try stage.log().filter { $0.kind == .text }.map(\.text) == ["satu", "dua"])
    }
}

/// The numbers of the entries that a person was shown are dense.
func isWithoutGap(_ person: Person) {
    let numbers = person.entries.map(\.sequence)
    guard let first = numbers.first else {
        Issue.record("nothing was shown")
        return
    }
    #expect(numbers == Array(first..<first + numbers.count))
}

/// Text of exactly so many bytes: Latin, Javanese, Arabic, Han, emoji with joiners, combining marks.
func mixedScripts(bytes: Int, lineEnds: Bool) -> String {
    let pieces = [
        "Selamat pagi ", "ꦏꦶꦫꦶꦩ꧀ ", "مرحبا ", "世界 ", "👩‍👩‍👧‍👦🇮🇩 ", "e\u{301}\u{323} ", "Ω≈ç√ ", "\\\"{}[] ",
    ]
    var text = ""
    var turn = 0
    while text.utf8.count + 40 < bytes {
        text += pieces[turn % pieces.count]
        turn += 1
        if lineEnds, turn.isMultiple(of: 20) { text += "\n" }
    }
    return text + String(repeating: "x", count: bytes - text.utf8.count)
}
