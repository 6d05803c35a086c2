#if GTK
import CGtk
import KirimGtk
import KirimRooms
import KirimScreen
import KirimWire

/// The report's server window, grown up: what everybody says with addresses, who is here, a line to everybody.
final class OperatorWindow {
    let window: Widget
    private var screen: OperatorScreen
    private let door: OperatorDoor
    private let form = Form(PackageResources.operator_ui)
    /// By the group that they stand in: those who are here, and those who are silent.
    private var guestRows: [String: [GuestRow]] = [:]
    private var listed: [String: [Widget]] = [:]
    private lazy var log = makeLog()
    private let stopped: () -> Void
    private var isOver = false
    private var hasQuestion = false

    init(
        _ door: OperatorDoor,
        of application: UnsafeMutablePointer<GtkApplication>,
        stopped: @escaping () -> Void
    ) {
        self.door = door
        self.stopped = stopped
        screen = OperatorScreen(
            addresses: door.addresses,
            outside: door.outside,
            key: door.key,
            name: door.name
        )
        window = form["window"]
        gtk_window_set_application(window.cast(), application)
        gtk_window_set_icon_name(window.cast(), Program.id)
        let title = tr("%1 – Kirim Server", door.name)
        gtk_window_set_title(window.cast(), title)
        adw_view_switcher_title_set_title(form["title"].opaque, door.name)
        adw_view_switcher_title_set_subtitle(
            form["title"].opaque,
            door.addresses.map(\.description).joined(separator: ", ")
        )
        gtk_widget_set_tooltip_text(
            form["title"],
            door.addresses.map(\.description).joined(separator: "\n")
        )
        subtitle(form["address"], screen.address.description)
        if screen.isLocalOnly {
            adw_preferences_row_set_title(form["address"].cast(), tr("For this machine"))
            adw_preferences_group_set_description(
                form["address-group"].cast(),
                tr(
                    "This server listens on this machine only. To let others in, stop it and start it with --host 0.0.0.0."
                )
            )
            for name in [tr("Copy the Address")] {
                gtk_widget_set_tooltip_text(form["copy-address"], name)
                form["copy-address"].nameForReaders(name)
            }
        }
        subtitle(form["fingerprint"], door.key.fingerprint)
        for fact in ["address", "fingerprint", "invitation"] { form[fact].style("fact") }
        window.style("operator")
        form["invite"].show(door.canInvite)
        form["invitation"].show(door.canInvite)
        showCode(screen.address.description)
        nameLists()
        connectWidgets()
        _ = log
        draw([.guests, .rooms, .counters])
        work()
        listen()
        gtk_window_present(window.cast())
        gtk_widget_grab_focus(form["entry"])
    }

    /// libadwaita leaves the lists of its groups without a name for screen readers.
    private func nameLists() {
        for part in window.descendants where part.typeName == "GtkListBox" {
            guard let group = gtk_widget_get_ancestor(part, adw_preferences_group_get_type()),
                let title = adw_preferences_group_get_title(group.cast())
            else { continue }
            let name = String(cString: title)
            part.nameForReaders(name.isEmpty ? tr("Server") : name)
        }
        for part in window.descendants where part.typeName == "AdwViewSwitcher" {
            part.nameForReaders(tr("Pages"))
        }
    }

    private func listen() {
        let mailbox = Mailbox<OperatorFact>()
        let door = door
        Task.detached {
            for await notes in door.notes {
                await mailbox.hasRoom()
                for note in notes { mailbox.put(.note(note, LocalTime.wall)) }
            }
            mailbox.put(.stopped)
        }
        let asking = Task.detached {
            while !Task.isCancelled {
                mailbox.put(.status(await door.status()))
                try? await Task.sleep(for: .seconds(1))
            }
        }
        Task { [weak self] in
            await mailbox.deliver { facts in
                guard let self else { return mailbox.close() }
                self.take(facts)
                if self.isOver {
                    asking.cancel()
                    mailbox.close()
                }
            }
        }
    }

