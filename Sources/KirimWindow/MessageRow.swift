#if GTK
import CGtk
import KirimGtk
import KirimRooms
import KirimScreen

/// One row of the log: made once by GTK's list, and filled again and again with what stands at its place.
///
/// It draws itself: a face with an initial, a name and a time, what it answers, the text, a mark at the end. Links and what
/// hangs below the text are widgets, made where they are needed.
final class MessageRow: LogRow {
    let root = Canvas.make()
    let heading: Lettering
    let text: Lettering
    /// Before the name: whose it is, and in which colour.
    let initial: Lettering
    let mark: Lettering
    private(set) var look = Look()
    /// What it answers, or the line across the log.
    private(set) lazy var quote = Lettering(on: root)
    private(set) lazy var separator = makeSeparator()
    /// The text where it has links, which only `GtkLabel` can follow.
    private(set) var linked: Widget?
    /// What hangs below the text, line after line; each line is broken where it is too long.
    private(set) var foot: [[Widget]] = []
    private var footing = Footing()
    /// A text is another one since the row was drawn.
    private var isRewritten = false
    private var spoken = ""
    private var speaker: Widget?

    /// What stands in the row.
    struct Look: Hashable {
        var isSeparator = false
        var isNews = false
        /// Who it is stands above it.
        var hasHead = false
        var hasQuote = false
        var hasText = false
        var isLinked = false
        var mark: Mark?
        var isFound = false
        var colour = 0
    }

    enum Mark {
        case waiting, kept, refused

        var sign: String {
            switch self {
            case .waiting: "…"
            case .kept: "✓"
            case .refused: "✗"
            }
        }
    }

    /// What hangs below the text: it is made anew only where it changes, which is seldom.
    private struct Footing: Hashable {
        var isLong = false
        var reactions: [Reaction] = []
        /// Reactions that are not shown.
        var more = 0
        var entry: SequenceNumber?
        var reason: String?
        var own: OwnPost.ID?
    }

    /// What the row's buttons and links ask for.
    let perform: (ChatScreen.Intent) -> Void
    private let showAll: (String) -> Void
    /// All of the text, of which only the beginning may stand here.
    private var whole = ""

    init(
        perform: @escaping (ChatScreen.Intent) -> Void,
        showAll: @escaping (String) -> Void
    ) {
        self.perform = perform
        self.showAll = showAll
        root.style("message")
        heading = Lettering(on: root)
        text = Lettering(on: root, wraps: true)
        initial = Lettering(on: root)
        initial.centre()
        mark = Lettering(on: root)
        Canvas.paint(root, by: self)
    }

    private func makeSeparator() -> Lettering {
        let line = Lettering(on: root, wraps: true)
        line.centre()
        return line
    }

    func show(_ row: Row, words: RowWords) {
        switch row {
        case .earlier(let earlier):
            switch earlier {
            case .more: showLine(tr("Earlier messages"))
            case .loading: showLine(tr("Loading earlier messages…"))
            case .failed(let failure): showLine(Sentences.failure(failure))
            }
        case .day(let day): showLine(words.day(day))
        case .newMessages: showLine(tr("New messages"), isNews: true)
        case .entry(let entry): show(entry, words)
        case .own(let post): show(post, words)
        }
    }

    /// A line across the log.
    private func showLine(_ line: String, isNews: Bool = false) {
        var all = Lettering.Look(0..<line.utf8.count)
        all.isSmall = true
        all.isDim = !isNews
        all.isBold = isNews
        write(line, [all], on: separator)
        var look = Look()
        look.isSeparator = true
        look.isNews = isNews
        hang(Footing(), nil)
        wear(look)
        speak(line, text: line)
    }

