#if GTK
import CGtk
import KirimGtk
import KirimRooms
import KirimScreen
import KirimWire

/// How the connection is: in the header in two words, at a click in all that is known.
final class LinkPill {
    private let button: Widget
    private let icon: Widget
    private let text: Widget
    private let popover: Widget
    private let grid: Widget
    private var style = ""
    private var shown: ChatScreen.Link?
    private var facts: [(name: String, value: Widget)] = []

    init(_ form: Form) {
        button = form["link"]
        icon = form["link-icon"]
        text = form["link-text"]
        popover = form["link-popover"]
        grid = form["link-facts"]
    }

    /// Whether somebody looks at the details.
    var isOpen: Bool { gtk_widget_get_visible(popover) != 0 }

    func whenOpened(_ body: @escaping () -> Void) { popover.on("map") { _ in body() } }

    func open() { gtk_menu_button_popup(button.opaque) }

    /// A narrow window has room for the icon only.
    func isNarrow(_ isNarrow: Bool) { self.text.show(!isNarrow) }

    func show(_ link: ChatScreen.Link) {
        guard link != shown else { return }
        shown = link
        let (words, icon, style) = Sentences.link(link)
        text.label = words
        gtk_image_set_from_icon_name(self.icon.opaque, icon)
        if style != self.style {
            if !self.style.isEmpty { button.style(self.style, false) }
            button.style(style)
            self.style = style
        }
        gtk_widget_set_tooltip_text(button, words)
        button.nameForReaders(tr("Connection: %1", words))
    }

    func show(_ status: LinkStatus?, address: ServerAddress, own: PublicKey?) {
        let unknown = tr("not yet known")
        var all: [(String, String)] = [(tr("Server"), address.endpoint)]
        all.append((tr("Address in use"), status?.remote?.description ?? unknown))
        let trip = status?.roundTrip.map { Self.brief($0) }
        let isHeard = status?.phase == .connected
        all.append(
            (tr("Round trip"), trip.map { isHeard ? $0 : tr("last: %1", $0) } ?? unknown)
        )
        if let status {
            let loss = Sentences.loss(
                status.lossPercent,
                status.packetsLost,
                of: status.packetsSent
            )
            all.append((tr("Lost"), loss))
            all.append((tr("Waiting to be kept"), "\(status.queued)"))
        }
        all.append((tr("Last heard"), status?.lastHeard.map { Sentences.ago($0) } ?? unknown))
        all.append((tr("Server’s fingerprint"), status?.serverKey?.fingerprint ?? unknown))
        all.append((tr("Your fingerprint"), own?.fingerprint ?? unknown))
        if all.map(\.0) != facts.map(\.name) { layOut(all.map(\.0)) }
        for (fact, shown) in zip(facts, all) { fact.value.label = shown.1 }
    }

    private func layOut(_ names: [String]) {
        for child in grid.children { gtk_grid_remove(grid.cast(), child) }
        facts = names.enumerated().map { line, name in
            let title = label(name, "dim-label")
            let value = label("", "numeric")
            gtk_label_set_selectable(value.opaque, 1)
            gtk_widget_set_can_focus(value, 0)
            gtk_label_set_wrap(value.opaque, 1)
            gtk_label_set_max_width_chars(value.opaque, 32)
            gtk_grid_attach(grid.cast(), title, 0, Int32(line), 1, 1)
            gtk_grid_attach(grid.cast(), value, 1, Int32(line), 1, 1)
            return (name, value)
        }
    }

    private static func brief(_ time: Duration) -> String {
        let microseconds = time.inNanoseconds / 1_000
        if microseconds < 10_000 {
            return tr("%1 ms", Sentences.decimal(Double(microseconds) / 1_000))
        }
        return tr("%1 ms", "\(microseconds / 1_000)")
    }
}
#endif
