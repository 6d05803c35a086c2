package import KirimClient
import KirimErrands
package import KirimRooms
import KirimScreen
import KirimWire

/// The chat without a prompt: every line of the input is a message, every event a line of the output.
///
/// The input is read no faster than the server accepts it, so that a file of any size takes little memory.
package struct StreamChat {
    private let client: KirimClient
    private let options: Options
    private var face: LineFace
    private var refused = 0
    private var accepted = 0
    /// Decisions that came as events, and were printed where that is wanted: they may be behind the receipts.
    private var told = 0
    /// The last place in the room that a message from here got; its line is still to be shown.
    private var lastPlace: SequenceNumber?
    private var shown: SequenceNumber = .zero
    private var isInputDone = false
    /// What the input ended with, if that was not its end.
    private var fault: InputLines.Fault?
    /// What was told and shown when it was last looked at whether more comes.
    private var progress: (told: Int, shown: SequenceNumber)?
    private var isFinishing = false
    /// The server's name, while it cannot be looked up.
    private var unknownHost: String?
    /// What the server said last instead of deciding.
    private var lastRefusal: Refusal?
    /// Why nothing is printed any more. What was read is sent all the same.
    private var outputTrouble: StandardOutput.Trouble?

    package struct Options: Sendable {
        package var room: RoomName
        /// Prints events as JSON.
        package var isJSON = false
        /// Goes on showing what comes after the end of the input.
        package var follows = false
        /// Lines that begin with a slash are commands: somebody types them.
        package var hasCommands = false
        /// So long without any progress ends it.
        package var patience: Duration = .seconds(30)

        package init(room: RoomName) { self.room = room }
    }

    private enum Stimulus: Sendable {
        case event(KirimClient.Event)
        case answer(ChatScreen.Answer)
        case line(String)
        case decided(PostDecision)
        /// All lines were read, and their messages decided about.
        case inputDone
        case fault(InputLines.Fault)
        case failed(KirimError)
        /// The server has not decided in time; the fault is what the input ended with.
        case late(InputLines.Fault?)
        case interrupted
        /// A moment has passed since the input's end, or since it was last looked at whether more comes.
        case moment
        /// Nothing is missing any more.
        case enough
    }

    /// Messages on their way at once: enough to keep the server busy.
    private static let window = 2_000

    package init(client: KirimClient, face: LineFace, options: Options) {
        self.client = client
        self.face = face
        self.options = options
    }

    /// Runs to the end of the input and of its messages, or until going on makes no sense.
    /// `interruptions`: each one ends it, as Ctrl-C does.
    package mutating func run(
        interruptions: AsyncStream<Void> = AsyncStream { $0.finish() }
    ) async -> ChatExit {
        let (stimuli, continuation) = AsyncStream.makeStream(of: Stimulus.self)
        let client = client
        let headroom = Headroom(1_000)
        let events = Task {
            for await event in client.events {
                await headroom.take()
                continuation.yield(.event(event))
            }
        }
        let errands = Errands(client: client) { continuation.yield(.answer($0)) }
        let options = options
        let input = Task {
            let end = await Self.readInput(client, options) { continuation.yield($0) }
            continuation.yield(end)
        }
        let interrupting = Task {
            for await _ in interruptions { continuation.yield(.interrupted) }
        }
        defer {
            events.cancel()
            headroom.open()
            input.cancel()
            interrupting.cancel()
            errands.abandon()
        }
        var ending: ChatExit = .done
        for await stimulus in stimuli {
            if case .event = stimulus { headroom.give() }
            if let exit = take(stimulus, errands, { continuation.yield($0) }) {
                ending = exit
                break
            }
            // Somebody who only reads has gone: what was written meanwhile is waited for, and that is all.
            if outputTrouble != nil, options.follows || options.hasCommands {
                finish(errands) { continuation.yield($0) }
            }
        }
        // Nobody was let in: a script that tries again should know that it need not say it again.
        if [.noAccess, .putOut, .serverKeyChanged, .interrupted].contains(ending) {
            let kept = await client.queued().count
            if kept > 0 { complain(face.kept(kept)) }
        }
        if options.isJSON {
            JSONLine.sayEnd(accepted: accepted, refused: refused, code: ending.rawValue)
        }
        await client.close()
        return ending
    }

    private mutating func take(
        _ stimulus: Stimulus,
        _ errands: Errands,
        _ later: @escaping @Sendable (Stimulus) -> Void
    ) -> ChatExit? {
        switch stimulus {
        case .event(let event): return take(event, errands)
        case .answer(let answer):
            return carryOut(face.take(answer, identity: client.identity), errands)
        case .line(let line): return carryOut(face.submit(line), errands)
        case .decided(let decision):
            decide(decision)
            return nil
        case .fault(let fault):
            complain(face.sentence(for: fault))
            guard !options.follows, !options.hasCommands else { return fault.exit }
            self.fault = fault
            return inputEnded(later)
        case .interrupted: return .interrupted
        case .failed(let error):
            complain(face.sentence(for: error))
            return ChatExit(error)
        case .late(let fault):
            if let fault { complain(face.sentence(for: fault)) }
            complain(face.lateness(unknown: unknownHost, refusal: lastRefusal))
            return fault?.exit ?? .unreachable
        case .inputDone:
            guard !options.follows else { return nil }
            if options.hasCommands {
                finish(errands, later)
                return nil
            }
            return inputEnded(later)
        case .moment:
            // Who prints into something slow is given the time.
            guard let progress, progress != (told, shown) else { return exit }
            wait(later)
            return nil
        case .enough: return exit
        }
    }

    /// Everything was read, and the server has decided about it.
    private mutating func inputEnded(
        _ later: @escaping @Sendable (Stimulus) -> Void
    ) -> ChatExit? {
        isInputDone = true
        // The last line's own entry may come a moment after its acceptance.
        wait(later)
        return ending
    }

    private mutating func wait(_ later: @escaping @Sendable (Stimulus) -> Void) {
        progress = (told, shown)
        Task {
            try? await Task.sleep(for: .seconds(1))
            later(.moment)
        }
    }

    /// Carries out what was typed last, and waits for the server's word about it.
    private mutating func finish(
        _ errands: Errands,
        _ later: @escaping @Sendable (Stimulus) -> Void
    ) {
        guard !isFinishing else { return }
        isFinishing = true
        let client = client
        let patience = options.patience
        Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await errands.finish()
                    try? await client.drained()
                    try? await Task.sleep(for: .milliseconds(200))
                }
                group.addTask { try? await Task.sleep(for: patience) }
                await group.next()
                group.cancelAll()
                errands.abandon()
            }
            later(.enough)
        }
    }

    /// How it ends, where everything has been said and shown.
    private var ending: ChatExit? {
        guard isInputDone, shown >= lastPlace ?? .zero, told >= accepted + refused else {
            return nil
        }
        return exit
    }

    /// How it ends once nothing is missing any more.
    private var exit: ChatExit {
        if case .failed? = outputTrouble { return .local }
        if let fault { return fault.exit }
        return refused == 0 ? .done : .notAccepted
    }

    private mutating func write(_ line: String) {
        guard outputTrouble == nil else { return }
        outputTrouble = StandardOutput.trouble(writing: line + "\n")
        if case .failed(let reason)? = outputTrouble {
            StandardOutput.complain(face.sentence(forOutput: reason))
        }
    }

    private mutating func take(_ event: KirimClient.Event, _ errands: Errands) -> ChatExit? {
        if options.isJSON { write(JSONLine(event).line) }
        switch event {
        case .entry(let entry, _) where entry.room == options.room:
            shown = max(shown, entry.sequence)
        case .unknownHost(let name, _): unknownHost = name
        case .phase:
            unknownHost = nil
            lastRefusal = nil
        case .notWelcome(let refusal), .postponed(let refusal, _): lastRefusal = refusal
        case .welcomed: lastRefusal = nil
        case .decided(_, let decision):
            told += 1
            if case .accepted = decision { lastRefusal = nil }
        default: break
        }
        if let exit = carryOut(face.receive(event), errands) { return exit }
        return ending
    }

    private mutating func decide(_ decision: PostDecision) {
        switch decision {
        case .accepted(let room, let sequence):
            accepted += 1
            if room == options.room { lastPlace = max(lastPlace ?? .zero, sequence) }
        case .refused: refused += 1
        }
    }

    private mutating func carryOut(_ effects: [LineFace.Effect], _ errands: Errands) -> ChatExit? {
        var exit: ChatExit?
        for effect in effects {
            switch effect {
            case .print(let line):
                if !options.isJSON { write(line) }
            case .note(let line): if !options.isJSON { StandardOutput.complain(line) }
            case .quit: exit = exit ?? .done
            case .stop(let reason): exit = exit ?? ChatExit(reason)
            case .wish(let wish): errands.begin(wish)
            case .showLink: errands.askLink()
            }
        }
        return exit
    }

    private func complain(_ sentence: String) {
        guard options.isJSON else { return StandardOutput.complain(sentence) }
        var line = JSONLine(event: "failed")
        line.add("message", sentence)
        StandardOutput.write(line.line + "\n")
    }
}

