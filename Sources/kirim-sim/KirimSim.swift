import ArgumentParser
import Foundation
import KirimSimulation

/// `kirim-sim`: runs seeds through the simulation and says what broke.
@main
struct KirimSim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kirim-sim",
        abstract: "Runs Kirim on a simulated network, clock and disk, one seed after another.",
        discussion: """
            The same seed and faults give the same run, to the last byte. A broken promise ends \
            the program with code 1 and the line that repeats it.

              kirim-sim --seeds 2000
              kirim-sim --seed 17 --seeds 1 --faults loss,server-crash --verbose
              kirim-sim --faults all,-attack
              kirim-sim --kind swarm --minutes 60 --keep-going
            """
    )

    @Option(help: "How many seeds to run.")
    var seeds = 100

    @Option(help: "Runs seeds for so many minutes, however many these are.")
    var minutes: Double?

    @Option(help: "The first seed; a number, a commit's hash in hexadecimal, or now.")
    var seed = "1"

    @Option(help: "all, none, or names with commas; -name takes one away.")
    var faults = "all"

    @Option(help: "What to run: chat, transport, or swarm, which draws all circumstances.")
    var kind = "chat"

    @Option(help: "small or full runs.")
    var size = "full"

    @Option(help: "Runs at once.")
    var jobs = 2

    @Flag(help: "Goes on after a broken promise.")
    var keepGoing = false

    @Flag(help: "Prints a line for each seed.")
    var verbose = false

    @Flag(help: "Tells everything that happens, one run at a time.")
    var story = false

    func run() async throws {
        guard let faults = Faults(faults) else {
            let known = Faults.names.map(\.name).joined(separator: ", ")
            throw ValidationError(
                "“\(self.faults)” names an unknown fault. Known: all, none, \(known)."
            )
        }
        guard let kind = RunReport.Kind(rawValue: kind) else {
            throw ValidationError("“\(self.kind)” is neither chat, transport nor swarm.")
        }
        guard let size = RunSize(rawValue: size) else {
            throw ValidationError("“\(self.size)” is neither small nor full.")
        }
        guard let first = Self.number(seed) else {
            throw ValidationError("“\(seed)” is neither a number, a hash, nor now.")
        }
        LastWords.prepare()
        let end = minutes.map { ContinuousClock.now + .seconds($0 * 60) }
        var tally = Tally(isVerbose: verbose, progress: .seconds(minutes == nil ? 1 : 5))
        await withTaskGroup(of: RunReport.self) { group in
            var next = 0
            func start() {
                guard end.map({ ContinuousClock.now < $0 }) ?? (next < seeds) else { return }
                let seed = first &+ UInt64(next)
                next += 1
                let story = story
                group.addTask {
                    let begun = RunReport(seed: seed, faults: faults, kind: kind, size: size)
                    return LastWords.during("\(begun.command)\n") {
                        Simulation.run(
                            kind,
                            seed: seed,
                            faults: faults,
                            size: size,
                            narrator: story ? { print($0) } : nil
                        )
                    }
                }
            }
            for _ in 0..<(story ? 1 : max(1, jobs)) { start() }
            for await report in group {
                tally.add(report)
                if report.violation != nil, !keepGoing { break }
                start()
            }
            group.cancelAll()
        }
        tally.finish()
        if !tally.failures.isEmpty { throw ExitCode(1) }
    }

    /// Decimal, the first 16 digits of a hexadecimal hash, or the time in thousandths of a second.
    static func number(_ text: String) -> UInt64? {
        if text == "now" { return UInt64(Date().timeIntervalSince1970 * 1_000) }
        return UInt64(text) ?? UInt64(text.prefix(16), radix: 16)
    }
}
