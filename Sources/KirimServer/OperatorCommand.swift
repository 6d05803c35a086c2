import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire

/// What the operator typed.
package enum OperatorCommand: Hashable, Sendable {
    case say(String)
    case who
    case rooms
    case bans
    case counters
    case kick(String)
    case ban(String)
    case unban(String)
    case help
    case quit
    case nothing
    case unknown(String)

    package init(_ typed: String) {
        var line = Substring(typed)
        while line.last == "\n" { line.removeLast() }
        // A text of several lines was pasted: nobody means its lines as commands.
        guard !line.contains("\n") else {
            self = .say(String(line))
            return
        }
        // `//text` says a line that begins with a slash.
        if line.hasPrefix("//") {
            self = .say(String(line.dropFirst()))
            return
        }
        guard line.hasPrefix("/") else {
            self = line.allSatisfy(\.isWhitespace) ? .nothing : .say(String(line))
            return
        }
        let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        let argument = parts.count > 1 ? String(parts[1].trimmed) : ""
        switch parts[0] {
        case "/who": self = .who
        case "/rooms": self = .rooms
        case "/bans": self = .bans
        case "/counters": self = .counters
        case "/kick": self = .kick(argument)
        case "/ban": self = .ban(argument)
        case "/unban": self = .unban(argument)
        case "/help": self = .help
        case "/quit", "/exit": self = .quit
        case let other: self = .unknown(String(other))
        }
    }

    static let manual = """
        A line without a slash is sent to everybody, as the server. Commands:
          /who              who is here, with addresses and keys
          /rooms            all rooms, with members and messages
          /kick WHO         put somebody out for a minute: NAME, key, fingerprint or ADDRESS:PORT
          /ban WHO          keep somebody out: the same, or an address, or a prefix like 10.1.0.0/16
          /unban WHO        let somebody in again; /bans lists who is kept out
          /counters         what came in, was dropped, and why
          /quit             stop the server
        """
}

/// What to show the operator after a line.
package enum OperatorAnswer: Hashable, Sendable {
    /// Nothing: what follows from it comes as a note.
    case nothing
    case text(String)
    /// The server is to stop.
    case quit
}

extension Engine {
    func obey(_ command: OperatorCommand) -> OperatorAnswer {
        switch command {
        case .nothing: return .nothing
        case .say(let text): carryOut(.say(text))
        case .who: return .text(whoIsHere)
        case .rooms: return .text(roomList)
        case .bans:
            let bans = core.bans.map { ServerLog.text(of: $0) }
            return .text(bans.isEmpty ? "Nobody is kept out." : bans.joined(separator: "\n"))
        case .counters: return .text(counterList)
        case .kick(let who): return kick(who)
        case .ban(let who): return ban(who)
        case .unban(let who): return unban(who)
        case .help: return .text(OperatorCommand.manual)
        case .quit: return .quit
        case .unknown(let name):
            return .text("There is no command \(name); /help lists them. //text sends /text.")
        }
        return .nothing
    }

    private var whoIsHere: String {
        let lines = status.guests.map { guest in
            let place = ServerLog.client(guest.address)
            guard let name = guest.name, let key = guest.key else { return "\(place) (plain text)" }
            var line = "\(place) \(name)"
            if guest.presence != .online { line += " (\(guest.presence))" }
            if let trip = guest.roundTrip { line += ", \(trip.inMilliseconds) ms" }
            return line + ", key \(key.fingerprint)"
        }
        return lines.isEmpty ? "Nobody is here." : lines.joined(separator: "\n")
    }

    private var roomList: String {
        core.rooms.map { room in
            "#\(room.name): \(room.members) members, \(room.last.rawValue) messages"
        }.joined(separator: "\n")
    }

    private var counterList: String {
        let status = status
        let counted = status.counters.map { "\($0.name): \($0.value)" }
        return (["connections: \(status.connections)"] + counted).joined(separator: "\n")
    }

    private func kick(_ who: String) -> OperatorAnswer {
        if let address = Address(who) {
            guard let guest = status.guests.first(where: { $0.address == address }) else {
                return .text("Nobody is there; /who lists all.")
            }
            carryOut(.kick(guest.id))
            return .nothing
        }
        guard let key = key(of: who) ?? key(named: who) else { return unknown(who) }
        return carryOut(.kick(.member(key))) ? .nothing : .text("Nobody has that key.")
    }

    private func ban(_ who: String) -> OperatorAnswer {
        guard let ban = whom(who) else { return unknown(who) }
        guard carryOut(.ban(ban.masked)) else { return .text("That is so already.") }
        guard case .prefix(let ip, _) = ban, Address(who) != nil else { return .nothing }
        return .text("This keeps out everybody at \(ip); a port by itself proves nothing.")
    }

    private func unban(_ who: String) -> OperatorAnswer {
        guard let ban = whom(who) else { return unknown(who) }
        // As it was typed, should it have been written down so.
        if carryOut(.unban(ban)) || carryOut(.unban(ban.masked)) { return .nothing }
        if let wider = core.bans.first(where: { $0.covers(ban) }) {
            let text = ServerLog.text(of: wider)
            return .text("\(who) is kept out by \(text); /unban \(text) lets all of them in again.")
        }
        return .text("Nobody keeps \(who) out; /bans lists all.")
    }

    private func unknown(_ who: String) -> OperatorAnswer {
        who.isEmpty
            ? .text("Say who: a name, a key, a fingerprint or an address.")
            : .text(
                "Nobody is called \(who), and it is no key, fingerprint or address; /who lists all."
            )
    }

    /// What proves who somebody is goes before a name: people choose names, also such as look like an address.
    private func key(of who: String) -> PublicKey? {
        if let key = PublicKey(who) { return key }
        let keys = core.keys(withFingerprint: who)
        return keys.count == 1 ? keys[0] : nil
    }

    private func key(named who: String) -> PublicKey? {
        MemberName(kept: who).flatMap { core.member(named: $0)?.key }
    }

    /// A key, its fingerprint, an address, an address with its port, a prefix, or a name.
    private func whom(_ who: String) -> Ban? {
        if let key = key(of: who) { return .key(key) }
        return prefix(who) ?? key(named: who).map { .key($0) }
    }

    private func prefix(_ who: String) -> Ban? {
        let parts = who.split(separator: "/", maxSplits: 1)
        let ip = parts.first.flatMap { IPAddress(String($0)) } ?? Address(who)?.ip
        guard let ip else { return nil }
        let whole: UInt8 = if case .v4 = ip.unmapped { 32 } else { 128 }
        guard parts.count == 2 else { return .prefix(ip.unmapped, bits: whole) }
        guard let bits = UInt8(parts[1]), bits <= whole else { return nil }
        return .prefix(ip.unmapped, bits: bits)
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
