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
    private(set) var foot: Widget?
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
        var hasFoot = false
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
        var reactions: [String] = []
        var reason: String?
        var own: OwnPost.ID?
    }

    /// What the row's buttons and links ask for.
    let perform: (ChatScreen.Intent) -> Void

    init(perform: @escaping (ChatScreen.Intent) -> Void) {
        self.perform = perform
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
        setText(shown, style.isDim ? [style] : [], &look)
        look.isFound = entry.isFound
        if entry.isMine { look.mark = .kept }
        var footing = Footing()
        footing.reactions = entry.reactions.map { "\($0.text) \($0.authors.count)" }
        hang(footing, &look)
        wear(look)
        let whose = aside.isEmpty ? name : "\(name), \(aside)"
        let state = entry.isMine ? ". " + tr("Kept by the server") : ""
        speak("\(whose): \(shown). \(clock)\(state)", text: shown)
    }

    private func show(_ post: OwnPost, _ words: RowWords) {
        var look = Look()
        let shown = words.text(of: post)
        look.hasHead = true
        setHead(words.myName, post.authored.map { words.clock($0) } ?? "", "", &look)
        setQuote(post.quote, words, &look)
        setText(shown, [], &look)
        var footing = Footing()
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
        hang(footing, &look)
        wear(look)
        speak("\(words.myName): \(shown). \(state)", text: shown)
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

    /// The text, its links as links.
    private func setText(_ shown: String, _ styles: [Lettering.Look], _ look: inout Look) {
        let links = WebLinks.ranges(in: shown)
        guard !links.isEmpty else {
            write(shown, styles, on: text)
            look.hasText = !shown.isEmpty
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
        let label = linked ?? makeLinked()
        gtk_label_set_markup(label.opaque, markup + escaped(String(shown[place...])))
    }

    private func makeLinked() -> Widget {
        let new = label("", "text")
        gtk_label_set_wrap(new.opaque, 1)
        gtk_label_set_wrap_mode(new.opaque, PANGO_WRAP_WORD_CHAR)
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
        foot?.show(now.hasFoot)
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

    private func hang(_ now: Footing, _ look: inout Look) {
        look.hasFoot = now != Footing()
        guard now != footing else { return }
        footing = now
        let foot = foot ?? makeFoot()
        for child in foot.children { gtk_flow_box_remove(foot.opaque, child) }
        for reaction in now.reactions {
            gtk_flow_box_append(foot.opaque, label(reaction, "reaction"))
        }
        if let reason = now.reason {
            let why = label(reason, "reason", "caption")
            gtk_label_set_wrap(why.opaque, 1)
            gtk_flow_box_append(foot.opaque, why)
        }
        guard let own = now.own else { return }
        button(tr("Try Again"), in: foot) { $0.perform(.tryAgain(own)) }
        button(tr("Discard"), in: foot) { $0.perform(.discard(own)) }
    }

    private func makeFoot() -> Widget {
        let new = made(gtk_flow_box_new())
        gtk_flow_box_set_selection_mode(new.opaque, GTK_SELECTION_NONE)
        gtk_flow_box_set_max_children_per_line(new.opaque, 12)
        gtk_flow_box_set_column_spacing(new.opaque, 6)
        gtk_widget_set_halign(new, GTK_ALIGN_START)
        gtk_widget_set_parent(new, root)
        foot = new
        return new
    }

    private func button(_ name: String, in foot: Widget, _ action: @escaping (MessageRow) -> Void) {
        let button = made(gtk_button_new_with_label(name))
        button.style("small")
        button.on("clicked") { [weak self] _ in if let self { action(self) } }
        gtk_flow_box_append(foot.opaque, button)
    }
}
#endif
