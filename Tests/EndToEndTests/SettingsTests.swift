import Foundation
import KirimTestKit
import KirimWire
import Testing

/// What a server is told: a mistake ends it with a sentence, and never makes it another server than was meant.
@Suite("Settings", .serialized, .timeLimit(.minutes(3)))
final class SettingsTests {
    private let home: String
    private let program: String

    init() throws {
        home =
            FileManager.default.temporaryDirectory.appending(
                path: "kirim-settings-\(UInt64.random(in: 0 ... .max))"
            ).path
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        program = try ChildProcess.built("kirim")
    }

    deinit { try? FileManager.default.removeItem(atPath: home) }

    private func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        let path = "\(home)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// How the program ended, and what it said.
    private func run(
        _ arguments: [String],
        _ environment: [String: String] = [:]
    ) throws -> (code: Int32?, said: String) {
        let process = try ChildProcess(
            program,
            arguments,
            environment: environment.merging(["HOME": home]) { given, _ in given }
        )
        defer { process.end() }
        process.closeInput()
        let code = process.exitCode()
        return (code, process.lines.joined(separator: "\n"))
    }

    @Test(
        "a mistyped settings file is refused with its key, what it holds, and what it should be",
        arguments: [
            (#"{"inviteOnly":"yes"}"#, ["inviteOnly", "\"yes\"", "true or false"]),
            (#"{"inviteOnly":1}"#, ["inviteOnly", "1", "true or false"]),
            (#"{"invite-only":true}"#, ["invite-only", "did you mean \"inviteOnly\"?"]),
            (#"{"passwordfile":"/x"}"#, ["did you mean \"passwordFile\"?"]),
            (#"{"hots":["::"]}"#, ["did you mean \"host\"?"]),
            (#"{"colour":"red"}"#, ["colour", "there are host, port"]),
            (#"{"plain":false}"#, ["plain", "false", "off, loopback or lan"]),
            (#"{"port":"abc"}"#, ["port", "\"abc\"", "65535"]),
            (#"{"port":20006.5}"#, ["20006.5"]), (#"{"port":70000}"#, ["70000"]),
            (#"{"host":[1]}"#, ["host", "an IP address"]),
            (#"{"data":""}"#, ["data", "empty"]), (#"{"name":null}"#, ["name", "null"]),
            ("{\"port\": 4000,\n oops}", ["no JSON", "line 2"]), ("[1]", ["no JSON object"]),
            ("", ["no JSON"]),
        ]
    )
    func mistypedFile(_ text: String, _ words: [String]) throws {
        let settings = try file("server.json", text.utf8)
        let (code, said) = try run([
            "serve", "--port", "0", "--data", "\(home)/server", "--settings", settings,
        ])
        #expect(code == 78, "\(said)")
        for word in words { #expect(said.contains(word), "\(said)") }
        #expect(!said.contains("Error Domain"))
    }

    @Test(
        "a variable that cannot be meant is refused by name",
        arguments: [
            ("KIRIM_INVITE_ONLY", "on"), ("KIRIM_INVITE_ONLY", "maybe"), ("KIRIM_PORT", "abc"),
            ("KIRIM_PASSWORD_FILE", ""), ("KIRIM_PLAIN", "yes"), ("KIRIM_PLAIN_SILENCE", "0"),
            ("KIRIM_INVITE_ONY", "true"), ("KIRIM_INVITEONLY", "1"), ("KIRIM_PASSWORD", "x"),
            ("KIRIM_HOST", "nowhere"), ("KIRIM_LOG_LEVEL", "loud"), ("KIRIM_SETTINGS", "/nowhere"),
            ("KIRIM_CONNECTIONS", "0"), ("KIRIM_NEW_MEMBERS", "many"),
            ("KIRIM_POSTS_PER_SECOND", "1000001"),
        ]
    )
    func mistypedVariable(_ name: String, _ value: String) throws {
        let (code, said) = try run(["serve", "--data", "\(home)/server"], [name: value])
        #expect(code == 78, "\(said)")
        #expect(said.contains(name) || said.contains(value), "\(said)")
    }

    @Test("what is meant is taken: the file, before it the environment, before that flags")
    func precedence() throws {
        let port = try UDPSocket.freePort()
        let settings = try file(
            "server.json",
            #"{"name":"Berkas","port":1,"host":"127.0.0.1","data":"\#(home)/server"}"#.utf8
        )
        let server = try ChildProcess(
            program,
            ["serve", "--port", "\(port)"],
            environment: ["HOME": home, "KIRIM_SETTINGS": settings, "KIRIM_NAME": "Lingkungan"]
        )
        defer { server.end() }
        #expect(server.line { $0 == "Lingkungan serves on 127.0.0.1:\(port)" } != nil)
        #expect(FileManager.default.fileExists(atPath: "\(home)/server/server.key"))
    }

    @Test(
        "a password file without a password in its first line keeps the server from starting",
        arguments: [[0x0A, 0x62, 0x0A], [], [0xFF, 0x0A]] as [[UInt8]]
    )
    func noPassword(_ bytes: [UInt8]) throws {
        let path = try file("password", bytes)
        let data = ["--data", "\(home)/server"]
        let server = try run(["serve", "--port", "0", "--password-file", path] + data)
        #expect(server.code == 78, "\(server.said)")
        let client = try run(["send", "--password-file", path, "--data", "\(home)/ani", "halo"])
        #expect(client.code == 7, "\(client.said)")
        #expect(server.said == client.said)
    }

    @Test("server and client read the first line alone, whatever ends it")
    func firstLine() throws {
        let port = try UDPSocket.freePort()
        let server = try ChildProcess(
            program,
            [
                "serve", "--port", "\(port)", "--data", "\(home)/server", "--password-file",
                try file("theirs", "rahasia\r\nsecond\n".utf8),
            ],
            environment: ["HOME": home]
        )
        defer { server.end() }
        #expect(server.line(containing: ":\(port)") != nil)
        let sent = try run([
            "send", "--to", "127.0.0.1:\(port)", "--data", "\(home)/ani", "--password-file",
            try file("ours", "rahasia".utf8), "halo",
        ])
        #expect(sent.code == 0, "\(sent.said)")
        let without = try run([
            "send", "--to", "127.0.0.1:\(port)", "--data", "\(home)/budi", "halo",
        ])
        #expect(without.code == 5)
        #expect(without.said.contains("--password-file"), "\(without.said)")
    }

    @Test("a port that nobody is answered on is refused at both ends")
    func reflectablePort() throws {
        let server = try run(["serve", "--port", "5060", "--data", "\(home)/server"])
        #expect(server.code == 78)
        #expect(server.said.contains("5060"), "\(server.said)")
        for arguments in [["chat", "127.0.0.1:5060"], ["chat", "--port", "1900"]] {
            let client = try run(arguments)
            #expect(client.code == 64)
            #expect(client.said.contains("belongs to a service"), "\(client.said)")
        }
    }

    @Test("an empty path is no folder")
    func emptyPath() throws {
        for command in [["serve", "--port", "0"], ["chat"], ["invite"], ["key"]] {
            let (code, said) = try run(command + ["--data", ""])
            #expect(code == 64, "\(said)")
            #expect(said.contains("empty"), "\(said)")
        }
    }

    @Test("an invitation is to the server of the settings, and no key is made for it")
    func invitation() throws {
        let folder = "\(home)/elsewhere"
        let settings = try file(
            "server.json",
            #"{"data":"\#(folder)","port":4321,"inviteOnly":true}"#.utf8
        )
        let early = try run(["invite", "--settings", settings])
        #expect(early.code == 73)
        #expect(early.said.contains("kirim serve"), "\(early.said)")
        #expect(!FileManager.default.fileExists(atPath: folder))
        let server = try ChildProcess(
            program,
            ["serve", "--settings", settings, "--port", "0"],
            environment: ["HOME": home]
        )
        defer { server.end() }
        #expect(server.line(containing: "kirim invite") != nil)
        let invited = try run(["invite", "--settings", settings, "--host", "[::1]"])
        #expect(invited.code == 0, "\(invited.said)")
        #expect(invited.said.hasPrefix("kirim://[::1]:4321/"), "\(invited.said)")
        #expect(ServerAddress(invited.said)?.invitation != nil)
        #expect(!FileManager.default.fileExists(atPath: "\(home)/.local"))
        for flags in [
            ["--port", "0"], ["--port", "5060"], ["--host", "bad host"], ["--host", "a/b"],
            ["--host", "0.0.0.0"], ["--host", "::"], ["--host", ""],
        ] {
            let refused = try run(["invite", "--settings", settings] + flags)
            #expect(refused.code == 64, "\(flags): \(refused.said)")
        }
    }

    @Test("keys that nobody could read are no success")
    func fullOutput() throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        let shell = try ChildProcess(
            "/bin/sh",
            ["-c", "\"$0\" key > /dev/full", program],
            environment: ["HOME": home]
        )
        defer { shell.end() }
        #expect(shell.exitCode() == 73, "\(shell.lines)")
    }
}