    private func show(_ entry: EntryRow, _ words: RowWords) {
        let name = words.name(of: entry.author)
        let shown = words.text(of: entry)
        let clock = words.clock(entry.received)
        let aside = words.aside(of: entry)
        let isLine = entry.kind == .notice
        var look = Look()
        look.hasHead = !entry.isContinued && !isLine
        if look.hasHead { setHead(name, clock, aside, &look) }
        setQuote(entry.quote, words, &look)
        var style = Lettering.Look(0..<shown.utf8.count)
        style.isDim = isLine || entry.isDeleted
        style.isItalic = entry.isDeleted
        // Where no name stands above it nothing else would say so.
        let end = entry.isEdited && !look.hasHead ? tr("edited") : nil
        setText(shown, style.isDim ? [style] : [], end: end, &look)
        look.isFound = entry.isFound
        if entry.isMine { look.mark = .kept }
        var footing = Footing()
        footing.isLong = RowWords.isShortened(entry.text)
        whole = entry.text
        footing.reactions = Array(entry.reactions.prefix(RowWords.reactions))
        footing.more = entry.reactions.count - footing.reactions.count
        footing.entry = entry.sequence
        hang(footing, words)
        wear(look)
        let whose = aside.isEmpty ? name : "\(name), \(aside)"
        var said = footing.reactions.map { words.count(of: $0) }
        if footing.more > 0 { said.append(words.more(footing.more)) }
        let state = entry.isMine ? [tr("Kept by the server")] : []
        speak(RowWords.spoken(["\(whose): \(shown)", clock] + said + state), text: shown)
    }

    private func show(_ post: OwnPost, _ words: RowWords) {
        var look = Look()
        let shown = words.text(of: post)
        look.hasHead = true
        setHead(words.myName, post.authored.map { words.clock($0) } ?? "", "", &look)
        setQuote(post.quote, words, &look)
        setText(shown, [], end: nil, &look)
        var footing = Footing()
        footing.isLong = RowWords.isShortened(post.text)
        whole = post.text
        var state = tr("Waiting for the server")
        switch post.state {
        case .typed, .waiting: look.mark = .waiting
        case .accepted:
            look.mark = .kept
            state = tr("Kept by the server")
        case .refused(let refusal): state = Sentences.refusal(refusal)
        case .failed(let failure): state = Sentences.failure(failure)
        }
        if look.mark == nil {
            look.mark = .refused
            footing.reason = state
            footing.own = post.id
        }
        hang(footing, words)
        wear(look)
        speak(RowWords.spoken(["\(words.myName): \(shown)", state]), text: shown)
    }

    // MARK: - Parts

    private func setHead(_ name: String, _ clock: String, _ aside: String, _ look: inout Look) {
        let rest = aside.isEmpty ? clock : clock + "  " + aside
        var bold = Lettering.Look(0..<name.utf8.count)
        bold.isBold = true
        let line = name + "  " + rest
        var small = Lettering.Look(name.utf8.count..<line.utf8.count)
        small.isSmall = true
        small.isDim = true
        write(line, [bold, small], on: heading)
        write(name.first.map { String($0).uppercased() } ?? "", [], on: initial)
        look.colour = RowPaint.place(of: name)
    }

    private func setQuote(_ quoted: Quote?, _ words: RowWords, _ look: inout Look) {
        guard let quoted else { return }
        let name = quoted.author.map { words.name(of: $0) + ": " } ?? ""
        let beginning = quoted.text.isEmpty ? tr("an earlier message") : quoted.text
        let line = name + beginning.replacing("\n", with: " ")
        var all = Lettering.Look(0..<line.utf8.count)
        all.isSmall = true
        all.isDim = true
        write(line, [all], on: quote)
        look.hasQuote = true
    }

