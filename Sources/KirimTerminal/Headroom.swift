import Synchronization

/// Lets one producer run ahead of its consumer by so much and no more: a chat whose terminal stands still (Ctrl-S)
/// must not gather what arrives meanwhile in memory.
package final class Headroom: Sendable {
    private struct State {
        var free: Int
        var waiter: CheckedContinuation<Void, Never>?
        var isOpen = false
    }

    private let state: Mutex<State>

    package init(_ count: Int) { state = Mutex(State(free: count)) }

    /// Waits until there is room for one more, and takes it.
    package func take() async {
        await withCheckedContinuation { continuation in
            let mayGo = state.withLock { state in
                if state.isOpen { return true }
                guard state.free > 0 else {
                    state.waiter = continuation
                    return false
                }
                state.free -= 1
                return true
            }
            if mayGo { continuation.resume() }
        }
    }

    /// One was consumed: its room goes to who waits.
    package func give() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiter else {
                state.free += 1
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Nobody consumes any more: who waits, and whoever comes, goes on.
    package func open() {
        let waiter = state.withLock { state in
            state.isOpen = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
