import DequeModule
import Synchronization

/// What happened and was not yet read, between the event loop and the tasks that read.
final class EventBuffer: Sendable {
    private let state = Mutex(State())

    private struct State {
        var events: Deque<KirimClient.Event> = []
        var readers:
            Deque<(id: UInt64, continuation: CheckedContinuation<KirimClient.Event?, Never>)> = []
        var lastReader: UInt64 = 0
        var isFinished = false
        /// Called once when so few events are left that more may come.
        var whenRead: (@Sendable () -> Void)?
    }

    /// Events that may wait before reading of rooms pauses, and how few are left when it goes on.
    static let high = 8_192
    static let low = 1_024

    /// Returns whether the buffer is full: then `whenRead` will be called.
    func add(_ event: KirimClient.Event, whenRead: @escaping @Sendable () -> Void) -> Bool {
        let (reader, isFull) = state.withLock {
            state -> (CheckedContinuation<KirimClient.Event?, Never>?, Bool) in
            guard !state.isFinished else { return (nil, false) }
            if let reader = state.readers.popFirst() { return (reader.continuation, false) }
            state.events.append(event)
            guard state.events.count > Self.high else { return (nil, false) }
            state.whenRead = whenRead
            return (nil, true)
        }
        reader?.resume(returning: event)
        return isFull
    }

    func finish() {
        let readers = state.withLock { state in
            state.isFinished = true
            defer { state.readers = [] }
            return state.readers
        }
        for reader in readers { reader.continuation.resume(returning: nil) }
    }

    /// The next event; `nil` at the end, or when the task is cancelled.
    func next() async -> KirimClient.Event? {
        let id = state.withLock { state in
            state.lastReader += 1
            return state.lastReader
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(continuation, id)
            }
        } onCancel: {
            let reader = state.withLock { state in
                let index = state.readers.firstIndex { $0.id == id }
                return index.map { state.readers.remove(at: $0) }
            }
            reader?.continuation.resume(returning: nil)
        }
    }

    private func wait(_ continuation: CheckedContinuation<KirimClient.Event?, Never>, _ id: UInt64)
    {
        let (event, isDone, callback) = state.withLock {
            state -> (KirimClient.Event?, Bool, (@Sendable () -> Void)?) in
            if let event = state.events.popFirst() {
                guard state.events.count == Self.low else { return (event, true, nil) }
                defer { state.whenRead = nil }
                return (event, true, state.whenRead)
            }
            if state.isFinished || Task.isCancelled { return (nil, true, nil) }
            state.readers.append((id, continuation))
            return (nil, false, nil)
        }
        if isDone { continuation.resume(returning: event) }
        callback?()
    }
}
