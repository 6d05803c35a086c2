#if GTK
import CGtk
import KirimGtk

/// The keyboard in a log: it comes to what is in sight, arrows go from row to row, and Tab leaves.
extension LogView {
    func watchKeyboard() {
        list.isOneStop()
        let keys = made(gtk_event_controller_key_new())
        gtk_event_controller_set_propagation_phase(keys.opaque, GTK_PHASE_CAPTURE)
        keys.asked("key-pressed") { [weak self] values in
            self?.pressed(values.unsigned(1), values.flags(3)) ?? false
        }
        gtk_widget_add_controller(list, keys.opaque)
    }

    private func pressed(_ key: UInt32, _ modifiers: UInt32) -> Bool {
        switch Int32(bitPattern: key) {
        case GDK_KEY_Up, GDK_KEY_Page_Up, GDK_KEY_Home:
            scrolling.isGoingUp = true
            gtk_widget_queue_draw(list)
            // At the top already nothing moves that could be noticed.
            valueChanged()
        case GDK_KEY_c, GDK_KEY_C:
            guard modifiers & GDK_CONTROL_MASK.rawValue != 0, let (place, _) = focusedRow() else {
                return false
            }
            asks.copy(place)
            return true
        case GDK_KEY_Menu:
            focusedMenu()
            return true
        case GDK_KEY_F10 where modifiers & GDK_SHIFT_MASK.rawValue != 0:
            focusedMenu()
            return true
        default: break
        }
        return false
    }

    /// By Tab GTK would bring the keyboard to the row where it was last, or to the first one, wherever that is, and
    /// scroll there. While Tab is pressed the log has it as a whole instead, and gives it to what is in sight.
    func watchTab(in page: Widget) {
        let keys = made(gtk_event_controller_key_new())
        gtk_event_controller_set_propagation_phase(keys.opaque, GTK_PHASE_CAPTURE)
        keys.asked("key-pressed") { [weak self] values in
            guard let self, isTab(values.unsigned(1)), !hasKeyboard else { return false }
            gtk_widget_set_can_focus(list, 0)
            Task { [weak self] in self?.keyboardCame() }
            return false
        }
        gtk_widget_add_controller(page, keys.opaque)
    }

    private func keyboardCame() {
        gtk_widget_set_can_focus(list, 1)
        guard gtk_widget_is_focus(scroller) != 0 else { return }
        let seen = rowsInSight
        guard let last = seen.last(where: \.isWhole) ?? seen.last else { return }
        gtk_widget_grab_focus(last.holder)
    }

    /// A row that goes would take the keyboard with it: a row in sight that stays has it from then on.
    func keepKeyboard(outOf gone: Range<Int>) {
        guard let (place, _) = focusedRow(), gone.contains(place) else { return }
        let staying = rowsInSight.filter { !gone.contains($0.place) }
        let next = staying.first { $0.isWhole && $0.place > place } ?? staying.last
        if let next { gtk_widget_grab_focus(next.holder) }
    }

    /// Whether the keyboard is in the log.
    var hasKeyboard: Bool { gtk_widget_get_focus_child(list) != nil }

    /// The menu of the row that has the keyboard.
    func focusedMenu() {
        guard let (place, row) = focusedRow() else { return }
        asks.menu(place, row.root, 60, 20)
    }

    /// Where the keyboard is in the log.
    func focusedRow() -> (Int, Shown)? {
        guard let child = gtk_widget_get_focus_child(list) else { return nil }
        for (item, row) in rows where gtk_widget_get_parent(row.root) == child {
            if let place = position(of: item) { return (place, row) }
        }
        return nil
    }
}
#endif
