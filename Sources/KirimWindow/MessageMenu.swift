#if GTK
import CGtk
import KirimGtk
import KirimRooms
import KirimScreen

/// What can be done with a message.
enum MessageMenu {
    /// The emoji that are one click away; the composer has all others.
    static let reactions = ["👍", "❤️", "😂", "🎉", "😢", "🙏"]

    static func open(
        _ row: Row,
        on widget: Widget,
        _ x: Double,
        _ y: Double,
        chose: @escaping (ChatScreen.Intent) -> Void
    ) {
        let choices = choices(for: row)
        guard !choices.isEmpty else { return }
        let popover = made(gtk_popover_new())
        popover.style("menu")
        let column = box(GTK_ORIENTATION_VERTICAL)
        if case .entry(let entry) = row, !entry.isDeleted, entry.kind != .notice {
            let line = box(GTK_ORIENTATION_HORIZONTAL)
            for emoji in reactions {
                let button = made(gtk_button_new_with_label(emoji))
                button.style("flat")
                button.nameForReaders(tr("React with %1", emoji))
                button.on("clicked") { _ in
                    gtk_popover_popdown(popover.cast())
                    chose(.react(entry.sequence, emoji))
                }
                gtk_box_append(line.cast(), button)
            }
            gtk_box_append(column.cast(), line)
        }
        for choice in choices {
            let button = made(gtk_button_new_with_label(choice.name))
            button.style("flat")
            if let text = gtk_button_get_child(button.cast()) {
                gtk_label_set_xalign(text.opaque, 0)
            }
            button.on("clicked") { _ in
                gtk_popover_popdown(popover.cast())
                chose(choice.intent)
            }
            gtk_box_append(column.cast(), button)
        }
        gtk_popover_set_child(popover.cast(), column)
        gtk_popover_set_has_arrow(popover.cast(), 0)
        gtk_widget_set_parent(popover, widget)
        var place = GdkRectangle(x: Int32(x), y: Int32(y), width: 1, height: 1)
        gtk_popover_set_pointing_to(popover.cast(), &place)
        popover.nameForReaders(tr("Message menu"))
        popover.on("closed") { _ in
            // After whoever closed it is done with it.
            Task { gtk_widget_unparent(popover) }
        }
        gtk_popover_popup(popover.cast())
    }

    private static func choices(for row: Row) -> [(name: String, intent: ChatScreen.Intent)] {
        switch row {
        case .entry(let entry):
            guard !entry.isDeleted, entry.kind != .notice else { return [] }
            var all: [(String, ChatScreen.Intent)] = [
                (tr("Reply"), .reply(entry.sequence)), (tr("Copy"), .copy(entry.sequence)),
            ]
            if let quote = entry.quote {
                all.append((tr("Go to What It Answers"), .reveal(quote.sequence)))
            }
            if entry.isMine {
                if entry.kind == .text || entry.kind == .reply || entry.kind == .action {
                    all.append((tr("Change"), .edit(entry.sequence)))
                }
                all.append((tr("Take Back"), .delete(entry.sequence)))
            }
            return all
        case .own(let post):
            switch post.state {
            case .refused, .failed:
                return [(tr("Try Again"), .tryAgain(post.id)), (tr("Discard"), .discard(post.id))]
            case .typed, .waiting, .accepted: return []
            }
        case .earlier, .day, .newMessages: return []
        }
    }
}
#endif
