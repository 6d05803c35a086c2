import KirimClient
import KirimRooms

/// Carries out what a face wants of its client, and tells what came of it.
///
/// What changes something is done one after the other, in the order of the wishes: nothing is sent to a room before
/// it is joined. Questions go their own way, so that an answer that does not come holds nothing up.
struct Wishes: Sendable {
    /// What came of a wish.
    enum Answer: Sendable {
        case rooms([RoomSummary])
        case members([MemberStatus], RoomName)
        case history([Entry], RoomName)
        case link(LinkStatus)
        case failed(any Error)
        case sendFailed(String, RoomName, any Error)
        case joinFailed(RoomName, any Error)
    }

    private let client: KirimClient
    private let tell: @Sendable (Answer) -> Void
    private let ordered: AsyncStream<LineFace.Effect>.Continuation
    private let worker: Task<Void, Never>

    init(client: KirimClient, tell: @escaping @Sendable (Answer) -> Void) {
        self.client = client
        self.tell = tell
        let (stream, continuation) = AsyncStream.makeStream(of: LineFace.Effect.self)
        ordered = continuation
        worker = Task {
            for await effect in stream {
                // What stands behind a wish that was let go must not be done without it.
                guard !Task.isCancelled else { break }
                await Self.carryOut(effect, client, tell)
            }
        }
    }

    /// Begins to carry it out. Effects that are not the client's business are passed over.
    func begin(_ effect: LineFace.Effect) {
        switch effect {
        case .send, .join, .leave, .rename: ordered.yield(effect)
        case .listRooms: ask { .rooms(try await client.rooms()) }
        case .listMembers(let room): ask { .members(try await client.members(of: room), room) }
        case .showHistory(let room, let count):
            ask { .history(try await client.history(of: room, before: nil, limit: count), room) }
        case .showLink: ask { .link(await client.link()) }
        case .print, .note, .quit, .stop: break
        }
    }

    /// Waits until everything that was begun in order is done.
    func finish() async {
        ordered.finish()
        await worker.value
    }

    /// Lets go of what is not done yet.
    func abandon() {
        ordered.finish()
        worker.cancel()
    }

    private func ask(_ question: @escaping @Sendable () async throws -> Answer) {
        let tell = tell
        Task {
            do { tell(try await question()) } catch { tell(.failed(error)) }
        }
    }

    private static func carryOut(
        _ effect: LineFace.Effect,
        _ client: KirimClient,
        _ tell: @Sendable (Answer) -> Void
    ) async {
        do {
            switch effect {
            case .send(let text, let kind, let room, let reference):
                try await client.send(text, to: room, kind: kind, reference: reference)
            case .join(let room): try await join(room, client)
            case .leave(let room): try await client.leave(room)
            case .rename(let name): try await client.rename(to: name)
            default: break
            }
        } catch {
            // Somebody leaves: what was not done is told at the end.
            if error is CancellationError { return }
            switch effect {
            case .join(let room): tell(.joinFailed(room, error))
            case .send(let text, _, let room, _): tell(.sendFailed(text, room, error))
            default: tell(.failed(error))
            }
        }
    }

    /// A server that cannot be reached now is asked again: the wish stands.
    private static func join(_ room: RoomName, _ client: KirimClient) async throws {
        while true {
            do {
                try await client.join(room)
                return
            } catch let error as KirimError
                where error.code == .timedOut || error.code == .unreachable
            {
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
}
