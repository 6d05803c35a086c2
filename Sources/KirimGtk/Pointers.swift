#if GTK
package import CGtk

/// A widget. The tree that it stands in owns it.
package typealias Widget = UnsafeMutablePointer<GtkWidget>

/// A pointer to a GObject, whatever Swift calls its type.
///
/// GTK's derivable types arrive in Swift as `UnsafeMutablePointer<GtkX>`, its final types as `OpaquePointer`, and its
/// macros (`GTK_WINDOW(p)`) not at all. One conversion each way stands for all of them: ``cast(to:)``, whose type
/// follows from the parameter, and ``opaque``.
package protocol ObjectPointer {
    nonisolated var raw: UnsafeMutableRawPointer { get }
}

extension UnsafeMutablePointer: ObjectPointer {
    package nonisolated var raw: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self) }
}

extension OpaquePointer: ObjectPointer {
    package nonisolated var raw: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self) }
}

extension UnsafeMutableRawPointer: ObjectPointer {
    package nonisolated var raw: UnsafeMutableRawPointer { self }
}

extension ObjectPointer {
    /// For derivable types: `gtk_box_append(box.cast(), child)`.
    package nonisolated func cast<T>(to: T.Type = T.self) -> UnsafeMutablePointer<T> {
        raw.assumingMemoryBound(to: T.self)
    }

    /// For final types: `gtk_label_set_text(label.opaque, text)`.
    package nonisolated var opaque: OpaquePointer { OpaquePointer(raw) }

    /// The name of its type at run time: `GtkButton`.
    package var typeName: String {
        let instance = raw.assumingMemoryBound(to: GTypeInstance.self)
        return String(cString: g_type_name(instance.pointee.g_class.pointee.g_type))
    }
}

/// A strong reference to what no tree of widgets owns: models, providers, actions.
@MainActor
package final class Owned {
    package let raw: UnsafeMutableRawPointer

    /// Takes the new object over; a floating reference is sunk.
    package init(_ object: some ObjectPointer) { raw = g_object_ref_sink(object.raw) }

    isolated deinit { g_object_unref(raw) }

    package var opaque: OpaquePointer { OpaquePointer(raw) }
}

/// What a constructor of GTK gave; it gives `NULL` only after a mistake in our own code.
package func made<T>(_ object: T?) -> T {
    guard let object else { preconditionFailure("GTK made nothing") }
    return object
}
#endif
