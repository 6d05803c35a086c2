import ArgumentParser
import Dispatch
import Foundation
import KirimTerminal

/// A command that has the main thread, because its windows are drawn there.
protocol WindowedCommand: ParsableCommand {
    var opensWindow: Bool { get }
    /// Runs until the windows are closed; returns the exit code.
    @MainActor func runWindow() throws -> Int32
}

/// Where the program begins: commands with windows run on the main thread, all others as tasks beside it.
@main
enum Main {
    static func main() {
        refuseUnreadableWords()
        do {
            let command = try Kirim.parseAsRoot()
            #if GTK
            if let windowed = command as? any WindowedCommand, windowed.opensWindow {
                let code = try MainActor.assumeIsolated { try windowed.runWindow() }
                Kirim.exit(withError: ExitCode(code))
            }
            #endif
            run(command)
        } catch {
            Kirim.exit(withError: error)
        }
    }

    /// What is not UTF-8 would be sent as something else than was written.
    private static func refuseUnreadableWords() {
        for place in 1..<max(1, Int(CommandLine.argc)) {
            guard let word = CommandLine.unsafeArgv[place],
                String(validatingCString: word) == nil
            else { continue }
            StandardOutput.complain("kirim: word \(place) of the command line is not valid UTF-8.")
            Kirim.exit(withError: ExitCode(EX_USAGE))
        }
    }

    /// As `AsyncParsableCommand.main` does it: the main thread serves the main queue.
    private static func run(_ command: sending any ParsableCommand) -> Never {
        Task {
            do {
                var command = command
                if var waiting = command as? any AsyncParsableCommand {
                    try await waiting.run()
                } else {
                    try command.run()
                }
                Kirim.exit()
            } catch {
                Kirim.exit(withError: error)
            }
        }
        dispatchMain()
    }

    #if GTK
    static let withoutDisplay = Complaint(
        sentence: "there is no display here for a window; in a terminal there is kirim chat.",
        code: Complaint.unavailable
    )
    #else
    static let withoutWindows = Complaint(
        sentence: """
            this kirim was built without windows. Install GTK 4 and libadwaita (on Debian: libadwaita-1-dev) and \
            build it again; in a terminal there is kirim chat.
            """,
        code: Complaint.unavailable
    )
    #endif
}
