#if GTK
import CGtk
import KirimGtk
import KirimRooms
import KirimScreen

/// The dialog that joins a room: a name to type, and the rooms that there are.
final class RoomDirectory {
    private let dialog: Widget
    private let list: Widget
    private var names: [RoomName] = []
    private let join: (RoomName) -> Void
    /// Of more rooms one has to know the name.
    static let longest = 200

    init(over window: Widget, join: @escaping (RoomName) -> Void) {
        self.join = join
        dialog = made(adw_message_dialog_new(window.cast(), tr("Join a Room"), nil))
        let entry = made(gtk_entry_new())
        let complaint = label("", "error")
        list = made(gtk_list_box_new())
        adw_message_dialog_set_body(
            dialog.cast(),
            tr("Type a name, or choose a room. A room that nobody has made yet is made.")
        )
        gtk_entry_set_activates_default(entry.cast(), 1)
        gtk_entry_set_placeholder_text(entry.cast(), tr("Room name"))
        entry.nameForReaders(tr("Room name"))
        list.style("boxed-list")
        gtk_list_box_set_selection_mode(list.opaque, GTK_SELECTION_NONE)
        list.nameForReaders(tr("Rooms"))
        let scroller = made(gtk_scrolled_window_new())
        gtk_scrolled_window_set_child(scroller.opaque, list)
        gtk_scrolled_window_set_propagate_natural_height(scroller.opaque, 1)
        gtk_scrolled_window_set_max_content_height(scroller.opaque, 240)
        gtk_scrolled_window_set_policy(scroller.opaque, GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC)
        complaint.show(false)
        adw_message_dialog_set_extra_child(
            dialog.cast(),
            box(GTK_ORIENTATION_VERTICAL, spacing: 12, entry, complaint, scroller)
        )
        adw_message_dialog_add_response(dialog.cast(), "no", tr("Cancel"))
        adw_message_dialog_add_response(dialog.cast(), "yes", tr("Join"))
        adw_message_dialog_set_response_appearance(dialog.cast(), "yes", ADW_RESPONSE_SUGGESTED)
        adw_message_dialog_set_default_response(dialog.cast(), "yes")
        adw_message_dialog_set_close_response(dialog.cast(), "no")
        adw_message_dialog_set_response_enabled(dialog.cast(), "yes", 0)
        // The dialog tells its response when what it held is gone already.
        var typed: RoomName?
        entry.on("changed") { [dialog, entry] _ in
            typed = RoomName(entry.entered)
            let isName = typed != nil
            adw_message_dialog_set_response_enabled(dialog.cast(), "yes", isName ? 1 : 0)
            complaint.label = tr("A room’s name has up to 64 letters, without spaces.")
            complaint.show(!isName && !entry.entered.isEmpty)
        }
        dialog.on("response") { values in
            if values.text(1) == "yes", let typed { join(typed) }
        }
        list.on("row-activated") { [weak self] values in
            guard let self, let row = values.object(1) else { return }
            let place = Int(gtk_list_box_row_get_index(row.cast()))
            guard names.indices.contains(place) else { return }
            self.join(names[place])
            gtk_window_close(dialog.cast())
        }
        dialog.on("destroy") { [weak self] _ in self?.isGone = true }
        gtk_window_present(dialog.cast())
        gtk_widget_grab_focus(entry)
    }

    private var isGone = false

    func show(_ rooms: [RoomSummary]) {
        guard !isGone else { return }
        for child in list.children { gtk_list_box_remove(list.opaque, child) }
        let shown = rooms.prefix(Self.longest)
        names = shown.map(\.name)
        for room in shown {
            let row = made(adw_action_row_new())
            adw_preferences_row_set_use_markup(row.cast(), 0)
            adw_preferences_row_set_title(row.cast(), "# " + room.name.text)
            let members = tr(one: "%1 member", many: "%1 members", room.members)
            let messages = tr(
                one: "%1 message",
                many: "%1 messages",
                Int(clamping: room.last.rawValue)
            )
            adw_action_row_set_subtitle(row.cast(), "\(members), \(messages)")
            gtk_list_box_row_set_activatable(row.cast(), 1)
            gtk_list_box_append(list.opaque, row)
        }
    }
}
#endif
