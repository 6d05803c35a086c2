#if GTK
package import CGtk

/// The widgets of a `.ui` file, by their ids.
@MainActor
package final class Form {
    private let builder: Owned

    /// Builds what the file's bytes describe; a mistake in it ends the program, as one in the code would.
    package init(_ file: [UInt8]) {
        let text = String(decoding: file, as: UTF8.self)
        builder = Owned(made(gtk_builder_new_from_string(text, -1)))
    }

    /// The object of that id.
    package subscript(_ id: String) -> Widget {
        guard let object = gtk_builder_get_object(builder.opaque, id) else {
            preconditionFailure("the form has no \(id)")
        }
        return object.cast()
    }
}

/// Small things that every window says in the same words.
extension ObjectPointer {
    /// What a screen reader calls the widget. A label that GTK or libadwaita put there by themselves is not read as well.
    package func nameForReaders(_ text: String) {
        gtk_accessible_reset_relation(opaque, GTK_ACCESSIBLE_RELATION_LABELLED_BY)
        describe(GTK_ACCESSIBLE_PROPERTY_LABEL, text)
    }

    /// What a screen reader adds to the name.
    package func describeForReaders(_ text: String) {
        describe(GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text)
    }

    // The function for this takes any number of arguments, which Swift cannot call; this form is for bindings.
    private func describe(_ property: GtkAccessibleProperty, _ text: String) {
        var property = property
        var value = GValue()
        gtk_accessible_property_init_value(property, &value)
        g_value_set_string(&value, text)
        gtk_accessible_update_property_value(opaque, 1, &property, &value)
        g_value_unset(&value)
    }

    /// Puts the class on the widget or takes it off.
    package func style(_ name: String, _ isOn: Bool = true) {
        if isOn {
            gtk_widget_add_css_class(cast(), name)
        } else {
            gtk_widget_remove_css_class(cast(), name)
        }
    }

    package func show(_ isVisible: Bool) {
        // Asking first: saying the same again costs GTK a new layout.
        guard (gtk_widget_get_visible(cast()) != 0) != isVisible else { return }
        gtk_widget_set_visible(cast(), isVisible ? 1 : 0)
    }

    /// A boolean property by its name.
    package func flag(_ property: String) -> Bool {
        var value = GValue()
        g_value_init(&value, kirim_type_boolean())
        defer { g_value_unset(&value) }
        g_object_get_property(cast(), property, &value)
        return g_value_get_boolean(&value) != 0
    }
}

extension Widget {
    /// The popover of a menu button, made when it is opened for the first time.
    package func popover(_ make: @escaping () -> Widget) {
        let maker = Unmanaged.passRetained(Maker(make)).toOpaque()
        gtk_menu_button_set_create_popup_func(
            opaque,
            { button, data in
                guard let button, let data, gtk_menu_button_get_popover(button) == nil else {
                    return
                }
                let maker = Unmanaged<Maker>.fromOpaque(data).takeUnretainedValue()
                gtk_menu_button_set_popover(button, maker.make())
            },
            maker,
            { data in if let data { Unmanaged<Maker>.fromOpaque(data).release() } }
        )
    }

    /// The children, in order.
    package var children: [Widget] {
        var all: [Widget] = []
        var next = gtk_widget_get_first_child(self)
        while let child = next {
            all.append(child)
            next = gtk_widget_get_next_sibling(child)
        }
        return all
    }

    /// All below it, itself left out.
    package var descendants: [Widget] { children.flatMap { [$0] + $0.descendants } }

    /// The text of an entry.
    package var entered: String {
        get { String(cString: gtk_editable_get_text(opaque)) }
        nonmutating set { gtk_editable_set_text(opaque, newValue) }
    }

    /// The text of a label.
    package var label: String {
        get { String(cString: gtk_label_get_text(opaque)) }
        nonmutating set {
            guard label != newValue else { return }
            gtk_label_set_text(opaque, newValue)
        }
    }
}

private final class Maker {
    let make: () -> Widget
    init(_ make: @escaping () -> Widget) { self.make = make }
}

/// A label that begins at the start of its line.
package func label(_ text: String = "", _ styles: String...) -> Widget {
    let label = made(gtk_label_new(text))
    gtk_label_set_xalign(label.opaque, 0)
    for style in styles { gtk_widget_add_css_class(label, style) }
    return label
}

/// A box with its children, from the start.
package func box(
    _ orientation: GtkOrientation,
    spacing: Int32 = 0,
    _ children: Widget...
) -> Widget {
    let box = made(gtk_box_new(orientation, spacing))
    for child in children { gtk_box_append(box.cast(), child) }
    return box
}

/// The text between two places, all of it where none are named.
package func text(of view: Widget) -> String {
    let buffer = gtk_text_view_get_buffer(view.cast())
    var start = GtkTextIter()
    var end = GtkTextIter()
    gtk_text_buffer_get_bounds(buffer, &start, &end)
    guard let text = gtk_text_buffer_get_text(buffer, &start, &end, 1) else { return "" }
    defer { g_free(text) }
    return String(cString: text)
}
#endif
