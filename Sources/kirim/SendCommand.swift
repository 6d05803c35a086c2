import ArgumentParser
import Foundation
import KirimClient
import KirimRooms
import KirimTerminal
import KirimWire

/// `kirim send`: one message, and the server's word that it is kept.
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send one message, and wait until the server has accepted it.",
        discussion: """
            The words are joined with spaces. Without words, the whole input is the
            message, as it is, but for one line end at its close. The first word is the
            server's address where it looks like one: it begins with kirim://, or is
            host:port, or an IP address; --to takes any.

            EXAMPLES
              kirim send halo semua
              kirim send chat.example:12345 --room kelas "mulai jam 8"
              kirim send --to chat.example -- "-5 degrees"
              kirim send --room lab < report.txt

            EXIT CODES
              0   accepted
              1   refused, or too long for one message
              3   the server did not answer in time (the message is kept)
              4   another server than before answers there: nothing was sent
              5   a password or an invitation is needed, or was not taken
              6   the operator put you out
              7   something on this machine is in the way
              64  a flag makes no sense
            """
    )

    @Argument(help: "The address, if it is one, and the words.")
    var words: [String] = []

    @Option(
        help: "The server: host, host:port, or kirim://host:port/key. (default: 127.0.0.1:12345)",
        transform: Reading.server
    )
    var to: ServerAddress?

    @Option(help: "The room; it is joined, or made. (default: lobby)", transform: Reading.room)
    var room: RoomName?

    @OptionGroup var person: PersonOptions

    @Option(help: "Seconds to wait for the server.")
    var timeout = 30

    func validate() throws {
        guard (1...86_400).contains(timeout) else {
            throw ValidationError("--timeout is 1 to 86400 seconds.")
        }
    }

    private var phrases: Words { Words(environment: ProcessInfo.processInfo.environment) }

    func run() async throws {
        let phrases = phrases
        let room = room ?? .lobby
        let (server, text) = try await addressed()
        try check(text.utf8.count)
        guard !text.isEmpty else {
            throw end(.notAccepted, phrases(.nothingToSend))
        }
        var options = try person.clientOptions()
        options.history = 0
        options.waitForServer = false
        options.patience = .seconds(timeout)
        options.agent = "kirim send"
        let client = try await person.connect(to: server, options)
        let news = Task { await Self.tellNews(of: client, phrases) }
        defer { news.cancel() }
        do {
            if room != .lobby { try await client.enter(room) }
            let receipt = try await client.send(text, to: room)
            let isDecided = try await decided(receipt)
            await client.close()
            guard isDecided else {
                throw end(
                    .unreachable,
                    "\(phrases(.noAnswerInTime, server.endpoint)) \(phrases(.isKept))"
                )
            }
        } catch let error as KirimError {
            let isKept = await !client.queued().isEmpty
            await client.close()
            let kept = isKept ? " " + phrases(.isKept) : ""
            throw end(ChatExit(error), phrases.sentence(for: error, at: server) + kept)
        }
    }

    /// The address and the text, wherever they stand.
    private func addressed() async throws -> (ServerAddress, String) {
        var words = words
        var server = to ?? .local
        if to == nil, let first = words.first, let found = try Self.address(first) {
            server = found
            words.removeFirst()
        }
        guard words.isEmpty else { return (server, words.joined(separator: " ")) }
        var bytes: [UInt8] = []
        while bytes.count <= ChatLimits.standard.messageBytes + 1 {
            do throws(InputLines.Fault) {
                let more = try await StandardInput.next()
                guard !more.isEmpty else { break }
                bytes += more
            } catch {
                throw end(error.exit, phrases.sentence(for: error))
            }
        }
        if bytes.last == 0x0A { bytes.removeLast() }
        // Of a longer input only the beginning was read, and a character may be cut.
        try check(bytes.count)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw end(.notAccepted, phrases(.inputNotUTF8))
        }
        return (server, text)
    }

    private func check(_ size: Int) throws {
        let limit = ChatLimits.standard.messageBytes
        guard size > limit else { return }
        throw end(.notAccepted, phrases(.textTooLong, "\(size)", "\(limit)"))
    }

    /// A word that can only be meant as an address.
    private static func address(_ word: String) throws -> ServerAddress? {
        guard let found = ServerAddress(word) else { return nil }
        let isLink = word.lowercased().hasPrefix("kirim://")
        let hasPort = word.hasSuffix(":\(found.port)")
        guard isLink || hasPort || IPAddress(found.host) != nil else { return nil }
        return try Reading.server(word)
    }

    private func decided(_ receipt: Receipt) async throws -> Bool {
        let patience = Duration.seconds(timeout)
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await receipt.accepted()
                return true
            }
            group.addTask {
                try await Task.sleep(for: patience)
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }

    /// Whose key was taken for the server's is worth knowing, also in a script's log.
    private static func tellNews(of client: KirimClient, _ phrases: Words) async {
        for await event in client.events {
            let sentence: String
            switch event {
            case .firstContact(let key): sentence = phrases(.firstContact, key.fingerprint)
            case .unknownHost(let name, let reason):
                sentence = phrases(.unknownHost, VisibleText.row(name), VisibleText.row(reason))
            case .socketFailed(let why): sentence = why
            case .notWelcome(let refusal), .left(_, let refusal?):
                sentence = phrases.refusal(refusal)
            default: continue
            }
            StandardOutput.complain("kirim: \(sentence)")
        }
    }

    private func end(_ exit: ChatExit, _ sentence: String) -> ExitCode {
        StandardOutput.complain("kirim: \(sentence)")
        return ExitCode(exit.rawValue)
    }
}
