import Foundation
import KirimServer
import KirimTerminal
import Synchronization

/// The operator's side of standard input and output: whole lines in, whole lines out.
///
/// At a terminal there is a prompt that arriving lines do not tear; through a pipe or a file there are only lines.
final class OperatorConsole: Sendable {
    /// Lines as they are typed, or a pasted text of several. It ends with the input; a server without an operator goes on.
    let lines: AsyncStream<String>

    private let desk: Mutex<LineDesk?>
    private static let foot = Screen.Foot(waiting: [], prompt: "Server> ")

    init() {
        let (lines, tell) = AsyncStream.makeStream(of: String.self)
        self.lines = lines
        let terminal = Terminal()
        let isInteractive =
            Terminal.isTerminal(STDIN_FILENO) && Terminal.isTerminal(STDOUT_FILENO)
            && ProcessInfo.processInfo.environment["TERM"] != "dumb"
        // SIGINT and SIGTERM belong to the service group: a stop says goodbye to everybody.
        guard isInteractive, terminal.start(leavesStopping: true) else {
            desk = Mutex(nil)
            // Reading blocks, so it has a thread of its own; it ends with the process.
            Thread.detachNewThread {
                while let line = readLine(strippingNewline: true) { tell.yield(line) }
                tell.finish()
            }
            return
        }
        desk = Mutex(LineDesk(terminal: terminal, words: Words(.english)))
        Task {
            for await event in terminal.events {
                for line in take(event) { tell.yield(line) }
            }
            tell.finish()
        }
    }

    private func take(_ event: Terminal.Event) -> [String] {
        desk.withLock { desk in
            (desk?.take(event, foot: Self.foot) ?? []).flatMap { wish -> [String] in
                switch wish {
                // Several lines were pasted: one text, and no commands.
                case .submit(let text): [text]
                // What Ctrl-C does everywhere; in a raw terminal it is a key like others.
                case .interrupt: ["/quit"]
                case .leave: []
                }
            }
        }
    }

    /// Writes one line at once: nobody should wait for a log that is a pipe or a file.
    func show(_ line: String) { show([line]) }

    func show(_ lines: [String]) {
        desk.withLock { desk in
            if desk == nil {
                StandardOutput.write(lines.map { $0 + "\n" }.joined())
            } else {
                desk?.show(lines, foot: Self.foot)
            }
        }
    }

    /// Takes the prompt away and puts the terminal back as it was.
    func leave() {
        desk.withLock { desk in
            desk?.leave()
            desk = nil
        }
    }
}
