package import KirimRooms

/// An entry as a person reads it, safe for a terminal: `ani: hi`, `* ani waves`, `-- budi joined`.
package struct EntryText: Hashable, Sendable {
    package let text: String

    package init(_ entry: Entry, words: Words) {
        let name = Self.name(of: entry.author, words)
        let body = VisibleText.block(entry.text)
        let number = entry.reference.map { "\($0.rawValue)" } ?? "?"
        text =
            switch entry.kind {
            case .text, .broadcast: "\(name): \(body)"
            case .action: "* \(name) \(body)"
            case .notice: "-- \(Self.notice(entry, words) ?? body)"
            case .edit: words(.edited, name, number, body)
            case .delete: words(.deleted, name, number)
            case .reaction: words(.reacted, name, number, VisibleText.row(entry.text))
            case .reply: words(.repliedTo, name, number, body)
            }
    }

    /// What the server says of its own accord, where it is read back.
    private static func notice(_ entry: Entry, _ words: Words) -> String? {
        guard entry.author == .server, let notice = Notice(entry.text) else { return nil }
        return switch notice {
        case .joined(let name, let room):
            words(.saidJoined, VisibleText.row(name.text), VisibleText.row(room.text))
        case .left(let name, let room):
            words(.saidLeft, VisibleText.row(name.text), VisibleText.row(room.text))
        case .renamed(let old, let new):
            words(.saidRenamed, VisibleText.row(old.text), VisibleText.row(new.text))
        case .putOut(let name): words(.saidPutOut, VisibleText.row(name.text))
        case .banned(let name): words(.saidBanned, VisibleText.row(name.text))
        }
    }

    /// A plain client is marked as such: nothing proves who speaks there.
    private static func name(of author: Author, _ words: Words) -> String {
        switch author {
        case .server: words(.server)
        case .member(_, let name): VisibleText.row(name.text)
        case .plain(let address): "\(address) (\(words(.plainMark)))"
        }
    }
}
