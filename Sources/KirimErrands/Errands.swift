package import KirimClient
import KirimRooms
package import KirimScreen

/// Carries out with a client what a screen wants, and tells what came of it.
///
/// What is written down here, messages and the rooms that they are for, is done one after the other, in the order
/// of the wishes, and waits for the disk alone. What only the server can do waits for it in a line of its own, and
/// questions go their own way, so that an answer that does not come holds nothing up.
package struct Errands: Sendable {
    private let client: KirimClient
    private let tell: @Sendable (ChatScreen.Answer) -> Void
    private let written: AsyncStream<ChatScreen.Effect>.Continuation
    private let granted: AsyncStream<ChatScreen.Effect>.Continuation
    private let workers: [Task<Void, Never>]

    /// Begins with nothing to do. Answers are told from any task: hand them to ``KirimScreen/ChatScreen/take(_:at:)``.
    package init(
        client: KirimClient,
        tell: @escaping @Sendable (ChatScreen.Answer) -> Void
    ) {
        self.client = client
        self.tell = tell
        let (toWrite, written) = AsyncStream.makeStream(of: ChatScreen.Effect.self)
        let (toGrant, granted) = AsyncStream.makeStream(of: ChatScreen.Effect.self)
        (self.written, self.granted) = (written, granted)
        workers = [toWrite, toGrant].map { effects in
            Task {
                for await effect in effects {
                    // What stands behind a wish that was let go must not be done without it.
                    guard !Task.isCancelled else { break }
                    await Self.carryOut(effect, client, tell)
                }
            }
        }
    }

    /// Begins to carry it out. Returns `false` for what is not the client's business.
    @discardableResult
    package func begin(_ effect: ChatScreen.Effect) -> Bool {
        switch effect {
        case .send, .join, .setPresence: written.yield(effect)
        case .leave, .create, .rename: granted.yield(effect)
        case .listRooms: ask(effect) { .rooms(try await client.rooms()) }
        case .listMembers(let room):
            ask(effect) { .members(room, try await client.members(of: room)) }
        case .page(let room, let before, let limit):
            ask(effect) {
                .page(
                    room,
                    before: before,
                    try await client.history(of: room, before: before, limit: limit)
                )
            }
        case .reconnect, .notify, .withdrawNotifications, .copy, .openLink, .tell, .quit:
            return false
        }
        return true
    }

    /// Asks how the link stands.
    package func askLink() {
        let (client, tell) = (client, tell)
        Task { tell(.link(await client.link())) }
    }

    /// Waits until everything that was begun in order is done.
    package func finish() async {
        written.finish()
        granted.finish()
        for worker in workers { await worker.value }
    }

    /// Lets go of what is not done yet.
    package func abandon() {
        written.finish()
        granted.finish()
        for worker in workers { worker.cancel() }
    }

    private func ask(
        _ effect: ChatScreen.Effect,
        _ question: @escaping @Sendable () async throws -> ChatScreen.Answer
    ) {
        let tell = tell
        Task {
            do { tell(try await question()) } catch { tell(.failed(effect, Failure(error))) }
        }
    }

    private static func carryOut(
        _ effect: ChatScreen.Effect,
        _ client: KirimClient,
        _ tell: @Sendable (ChatScreen.Answer) -> Void
    ) async {
        do {
            switch effect {
            case .send(_, let text, let kind, let room, let reference):
                try await client.send(text, to: room, kind: kind, reference: reference)
            case .join(let room): try await client.enter(room)
            case .leave(let room): try await client.leave(room)
            case .create(let room): try await client.create(room)
            case .rename(let name): try await client.rename(to: name)
            case .setPresence(let presence): await client.setPresence(presence)
            default: break
            }
        } catch {
            // Somebody leaves: what was not done is told at the end.
            if error is CancellationError { return }
            // A name that could not be asked for now is kept, and asked for at the next welcome.
            if case .rename = effect, case .noAnswer = Failure(error) { return }
            tell(.failed(effect, Failure(error)))
        }
    }
}

extension Failure {
    /// What a client's error is to a screen.
    package init(_ error: any Error) {
        guard let error = error as? KirimError else {
            self = .other("\(error)")
            return
        }
        if let refusal = error.underlying as? Refusal {
            self = .refused(refusal)
        } else if let storage = error.underlying as? JournalError {
            self = .storage(storage)
        } else {
            switch error.code {
            case .timedOut, .unreachable, .unknownHost: self = .noAnswer(error.message)
            case .closed: self = .closed(error.message)
            default: self = .other(error.message)
            }
        }
    }
}
