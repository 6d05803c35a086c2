import ArgumentParser
import Foundation
import KirimClient
import KirimRooms
import KirimServer
import KirimTerminal
import KirimWire
import UnixSignals

/// `kirim chat`: the line face, for people and for pipes.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Chat on a server, in this terminal or through pipes.",
        discussion: """
            At a terminal: type a line, press Return. … is waiting, ✓ is kept by the
            server. /help lists the commands. What is written while the server is
            away is kept and sent later.

            Through a pipe: every line of the input is a message (empty ones are passed
            over, a slash means nothing); the program ends when the server has accepted
            all of them. The output is plain lines, or with --json one object a line:
            entry, decided, phase and others, each with its fields.

            EXAMPLES
              kirim chat
              kirim chat chat.example:4000 --name ani --room kelas
              kirim chat kirim://192.0.2.7:12345/<key>?invite=<token>
              echo "halo" | kirim chat --room lobby
              kirim chat --json --follow < /dev/null
              kirim chat --plain --port 50001 127.0.0.1:12345

            EXIT CODES
              0    all was accepted, or you left
              1    a message was refused, or a line cannot be a message
              3    the server did not answer in time (what was written is kept)
              4    another server than before answers there: nothing was sent
              5    a password or an invitation is needed, or was not taken
              6    the operator put you out
              7    something on this machine is in the way: the disk, a port, a file
              64   a flag makes no sense
              130  Ctrl-C
            """
    )

    @Argument(
        help: "host, host:port, or kirim://host:port/key. (default: 127.0.0.1:12345)",
        transform: Reading.server
    )
    var address: ServerAddress?

    @Option(
        help: "The room to be in; it is made if nobody has. (default: lobby)",
        transform: Reading.room
    )
    var room: RoomName?

    @OptionGroup var person: PersonOptions

    @Option(
        help: "The local UDP port; others may know you by it. (default: any)",
        transform: Reading.localPort
    )
    var port: UInt16?

    @Flag(help: "Speak plain text, to any server that does: nothing is encrypted or repeated.")
    var plain = false

    @Flag(help: "Print one JSON object a line.")
    var json = false

    @Flag(help: "Go on showing what comes when the input has ended.")
    var follow = false

    @Option(help: "Older messages to show at the start, 0 to 500. (default: 50; 0 through a pipe)")
    var history: Int?

    @Option(help: "Seconds without an answer after which a piped chat gives up.")
    var timeout = 30

    func validate() throws {
        if let history, !(0...500).contains(history) {
            throw ValidationError("--history is 0 to 500.")
        }
        guard (1...86_400).contains(timeout) else {
            throw ValidationError("--timeout is 1 to 86400 seconds.")
        }
    }

    func run() async throws {
        let exit: ChatExit
        do {
            exit = if plain { try await chatPlainly() } else { try await chat() }
        } catch let code as ExitCode {
            // It did not come to a chat; a program that reads waits for the last line all the same.
            if json { JSONLine.sayEnd(accepted: 0, refused: 0, code: code.rawValue) }
            throw code
        }
        guard exit == .done else { throw ExitCode(exit.rawValue) }
    }

    /// Sentences for people; programs read English.
    private var words: Words {
        json ? Words(.english) : Words(environment: ProcessInfo.processInfo.environment)
    }

    private var server: ServerAddress { address ?? .local }

    private var isTyped: Bool { Terminal.isTerminal(STDIN_FILENO) }

    /// A prompt needs a terminal at both ends, one that can erase.
    private var hasPrompt: Bool {
        isTyped && Terminal.isTerminal(STDOUT_FILENO) && !json
            && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    private func chat() async throws -> ChatExit {
        let environment = ProcessInfo.processInfo.environment
        let words = words
        var options = try person.clientOptions()
        options.waitForServer = false
        options.history = history ?? (isTyped ? 50 : 0)
        options.localPort = port ?? 0
        options.patience = .seconds(min(timeout, 20))
        options.agent = "kirim chat"
        let client = try await person.connect(to: server, options)
        let face = LineFace(
            address: server,
            room: room ?? .lobby,
            words: words,
            style: Style(environment: environment, isTerminal: hasPrompt),
            clock: hasPrompt ? Self.clock : .none,
            hasCommands: isTyped && !json
        )
        let terminal = Terminal()
        if hasPrompt, terminal.start() {
            var chat = InteractiveChat(client: client, terminal: terminal, face: face, words: words)
            return await chat.run()
        }
        var streaming = StreamChat.Options(room: room ?? .lobby)
        streaming.isJSON = json
        streaming.follows = follow
        streaming.hasCommands = isTyped && !json
        streaming.patience = .seconds(timeout)
        var chat = StreamChat(client: client, face: face, options: streaming)
        return await chat.run(interruptions: Self.interruptions)
    }

    private static var clock: LineFace.Clock {
        LineFace.Clock(
            time: { LocalTime.clock(milliseconds: $0.milliseconds) },
            day: { LocalTime.day(milliseconds: $0.milliseconds) },
            today: {
                LocalTime.day(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
            }
        )
    }

    /// Ctrl-C, or the wish that the program ends: the chat says goodbye, and what waits is told. It has a moment for
    /// that: an output that is full and not read holds it up, and a second signal means at once.
    private static var interruptions: AsyncStream<Void> {
        AsyncStream { continuation in
            Task {
                var isAsked = false
                for await _ in await UnixSignalsSequence(trapping: [.sigint, .sigterm]) {
                    if isAsked { _exit(ChatExit.interrupted.rawValue) }
                    isAsked = true
                    continuation.yield()
                    Task {
                        try? await Task.sleep(for: .seconds(3))
                        _exit(ChatExit.interrupted.rawValue)
                    }
                }
            }
        }
    }

    private func chatPlainly() async throws -> ChatExit {
        let words = words
        let link: PlainLink
        do {
            link = try await PlainLink.open(to: server, localPort: try askedPort())
        } catch let error as KirimError {
            StandardOutput.complain("kirim: \(words.sentence(for: error, at: server))")
            throw ExitCode(ChatExit(error).rawValue)
        }
        let chat = PlainChat(link: link, address: server, words: words, isJSON: json)
        let terminal = Terminal()
        if hasPrompt, terminal.start() { return await chat.run(on: terminal) }
        return await chat.run(follows: follow)
    }

    /// The port that was named, or is named now, as the program asked that this protocol comes from.
    private func askedPort() throws -> UInt16 {
        if let port { return port }
        guard isTyped else { return 0 }
        while true {
            StandardOutput.write("Enter port: ")
            guard let line = readLine() else { throw ExitCode(ChatExit.interrupted.rawValue) }
            let text = line.trimmingCharacters(in: .whitespaces)
            if text.isEmpty { return 0 }
            if let port = UInt16(text) { return port }
            StandardOutput.complain("A port is a number from 1 to 65535; Return alone takes any.")
        }
    }
}

/// Who somebody is, and what is needed to be let in: shared by `chat` and `send`.
struct PersonOptions: ParsableArguments {
    @Option(help: "The name to bear, if it is free. (default: the one borne there before)")
    var name: String?

    @Option(
        help: "The folder of key, outbox and history. (default: ~/.local/share/kirim)",
        transform: Reading.folder
    )
    var data: String?

    @Option(help: "A file whose first line is the server's password.")
    var passwordFile: String?

    @Option(
        help: "Accept this server key from now on, in place of the one known before.",
        transform: Reading.key
    )
    var trust: PublicKey?

    func validate() throws {
        if let name, MemberName(name) == nil {
            throw ValidationError(Refusal.nameNotAllowed.sentence)
        }
    }

    func clientOptions() throws -> KirimClient.Options {
        var options = KirimClient.Options()
        options.dataFolder = data
        options.trust = trust
        if let passwordFile { options.password = try password(in: passwordFile) }
        return options
    }

    private func password(in path: String) throws -> String {
        do {
            return try PasswordFile.password(at: path)
        } catch {
            StandardOutput.complain("kirim: \(error.sentence)")
            throw ExitCode(ChatExit.local.rawValue)
        }
    }

    func connect(
        to server: ServerAddress,
        _ options: KirimClient.Options
    ) async throws(ExitCode) -> KirimClient {
        do {
            return try await KirimClient.connect(to: server, as: name, options: options)
        } catch {
            let error = KirimError(of: error)
            let words = Words(environment: ProcessInfo.processInfo.environment)
            let folder = data.map { Folders.expanded($0) } ?? Folders.data
            // Whoever is to move a file away must know where it is.
            let place = error.code == .storage ? folder.map { " (\($0))" } ?? "" : ""
            StandardOutput.complain("kirim: \(words.sentence(for: error, at: server))\(place)")
            throw ExitCode(ChatExit(error).rawValue)
        }
    }
}

/// Reads what a person wrote after a flag, or says what it should have been.
enum Reading {
    static func server(_ text: String) throws -> ServerAddress {
        if let address = ServerAddress(text) {
            guard !ReflectablePorts.contains(address.port) else {
                throw ValidationError("Nobody chats at \(text): \(Setting.unusable(address.port)).")
            }
            return address
        }
        throw ValidationError(
            "\(text) is no address; write host, host:port or kirim://host:port/key."
        )
    }

    static func room(_ text: String) throws -> RoomName {
        if let room = RoomName(text) { return room }
        throw ValidationError(
            "A room's name has up to 64 letters, no spaces, and no / at the start."
        )
    }

    /// The port that a client sends from.
    static func localPort(_ text: String) throws -> UInt16 {
        guard let port = UInt16(text) else {
            throw ValidationError("A port is a number from 1 to 65535; 0 takes any.")
        }
        guard port == 0 || !ReflectablePorts.contains(port) else {
            throw ValidationError("Choose another port: \(Setting.unusable(port)).")
        }
        return port
    }

    /// An empty path would be the current folder, which nobody means.
    static func folder(_ text: String) throws -> String {
        guard !text.isEmpty else { throw ValidationError("The path of a folder is empty.") }
        return text
    }

    static func key(_ text: String) throws -> PublicKey {
        if let key = PublicKey(text) { return key }
        throw ValidationError("A key has 52 letters and digits; kirim key prints it.")
    }
}
