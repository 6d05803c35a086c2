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
            """
    )

    @Option(help: "How many seeds to run.")
    var seeds = 100

    @Option(help: "The first seed; a number, or a commit's hash in hexadecimal.")
    var seed = "1"

    @Option(help: "all, none, or names with commas; -name takes one away.")
    var faults = "all"

    @Option(help: "What to run: chat or transport.")
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
            throw ValidationError("“\(self.kind)” is neither chat nor transport.")
        }
        guard let size = RunSize(rawValue: size) else {
            throw ValidationError("“\(self.size)” is neither small nor full.")
        }
        guard let first = Self.number(seed) else {
            throw ValidationError("“\(seed)” is neither a number nor a hash.")
        }
        var tally = Tally(isVerbose: verbose)
        await withTaskGroup(of: RunReport.self) { group in
            var next = 0
            func start() {
                guard next < seeds else { return }
                let seed = first &+ UInt64(next)
                next += 1
                let story = story
                group.addTask {
                    Simulation.run(
                        kind,
                        seed: seed,
                        faults: faults,
                        size: size,
                        narrator: story ? { print($0) } : nil
                    )
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

    /// Decimal, or the first 16 digits of a hexadecimal hash.
    static func number(_ text: String) -> UInt64? {
        UInt64(text) ?? UInt64(text.prefix(16), radix: 16)
    }
}

/// Counts reports and prints progress, at most a line a second.
struct Tally {
    let isVerbose: Bool
    private(set) var failures: [RunReport] = []
    private var runs = 0
    private var simulated: Duration = .zero
    private var messages = 0
    private var crashes = 0
    private let began = ContinuousClock.now
    private var spoke = ContinuousClock.now

    init(isVerbose: Bool) { self.isVerbose = isVerbose }

    mutating func add(_ report: RunReport) {
        runs += 1
        simulated += report.time
        messages += report.messages
        crashes += report.crashes
        if isVerbose {
            let notes = report.notes.joined(separator: ", ")
            print(
                "seed \(report.seed): \(report.time) simulated, \(report.messages) messages, "
                    + "\(report.crashes) crashes, trace \(report.trace) \(notes)"
            )
        }
        if let violation = report.violation {
            failures.append(report)
            print("VIOLATION of \(violation)")
            print("  seed \(report.seed) at \(report.time); repeat it with:")
            print("  \(report.command)")
        }
        if !isVerbose, spoke.duration(to: .now) >= .seconds(1) {
            spoke = .now
            print(line)
        }
        // Progress is for now, also where it goes to a file.
        fflush(nil)
    }

    func finish() {
        print(line)
        if !failures.isEmpty {
            print("Violated: " + failures.map { String($0.seed) }.joined(separator: " "))
        }
    }

    private var line: String {
        let wall = max(Double(began.duration(to: .now).components.seconds), 1)
        let hours = Double(simulated.components.seconds) / 3_600
        let speed = (hours / wall * 100).rounded() / 100
        return "\(runs) seeds, \((hours * 10).rounded() / 10) simulated hours (\(speed) a second), "
            + "\(messages) messages, \(crashes) crashes, \(failures.count) violations"
    }
}
