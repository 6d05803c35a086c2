#if GTK
package import CGtk

/// What menus, keys and notifications can ask of a window or of the program.
extension ObjectPointer {
    /// An action without a value. Returns it, so that it can be switched off.
    @discardableResult
    package func action(_ name: String, _ body: @escaping () -> Void) -> OpaquePointer {
        let action = made(g_simple_action_new(name, nil))
        action.on("activate") { _ in body() }
        return added(action)
    }

    /// An action with a text.
    @discardableResult
    package func action(_ name: String, text body: @escaping (String) -> Void) -> OpaquePointer {
        let type = g_variant_type_new("s")
        defer { g_variant_type_free(type) }
        let action = made(g_simple_action_new(name, type))
        action.on("activate") { values in
            if let value = values.variant(1) { body(string(in: value)) }
        }
        return added(action)
    }

    /// An action that has one of several values, which its menu shows.
    @discardableResult
    package func choice(
        _ name: String,
        initially value: String,
        _ body: @escaping (String) -> Void
    ) -> OpaquePointer {
        let type = g_variant_type_new("s")
        defer { g_variant_type_free(type) }
        let action = made(
            g_simple_action_new_stateful(name, type, g_variant_new_string(value))
        )
        action.on("activate") { values in
            guard let value = values.variant(1) else { return }
            g_simple_action_set_state(action, value)
            body(string(in: value))
        }
        return added(action)
    }

    private func added(_ action: OpaquePointer) -> OpaquePointer {
        g_action_map_add_action(opaque, action)
        g_object_unref(action.raw)
        return action
    }
}

private func string(in value: OpaquePointer) -> String {
    String(cString: g_variant_get_string(value, nil))
}

/// The keys of actions of the program.
package func keys(
    _ keys: [String],
    for action: String,
    of application: UnsafeMutablePointer<GtkApplication>
) {
    let list = keys.map { $0.withCString { g_strdup($0) } } + [nil]
    defer { for key in list { g_free(key) } }
    let constant = list.map { UnsafePointer($0) }
    constant.withUnsafeBufferPointer { pointer in
        gtk_application_set_accels_for_action(application, action, pointer.baseAddress)
    }
}
#endif
