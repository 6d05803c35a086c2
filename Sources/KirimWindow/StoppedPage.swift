#if GTK
import CGtk
import KirimGtk
import KirimRooms
import KirimScreen
import KirimWire

/// The page of a client that stopped: why, and what a person can do about it.
final class StoppedPage {
    let widget: Widget
    private let form = Form(PackageResources.stopped_ui)
    private let page: Widget
    private let asks: Asks
    private var newKey: PublicKey?

    struct Asks {
        var back: () -> Void
        var trust: (PublicKey) -> Void
        var again: () -> Void
    }

    init(_ asks: Asks) {
        self.asks = asks
        widget = form["stopped"]
        page = form["stopped-page"]
        form["stopped-back"].on("clicked") { [weak self] _ in self?.asks.back() }
        form["stopped-trust"].on("clicked") { [weak self] _ in
            guard let self else { return }
            if let newKey { self.asks.trust(newKey) } else { self.asks.again() }
        }
    }

    func show(_ reason: StopReason, at address: ServerAddress, known: PublicKey?) {
        let (title, text) = Sentences.stop(reason, at: address)
        adw_status_page_set_title(page.opaque, title)
        adw_status_page_set_description(page.opaque, escaped(text))
        newKey = nil
        if case .serverKeyChanged(let key) = reason { newKey = key }
        form["stopped-keys"].show(newKey != nil)
        subtitle("known-key", known?.fingerprint ?? tr("not yet known"))
        subtitle("new-key", newKey?.fingerprint ?? "")
        let trust = form["stopped-trust"]
        trust.show(true)
        trust.style("destructive-action", newKey != nil)
        gtk_button_set_label(
            trust.cast(),
            newKey == nil ? tr("Try Again") : tr("Trust the New Key…")
        )
        gtk_widget_grab_focus(form["stopped-back"])
    }

    private func subtitle(_ row: String, _ text: String) {
        adw_action_row_set_subtitle(form[row].cast(), text)
    }

    private func escaped(_ text: String) -> String {
        let safe = made(g_markup_escape_text(text, -1))
        defer { g_free(safe) }
        return String(cString: safe)
    }
}
#endif
