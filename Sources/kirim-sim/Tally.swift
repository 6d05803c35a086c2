import Foundation
import KirimSimulation

/// Counts reports and prints progress, seldom enough to be read.
struct Tally {
    let isVerbose: Bool
    let progress: Duration
    private(set) var failures: [RunReport] = []
    private var runs = 0
    private var simulated: Duration = .zero
    private var messages = 0
    private var crashes = 0
    private var slowest: (seed: UInt64, settling: Duration)?
    private let began = ContinuousClock.now
    private var spoke = ContinuousClock.now

    init(isVerbose: Bool, progress: Duration) {
        self.isVerbose = isVerbose
        self.progress = progress
    }

    mutating func add(_ report: RunReport) {
        runs += 1
        simulated += report.time
        messages += report.messages
        crashes += report.crashes
        if let settling = report.settling, settling > slowest?.settling ?? .zero {
            slowest = (report.seed, settling)
        }
        if isVerbose {
            let notes = report.notes.joined(separator: ", ")
            let settled = report.settling.map { ", settled in \($0)" } ?? ""
            print(
                "seed \(report.seed): \(report.time) simulated, \(report.messages) messages, "
                    + "\(report.crashes) crashes, trace \(report.trace) \(notes)\(settled)"
            )
            if let drawn = report.circumstances { print("  \(drawn)") }
        }
        if report.violation != nil {
            failures.append(report)
            tell(report)
        }
        if !isVerbose, spoke.duration(to: .now) >= progress {
            spoke = .now
            print(line)
        }
        // Progress is for now, also where it goes to a file.
        fflush(nil)
    }

    private func tell(_ report: RunReport) {
        guard let violation = report.violation else { return }
        print("VIOLATION of \(violation)")
        if let drawn = report.circumstances { print("  \(drawn)") }
        print("  seed \(report.seed) at \(report.time); repeat it with:")
        print("  \(report.command)")
    }

    func finish() {
        print(line)
        if let slowest {
            print("Seed \(slowest.seed) took longest to settle: \(slowest.settling).")
        }
        guard !failures.isEmpty else { return }
        print("Violated:")
        for report in failures {
            print("  \(report.command)  # \(report.violation?.description ?? "")")
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
