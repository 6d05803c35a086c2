#if GTK
import CGtk
import KirimGtk
import KirimRooms
import KirimScreen

/// What can be done with a message.
enum MessageMenu {
    /// The emoji that are one click away; the composer has all others.
    static let reactions = ["👍", "❤️", "😂", "🎉", "😢", "🙏"]

    /// What was chosen.
    enum Choice {
        case intent(ChatScreen.Intent)
        /// All of a text of which the row shows the beginning.
        case showAll(String)
    }

    /// `closed` is called when it has gone, whatever was chosen.
    static func open(
        _ row: Row,
        on widget: Widget,
        _ x: Double,
        _ y: Double,
        chose: @escaping (Choice) -> Void,
        closed: @escaping () -> Void
    ) {
        let choices = choices(for: row)
        guard !choices.isEmpty else { return }
        let (model, actions) = (made(g_menu_new()), made(g_simple_action_group_new()))
        for (place, choice) in choices.enumerated() {
            actions.action("choice\(place)") { chose(choice.what) }
            // An underscore would mark a key.
            let name = choice.name.replacing("_", with: "__")
            g_menu_append(model, name, "message.choice\(place)")
        }
        let reacts = entryToReact(row)
        if reacts != nil {
            let item = made(g_menu_item_new(nil, nil))
            g_menu_item_set_attribute_value(item, "custom", g_variant_new_string("reactions"))
            g_menu_prepend_item(model, item)
            g_object_unref(item.raw)
        }
        let popover = made(gtk_popover_menu_new_from_model(model.cast()))
        g_object_unref(model.raw)
        gtk_widget_insert_action_group(popover, "message", actions.opaque)
        g_object_unref(actions.raw)
        gtk_popover_set_has_arrow(popover.cast(), 0)
        gtk_widget_set_halign(popover, GTK_ALIGN_START)
        gtk_widget_set_parent(popover, widget)
        if let reacts { addReactions(to: reacts, in: popover, chose) }
        var place = GdkRectangle(x: Int32(x), y: Int32(y), width: 1, height: 1)
        gtk_popover_set_pointing_to(popover.cast(), &place)
        popover.nameForReaders(tr("Message menu"))
        popover.on("closed") { _ in
            // After whoever closed it is done with it. What was chosen may have taken the row, and the menu with it.
            let kept = Owned(popover)
            Task {
                gtk_widget_unparent(kept.raw.cast())
                closed()
            }
        }
        gtk_popover_popup(popover.cast())
    }

    private static func entryToReact(_ row: Row) -> SequenceNumber? {
        guard case .entry(let entry) = row, !entry.isDeleted, entry.kind != .notice else {
            return nil
        }
        return entry.sequence
    }

    private static func addReactions(
        to entry: SequenceNumber,
        in popover: Widget,
        _ chose: @escaping (Choice) -> Void
    ) {
        let line = box(GTK_ORIENTATION_HORIZONTAL)
        for emoji in reactions {
            let button = made(gtk_button_new_with_label(emoji))
            button.style("flat")
            button.nameForReaders(tr("React with %1", emoji))
            button.on("clicked") { _ in
                gtk_popover_popdown(popover.cast())
                chose(.intent(.react(entry, emoji)))
            }
            gtk_box_append(line.cast(), button)
        }
        gtk_popover_menu_add_child(popover.opaque, line, "reactions")
    }

    private static func choices(for row: Row) -> [(name: String, what: Choice)] {
        var all: [(name: String, what: Choice)] = []
        func add(_ name: String, _ intent: ChatScreen.Intent) {
            all.append((name, .intent(intent)))
        }
        switch row {
        case .entry(let entry):
            guard !entry.isDeleted, entry.kind != .notice else { return [] }
            add(tr("Reply"), .reply(entry.sequence))
            add(tr("Copy"), .copy(entry.sequence))
            if RowWords.isShortened(entry.text) {
                all.append((tr("Show All"), .showAll(entry.text)))
            }
            for address in addresses(in: entry.text) {
                add(tr("Open %1", name(of: address)), .openLink(address))
            }
            if let quote = entry.quote { add(tr("Go to What It Answers"), .reveal(quote.sequence)) }
            if entry.isMine {
                if entry.kind == .text || entry.kind == .reply || entry.kind == .action {
                    add(tr("Change"), .edit(entry.sequence))
                }
                add(tr("Take Back"), .delete(entry.sequence))
            }
        case .own(let post):
            if RowWords.isShortened(post.text) { all.append((tr("Show All"), .showAll(post.text))) }
            switch post.state {
            case .refused, .failed:
                add(tr("Try Again"), .tryAgain(post.id))
                add(tr("Discard"), .discard(post.id))
            case .typed, .waiting, .accepted: break
            }
        case .earlier, .day, .newMessages: break
        }
        return all
    }

    private static func addresses(in text: String) -> [String] {
        let shown = String(text.beginning(bytes: RowWords.longest))
        return WebLinks.ranges(in: shown).prefix(links).map { String(shown[$0]) }
    }

    /// Where a link leads: of a long one the end of its host, as its beginning may read like somebody else's.
    private static func name(of link: String) -> String {
        guard link.count > linkLength else { return link }
        let host = WebLinks.host(of: link)
        return host.count > linkLength ? "…" + host.suffix(linkLength) : String(host)
    }

    /// Links that the menu offers, and as much of one as it shows.
    private static let links = 3
    private static let linkLength = 40
}
#endif
