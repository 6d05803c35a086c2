package import KirimRooms
package import KirimWire

/// The operator's log: one line for each thing that happened, in words.
package enum ServerLog {
    /// The line for a note; what people sent stands in it so that a terminal shows it and obeys nothing.
    package static func line(for note: ServerNote) -> String {
        switch note {
        case .said(let name, let address, let room, let kind, let text):
            said(name, address, room, kind, text)
        case .broadcast(let text): "Server: \(visible(text))"
        case .broadcastFailed(let text) where text.utf8.count > ChatLimits.standard.messageBytes:
            """
            Not sent, because it is too long: it has \(text.utf8.count) bytes, and a message holds \
            \(ChatLimits.standard.messageBytes). Send it in parts.
            """
        case .broadcastFailed(let text):
            "Not sent, because it could not be stored: \(visible(text))"
        case .enrolled(let member): "New member: \(member.name), key \(member.key.fingerprint)"
        case .arrived(let name, let address): "\(client(address)) \(name) is here"
        case .departed(let name, let address): "\(client(address)) \(name) is gone"
        case .moved(let name, let address): "\(client(address)) \(name) is heard from here now"
        case .joined(let name, let room): "\(name) joined #\(room)"
        case .left(let name, let room): "\(name) left #\(room)"
        case .renamed(let old, let new): "\(old) is now \(new)"
        case .turnedAway(let address, let refusal): "\(client(address)) turned away: \(refusal)"
        case .kicked(let name): "\(name) is put out for a minute"
        case .banned(let ban): "Banned: \(text(of: ban))"
        case .unbanned(let ban): "No longer banned: \(text(of: ban))"
        case .plainKicked(let address): "\(client(address)) is put out for a minute"
        case .plainArrived(let address): "\(client(address)) is here (plain text)"
        case .plainDeparted(let address): "\(client(address)) is gone (plain text)"
        case .storageFailed(let error):
            "STORAGE FAILS: nothing is accepted until it works again. \(reason(error))"
        case .storageWorks: "Storage works again."
        case .readingFailed(let error):
            "READING FAILS: who asks for some of the older messages waits for them. \(reason(error))"
        }
    }

    private static func said(
        _ name: MemberName?,
        _ address: Address?,
        _ room: RoomName,
        _ kind: EntryKind,
        _ text: String
    ) -> String {
        var line = address.map(client) ?? "Client"
        if let name { line += " \(name)" }
        if room != .lobby { line += " #\(room)" }
        switch kind {
        case .text: break
        case .action: line += " does"
        case .edit: line += " corrects"
        case .delete: return line + " takes a message back"
        case .reaction: line += " reacts"
        case .reply: line += " answers"
        case .notice, .broadcast: break
        }
        return line + ": " + visible(text)
    }

    /// The form that Python prints, and old logs are read by: `Client ('127.0.0.1', 50001)`.
    package static func client(_ address: Address) -> String {
        "Client ('\(address.ip)', \(address.port))"
    }

    package static func text(of ban: Ban) -> String {
        switch ban {
        case .key(let key): "key \(key)"
        case .prefix(let ip, let bits): "\(ip)/\(bits)"
        }
    }

    private static func reason(_ error: JournalError) -> String {
        switch error {
        case .full: "The disk is full: make room."
        case .locked: "Another program holds the file."
        case .corrupt(let detail):
            "The file of rooms is damaged (\(detail)): stop the server, and put a copy back."
        case .denied(let detail):
            "The file of rooms may not be used (\(detail)): correct that."
        case .failed(let detail): detail
        case .newer(let schema): "The file has the later schema \(schema)."
        }
    }

    /// The text with everything that a terminal would obey, or that could forge a line, written out.
    package static func visible(_ text: String) -> String {
        // What most people write most of the time needs no look into the tables of Unicode.
        if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text }
        var shown = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
                shown += escape(scalar)
            case .format where scalar.value != 0x200D && scalar.value != 0x200C:
                shown += escape(scalar)
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "    "
        default: "\\u{" + String(scalar.value, radix: 16) + "}"
        }
    }
}
