#if GTK
import KirimGtk
import KirimRooms
import KirimScreen
import KirimWire

/// What the rows of a log say about names, days and times, for one frame.
struct RowWords {
    /// Oneself, before the server has said what it calls one.
    var myName: String
    /// The day that it is where the person lives.
    var today: CivilDay

    /// Bytes. Of a longer text the beginning is shown; copying takes all of it, and there is a window for it.
    static let longest = 8_000

    func name(of author: Author) -> String {
        switch author {
        case .server: tr("Server")
        case .member(_, let name): name.text
        case .plain(let address): address.description
        }
    }

    func text(of entry: EntryRow) -> String {
        if entry.isDeleted { return tr("This message was taken back.") }
        if entry.kind == .notice, entry.author == .server, let notice = Notice(entry.text) {
            return Sentences.notice(notice)
        }
        let text = shortened(entry.text)
        return entry.kind == .action ? "\(name(of: entry.author)) \(text)" : text
    }

    func text(of post: OwnPost) -> String {
        switch post.kind {
        case .action: "\(myName) \(shortened(post.text))"
        case .delete: tr("Taking a message back")
        case .edit: tr("Change: %1", shortened(post.text))
        case .reaction: tr("Reaction: %1", post.text)
        case .text, .notice, .reply, .broadcast: shortened(post.text)
        }
    }

    /// What stands behind the name, where it is not somebody known.
    func aside(of entry: EntryRow) -> String {
        var asides: [String] = []
        switch entry.standing {
        case .server, .known: break
        case .plain: asides.append(tr("plain text"))
        case .new: asides.append(tr("new here"))
        case .changed: asides.append(tr("another key than before"))
        }
        if entry.isEdited { asides.append(tr("edited")) }
        return asides.joined(separator: " · ")
    }

    func clock(_ time: WallTime) -> String {
        let seconds = LocalTime.secondsOfDay(time)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(seconds / 3_600)):\(two(seconds / 60 % 60))"
    }

    func day(_ day: CivilDay) -> String {
        if day == today { return tr("Today") }
        if day.number == today.number - 1 { return tr("Yesterday") }
        let (year, month, number) = day.date
        // 1970-01-01 was a Thursday.
        let weekday = weekdays[Int(((day.number + 3) % 7 + 7) % 7)]
        return tr("%1, %3 %2 %4", weekday, months[month - 1], "\(number)", "\(year)")
    }

    private var weekdays: [String] {
        [
            tr("Monday"), tr("Tuesday"), tr("Wednesday"), tr("Thursday"), tr("Friday"),
            tr("Saturday"), tr("Sunday"),
        ]
    }

    private var months: [String] {
        [
            tr("January"), tr("February"), tr("March"), tr("April"), tr("May"), tr("June"),
            tr("July"), tr("August"), tr("September"), tr("October"), tr("November"),
            tr("December"),
        ]
    }

    static func isShortened(_ text: String) -> Bool { text.utf8.count > Self.longest }

    /// An emoji, and how many gave it.
    func count(of reaction: Reaction) -> String { "\(reaction.text) \(reaction.authors.count)" }

    func names(of reaction: Reaction) -> String {
        var names = reaction.authors.prefix(Self.namesOfReaction).map { name(of: $0) }
        let more = reaction.authors.count - names.count
        if more > 0 { names.append(self.more(more)) }
        return names.joined(separator: ", ")
    }

    func more(_ count: Int) -> String { tr(one: "and %1 more", many: "and %1 more", count) }

    /// Each is a button, and one member may give any number of them.
    static let reactions = 12

    private static let namesOfReaction = 20

    /// What a screen reader says, each part as a sentence of its own.
    static func spoken(_ parts: [String]) -> String {
        parts.filter { !$0.isEmpty }.reduce("") { line, part in
            guard let last = line.last else { return part }
            return line + (".!?…。！？".contains(last) ? " " : ". ") + part
        }
    }

    private func shortened(_ text: String) -> String {
        guard Self.isShortened(text) else { return text }
        return text.beginning(bytes: Self.longest) + "…"
    }
}
#endif
