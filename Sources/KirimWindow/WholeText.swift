#if GTK
import CGtk
import KirimGtk

/// All of a long message in a window of its own, where it can be read, selected and copied.
enum WholeText {
    static func show(_ text: String, over parent: Widget) {
        let window = made(adw_window_new())
        let view = made(gtk_text_view_new())
        let buffer = made(gtk_text_view_get_buffer(view.cast()))
        gtk_text_buffer_set_text(buffer, text, -1)
        var start = GtkTextIter()
        gtk_text_buffer_get_start_iter(buffer, &start)
        gtk_text_buffer_place_cursor(buffer, &start)
        gtk_text_view_set_editable(view.cast(), 0)
        gtk_text_view_set_wrap_mode(view.cast(), GTK_WRAP_WORD_CHAR)
        gtk_text_view_set_accepts_tab(view.cast(), 0)
        gtk_text_view_set_left_margin(view.cast(), 18)
        gtk_text_view_set_right_margin(view.cast(), 18)
        gtk_text_view_set_top_margin(view.cast(), 12)
        gtk_text_view_set_bottom_margin(view.cast(), 12)
        PlainBreaks.view(view)
        view.nameForReaders(tr("All of the Message"))
        let scroller = made(gtk_scrolled_window_new())
        gtk_scrolled_window_set_policy(scroller.opaque, GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC)
        gtk_scrolled_window_set_child(scroller.opaque, view)
        gtk_widget_set_vexpand(scroller, 1)
        let bar = made(adw_header_bar_new())
        adw_window_set_content(window.cast(), box(GTK_ORIENTATION_VERTICAL, bar, scroller))
        gtk_window_set_title(window.cast(), tr("All of the Message"))
        gtk_window_set_default_size(window.cast(), 640, 520)
        gtk_window_set_transient_for(window.cast(), parent.cast())
        gtk_window_set_modal(window.cast(), 1)
        let keys = made(gtk_event_controller_key_new())
        gtk_event_controller_set_propagation_phase(keys.opaque, GTK_PHASE_CAPTURE)
        keys.asked("key-pressed") { values in
            guard Int32(bitPattern: values.unsigned(1)) == GDK_KEY_Escape else { return false }
            gtk_window_destroy(window.cast())
            return true
        }
        gtk_widget_add_controller(window, keys.opaque)
        gtk_window_present(window.cast())
        gtk_widget_grab_focus(view)
    }
}
#endif
