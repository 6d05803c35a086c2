#if GTK
import CGtk

/// Text that is broken within a long word or an address without a hyphen, which Pango would put there and is not in it.
package enum PlainBreaks {
    static func list() -> OpaquePointer {
        let list = made(pango_attr_list_new())
        pango_attr_list_insert(list, pango_attr_insert_hyphens_new(0))
        return list
    }

    package static func label(_ label: Widget) {
        let list = list()
        gtk_label_set_attributes(label.opaque, list)
        pango_attr_list_unref(list)
    }

    /// Also of what is put into the text later.
    package static func view(_ view: Widget) {
        let buffer = made(gtk_text_view_get_buffer(view.cast()))
        let tag = made(gtk_text_tag_new("plain-breaks"))
        var no = GValue()
        g_value_init(&no, kirim_type_boolean())
        g_object_set_property(tag.raw.cast(), "insert-hyphens", &no)
        g_value_unset(&no)
        gtk_text_tag_table_add(gtk_text_buffer_get_tag_table(buffer), tag)
        g_object_unref(tag.raw)
        var (start, end) = (GtkTextIter(), GtkTextIter())
        gtk_text_buffer_get_bounds(buffer, &start, &end)
        gtk_text_buffer_apply_tag(buffer, tag, &start, &end)
        buffer.on("insert-text", after: true) { [buffer, tag] values in
            guard let place = values.boxed(1), let text = values.text(2) else { return }
            // The place is behind what was put in.
            var end = place.assumingMemoryBound(to: GtkTextIter.self).pointee
            var start = end
            gtk_text_iter_backward_chars(&start, Int32(text.unicodeScalars.count))
            gtk_text_buffer_apply_tag(buffer, tag, &start, &end)
        }
    }
}
#endif
