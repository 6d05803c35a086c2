#if GTK
import CGtk
import KirimGtk
import KirimRooms
import KirimScreen

/// One row of the log: made once by GTK's list, and filled again and again with what stands at its place.
final class MessageRow: LogRow {
    let root: Widget
    private let separator: Widget
    private let avatar: Widget
    private let head: Widget
    private let author = label("", "author")
    private let aside = label("", "aside")
    private let clock = label("", "clock")
    private let quote = label("", "quote")
    private let text = label("", "text")
    private let foot: Widget
    private let mark = label("", "mark")
    private var footing = Footing()
    private var styles: Set<String> = []
    private var spoken = ""
    private var speaker: Widget?

    /// What hangs below the text: it is made anew only where it changes, which is seldom.
    private struct Footing: Hashable {
        var reactions: [String] = []
        var reason: String?
        var earlier: String?
        var own: OwnPost.ID?
    }

    /// What the row's buttons and links ask for.
    let perform: (ChatScreen.Intent) -> Void

    init(perform: @escaping (ChatScreen.Intent) -> Void) {
        self.perform = perform
        root = made(gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0))
        gtk_widget_set_layout_manager(root, RowLayout.make())
        root.style("message")
        separator = label("", "separator")
        gtk_label_set_xalign(separator.opaque, 0.5)
        gtk_label_set_wrap(separator.opaque, 1)
        avatar = made(adw_avatar_new(32, nil, 1))
        gtk_widget_set_valign(avatar, GTK_ALIGN_START)
        head = box(GTK_ORIENTATION_HORIZONTAL, spacing: 8, author, clock, aside)
        for name in [author, aside, quote] {
            gtk_label_set_ellipsize(name.opaque, PANGO_ELLIPSIZE_END)
        }
        gtk_label_set_wrap(text.opaque, 1)
        gtk_label_set_wrap_mode(text.opaque, PANGO_WRAP_WORD_CHAR)
        foot = made(gtk_flow_box_new())
        gtk_flow_box_set_selection_mode(foot.opaque, GTK_SELECTION_NONE)
        gtk_flow_box_set_max_children_per_line(foot.opaque, 12)
        gtk_flow_box_set_column_spacing(foot.opaque, 6)
        gtk_widget_set_halign(foot, GTK_ALIGN_START)
        gtk_label_set_xalign(mark.opaque, 1)
        for part in [separator, avatar, head, quote, text, foot, mark] {
            gtk_box_append(root.cast(), part)
        }
        text.asked("activate-link") { [weak self] values in
            guard let self, let link = values.text(1) else { return false }
            self.perform(.openLink(link))
            return true
        }
    }

    func show(_ row: Row, words: RowWords) {
        switch row {
        case .earlier(let earlier):
            showLine("", [])
            showEarlier(earlier)
        case .day(let day): showLine(words.day(day), [])
        case .newMessages: showLine(tr("New messages"), ["news"])
        case .entry(let entry): show(entry, words)
        case .own(let post): show(post, words)
        }
    }

    /// A line across the log.
    private func showLine(_ line: String, _ styles: Set<String>) {
        separator.label = line
        separator.style("news", styles.contains("news"))
        separator.show(!line.isEmpty)
        for part in [avatar, head, quote, text, foot, mark] { part.show(false) }
        wear([])
        speak(line)
    }

    private func showEarlier(_ earlier: Row.Earlier) {
        let line =
            switch earlier {
            case .more: tr("Earlier messages")
            case .loading: tr("Loading earlier messages…")
            case .failed(let failure): Sentences.failure(failure)
            }
        separator.label = line
        separator.show(true)
        speak(line)
    }

    private func show(_ entry: EntryRow, _ words: RowWords) {
        let name = words.name(of: entry.author)
        let shown = words.text(of: entry)
        let isLine = entry.kind == .notice
        separator.show(false)
        avatar.show(!entry.isContinued && !isLine)
        if !entry.isContinued { adw_avatar_set_text(avatar.opaque, name) }
        head.show(!entry.isContinued && !isLine)
        author.label = name
        clock.label = words.clock(entry.received)
        aside.label = words.aside(of: entry)
        show(quoted: entry.quote, words)
        set(shown)
        mark.show(entry.isMine)
        if entry.isMine {
            mark.label = "✓"
            gtk_widget_set_tooltip_text(mark, tr("Kept by the server"))
        }
        mark.style("kept", true)
        mark.style("refused", false)
        wear([
            entry.isContinued ? "" : "first", entry.isFound ? "found" : "",
            isLine ? "notice" : "", entry.isDeleted ? "removed" : "",
        ])
        var footing = Footing()
        footing.reactions = entry.reactions.map { "\($0.text) \($0.authors.count)" }
        hang(footing)
        speak("\(name): \(shown). \(words.clock(entry.received))")
    }

    private func show(_ post: OwnPost, _ words: RowWords) {
        separator.show(false)
        avatar.show(true)
        adw_avatar_set_text(avatar.opaque, words.myName)
        head.show(true)
        author.label = words.myName
        clock.label = post.authored.map { words.clock($0) } ?? ""
        aside.label = ""
        show(quoted: post.quote, words)
        set(words.text(of: post))
        mark.show(true)
        var footing = Footing()
        var state = tr("Waiting for the server")
        switch post.state {
        case .typed, .waiting: mark.label = "…"
        case .accepted:
            mark.label = "✓"
            state = tr("Kept by the server")
        case .refused(let refusal):
            mark.label = "✗"
            state = Sentences.refusal(refusal)
            footing.reason = state
            footing.own = post.id
        case .failed(let failure):
            mark.label = "✗"
            state = Sentences.failure(failure)
            footing.reason = state
            footing.own = post.id
        }
        gtk_widget_set_tooltip_text(mark, state)
        mark.style("kept", mark.label == "✓")
        mark.style("refused", footing.own != nil)
        wear(["first"])
        hang(footing)
        speak("\(words.myName): \(post.text). \(state)")
    }

    private func show(quoted: Quote?, _ words: RowWords) {
        quote.show(quoted != nil)
        guard let quoted else { return }
        let name = quoted.author.map { words.name(of: $0) + ": " } ?? ""
        let beginning = quoted.text.isEmpty ? tr("an earlier message") : quoted.text
        quote.label = name + beginning.replacing("\n", with: " ")
    }

    /// The text, its links as links.
    private func set(_ shown: String) {
        text.show(!shown.isEmpty)
        let links = WebLinks.ranges(in: shown)
        guard !links.isEmpty else {
            // Whatever it was before: plain text takes the attributes of links off.
            gtk_label_set_text(text.opaque, shown)
            return
        }
        var markup = ""
        var place = shown.startIndex
        for link in links {
            let address = escaped(String(shown[link]))
            markup += escaped(String(shown[place..<link.lowerBound]))
            markup += "<a href=\"\(address)\">\(address)</a>"
            place = link.upperBound
        }
        gtk_label_set_markup(text.opaque, markup + escaped(String(shown[place...])))
    }

    private func escaped(_ text: String) -> String {
        let safe = made(g_markup_escape_text(text, -1))
        defer { g_free(safe) }
        return String(cString: safe)
    }

    private func wear(_ now: Set<String>) {
        let now = now.subtracting([""])
        for gone in styles.subtracting(now) { root.style(gone, false) }
        for new in now.subtracting(styles) { root.style(new, true) }
        styles = now
    }

    /// Name and text first: it is what a reader says when the row is reached.
    private func speak(_ line: String) {
        // The list's own widget around the row is what has the focus.
        guard let item = gtk_widget_get_parent(root), line != spoken || item != speaker else {
            return
        }
        spoken = line
        speaker = item
        item.nameForReaders(line)
    }

    private func hang(_ now: Footing) {
        foot.show(now != Footing())
        guard now != footing else { return }
        footing = now
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
        button(tr("Try Again")) { $0.perform(.tryAgain(own)) }
        button(tr("Discard")) { $0.perform(.discard(own)) }
    }

    private func button(_ name: String, _ action: @escaping (MessageRow) -> Void) {
        let button = made(gtk_button_new_with_label(name))
        button.style("small")
        button.on("clicked") { [weak self] _ in if let self { action(self) } }
        gtk_flow_box_append(foot.opaque, button)
    }
}
#endif
