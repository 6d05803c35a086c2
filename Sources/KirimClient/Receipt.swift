public import KirimRooms

/// Proof that a post is in the outbox, on disk; and the way to wait for the server's word.
public struct Receipt: Sendable, Identifiable {
    /// Names the post, as the events do, as long as the client lives.
    public let id: QueuedPost.ID
    let outcome: Promise<PostDecision>

    /// Waits until the server has decided, however long that takes, and returns the entry's place.
    ///
    /// - Throws: ``KirimError`` with ``KirimError/Code/refused`` where the server said no,
    ///   ``KirimError/Code/closed`` where the client was closed before the server decided (the post stays in
    ///   the outbox, and the next client sends it), `CancellationError` where the task was cancelled.
    @discardableResult
    public func accepted() async throws -> SequenceNumber {
        switch try await decision() {
        case .accepted(_, let sequence): return sequence
        case .refused(let refusal): throw KirimError(refusal)
        }
    }

    /// Waits like ``accepted()``, and returns what was decided.
    public func decision() async throws -> PostDecision {
        try await outcome.value()
    }
}