// MARK: - The input

extension StreamChat {
    /// Reads the whole input and says it; returns how that ended. What an earlier run left in the outbox goes
    /// before it, and is waited for as if it had been read here.
    private static func readInput(
        _ client: KirimClient,
        _ options: Options,
        tell: @escaping @Sendable (Stimulus) -> Void
    ) async -> Stimulus {
        let kept = options.hasCommands ? [] : await client.waiting()
        if let fault = await enter(client, options) { return fault }
        var sender = Sender(client: client, options: options, underway: kept, tell: tell)
        var input = InputLines()
        var fault: InputLines.Fault?
        do {
            while fault == nil {
                let bytes: [UInt8]
                do throws(InputLines.Fault) {
                    bytes = try await StandardInput.next()
                } catch {
                    fault = error
                    break
                }
                let piece = input.cut(bytes)
                fault = piece.fault
                try await sender.say(piece.lines)
                if bytes.isEmpty { break }
            }
            try await sender.settle(down: 0)
        } catch is Sender.Late {
            return .late(fault)
        } catch {
            return .failed(KirimError(of: error))
        }
        if let fault { return .fault(fault) }
        return .inputDone
    }

    /// Wishes to be in the room, where that has not been done in an earlier run.
    private static func enter(_ client: KirimClient, _ options: Options) async -> Stimulus? {
        guard options.room != .lobby else { return nil }
        do {
            try await client.enter(options.room)
            return nil
        } catch {
            return .failed(KirimError(of: error))
        }
    }

