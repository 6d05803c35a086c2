package import KirimRooms

/// What a typed line asks for.
package enum Command: Hashable, Sendable {
    case say(String)
    case act(String)
    case reply(SequenceNumber, String)
    case react(SequenceNumber, String)
    case edit(SequenceNumber, String)
    case delete(SequenceNumber)
    case name(MemberName)
    case join(RoomName)
    /// `nil`: the room that is written to.
    case leave(RoomName?)
    case rooms
    case who(RoomName?)
    case link
    case history(Int)
    case help
    case quit
    /// A slash and a word that means nothing here; never sent as text.
    case unknown(String)
    /// A command that lacks something, with the way it is used.
    case misused(String)
    /// A command with a name that cannot be one, and the refusal that says why.
    case impossible(Refusal)

    /// Messages that `/history` shows when it is told no number, and at most.
    package static let historyDefault = 20
    package static let historyLimit = 500

    package init(_ line: String) {
        // A text of several lines was pasted: nobody means it as a command.
        guard line.first == "/", !line.contains(where: \.isNewline) else {
            self = .say(line)
            return
        }
        if line.hasPrefix("//") {
            self = .say(String(line.dropFirst()))
            return
        }
        let word = line.prefix { !$0.isWhitespace }
        let rest = String(line.dropFirst(word.count).drop(while: \.isWhitespace))
        self = Self.parse(word.lowercased(), rest) ?? .unknown(String(word))
    }

    private static func parse(_ word: String, _ rest: String) -> Command? {
        let words = rest.split(whereSeparator: \.isWhitespace)
        let bare = words.first.map(String.init)
        if let usage = usages[word], words.count > usage.most { return .misused(usage.text) }
        switch word {
        case "/name", "/nick":
            guard !rest.isEmpty else { return .misused("/name NAME") }
            return MemberName(rest).map { .name($0) } ?? .impossible(.nameNotAllowed)
        case "/join", "/room", "/j":
            guard let bare else { return .misused("/join ROOM") }
            return room(bare).map { .join($0) } ?? .impossible(.roomNameNotAllowed)
        case "/leave", "/part":
            guard let bare else { return .leave(nil) }
            return room(bare).map { .leave($0) } ?? .misused("/leave [ROOM]")
        case "/who", "/members":
            guard let bare else { return .who(nil) }
            return room(bare).map { .who($0) } ?? .misused("/who [ROOM]")
        case "/rooms", "/list": return .rooms
        case "/me": return rest.isEmpty ? .misused("/me DOES") : .act(rest)
        case "/link": return .link
        case "/history": return history(bare)
        case "/help", "/?": return .help
        case "/quit", "/exit", "/q": return .quit
        case "/reply":
            return numbered(rest).map { .reply($0, $1) } ?? .misused("/reply N TEXT")
        case "/react":
            return numbered(rest).map { .react($0, $1) } ?? .misused("/react N EMOJI")
        case "/edit":
            return numbered(rest).map { .edit($0, $1) } ?? .misused("/edit N TEXT")
        case "/delete":
            return sequence(bare).map { .delete($0) } ?? .misused("/delete N")
        default: return nil
        }
    }

    /// How commands are used that take so many words at most: more were meant as something else.
    private static let usages: [String: (text: String, most: Int)] = [
        "/join": ("/join ROOM", 1), "/room": ("/join ROOM", 1), "/j": ("/join ROOM", 1),
        "/leave": ("/leave [ROOM]", 1), "/part": ("/leave [ROOM]", 1),
        "/who": ("/who [ROOM]", 1), "/members": ("/who [ROOM]", 1),
        "/history": ("/history [COUNT]", 1), "/delete": ("/delete N", 1),
        "/rooms": ("/rooms", 0), "/list": ("/rooms", 0), "/link": ("/link", 0),
        "/help": ("/help", 0), "/?": ("/help", 0), "/quit": ("/quit", 0), "/exit": ("/quit", 0),
        "/q": ("/quit", 0),
    ]

    private static func room(_ text: String?) -> RoomName? { text.flatMap { RoomName($0) } }

    private static func history(_ text: String?) -> Command {
        guard let text else { return .history(historyDefault) }
        guard let count = Int(text), count > 0 else { return .misused("/history [COUNT]") }
        return .history(min(count, historyLimit))
    }

    private static func sequence(_ text: String?) -> SequenceNumber? {
        guard let text, let number = UInt64(text.drop { $0 == "#" }), number > 0 else { return nil }
        return SequenceNumber(rawValue: number)
    }

    private static func numbered(_ rest: String) -> (SequenceNumber, String)? {
        let word = rest.prefix { !$0.isWhitespace }
        let text = String(rest.dropFirst(word.count).drop(while: \.isWhitespace))
        guard let number = sequence(String(word)), !text.isEmpty else { return nil }
        return (number, text)
    }
}
