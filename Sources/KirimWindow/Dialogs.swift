#if GTK
import CGtk
import KirimGtk

/// The questions that windows ask.
enum Dialogs {
    /// Yes or no to something that cannot be taken back.
    static func confirm(
        _ title: String,
        _ text: String,
        yes: String,
        over window: Widget,
        then: @escaping (Bool) -> Void
    ) {
        let dialog = made(adw_message_dialog_new(window.cast(), title, nil))
        adw_message_dialog_set_body(dialog.cast(), text)
        respond(dialog, yes: yes, ADW_RESPONSE_DESTRUCTIVE)
        dialog.on("response") { values in then(values.text(1) == "yes") }
        gtk_window_present(dialog.cast())
    }

    /// One line of text. `then` is called with what was entered, and not where it was cancelled.
    static func ask(
        _ title: String,
        _ text: String,
        field: String,
        value: String = "",
        yes: String,
        over window: Widget,
        then: @escaping (String) -> Void
    ) {
        let dialog = made(adw_message_dialog_new(window.cast(), title, nil))
        adw_message_dialog_set_body(dialog.cast(), text)
        let entry = made(gtk_entry_new())
        entry.entered = value
        entry.nameForReaders(field)
        setActivatesDefault(entry)
        adw_message_dialog_set_extra_child(dialog.cast(), entry)
        respond(dialog, yes: yes, ADW_RESPONSE_SUGGESTED)
        adw_message_dialog_set_default_response(dialog.cast(), "yes")
        // The dialog tells its response when what it held is gone already.
        var text = value
        entry.on("changed") { [entry] _ in text = entry.entered }
        dialog.on("response") { values in
            if values.text(1) == "yes" { then(text) }
        }
        gtk_window_present(dialog.cast())
        gtk_widget_grab_focus(entry)
    }

    private static func respond(_ dialog: Widget, yes: String, _ look: AdwResponseAppearance) {
        adw_message_dialog_add_response(dialog.cast(), "no", tr("Cancel"))
        adw_message_dialog_add_response(dialog.cast(), "yes", yes)
        adw_message_dialog_set_response_appearance(dialog.cast(), "yes", look)
        adw_message_dialog_set_close_response(dialog.cast(), "no")
        nameButtons(of: dialog)
    }

    /// libadwaita names the buttons of its questions twice for screen readers.
    private static func nameButtons(of dialog: Widget) {
        for part in dialog.descendants where part.typeName == "GtkButton" {
            guard let name = gtk_button_get_label(part.cast()) else { continue }
            part.nameForReaders(String(cString: name))
        }
    }

    /// What kept a program from starting. `then` is called when the person has read it.
    static func complain(
        _ title: String,
        _ text: String,
        of application: UnsafeMutablePointer<GtkApplication>,
        then: @escaping () -> Void
    ) {
        let dialog = made(adw_message_dialog_new(nil, title, nil))
        gtk_window_set_application(dialog.cast(), application)
        gtk_window_set_icon_name(dialog.cast(), Program.id)
        gtk_window_set_title(dialog.cast(), title)
        adw_message_dialog_set_body(dialog.cast(), text)
        adw_message_dialog_add_response(dialog.cast(), "close", tr("Close"))
        adw_message_dialog_set_default_response(dialog.cast(), "close")
        adw_message_dialog_set_close_response(dialog.cast(), "close")
        nameButtons(of: dialog)
        dialog.on("response") { _ in then() }
        gtk_window_present(dialog.cast())
    }

    private static func setActivatesDefault(_ entry: Widget) {
        var value = GValue()
        g_value_init(&value, kirim_type_boolean())
        g_value_set_boolean(&value, 1)
        g_object_set_property(entry.cast(), "activates-default", &value)
        g_value_unset(&value)
    }
}
#endif
