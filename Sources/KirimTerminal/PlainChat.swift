package import KirimClient
import KirimWire
import KirimRooms
import KirimScreen

/// The chat with a server that speaks plain text only: lines out, lines in, and no more knowledge than that.
package struct PlainChat {
    private let link: PlainLink
    private let address: ServerAddress
    private let words: Words
    private let isJSON: Bool

    /// How long answers are waited for when the input has ended.
    private static let patience: Duration = .seconds(1)

    package init(link: PlainLink, address: ServerAddress, words: Words, isJSON: Bool) {
        self.link = link
        self.address = address
        self.words = words
        self.isJSON = isJSON
    }

    private enum Stimulus: Sendable {
        case event(PlainLink.Event)
        case terminal(Terminal.Event)
        case line(String)
        case inputDone(InputLines.Fault?)
        case enough
    }

    /// With a prompt, until the person leaves.
    package func run(on terminal: Terminal) async -> ChatExit {
        let (stimuli, continuation) = AsyncStream.makeStream(of: Stimulus.self)
        let link = link
        let events = Task {
            for await event in link.events { continuation.yield(.event(event)) }
        }
        let keys = Task {
            for await event in terminal.events { continuation.yield(.terminal(event)) }
        }
        defer {
            events.cancel()
            keys.cancel()
        }
        var desk = LineDesk(terminal: terminal, words: words)
        let foot = Screen.Foot(waiting: [], prompt: "\(address.endpoint)> ")
        desk.show(start.map { "-- \($0)" }, foot: foot)
        for await stimulus in stimuli {
            switch stimulus {
            case .event(let event): desk.show([text(of: event)], foot: foot)
            case .terminal(let event):
                for wish in desk.take(event, foot: foot) {
                    guard case .submit(let line) = wish else {
                        desk.leave()
                        await link.close()
                        return wish == .interrupt ? .interrupted : .done
                    }
                    let (lines, isLeaving) = await submit(line)
                    if isLeaving {
                        desk.leave()
                        await link.close()
                        return .done
                    }
                    desk.show(lines, foot: foot)
                }
            case .line, .inputDone, .enough: break
            }
        }
        return .done
    }

    /// Without a prompt, until the input has ended and no answer comes any more; `follows`: for ever.
    package func run(follows: Bool) async -> ChatExit {
        let (stimuli, continuation) = AsyncStream.makeStream(of: Stimulus.self)
        let link = link
        let events = Task {
            for await event in link.events { continuation.yield(.event(event)) }
        }
        let input = Task { await Self.readInput { continuation.yield($0) } }
        defer {
            events.cancel()
            input.cancel()
        }
        var exit: ChatExit = .done
        for await stimulus in stimuli {
            switch stimulus {
            case .event(let event):
                print(event)
                if case .refused = event, exit == .done { exit = .unreachable }
            case .line(let line):
                await link.say(line)
                // A receiver's buffer is small, and nothing is repeated.
                try? await Task.sleep(for: .milliseconds(2))
            case .inputDone(let fault):
                if let fault {
                    StandardOutput.complain(words.sentence(for: fault))
                    exit = fault.exit
                }
                guard !follows else { continue }
                Task {
                    try? await Task.sleep(for: Self.patience)
                    continuation.yield(.enough)
                }
            case .enough:
                await link.close()
                sum(exit)
                return exit
            case .terminal: break
            }
        }
        sum(exit)
        return exit
    }

    /// The last line for a program that reads; nothing here tells what was accepted.
    private func sum(_ exit: ChatExit) {
        guard isJSON else { return }
        var line = JSONLine(event: "done")
        line.add("exit", exit.rawValue)
        StandardOutput.write(line.line + "\n")
    }

    private var start: [String] {
        [words(.plainStart, address.endpoint, "\(link.localPort)"), words(.plainRegister)]
    }

    private func submit(_ line: String) async -> (lines: [String], isLeaving: Bool) {
        var text = line
        if line.hasPrefix("//") {
            text = String(line.dropFirst())
        } else if line.hasPrefix("/") {
            switch Command(line) {
            case .quit: return ([], true)
            default: return (["-- \(words(.plainNoCommand))"], false)
            }
        }
        await link.say(text)
        return (["→ \(VisibleText.block(text))"], false)
    }

    private func text(of event: PlainLink.Event) -> String {
        switch event {
        case .text(let text): VisibleText.block(text)
        case .refused: "-- \(words(.plainRefused, address.endpoint))"
        case .failed(let why): "-- \(words(.failed, VisibleText.row(why)))"
        }
    }

    private func print(_ event: PlainLink.Event) {
        guard isJSON else {
            if case .text = event {
                StandardOutput.write(text(of: event) + "\n")
            } else {
                StandardOutput.complain(text(of: event))
            }
            return
        }
        var line: JSONLine
        switch event {
        case .text(let text):
            line = JSONLine(event: "plain")
            line.add("text", text)
        case .refused:
            line = JSONLine(event: "failed")
            line.add("message", words(.plainRefused, address.endpoint))
        case .failed(let why):
            line = JSONLine(event: "failed")
            line.add("message", why)
        }
        StandardOutput.write(line.line + "\n")
    }

    private static func readInput(tell: @escaping @Sendable (Stimulus) -> Void) async {
        var input = InputLines()
        while true {
            do throws(InputLines.Fault) {
                let bytes = try await StandardInput.next()
                let (lines, fault) = input.cut(bytes)
                for line in lines { tell(.line(line)) }
                if bytes.isEmpty || fault != nil { return tell(.inputDone(fault)) }
            } catch {
                return tell(.inputDone(error))
            }
        }
    }
}
