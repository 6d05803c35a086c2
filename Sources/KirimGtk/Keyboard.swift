#if GTK
import CGtk

/// How the keyboard goes from part to part of a window.
extension Widget {
    /// Makes all that is inside one stop: Tab and Shift+Tab go on to what stands behind and before it, arrows move
    /// inside. GTK's lists have no property for this before 4.12 and 4.18.
    package func isOneStop() {
        let keys = made(gtk_event_controller_key_new())
        gtk_event_controller_set_propagation_phase(keys.opaque, GTK_PHASE_CAPTURE)
        keys.asked("key-pressed") { values in
            guard isTab(values.unsigned(1)), values.flags(3) & GDK_CONTROL_MASK.rawValue == 0
            else { return false }
            let isBack =
                Int32(bitPattern: values.unsigned(1)) == GDK_KEY_ISO_Left_Tab
                || values.flags(3) & GDK_SHIFT_MASK.rawValue != 0
            return letGo(isBack ? GTK_DIR_TAB_BACKWARD : GTK_DIR_TAB_FORWARD)
        }
        gtk_widget_add_controller(self, keys.opaque)
    }

    /// The keyboard goes to what comes next, wherever inside it is.
    private func letGo(_ direction: GtkDirectionType) -> Bool {
        guard let root = gtk_widget_get_root(self) else { return false }
        let window: Widget = root.cast()
        // Who cannot have it is passed over, and asked no more which of its children is next.
        gtk_widget_set_can_focus(self, 0)
        defer { gtk_widget_set_can_focus(self, 1) }
        return gtk_widget_child_focus(window, direction) != 0
    }

    /// What is typed anywhere inside, and means nothing there, goes on to the text `view`, as to GTK's search bar.
    package func passesTyping(to view: Widget) {
        // Of an entry it is the part inside that has the keyboard.
        let text =
            view.typeName == "GtkEntry"
            ? made(gtk_editable_get_delegate(view.opaque)).raw : view.raw
        let target: Widget = text.cast()
        let keys = made(gtk_event_controller_key_new())
        keys.asked("key-pressed") { [keys] values in
            let commands =
                GDK_CONTROL_MASK.rawValue | GDK_ALT_MASK.rawValue | GDK_SUPER_MASK.rawValue
                | GDK_META_MASK.rawValue
            // A space presses buttons, and what has no letter moves about.
            guard gdk_keyval_to_unicode(values.unsigned(1)) > 0x20,
                gdk_keyval_to_unicode(values.unsigned(1)) != 0x7F,
                values.flags(3) & commands == 0, gtk_widget_get_mapped(view) != 0,
                let root = gtk_widget_get_root(view), let focus = gtk_root_get_focus(root),
                // A menu has its own keys.
                gtk_widget_get_native(focus) == gtk_widget_get_native(view), focus != target
            else { return false }
            gtk_widget_grab_focus(view)
            return gtk_event_controller_key_forward(keys.opaque, target) != 0
        }
        gtk_widget_add_controller(self, keys.opaque)
    }
}

/// Whether the key goes to the next or the previous part.
package func isTab(_ key: UInt32) -> Bool {
    switch Int32(bitPattern: key) {
    case GDK_KEY_Tab, GDK_KEY_KP_Tab, GDK_KEY_ISO_Left_Tab: true
    default: false
    }
}
#endif