    /// The text, its links as links, and what is said at its end in small.
    private func setText(
        _ shown: String,
        _ styles: [Lettering.Look],
        end: String?,
        _ look: inout Look
    ) {
        let links = WebLinks.ranges(in: shown)
        guard !links.isEmpty else {
            let line = shown + (end.map { "  " + $0 } ?? "")
            var small = Lettering.Look(shown.utf8.count..<line.utf8.count)
            small.isSmall = true
            small.isDim = true
            write(line, end == nil ? styles : styles + [small], on: text)
            look.hasText = !line.isEmpty
            return
        }
        look.isLinked = true
        var markup = ""
        var place = shown.startIndex
        for link in links {
            let address = escaped(String(shown[link]))
            markup += escaped(String(shown[place..<link.lowerBound]))
            markup += "<a href=\"\(address)\">\(address)</a>"
            place = link.upperBound
        }
        markup += escaped(String(shown[place...]))
        if let end { markup += "  <span size=\"87%\" alpha=\"75%\">\(escaped(end))</span>" }
        let label = linked ?? makeLinked()
        gtk_label_set_markup(label.opaque, markup)
    }

    private func makeLinked() -> Widget {
        let new = label("", "text")
        gtk_label_set_wrap(new.opaque, 1)
        gtk_label_set_wrap_mode(new.opaque, PANGO_WRAP_WORD_CHAR)
        PlainBreaks.label(new)
        gtk_widget_set_parent(new, root)
        new.asked("activate-link") { [weak self] values in
            guard let self, let link = values.text(1) else { return false }
            perform(.openLink(link))
            return true
        }
        linked = new
        return new
    }

    private func escaped(_ text: String) -> String {
        let safe = made(g_markup_escape_text(text, -1))
        defer { g_free(safe) }
        return String(cString: safe)
    }

    private func wear(_ now: Look) {
        linked?.show(now.isLinked)
        if now.isFound != look.isFound { root.style("found", now.isFound) }
        if let sign = now.mark?.sign { write(sign, [], on: mark) }
        guard isRewritten || now != look else { return }
        isRewritten = false
        look = now
        gtk_widget_queue_resize(root)
    }

    private func write(_ line: String, _ looks: [Lettering.Look], on part: Lettering) {
        if part.set(line, looks) { isRewritten = true }
    }

    /// Name and text first: it is what a reader says when the row is reached.
    private func speak(_ line: String, text: String) {
        // The list's own widget around the row is what has the focus.
        guard let item = gtk_widget_get_parent(root), line != spoken || item != speaker else {
            return
        }
        spoken = line
        speaker = item
        item.nameForReaders(line)
        root.nameForReaders(text)
    }

    private func hang(_ now: Footing, _ words: RowWords?) {
        guard now != footing else { return }
        footing = now
        isRewritten = true
        for part in foot.joined() { gtk_widget_unparent(part) }
        var lines: [[Widget]] = []
        if now.isLong { lines.append([button(tr("Show All")) { $0.showAll($0.whole) }]) }
        if let entry = now.entry, let words, !now.reactions.isEmpty {
            var line = now.reactions.map { chip($0, of: entry, words) }
            if now.more > 0 { line.append(label(words.more(now.more), "caption")) }
            lines.append(line)
        }
        if let reason = now.reason {
            let why = label(reason, "reason", "caption")
            gtk_label_set_wrap(why.opaque, 1)
            lines.append([why])
        }
        if let own = now.own {
            lines.append([
                button(tr("Try Again")) { $0.perform(.tryAgain(own)) },
                button(tr("Discard")) { $0.perform(.discard(own)) },
            ])
        }
        for part in lines.joined() { gtk_widget_set_parent(part, root) }
        foot = lines
    }

    /// A reaction: who gave it, and at a click one's own, given or taken back.
    private func chip(_ reaction: Reaction, of entry: SequenceNumber, _ words: RowWords) -> Widget {
        let chip = button(words.count(of: reaction)) { $0.perform(.react(entry, reaction.text)) }
        chip.style("reaction")
        chip.style("mine", reaction.isMine)
        let names = words.names(of: reaction)
        gtk_widget_set_tooltip_text(chip, names)
        chip.nameForReaders("\(words.count(of: reaction)): \(names)")
        return chip
    }

    private func button(_ name: String, _ action: @escaping (MessageRow) -> Void) -> Widget {
        let button = made(gtk_button_new_with_label(name))
        button.style("small")
        button.on("clicked") { [weak self] _ in if let self { action(self) } }
        return button
    }
}
#endif
