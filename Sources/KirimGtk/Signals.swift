#if GTK
package import CGtk

/// The values that a signal brings; the first is its emitter.
package struct SignalValues {
    private let values: UnsafePointer<GValue>
    package let count: Int

    init(_ values: UnsafePointer<GValue>, count: Int) {
        self.values = values
        self.count = count
    }

    package func object(_ place: Int) -> UnsafeMutableRawPointer? {
        g_value_get_object(values + place).map { UnsafeMutableRawPointer($0) }
    }
    package func unsigned(_ place: Int) -> UInt32 { g_value_get_uint(values + place) }
    package func signed(_ place: Int) -> Int32 { g_value_get_int(values + place) }
    package func double(_ place: Int) -> Double { g_value_get_double(values + place) }
    package func enumeration(_ place: Int) -> UInt32 {
        UInt32(bitPattern: g_value_get_enum(values + place))
    }
    package func flags(_ place: Int) -> UInt32 { g_value_get_flags(values + place) }
    package func text(_ place: Int) -> String? {
        g_value_get_string(values + place).map { String(cString: $0) }
    }
    package func pointer(_ place: Int) -> UnsafeMutableRawPointer? {
        g_value_get_pointer(values + place)
    }
    package func boxed(_ place: Int) -> UnsafeMutableRawPointer? {
        g_value_get_boxed(values + place)
    }
    package func variant(_ place: Int) -> OpaquePointer? { g_value_get_variant(values + place) }
    package func isTrue(_ place: Int) -> Bool { g_value_get_boolean(values + place) != 0 }
}

/// What a closure is kept in while GObject holds it.
private final class Handler {
    let body: (SignalValues) -> Bool
    init(_ body: @escaping (SignalValues) -> Bool) { self.body = body }
}

/// One trampoline for every signal, whatever it brings: GObject hands a closure's marshaller the values as `GValue`s.
private let marshal:
    @convention(c) (
        UnsafeMutablePointer<GClosure>?, UnsafeMutablePointer<GValue>?, guint,
        UnsafePointer<GValue>?, gpointer?, gpointer?
    ) -> Void = { closure, result, count, values, _, _ in
        guard let data = closure?.pointee.data, let values else { return }
        let handler = Unmanaged<Handler>.fromOpaque(data).takeUnretainedValue()
        let answer = handler.body(SignalValues(values, count: Int(count)))
        if let result, result.pointee.g_type == kirim_type_boolean() {
            g_value_set_boolean(result, answer ? 1 : 0)
        }
    }

extension ObjectPointer {
    /// Calls `body` at each emission, for as long as the object lives. `body` must hold its owner weakly: GTK emits
    /// signals (`teardown`) when the owner is gone already.
    @discardableResult
    package func on(
        _ signal: String,
        after: Bool = false,
        _ body: @escaping (SignalValues) -> Void
    ) -> gulong {
        connect(signal, after: after) {
            body($0)
            return false
        }
    }

    /// For signals that ask: `true` says that it is dealt with, and nobody else need look.
    @discardableResult
    package func asked(_ signal: String, _ body: @escaping (SignalValues) -> Bool) -> gulong {
        connect(signal, after: false, body)
    }

    private func connect(
        _ signal: String,
        after: Bool,
        _ body: @escaping (SignalValues) -> Bool
    ) -> gulong {
        let handler = Unmanaged.passRetained(Handler(body)).toOpaque()
        let closure = made(g_closure_new_simple(guint(MemoryLayout<GClosure>.size), handler))
        g_closure_add_finalize_notifier(closure, handler) { data, _ in
            if let data { Unmanaged<Handler>.fromOpaque(data).release() }
        }
        g_closure_set_marshal(closure, marshal)
        return g_signal_connect_closure(raw, signal, closure, after ? 1 : 0)
    }
}
#endif