    /// Puts lines into the outbox, and waits where too many are on their way.
    private struct Sender {
        let client: KirimClient
        let options: Options
        let tell: @Sendable (Stimulus) -> Void
        private var underway: [Receipt]
        private var first = 0

        /// The server has not decided in time.
        struct Late: Error {}

        init(
            client: KirimClient,
            options: Options,
            underway: [Receipt],
            tell: @escaping @Sendable (Stimulus) -> Void
        ) {
            self.client = client
            self.options = options
            self.underway = underway
            self.tell = tell
        }

        mutating func say(_ lines: [String]) async throws {
            if options.hasCommands {
                for line in lines { tell(.line(line)) }
                return
            }
            guard !lines.isEmpty else { return }
            underway += try await client.send(lines, to: options.room)
            try await settle(down: StreamChat.window)
        }

        /// Waits until at most so many messages are undecided.
        mutating func settle(down limit: Int) async throws {
            while underway.count - first > limit {
                tell(.decided(try await decision(of: underway[first])))
                first += 1
            }
            underway.removeFirst(first)
            first = 0
        }

        private func decision(of receipt: Receipt) async throws -> PostDecision {
            let patience = options.patience
            return try await withThrowingTaskGroup(of: PostDecision?.self) { group in
                group.addTask { try await receipt.decision() }
                group.addTask {
                    try await Task.sleep(for: patience)
                    return nil
                }
                defer { group.cancelAll() }
                guard let decision = try await group.next() ?? nil else { throw Late() }
                return decision
            }
        }
    }
}
