#if GTK
import CGtk
// For its library: the two functions below are in it.
import Dispatch

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The way between Swift's concurrency and GLib's main loop (docs/decisions/0006).
package enum MainLoop {
    /// After input (0) and drawing (120): whatever pours in, the window answers and paints first.
    package nonisolated static let priority: Int32 = 150

    /// From now on GLib's main context runs what is due on `MainActor`.
    ///
    /// On Linux that actor's executor is libdispatch's main queue, which nobody drains while GTK has the main thread.
    /// Its descriptor becomes a source of the main context, as CoreFoundation's run loop does it.
    package static func adoptMainActor() {
        let descriptor = _dispatch_get_main_queue_handle_4CF()
        precondition(descriptor >= 0, "libdispatch has no main queue here")
        g_unix_fd_add_full(
            priority,
            descriptor,
            G_IO_IN,
            { descriptor, _, _ in
                var count: UInt64 = 0
                _ = withUnsafeMutableBytes(of: &count) { read(descriptor, $0.baseAddress, 8) }
                _dispatch_main_queue_callback_4CF(nil)
                return 1
            },
            nil,
            nil
        )
    }

    /// Calls `body` again and again, this far apart, until it says `false`.
    package static func every(milliseconds: UInt32, _ body: @escaping () -> Bool) {
        g_timeout_add_full(priority, milliseconds, tick, Ticking.kept(body), endTicking)
    }

    /// Calls `body` each time the process gets the signal, for as long as it runs.
    package static func at(signal: Int32, _ body: @escaping () -> Void) {
        let kept = Ticking.kept {
            body()
            return true
        }
        g_unix_signal_add_full(priority, signal, tick, kept, endTicking)
    }
}

private final class Ticking {
    let body: () -> Bool
    init(_ body: @escaping () -> Bool) { self.body = body }

    static func kept(_ body: @escaping () -> Bool) -> UnsafeMutableRawPointer {
        Unmanaged.passRetained(Ticking(body)).toOpaque()
    }
}

private let tick: GSourceFunc = { data in
    guard let data else { return 0 }
    return Unmanaged<Ticking>.fromOpaque(data).takeUnretainedValue().body() ? 1 : 0
}

private let endTicking: GDestroyNotify = { data in
    if let data { Unmanaged<Ticking>.fromOpaque(data).release() }
}
#endif
