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
    private let entry: Widget
    private let remedy: Widget
    private let asks: Asks
    private var wanted = Wanted.nothing

    struct Asks {
        var back: () -> Void
        var trust: (PublicKey) -> Void
        var password: (String) -> Void
        var address: (ServerAddress) -> Void
        var again: () -> Void
    }

    /// What the person is asked for.
    private enum Wanted {
        case nothing
        case trust(PublicKey)
        case password
        /// An address with an invitation in it.
        case address
    }

    init(_ asks: Asks) {
        self.asks = asks
        widget = form["stopped"]
        page = form["stopped-page"]
        entry = form["stopped-entry"]
        remedy = form["stopped-trust"]
        form["stopped-back"].on("clicked") { [weak self] _ in self?.asks.back() }
        remedy.on("clicked") { [weak self] _ in self?.submit() }
        entry.on("activate") { [weak self] _ in self?.submit() }
        entry.on("changed") { [weak self] _ in self?.form["stopped-complaint"].show(false) }
    }

    /// `hasPassword`: it is what was brought; else it was an invitation, of the address or kept from an earlier one.
    func show(
        _ reason: StopReason,
        at address: ServerAddress,
        known: PublicKey?,
        hasPassword: Bool
    ) {
        let (title, text) = Sentences.stop(reason, at: address, hasPassword: hasPassword)
        adw_status_page_set_title(page.opaque, title)
        adw_status_page_set_description(page.opaque, escaped(text))
        wanted = Self.wanted(by: reason, hasPassword: hasPassword)
        var newKey: PublicKey?
        if case .trust(let key) = wanted { newKey = key }
        form["stopped-keys"].show(newKey != nil)
        subtitle("known-key", known?.fingerprint ?? tr("not yet known"))
        subtitle("new-key", newKey?.fingerprint ?? "")
        isTrying(false)
        askFor(wanted)
    }

    /// What was answered is being tried. Leads to ``show(_:at:known:hasPassword:)``, or to another page.
    func isTrying(_ isTrying: Bool) {
        form["stopped-trying"].show(isTrying)
        gtk_widget_set_sensitive(entry, isTrying ? 0 : 1)
        gtk_widget_set_sensitive(remedy, isTrying ? 0 : 1)
    }

    /// Puts the keyboard where the answer goes, once the page is to be seen.
    func focus() {
        switch wanted {
        case .password, .address: gtk_widget_grab_focus(entry)
        case .nothing, .trust: gtk_widget_grab_focus(form["stopped-back"])
        }
    }

    private static func wanted(by reason: StopReason, hasPassword: Bool) -> Wanted {
        switch reason {
        case .serverKeyChanged(let key): .trust(key)
        case .passwordNeeded: .password
        case .invitationNeeded: .address
        case .secretRefused: hasPassword ? .password : .address
        case .noCommonVersion, .kicked, .banned: .nothing
        }
    }

    private func askFor(_ wanted: Wanted) {
        var field: String?
        let button: String
        switch wanted {
        case .nothing: button = tr("Try Again")
        case .trust: button = tr("Trust the New Key…")
        case .password:
            field = tr("Password")
            button = tr("Connect")
        case .address:
            field = tr("Address with the invitation")
            button = tr("Connect")
        }
        form["stopped-complaint"].show(false)
        entry.entered = ""
        entry.show(field != nil)
        if let field {
            entry.nameForReaders(field)
            gtk_entry_set_placeholder_text(entry.cast(), field)
        }
        var isSecret = false
        if case .password = wanted { isSecret = true }
        gtk_entry_set_visibility(entry.cast(), isSecret ? 0 : 1)
        gtk_entry_set_input_purpose(
            entry.cast(),
            isSecret ? GTK_INPUT_PURPOSE_PASSWORD : GTK_INPUT_PURPOSE_URL
        )
        var isGrave = false
        if case .trust = wanted { isGrave = true }
        remedy.show(true)
        remedy.style("destructive-action", isGrave)
        remedy.style("suggested-action", field != nil)
        gtk_button_set_label(remedy.cast(), button)
    }

    private func submit() {
        switch wanted {
        case .nothing: asks.again()
        case .trust(let key): asks.trust(key)
        case .password:
            guard !entry.entered.isEmpty else { return }
            asks.password(entry.entered)
        case .address:
            guard let address = ServerAddress(entry.entered), address.invitation != nil else {
                form["stopped-complaint"].label = tr(
                    "An address with an invitation looks like kirim://host:port/key?invite=…"
                )
                return form["stopped-complaint"].show(true)
            }
            asks.address(address)
        }
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