    private enum OperatorFact: Sendable {
        case note(ServerNote, WallTime)
        case status(ServerStatus)
        /// By whatever means: nothing comes any more.
        case stopped
    }

    private func take(_ facts: [OperatorFact]) {
        for fact in facts {
            switch fact {
            case .note(let note, let time): screen.note(note, at: time)
            case .status(let status): screen.take(status)
            case .stopped: isOver = true
            }
        }
        work()
        guard isOver else { return }
        gtk_window_destroy(window.cast())
        stopped()
    }

    private func perform(_ intent: OperatorScreen.Intent) {
        screen.perform(intent)
        work()
    }

    private func work() {
        while let effect = screen.nextEffect() { carryOut(effect) }
        draw(screen.takeChanges())
        gtk_widget_set_sensitive(form["send"], screen.canSay ? 1 : 0)
    }

    private func carryOut(_ effect: OperatorScreen.Effect) {
        let door = door
        switch effect {
        case .wish(let wish): Task.detached { await door.perform(wish) }
        case .invite:
            Task { [weak self] in
                guard let address = await door.invite(), let self else { return }
                screen.invited(address)
                work()
            }
        case .copy(let text):
            gdk_clipboard_set_text(gtk_widget_get_clipboard(window), text)
            toast(tr("Copied"))
        case .stop:
            gtk_widget_set_sensitive(window, 0)
            Task.detached { await door.stop() }
        }
    }

    // MARK: - Drawing

    private func draw(_ changes: [OperatorScreen.Change]) {
        var splices = 0
        for change in changes {
            switch change {
            case .rows(let at, let removed, let added):
                log.splice(at: at, removed: removed, added: added)
                splices += 1
            case .guests: drawGuests()
            case .rooms: drawRooms()
            case .bans: drawBans()
            case .counters: drawCounters()
            case .question: ask()
            case .entryText:
                if form["entry"].entered != screen.entry { form["entry"].entered = screen.entry }
            case .invitation:
                guard let invitation = screen.invitation else { continue }
                subtitle(form["invitation"], invitation)
                showCode(invitation)
                perform(.copyInvitation)
            case .view:
                gtk_revealer_set_reveal_child(
                    form["jump-revealer"].opaque,
                    screen.view.isAtEnd ? 0 : 1
                )
            case .trouble:
                if let trouble = screen.trouble {
                    form["trouble-text"].label =
                        tr("Nothing is accepted until messages can be kept again.") + " "
                        + Sentences.storage(trouble)
                }
                gtk_revealer_set_reveal_child(
                    form["trouble"].opaque,
                    screen.trouble == nil ? 0 : 1
                )
            case .follow: log.followEnd()
            }
        }
        if splices > 1 { log.rebindAll() }
    }

    private func drawGuests() {
        let guests = screen.guests
        let page = adw_view_stack_get_page(
            form["stack"].opaque,
            adw_view_stack_get_child_by_name(form["stack"].opaque, "guests")
        )
        adw_view_stack_page_set_badge_number(page, guint(guests.count))
        adw_preferences_group_set_description(
            form["guests"].cast(),
            guests.isEmpty ? tr("Nobody is here.") : nil
        )
        list(guests, in: "guests")
        list(screen.silent, in: "silent")
        form["silent"].show(!screen.silent.isEmpty)
    }

    /// Each keeps the row that it has: what was opened there is about nobody else.
    private func list(_ guests: [Guest], in group: String) {
        var rows = guestRows[group] ?? []
        let wanted = Set(guests.map(\.id))
        for row in rows where !(row.id.map { wanted.contains($0) } ?? false) {
            adw_preferences_group_remove(form[group].cast(), row.row)
        }
        rows.removeAll { row in !(row.id.map { wanted.contains($0) } ?? false) }
        let known = Dictionary(
            uniqueKeysWithValues: rows.compactMap { row in row.id.map { ($0, row) } }
        )
        for guest in guests {
            if let row = known[guest.id] {
                row.show(guest)
            } else {
                let row = GuestRow { [weak self] in self?.perform($0) }
                row.show(guest)
                adw_preferences_group_add(form[group].cast(), row.row)
                rows.append(row)
            }
        }
        guestRows[group] = rows
    }

