#if GTK
import CGtk

/// A `GListModel` that knows how many items there are and nothing about them: rows look up what they show, by their
/// position, in an array of Swift's. So 100,000 messages cost GTK nothing.
@MainActor
package final class CountModel {
    package let raw: UnsafeMutableRawPointer
    package private(set) var count = 0

    private struct Instance {
        var parent: GObject
        var count: guint
    }

    package init() {
        raw = made(UnsafeMutableRawPointer(g_object_new_with_properties(Self.type, 0, nil, nil)))
    }

    isolated deinit { g_object_unref(raw) }

    /// `removed` items at `position` have been replaced by `added` others.
    package func splice(at position: Int, removed: Int = 0, added: Int) {
        count += added - removed
        raw.assumingMemoryBound(to: Instance.self).pointee.count = guint(count)
        g_list_model_items_changed(raw.opaque, guint(position), guint(removed), guint(added))
    }

    /// The GObject class, registered at the first use.
    private static let type: GType = {
        let type = g_type_register_static_simple(
            kirim_type_object(),
            "KirimCountModel",
            guint(MemoryLayout<GObjectClass>.size),
            nil,
            guint(MemoryLayout<Instance>.size),
            nil,
            GTypeFlags(0)
        )
        var model = GInterfaceInfo(
            interface_init: { interface, _ in
                guard let model = interface?.assumingMemoryBound(to: GListModelInterface.self)
                else { return }
                model.pointee.get_item_type = { _ in kirim_type_object() }
                model.pointee.get_n_items = { list in
                    list.map { $0.cast(to: Instance.self).pointee.count } ?? 0
                }
                model.pointee.get_item = { list, position in
                    guard let list, position < list.cast(to: Instance.self).pointee.count else {
                        return nil
                    }
                    return UnsafeMutableRawPointer(
                        g_object_new_with_properties(kirim_type_object(), 0, nil, nil)
                    )
                }
            },
            interface_finalize: nil,
            interface_data: nil
        )
        g_type_add_interface_static(type, g_list_model_get_type(), &model)
        return type
    }()
}
#endif
