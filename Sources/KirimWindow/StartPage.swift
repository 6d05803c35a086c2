#if GTK
import CGtk
import KirimGtk
import KirimRooms
import KirimScreen

/// The page that asks for a name and an address, and lists the servers that are known.
final class StartPage {
    let widget: Widget
    let connect: Widget
    private let form = Form(PackageResources.start_ui)
    private let servers: Widget
    private var listed: [Widget] = []
    private let asks: Asks

    struct Asks {
        var connect: (FirstRun.Choice, _ password: String) -> Void
        var forget: (Keepsake.Server) -> Void
    }

    init(_ asks: Asks) {
        self.asks = asks
        widget = form["start"]
        connect = form["connect"]
        servers = form["servers"]
        gtk_image_set_from_icon_name(form["start-icon"].opaque, Program.id)
        connect.on("clicked") { [weak self] _ in self?.submit() }
        for row in ["name", "address", "port", "password"] {
            form[row].on("changed") { [weak self] _ in self?.complain(nil) }
        }
        form["address"].entered = FirstRun().address
        nameParts()
    }

    /// libadwaita leaves parts of its rows without a name for screen readers.
    private func nameParts() {
        for part in form["start"].descendants where part.typeName == "GtkListBox" {
            part.nameForReaders(tr("Where to Connect"))
        }
        for part in form["password"].descendants where part.typeName == "GtkButton" {
            part.nameForReaders(tr("Show the Password"))
        }
        for part in servers.descendants where part.typeName == "GtkListBox" {
            part.nameForReaders(tr("Servers You Know"))
        }
    }

    func focus() { gtk_widget_grab_focus(form["name"]) }

    /// The password that may stand there was typed for another one.
    func fill(_ server: Keepsake.Server) {
        forgetPassword()
        form["name"].entered = server.name ?? ""
        form["address"].entered = server.address
        form["port"].entered = server.localPort.map { "\($0)" } ?? ""
    }

    func fill(address: String, name: MemberName?, localPort: UInt16) {
        form["name"].entered = name?.text ?? ""
        form["address"].entered = address
        form["port"].entered = localPort == 0 ? "" : "\(localPort)"
    }

    func forgetPassword() { form["password"].entered = "" }

    func show(_ known: [Keepsake.Server]) {
        for row in listed { adw_preferences_group_remove(servers.cast(), row) }
        listed = known.map { line(for: $0) }
        for row in listed { adw_preferences_group_add(servers.cast(), row) }
        servers.show(!known.isEmpty)
    }

    /// What is wrong; `nil`: nothing.
    func complain(_ sentence: String?) {
        form["complaint"].show(sentence != nil)
        if let sentence { form["complaint"].label = sentence }
        for row in ["name", "address", "port"] { form[row].style("error", false) }
    }

    private func submit() {
        var run = FirstRun()
        run.name = form["name"].entered
        run.address = form["address"].entered
        run.localPort = form["port"].entered
        guard let choice = run.choice else {
            complain(run.faults.map { sentence($0) }.joined(separator: " "))
            for fault in run.faults { field(fault).style("error") }
            if let first = run.faults.first { gtk_widget_grab_focus(field(first)) }
            return
        }
        asks.connect(choice, form["password"].entered)
    }

    private func field(_ fault: FirstRun.Fault) -> Widget {
        switch fault {
        case .name: form["name"]
        case .address: form["address"]
        case .localPort: form["port"]
        }
    }

    private func sentence(_ fault: FirstRun.Fault) -> String {
        switch fault {
        case .name:
            tr(
                "A name has 1 to 32 characters, begins with a letter, a number or an emoji, and holds no colon."
            )
        case .address: tr("Write the address as host, host:port, or kirim://host:port/key.")
        case .localPort: tr("A port is a number from 1 to 65535; leave it empty for any.")
        }
    }

    private func line(for server: Keepsake.Server) -> Widget {
        let row = made(adw_action_row_new())
        let title = server.title ?? ""
        adw_preferences_row_set_use_markup(row.cast(), 0)
        adw_preferences_row_set_title(row.cast(), title.isEmpty ? server.address : title)
        let name = server.name.map { tr("as %1", $0) } ?? ""
        adw_action_row_set_subtitle(
            row.cast(),
            (title.isEmpty ? [name] : [server.address, name]).filter { !$0.isEmpty }
                .joined(separator: " · ")
        )
        let remove = made(gtk_button_new_from_icon_name("user-trash-symbolic"))
        remove.style("flat")
        gtk_widget_set_valign(remove, GTK_ALIGN_CENTER)
        gtk_widget_set_tooltip_text(remove, tr("Forget"))
        remove.nameForReaders(tr("Forget %1", server.address))
        remove.on("clicked") { [weak self] _ in self?.asks.forget(server) }
        adw_action_row_add_suffix(row.cast(), remove)
        gtk_list_box_row_set_activatable(row.cast(), 1)
        // Enter on it means this server, and not what stands in the fields.
        gtk_widget_set_receives_default(row, 1)
        row.on("activated") { [weak self] _ in
            guard let self else { return }
            fill(server)
            submit()
        }
        return row
    }
}
#endif