    private func drawRooms() {
        fill(
            "rooms",
            screen.rooms.map { room in
                let members = tr(one: "%1 member", many: "%1 members", room.members)
                let count = Int(clamping: room.last.rawValue)
                let messages = tr(one: "%1 message", many: "%1 messages", count)
                return line("# " + room.name.text, "\(members), \(messages)")
            }
        )
    }

    private func drawBans() {
        fill(
            "bans",
            screen.bans.map { ban in
                let rule = OperatorWords.text(of: ban)
                var name: String?
                if case .key(let key) = ban { name = screen.banned[key]?.text }
                let row = line(name ?? rule, name == nil ? "" : rule)
                let button = made(gtk_button_new_with_label(tr("Let In")))
                gtk_widget_set_valign(button, GTK_ALIGN_CENTER)
                button.nameForReaders(tr("Let in %1", name ?? rule))
                button.on("clicked") { [weak self] _ in self?.perform(.unban(ban)) }
                adw_action_row_add_suffix(row.cast(), button)
                return row
            }
        )
        form["bans"].show(!screen.bans.isEmpty)
    }

    private func drawCounters() {
        let connections = line(tr("Connections"), "\(screen.connections)")
        fill(
            "counters",
            [connections]
                + screen.counters.map { line(OperatorWords.counter($0.name), "\($0.value)") }
        )
    }

    private func fill(_ group: String, _ rows: [Widget]) {
        for row in listed[group] ?? [] { adw_preferences_group_remove(form[group].cast(), row) }
        for row in rows { adw_preferences_group_add(form[group].cast(), row) }
        listed[group] = rows
    }

    private func line(_ title: String, _ text: String) -> Widget {
        let row = made(adw_action_row_new())
        adw_preferences_row_set_use_markup(row.cast(), 0)
        adw_preferences_row_set_title(row.cast(), title)
        adw_action_row_set_subtitle_lines(row.cast(), 0)
        subtitle(row, text)
        return row
    }

    private func subtitle(_ row: Widget, _ text: String) {
        adw_preferences_row_set_use_markup(row.cast(), 0)
        adw_action_row_set_subtitle(row.cast(), text)
    }

    /// The text as a QR code, with its quiet zone; dark on light in dark windows, too, as cameras want it.
    private func showCode(_ text: String) {
        let picture = form["qr"]
        let code = QRCode(text)
        picture.show(code != nil)
        guard let code else { return }
        let scale = 4
        let side = (code.size + 8) * scale
        var pixels = [UInt8](repeating: 0xFF, count: side * side * 3)
        for y in 0..<code.size * scale {
            for x in 0..<code.size * scale where code[x / scale, y / scale] {
                let place = ((y + 4 * scale) * side + x + 4 * scale) * 3
                for channel in 0..<3 { pixels[place + channel] = 0 }
            }
        }
        let bytes = g_bytes_new(pixels, gsize(pixels.count))
        let texture = made(
            gdk_memory_texture_new(
                Int32(side),
                Int32(side),
                GDK_MEMORY_R8G8B8,
                bytes,
                gsize(side * 3)
            )
        )
        g_bytes_unref(bytes)
        gtk_picture_set_paintable(picture.opaque, texture.opaque)
        g_object_unref(texture.raw)
    }

    private func toast(_ text: String) {
        adw_toast_overlay_add_toast(form["toasts"].opaque, adw_toast_new(text))
    }

    // MARK: - Questions

