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

    package init(_ typed: String) {
        // A paste may bring its line end with it.
        let line = String(typed.reversed().drop(while: \.isNewline).reversed())
        guard line.first == "/" else {
            self = .say(typed)
            return
        }
        if line.hasPrefix("//") {
            self = .say(String(typed.dropFirst()))
            return
        }
        let word = line.prefix { !$0.isWhitespace }
        let rest = String(line.dropFirst(word.count).drop(while: \.isWhitespace))
        // Of several lines only a text can be meant: of a command that takes one, or else of a message.
        let takesText = ["/me", "/reply", "/edit"].contains(word.lowercased())
        guard takesText || !line.contains(where: \.isNewline) else {
            self = .say(typed)
            return
        }
        self = Self.parse(word.lowercased(), rest) ?? .unknown(String(word))
    }

    private static func parse(_ word: String, _ rest: String) -> Command? {
        let words = rest.split(whereSeparator: \.isWhitespace)
        let bare = words.first.map(String.init)
        let usage = usages[word]
        if let usage, words.count > usage.most { return .misused(usage.text) }
        func misused() -> Command? { usage.map { .misused($0.text) } }
        switch word {
        case "/name", "/nick":
            guard !rest.isEmpty else { return .misused("/name NAME") }
            return MemberName(rest).map { .name($0) } ?? .impossible(.nameNotAllowed)
        case "/join", "/room", "/j":
            guard let bare else { return misused() }
            return room(bare).map { .join($0) } ?? .impossible(.roomNameNotAllowed)
        case "/leave", "/part":
            guard let bare else { return .leave(nil) }
            return room(bare).map { .leave($0) } ?? misused()
        case "/who", "/members":
            guard let bare else { return .who(nil) }
            return room(bare).map { .who($0) } ?? misused()
        case "/rooms", "/list": return .rooms
        case "/me": return rest.isEmpty ? .misused("/me DOES") : .act(rest)
        case "/link": return .link
        case "/history": return history(bare) ?? misused()
        case "/help", "/?": return .help
        case "/quit", "/exit", "/q": return .quit
        case "/reply":
            return numbered(rest).map { .reply($0, $1) } ?? .misused("/reply N TEXT")
        case "/react":
            return numbered(rest).map { .react($0, $1) } ?? .misused("/react N EMOJI")
        case "/edit":
            return numbered(rest).map { .edit($0, $1) } ?? .misused("/edit N TEXT")
        case "/delete":
            return sequence(bare).map { .delete($0) } ?? misused()
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

    private static func history(_ text: String?) -> Command? {
        guard let text else { return .history(historyDefault) }
        guard let count = Int(text), count > 0 else { return nil }
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
