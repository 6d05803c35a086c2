import Foundation
import KirimJournal
import KirimRooms
import KirimTestKit
import KirimWire
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// A server and people, each a real process, with all their files in a folder of this stage.
final class Stage {
    let folder: String
    let address: Address
    private(set) var server: ChildProcess
    let program: String
    private let serverArguments: [String]
    /// For the server's next start.
    var serverEnvironment: [String: String] = [:]
    private var others: [ChildProcess] = []

    /// `prepare` is given the path of the server's data before the server starts.
    init(_ serverArguments: [String] = [], prepare: (String) throws -> Void = { _ in }) throws {
        folder =
            FileManager.default.temporaryDirectory.appending(
                path: "kirim-stage-\(UInt64.random(in: 0 ... .max))"
            ).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        program = try ChildProcess.built("kirim")
        address = Address(ip: .loopback, port: try UDPSocket.freePort())
        self.serverArguments = serverArguments
        try prepare("\(folder)/server")
        server = try Self.serve(program, address, folder, serverArguments)
    }

    deinit {
        for process in others + [server] { process.end() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func serve(
        _ program: String,
        _ address: Address,
        _ folder: String,
        _ more: [String],
        _ environment: [String: String] = [:]
    ) throws -> ChildProcess {
        let server = try ChildProcess(
            "/usr/bin/env",
            Self.prefix(environment) + [program, "serve", "--port", "\(address.port)"]
                + ["--data", "\(folder)/server"] + more,
            environment: ["HOME": folder]
        )
        guard server.line(containing: ":\(address.port)") != nil else {
            server.end()
            throw Unready(said: server.lines)
        }
        return server
    }

    /// What stands before a program for `env`. By way of a shell: a library that is preloaded may move the environment
    /// about, which Swift finds its arguments by, and does so only once for both.
    private static func prefix(_ environment: [String: String]) -> [String] {
        if environment.isEmpty { return [] }
        return environment.map { "\($0)=\($1)" } + ["/bin/sh", "-c", "exec \"$@\"", "sh"]
    }

    struct Unready: Error { let said: [String] }

    /// Ends the server (as a power cut does, unless told otherwise) and starts it again.
    func restartServer(by number: Int32 = SIGKILL) throws {
        stopServer(by: number)
        server = try Self.serve(program, address, folder, serverArguments, serverEnvironment)
    }

    func stopServer(by number: Int32) {
        server.kill(number)
        _ = server.exitCode()
        server.closeInput()
    }

    /// Somebody in a room, who speaks line by line and whose screen is JSON.
    func person(
        _ name: String,
        at door: Address? = nil,
        _ more: [String] = [],
        environment: [String: String] = [:]
    ) throws -> Person {
        Person(
            try run(
                ["chat", "\(door ?? address)", "--name", name, "--json", "--data", data(of: name)]
                    + more,
                environment: environment
            )
        )
    }

    func data(of name: String) -> String { "\(folder)/\(name)" }

    /// The program with other arguments.
    func run(
        _ arguments: [String],
        environment: [String: String] = [:]
    ) throws -> ChildProcess {
        let process = try ChildProcess(
            "/usr/bin/env",
            Self.prefix(environment) + [program] + arguments,
            environment: ["HOME": folder]
        )
        others.append(process)
        return process
    }

    /// Somebody at a terminal.
    func terminal(_ arguments: [String]) throws -> PseudoTerminal {
        let terminal = try PseudoTerminal(program, arguments, environment: ["HOME": folder])
        others.append(terminal.process)
        return terminal
    }

    /// One of the old programs; `nil`, with a reason printed, where there is no Python.
    func python(_ fixture: String, _ arguments: [String]) throws -> ChildProcess? {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/\(fixture)").path
        for folder in ["/usr/bin", "/usr/local/bin", "/root/.pyenv/shims"] {
            let python = "\(folder)/python3"
            guard FileManager.default.isExecutableFile(atPath: python) else { continue }
            let process = try ChildProcess(python, ["-u", script] + arguments)
            others.append(process)
            return process
        }
        print("SKIPPED: there is no python3 here to run the old program \(fixture).")
        return nil
    }

    /// What people said in the lobby, as it stands in the server's log; the server must have ended.
    func texts() throws -> [String] { try log().filter { $0.kind == .text }.map(\.text) }

    /// The texts of a room as they stand in the server's log; the server must have ended.
    func log(of room: RoomName = .lobby) throws -> [Entry] {
        let journal = try SQLiteRoomJournal(path: "\(folder)/server/rooms.sqlite")
        defer { try? journal.close() }
        var log: [Entry] = []
        while true {
            let next = (log.last?.sequence ?? .zero).next
            let query = EntryQuery(room: room, from: next, entryLimit: 1_000, byteLimit: 1 << 24)
            let more = try journal.entries(query)
            if more.isEmpty { return log }
            log += more
        }
    }
}

/// What one person saw: the lines of `kirim chat --json`.
final class Person: Sendable {
    let process: ChildProcess

    init(_ process: ChildProcess) { self.process = process }

    /// One line of JSON.
    struct Event {
        let fields: [String: Any]

        init?(_ line: String) {
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)),
                let fields = object as? [String: Any]
            else { return nil }
            self.fields = fields
        }

        var name: String { fields["event"] as? String ?? "" }
        var text: String { fields["text"] as? String ?? "" }
        var kind: String { fields["kind"] as? String ?? "" }
        var author: String { fields["author"] as? String ?? "" }
        var sequence: Int { fields["seq"] as? Int ?? 0 }
        var room: String { fields["room"] as? String ?? "" }
        var isAccepted: Bool { fields["accepted"] as? Bool ?? false }
    }

    func says(_ text: String) { process.type(text) }

    /// Waits until the person is in the lobby and has read what was there.
    func isIn(within patience: Duration = .seconds(30)) -> Bool {
        process.line(within: patience) { line in
            Event(line).map { $0.name == "caught_up" } ?? false
        } != nil
    }

    /// The next entry with this text; those before it are passed over.
    func hears(_ text: String, within patience: Duration = .seconds(30)) -> Event? {
        process.line(within: patience) { line in
            Event(line).map { $0.name == "entry" && $0.text == text } ?? false
        }.flatMap { Event($0) }
    }

    /// All entries so far, in the order in which they were shown.
    var entries: [Event] {
        process.lines.compactMap { Event($0) }.filter { $0.name == "entry" }
    }

    /// All posts that were said to be accepted, in order.
    var accepted: [Event] {
        process.lines.compactMap { Event($0) }.filter { $0.name == "decided" && $0.isAccepted }
    }
}