    private func ask() {
        guard let question = screen.question, !hasQuestion else { return }
        hasQuestion = true
        let (title, text, yes) = Self.words(question)
        Dialogs.confirm(title, text, yes: yes, over: window) { [weak self] isSure in
            self?.hasQuestion = false
            self?.perform(isSure ? .confirm : .cancel)
        }
    }

    private static func words(_ question: OperatorScreen.Question) -> (String, String, String) {
        switch question {
        case .kick(let guest):
            (
                tr("Put %1 Out?", GuestRow.name(of: guest)),
                tr("A member may come back after a minute, a plain client at once."), tr("Put Out")
            )
        case .ban(let guest, .key(let key)):
            (
                tr("Keep %1 Out?", GuestRow.name(of: guest)),
                tr(
                    "Whoever has the key %1 is kept out, from whatever address, until you let that key in again.",
                    key.fingerprint
                ), tr("Keep Out")
            )
        case .ban(let guest, .prefix(let ip, _)):
            (
                tr("Keep %1 Out?", GuestRow.name(of: guest)),
                tr(
                    "Everybody from the address %1 is kept out, whatever they speak, until you let it in again.",
                    ip.description
                ), tr("Keep Out")
            )
        case .stop(let guests):
            (
                tr("Stop the Server?"),
                guests == 0
                    ? tr("Nobody is here. All messages are kept.")
                    : tr(
                        one: "%1 person is here and will be told. All messages are kept.",
                        many: "%1 people are here and will be told. All messages are kept.",
                        guests
                    ), tr("Stop")
            )
        }
    }

    // MARK: - Widgets

    private func connectWidgets() {
        form["entry"].on("changed") { [weak self] _ in
            guard let self else { return }
            perform(.type(form["entry"].entered))
        }
        form["entry"].on("activate") { [weak self] _ in self?.perform(.say) }
        form["send"].on("clicked") { [weak self] _ in
            self?.perform(.say)
            if let entry = self?.form["entry"] { gtk_widget_grab_focus(entry) }
        }
        form["copy-address"].on("clicked") { [weak self] _ in self?.perform(.copyAddress) }
        form["invite"].on("clicked") { [weak self] _ in self?.perform(.invite) }
        form["jump"].on("clicked") { [weak self] _ in self?.perform(.jumpToLatest) }
        window.action("show-help-overlay") { [weak self] in
            guard let self else { return }
            let shortcuts = Form(PackageResources.operatorkeys_ui)["shortcuts"]
            gtk_window_set_transient_for(shortcuts.cast(), window.cast())
            gtk_window_present(shortcuts.cast())
        }
        window.action("copy-address") { [weak self] in self?.perform(.copyAddress) }
        window.action("latest") { [weak self] in self?.perform(.jumpToLatest) }
        for page in ["log", "guests", "server"] {
            window.action("show-" + page) { [weak self] in
                guard let self else { return }
                adw_view_stack_set_visible_child_name(form["stack"].opaque, page)
            }
        }
        window.passesTyping(to: form["entry"])
        window.action("stop") { [weak self] in self?.perform(.stop) }
        window.asked("close-request") { [weak self] _ in
            guard let self, !isOver else { return false }
            perform(.stop)
            return true
        }
    }

    private func makeLog() -> LogView<OperatorLine> {
        let words = RowWords(myName: "", today: CivilDay(number: 0))
        var asks = LogView<OperatorLine>.Asks(
            make: { OperatorLine() },
            fill: { [weak self] line, place in
                guard let self, place < screen.rowCount else { return }
                let row = screen.row(place)
                line.show(
                    OperatorWords.line(for: row.note, visible: door.visible),
                    at: words.clock(row.at)
                )
            }
        )
        asks.follow = { [weak self] in self?.perform(.scroll(atEnd: $0)) }
        asks.copy = { [weak self] place in
            guard let self, place < screen.rowCount else { return }
            carryOut(.copy(OperatorWords.line(for: screen.row(place).note, visible: door.visible)))
        }
        return LogView(scroller: form["scroller"], in: window, asks: asks)
    }
}
#endif
