import ArgumentParser
import Foundation

/// `kirim-bench`: does one operation many times, for whoever counts what it costs.
@main
struct KirimBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kirim-bench",
        abstract: "Does an operation of the hot paths many times and says how long it took.",
        discussion: """
            Benchmarks/count runs it where instructions and allocations are counted, which other \
            programs on the machine do not change.
            """
    )

    @Argument(help: "Operations; all but the long ones where none is named.")
    var operations: [String] = []

    @Option(help: "How often.")
    var times = 200

    @Flag(help: "Lists the operations.")
    var list = false

    func run() throws {
        let names = Operation.allCases.filter { !$0.isLong && $0.isPossible }.map(\.rawValue)
        if list { return print(names.joined(separator: "\n")) }
        for name in operations.isEmpty ? names : operations {
            guard let operation = Operation(rawValue: name), operation.isPossible else {
                throw ValidationError("There is no operation “\(name)” on this machine.")
            }
            var meter = Meter()
            let count = try operation.run(times, &meter)
            let each = Double(meter.nanoseconds) / Double(max(1, count))
            print("\(name) \(count) \(Int(each.rounded())) ns")
            fflush(nil)
        }
    }
}

/// Adds up the time of the processor that the measured work took.
struct Meter {
    private(set) var nanoseconds: Int64 = 0

    mutating func measure(_ work: @escaping () -> Void) {
        let work = Work(work)
        let begin = Self.now
        measuredWork(work)
        nanoseconds += Self.now - begin
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// What is measured, as an object: a function that takes a closure is made anew for each, and has no name then.
final class Work {
    private let run: () -> Void
    private var rounds = 0

    init(_ run: @escaping () -> Void) { self.run = run }

    func begin() { run() }

    func end() { rounds += 1 }
}

/// Its name is what `Benchmarks/count` counts within. It does something last: else it would be left before the
/// work begins.
@inline(never)
@_optimize(none)
func measuredWork(_ work: Work) {
    work.begin()
    work.end()
}
