#if GTK
import CGtk
import KirimGtk

/// A line of the operator's log: when, and what.
final class OperatorLine: LogRow {
    let root: Widget
    private let clock = label("", "clock", "numeric")
    private let text = label("", "text")

    init() {
        gtk_widget_set_valign(clock, GTK_ALIGN_BASELINE)
        gtk_widget_set_valign(text, GTK_ALIGN_BASELINE)
        gtk_label_set_wrap(text.opaque, 1)
        gtk_label_set_wrap_mode(text.opaque, PANGO_WRAP_WORD_CHAR)
        PlainBreaks.label(text)
        gtk_label_set_selectable(text.opaque, 1)
        gtk_widget_set_can_focus(text, 0)
        gtk_widget_set_hexpand(text, 1)
        root = box(GTK_ORIENTATION_HORIZONTAL, spacing: 9, clock, text)
        root.style("message")
    }

    func show(_ line: String, at time: String) {
        clock.label = time
        text.label = line
        gtk_widget_get_parent(root)?.nameForReaders(RowWords.spoken([line, time]))
    }
}
#endif
