import ArgumentParser
import Foundation
import KirimServer
import KirimWire
import Logging
import ServiceLifecycle
import UnixSignals

/// `kirim serve`: a server, its log, and the operator at its prompt.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run a server.",
        discussion: """
            Listens on 127.0.0.1:12345 until told otherwise. What everybody says is
            shown here; a line that you type is sent to everybody, and /help lists
            commands. Programs on this machine may speak plain text: try
            `nc -u 127.0.0.1 12345`.

            EXAMPLES
              kirim serve                               for this machine
              kirim serve --host 0.0.0.0 --host ::      for all who can reach it
              kirim serve --port 4000 --name "Kelas 7B"
              kirim serve --invite-only                 then: kirim invite
              kirim serve --plain lan --host 0.0.0.0    old programs elsewhere, too

            SETTINGS
              Flags go before the environment (KIRIM_HOST, KIRIM_PORT, KIRIM_DATA,
              KIRIM_NAME, KIRIM_PLAIN, KIRIM_PLAIN_SILENCE, KIRIM_PASSWORD_FILE,
              KIRIM_INVITE_ONLY, KIRIM_LOG_LEVEL, KIRIM_CONNECTIONS,
              KIRIM_NEW_MEMBERS, KIRIM_POSTS_PER_SECOND), which goes before the
              settings file (KIRIM_SETTINGS, else ~/.config/kirim/server.json). That is one
              JSON object with any of these keys; what is mistyped is refused:
              {"host": ["0.0.0.0", "::"], "port": 4000, "data": "/srv/kirim",
               "name": "Kelas 7B", "plain": "off", "plainSilence": 60,
               "passwordFile": "/srv/kirim/password", "inviteOnly": false,
               "logLevel": "notice", "connections": 10000, "newMembers": 50,
               "postsPerSecond": 500}

            EXIT CODES
              0   it was stopped: /quit, Ctrl-C, SIGTERM
              64  a flag makes no sense
              69  the address is not this machine's, or another program has it
              73  the key or the rooms cannot be read or written
              78  a setting makes no sense
            """
    )

    @Option(help: "An address to listen on; may be given several times. (default: 127.0.0.1)")
    var host: [String] = []

    @Option(help: "The UDP port; 0 takes a free one. (default: 12345)")
    var port: Int?

    @Option(
        help: "The folder of the server's key and rooms. (default: ~/.local/share/kirim/server)",
        transform: Reading.folder
    )
    var data: String?

    @Option(help: "What the server calls itself. (default: Kirim)")
    var name: String?

    @Option(
        help:
            "Who may speak plain text: off, loopback or lan. (default: loopback; off where a password or an invitation is needed)"
    )
    var plain: String?

    @Option(help: "Minutes of silence after which a plain client has left. (default: 60)")
    var plainSilence: Int?

    @Option(help: "Let in only who knows the password, the first line of this file.")
    var passwordFile: String?

    @Flag(help: "Let in only who was invited: see kirim invite.")
    var inviteOnly = false

    @Option(help: "How much the server tells about itself on standard error. (default: notice)")
    var logLevel: String?

    @Option(help: "Connections that there may be at once. (default: 10000)")
    var connections: Int?

    @Option(help: "New members that may come from one address at once. (default: 50)")
    var newMembers: Int?

    @Option(help: "Messages a second of one member; ten times as many at once. (default: 500)")
    var postsPerSecond: Int?

    @Flag(help: "Show the server in a window of the desktop, and not in this terminal.")
    var window = false

    @Option(help: "The settings file, JSON. (default: ~/.config/kirim/server.json)")
    var settings: String?

    func run() async throws {
        #if !GTK
        if window { throw Main.withoutWindows.said() }
        #endif
        do { try await serve() } catch { throw said(error) }
    }

    /// Says what kept the server from starting, and gives the exit code.
    func said(_ error: any Error) -> any Error {
        switch error {
        case let complaint as Complaint: complaint.said()
        case let error as ServerError:
            Complaint(sentence: error.sentence, code: code(of: error)).said()
        default: error
        }
    }

    private func code(of error: ServerError) -> ExitCode {
        switch error {
        case .addressInUse, .addressUnknown, .addressDenied, .network: Complaint.unavailable
        case .storage: Complaint.storage
        }
    }

    /// The server as flags, environment and settings file want it; it does not run yet.
    func open() async throws -> (server: KirimServer, settings: ServeSettings) {
        let settings = try ServeSettings.read(
            ServeSettings.Flags(
                host: host,
                port: port,
                data: data,
                name: name,
                plain: plain,
                plainSilence: plainSilence,
                passwordFile: passwordFile,
                inviteOnly: inviteOnly ? true : nil,
                logLevel: logLevel,
                connections: connections,
                newMembers: newMembers,
                postsPerSecond: postsPerSecond,
                settings: self.settings
            )
        )
        // A reader of the log that goes away must not end the server.
        signal(SIGPIPE, SIG_IGN)
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var log = Logger(label: "kirim")
        log.logLevel = settings.logLevel
        return (try await KirimServer.open(settings.options, log: log), settings)
    }

    /// Runs it until SIGINT or SIGTERM, or until the group is told to stop.
    static func group(of service: any Service) -> ServiceGroup {
        ServiceGroup(
            configuration: .init(
                services: [.init(service: service)],
                gracefulShutdownSignals: [.sigint, .sigterm],
                logger: Self.quiet
            )
        )
    }

    private func serve() async throws {
        let (server, settings) = try await open()
        let console = OperatorConsole()
        defer { console.leave() }
        // Said once signals are obeyed: whoever reads it may stop the server at once.
        let greeted = Greeted(server) { introduce(server, settings.options, on: console) }
        let group = Self.group(of: greeted)
        let notes = Task {
            for await notes in server.notes { console.show(notes.map(ServerLog.line(for:))) }
        }
        let typing = Task {
            for await line in console.lines {
                switch await server.operatorLine(line) {
                case .nothing: break
                case .text(let text): console.show(text)
                case .quit: await group.triggerGracefulShutdown()
                }
            }
        }
        try await group.run()
        typing.cancel()
        await notes.value
        console.leave()
        console.show("The server has stopped.")
    }

    /// The service group says much that no operator asks for.
    private static var quiet: Logger {
        var log = Logger(label: "kirim.lifecycle")
        log.logLevel = .error
        return log
    }

    private func introduce(
        _ server: KirimServer,
        _ options: ServerOptions,
        on console: OperatorConsole
    ) {
        let all = server.addresses.map(\.description).joined(separator: ", ")
        console.show("\(options.name) serves on \(all)")
        console.show("Fingerprint of its key: \(server.publicKey.fingerprint)")
        if let first = server.addresses.first {
            if first.ip.isUnspecified {
                console.show(
                    "Others connect with: kirim chat kirim://ADDRESS:\(first.port)/\(server.publicKey)"
                )
            } else {
                console.show(
                    "Others connect with: kirim chat kirim://\(first)/\(server.publicKey)"
                )
            }
        }
        if case .invitation = options.access {
            console.show("Only the invited come in; kirim invite makes an invitation.")
        }
        console.show("A line that you type is sent to everybody; /help lists commands.")
    }
}

/// A service that says something when it begins.
private struct Greeted<Base: Service>: Service {
    let base: Base
    let say: @Sendable () -> Void

    init(_ base: Base, say: @escaping @Sendable () -> Void) {
        self.base = base
        self.say = say
    }

    func run() async throws {
        say()
        try await base.run()
    }
}
