#if GTK
import Synchronization

/// The way of facts from any thread to the window: put in one by one, taken out together, at most once a frame.
///
/// A burst thus costs the main thread a few visits and never a hop each, and no visit so long that a frame is late. Who puts in waits while more
/// than ``capacity`` items have not been taken, so that a window that stands still gathers nothing in memory.
package nonisolated final class Mailbox<Item: Sendable>: Sendable {
    /// Items that may wait.
    package static var capacity: Int { 2_000 }
    /// Items of one visit, the least and the most: twice what a flood of a thousand a second brings in a frame, and what
    /// still fits into one.
    package static var slice: ClosedRange<Int> { 32...128 }
    /// Between two visits: a frame at 60 Hz.
    package static var interval: Duration { .milliseconds(16) }

    private struct State {
        var items: [Item] = []
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let (visits, bell) = AsyncStream.makeStream(
        of: Void.self,
        bufferingPolicy: .bufferingNewest(1)
    )

    package init() {}

    /// Puts it in; returns at once, and never refuses.
    package func put(_ item: Item) {
        let isFirst = state.withLock { state in
            guard !state.isClosed else { return false }
            state.items.append(item)
            return state.items.count == 1
        }
        if isFirst { bell.yield() }
    }

    /// Returns when there is room for more.
    package func hasRoom() async {
        await withCheckedContinuation { continuation in
            let mayGo = state.withLock { state in
                guard !state.isClosed, state.items.count >= Self.capacity else { return true }
                state.waiting.append(continuation)
                return false
            }
            if mayGo { continuation.resume() }
        }
    }

    /// Nothing is taken any more: who waits goes on, and what is put in is dropped.
    package func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            state.items = []
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
        bell.finish()
    }

    /// Gives what has gathered to `visitor`, until the mailbox is closed or the task cancelled.
    @MainActor
    package func deliver(to visitor: @MainActor ([Item]) -> Void) async {
        for await _ in visits {
            var items = take()
            while !items.isEmpty {
                visitor(items)
                try? await Task.sleep(for: Self.interval)
                items = take()
            }
        }
    }

    private func take() -> [Item] {
        let (items, waiting) = state.withLock {
            state -> ([Item], [CheckedContinuation<Void, Never>]) in
            // Who is behind takes more at once, so that late frames do not become later ones.
            let share = min(
                max(state.items.count / 4, Self.slice.lowerBound),
                Self.slice.upperBound
            )
            let count = min(share, state.items.count)
            let items = Array(state.items.prefix(count))
            state.items.removeFirst(count)
            guard state.items.count < Self.capacity else { return (items, []) }
            defer { state.waiting = [] }
            return (items, state.waiting)
        }
        for continuation in waiting { continuation.resume() }
        return items
    }
}
#endif
