package import KirimClient
import KirimErrands
import KirimRooms
import KirimScreen
import KirimWire

/// The chat at a terminal: one loop takes what the client, the keys and the answers tell, and draws.
package struct InteractiveChat {
    private let client: KirimClient
    private let terminal: Terminal
    private let words: Words
    private var face: LineFace
    private var desk: LineDesk
    private let beginning = ContinuousClock.now
    /// Wakes the loop when the prompt changes by itself.
    private var alarm: (at: Instant, task: Task<Void, Never>)?

    private enum Stimulus: Sendable {
        case event(KirimClient.Event)
        case terminal(Terminal.Event)
        case answer(ChatScreen.Answer)
        case timePassed
    }

    package init(client: KirimClient, terminal: Terminal, face: LineFace, words: Words) {
        self.client = client
        self.terminal = terminal
        self.face = face
        self.words = words
        desk = LineDesk(terminal: terminal, words: words)
    }

    /// Chats until the person leaves, or going on makes no sense.
    package mutating func run() async -> ChatExit {
        let (stimuli, continuation) = AsyncStream.makeStream(of: Stimulus.self)
        let client = client
        let headroom = Headroom(1_000)
        let terminal = terminal
        let events = Task {
            for await event in client.events {
                await headroom.take()
                continuation.yield(.event(event))
            }
        }
        let keys = Task {
            for await event in terminal.events { continuation.yield(.terminal(event)) }
        }
        let errands = Errands(client: client) { continuation.yield(.answer($0)) }
        defer {
            events.cancel()
            headroom.open()
            keys.cancel()
            errands.abandon()
        }
        await open(errands)
        var exit: ChatExit?
        for await stimulus in stimuli {
            if case .event = stimulus { headroom.give() }
            exit = carryOut(face.timePassed(to: now), errands) ?? take(stimulus, errands)
            if exit != nil { break }
            setAlarm { continuation.yield(.timePassed) }
        }
        alarm?.task.cancel()
        let ending = exit ?? .done
        if ending == .done || ending == .interrupted {
            await sayGoodbye(errands)
        } else {
            desk.leave()
            // What was written for this server goes to no other, and is not lost.
            let kept = await client.queued().count
            if kept > 0 { StandardOutput.write("-- \(face.kept(kept))\n") }
        }
        await client.close()
        return ending
    }

    private var now: Instant { .start.advanced(by: beginning.duration(to: .now)) }

    private mutating func setAlarm(_ ring: @escaping @Sendable () -> Void) {
        let deadline = face.deadline
        guard deadline != alarm?.at else { return }
        alarm?.task.cancel()
        alarm = deadline.map { deadline in
            let wait = now.duration(to: deadline)
            let task = Task {
                guard (try? await Task.sleep(for: wait)) != nil else { return }
                ring()
            }
            return (deadline, task)
        }
    }

    private mutating func open(_ errands: Errands) async {
        let looking = words(.looking, VisibleText.row(client.address.endpoint))
        desk.show(["-- " + looking], foot: face.foot)
        for room in await client.joinedRooms() { _ = face.receive(.joined(room)) }
        for post in await client.queued() { _ = face.receive(.queued(post)) }
        if face.room != .lobby {
            let isThere = await client.joinedRooms().contains(face.room)
            if !isThere { errands.begin(.join(face.room)) }
        }
        desk.show(foot: face.foot)
    }

    private mutating func take(_ stimulus: Stimulus, _ errands: Errands) -> ChatExit? {
        switch stimulus {
        case .event(let event): return carryOut(face.receive(event), errands)
        case .timePassed:
            alarm = nil
            desk.show(foot: face.foot)
            return nil
        case .answer(let answer):
            return carryOut(face.take(answer, identity: client.identity), errands)
        case .terminal(let event):
            for wish in desk.take(event, foot: face.foot) {
                switch wish {
                case .submit(let line):
                    if let exit = carryOut(face.submit(line), errands) { return exit }
                case .interrupt: return .interrupted
                case .leave: return .done
                }
            }
            return nil
        }
    }

    private mutating func carryOut(_ effects: [LineFace.Effect], _ errands: Errands) -> ChatExit? {
        var lines: [String] = []
        var exit: ChatExit?
        for effect in effects {
            switch effect {
            case .print(let line), .note(let line): lines.append(line)
            case .quit: exit = exit ?? .done
            case .stop(let reason): exit = exit ?? ChatExit(reason)
            case .wish(let wish): errands.begin(wish)
            case .showLink: errands.askLink()
            }
        }
        desk.show(lines, foot: face.foot)
        return exit
    }

    private enum Farewell: Sendable { case typed, drained, late }

    /// Gives what was typed last a moment to arrive. What does not is in the outbox, and goes the next time.
    private mutating func sayGoodbye(_ errands: Errands) async {
        desk.leave()
        let client = client
        let isTyped = await withTaskGroup(of: Farewell.self) { group in
            group.addTask {
                await errands.finish()
                return .typed
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(2))
                return .late
            }
            var isTyped = false
            for await step in group {
                guard step == .typed else { break }
                isTyped = true
                group.addTask {
                    try? await client.drained()
                    return .drained
                }
            }
            group.cancelAll()
            errands.abandon()
            return isTyped
        }
        let lines = face.farewell(waiting: await client.queued().count, isTyped: isTyped)
        for line in lines { StandardOutput.write("-- \(line)\n") }
    }
}
