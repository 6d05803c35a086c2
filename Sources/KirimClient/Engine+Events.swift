import KirimClientCore
public import KirimRooms
import KirimTransport
import KirimWire
import NIOCore

// What the core tells, for the face and for those who wait.
extension Engine {
    func tell(_ event: KirimClient.Event) {
        let isFull = events.add(event) { [weak self] in
            guard let self else { return }
            self.loop.execute { self.assumeIsolated { $0.readerCaughtUp() } }
        }
        if isFull { core.pauseReading() }
    }

    private func readerCaughtUp() {
        core.resumeReading(at: now)
        drain()
    }

    func take(_ event: ClientEvent) {
        switch event {
        case .phase(let phase): entered(phase)
        case .firstContact(let key): tell(.firstContact(key))
        case .welcomed(let member, let server):
            tell(.welcomed(member, server: server))
            welcome.settle(.success(()))
        case .notWelcome(let refusal):
            tell(.notWelcome(refusal))
            welcome.settle(.failure(KirimError(refusal)))
        case .queued(let post):
            outcomes[post.id] = Promise()
            tell(.queued(QueuedPost(post)))
        case .posted(let ticket, let ids): posted(ticket, ids)
        case .postFailed(let ticket, let failure):
            let error =
                switch failure {
                case .refused(let refusal): KirimError(refusal)
                case .notStored(let error): KirimError(error)
                }
            posting.removeValue(forKey: ticket)?.settle(.failure(error))
        case .decided(let post, let decision): decided(post, decision)
        case .postponed(let refusal, let delay): tell(.postponed(refusal, retryAfter: delay))
        case .entry(let entry, let mine):
            tell(.entry(entry, mine: mine.map(QueuedPost.ID.init)))
        case .caughtUp(let room): tell(.caughtUp(room))
        case .setBack(let room): tell(.setBack(room))
        case .presence(let room, let id, let name, let presence, let online):
            tell(.presence(room, id, name, presence, online: Int(clamping: online)))
        case .joined(let room): tell(.joined(room))
        case .left(let room, let refusal): tell(.left(room, refusal))
        case .renamed(let name): tell(.renamed(name))
        case .nameRefused(let wish, let why): tell(.nameRefused(wish, why))
        case .answered(let ticket, let answer):
            asking.removeValue(forKey: ticket)?.settle(.success(answer))
        case .storageFailed(let error): tell(.storageFailed(error))
        }
    }

    private func entered(_ phase: ConnectionPhase) {
        let phase = KirimClient.Phase(phase, at: now)
        tell(.phase(phase))
        guard case .stopped(let reason) = phase else { return }
        tell(.stopped(reason))
        finish(KirimError(reason))
    }

    private func posted(_ ticket: Ticket, _ ids: [LocalPostID]) {
        guard let promise = posting.removeValue(forKey: ticket) else { return }
        let receipts = ids.compactMap { id in
            outcomes[id].map { Receipt(id: QueuedPost.ID(id), outcome: $0) }
        }
        promise.settle(.success(receipts))
    }

    private func decided(_ post: LocalPost, _ decision: PostDecision) {
        tell(.decided(QueuedPost(post), decision))
        outcomes.removeValue(forKey: post.id)?.settle(.success(decision))
        let first = core.firstQueued?.id
        draining.removeAll { last, promise in
            // Decisions come in order, but for those that another connection brought.
            if let first, first <= last { return false }
            promise.settle(.success(()))
            return true
        }
    }

    /// Nothing goes on from here: everybody who waits is told why.
    func finish(_ error: KirimError) {
        end = error
        welcome.settle(.failure(error))
        for promise in posting.values { promise.settle(.failure(error)) }
        for promise in asking.values { promise.settle(.failure(error)) }
        for promise in outcomes.values { promise.settle(.failure(error)) }
        for (_, promise) in draining { promise.settle(.failure(error)) }
        posting = [:]
        asking = [:]
        outcomes = [:]
        draining = []
    }
}

extension QueuedPost {
    init(_ post: LocalPost) { self.init(id: ID(post.id), post: post.post) }
}

extension QueuedPost.ID {
    init(_ id: LocalPostID) { self.init(rawValue: id.rawValue) }
}

extension KirimClient.Phase {
    init(_ phase: ConnectionPhase, at now: Instant) {
        self =
            switch phase {
            case .idle, .connecting: .connecting
            case .connected: .connected
            case .silent(let since): .silent(since.duration(to: now))
            case .unreachable: .unreachable
            case .stopped(let stop): .stopped(KirimClient.StopReason(stop))
            }
    }
}

extension KirimClient.StopReason {
    init(_ stop: ClientEndpoint.Stop) {
        self =
            switch stop {
            case .serverKeyChanged(let key): .serverKeyChanged(key)
            case .passwordNeeded: .passwordNeeded
            case .invitationNeeded: .invitationNeeded
            case .secretRefused: .secretRefused
            case .noCommonVersion: .noCommonVersion
            case .kicked(let reason): .kicked(reason)
            case .banned(let reason): .banned(reason)
            }
    }
}

extension KirimError {
    /// The sentence for a client that stopped by itself.
    public init(_ reason: KirimClient.StopReason) {
        switch reason {
        case .serverKeyChanged(let key):
            self.init(
                code: .serverKeyChanged,
                message: "Another server answers there than the last time: its key is now"
                    + " \(key.fingerprint). Ask its operator; if that is right, trust the new key."
            )
        case .passwordNeeded:
            self.init(code: .passwordNeeded, message: "The server wants a password; give it.")
        case .invitationNeeded:
            self.init(
                code: .invitationNeeded,
                message: "The server takes invited people only; ask its operator for an invitation."
            )
        case .secretRefused:
            self.init(
                code: .secretRefused,
                message: "The server did not take the password or the invitation; check it, or ask"
                    + " its operator for another."
            )
        case .noCommonVersion:
            self.init(
                code: .noCommonVersion,
                message: "Server and client share no version of the protocol; update the older one."
            )
        case .kicked(let text):
            self.init(code: .kicked, message: "The operator put you out\(Self.quoted(text))")
        case .banned(let text):
            self.init(code: .banned, message: "The operator keeps you out\(Self.quoted(text))")
        }
    }

    /// The server's words, without what a terminal would obey: sentences are shown as they are.
    private static func quoted(_ words: String) -> String {
        let text = StopReason.particulars(of: words)
        guard !text.isEmpty else { return "." }
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: shown.append("\u{FFFD}")
            default: shown.append(scalar)
            }
        }
        // The server's words are a sentence, or are not.
        let isEnded = shown.last.map { ".!?".unicodeScalars.contains($0) } ?? false
        return ", saying: \(String(shown))\(isEnded ? "" : ".")"
    }
}
