package import KirimClient
import KirimRooms
package import KirimScreen

/// Carries out with a client what a screen wants, and tells what came of it.
///
/// What changes something is done one after the other, in the order of the wishes: nothing is sent to a room before
/// it is joined. Questions go their own way, so that an answer that does not come holds nothing up.
package struct Errands: Sendable {
    private let client: KirimClient
    private let tell: @Sendable (ChatScreen.Answer) -> Void
    private let ordered: AsyncStream<ChatScreen.Effect>.Continuation
    private let worker: Task<Void, Never>

    /// Begins with nothing to do. Answers are told from any task: hand them to ``KirimScreen/ChatScreen/take(_:at:)``.
    package init(
        client: KirimClient,
        tell: @escaping @Sendable (ChatScreen.Answer) -> Void
    ) {
        self.client = client
        self.tell = tell
        let (stream, continuation) = AsyncStream.makeStream(of: ChatScreen.Effect.self)
        ordered = continuation
        worker = Task {
            for await effect in stream {
                // What stands behind a wish that was let go must not be done without it.
                guard !Task.isCancelled else { break }
                await Self.carryOut(effect, client, tell)
            }
        }
    }

    /// Begins to carry it out. Returns `false` for what is not the client's business.
    @discardableResult
    package func begin(_ effect: ChatScreen.Effect) -> Bool {
        switch effect {
        case .send, .join, .leave, .create, .rename, .setPresence: ordered.yield(effect)
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
        ordered.finish()
        await worker.value
    }

    /// Lets go of what is not done yet.
    package func abandon() {
        ordered.finish()
        worker.cancel()
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
            case .join(let room): try await join(room, client)
            case .leave(let room): try await client.leave(room)
            case .create(let room): try await client.create(room)
            case .rename(let name): try await client.rename(to: name)
            case .setPresence(let presence): await client.setPresence(presence)
            default: break
            }
        } catch {
            // Somebody leaves: what was not done is told at the end.
            if error is CancellationError { return }
            tell(.failed(effect, Failure(error)))
        }
    }

    /// A server that cannot be reached now is asked again: the wish stands.
    private static func join(_ room: RoomName, _ client: KirimClient) async throws {
        while true {
            do {
                try await client.join(room)
                return
            } catch let error as KirimError
                where [.timedOut, .unreachable, .unknownHost].contains(error.code)
            {
                try await Task.sleep(for: .seconds(1))
            }
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
