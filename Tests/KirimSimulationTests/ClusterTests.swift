import Foundation
import KirimSimulation
import Testing

/// Whole runs of the chat and of the transport. A failure prints the line that repeats it.
@Suite("Simulated runs")
struct ClusterTests {
    static func expectKept(_ report: RunReport, _ location: SourceLocation = #_sourceLocation) {
        guard let violation = report.violation else { return }
        Issue.record("\(violation) Repeat it: \(report.command)", sourceLocation: location)
    }

    @Test("one seed gives one run, another seed another", arguments: RunReport.Kind.allCases)
    func determinism(_ kind: RunReport.Kind) {
        let first = Simulation.run(kind, seed: 7, faults: .all, size: .small)
        let again = Simulation.run(kind, seed: 7, faults: .all, size: .small)
        let other = Simulation.run(kind, seed: 8, faults: .all, size: .small)
        #expect(first.trace == again.trace)
        #expect(first.time == again.time)
        #expect(first.messages == again.messages)
        #expect(first.trace != other.trace)
    }

    @Test(
        "a quiet world keeps every promise, and people talk in it",
        arguments: [1, 2, 3] as [UInt64]
    )
    func quiet(_ seed: UInt64) {
        let report = Simulation.run(.chat, seed: seed, faults: .none, size: .small)
        Self.expectKept(report)
        #expect(report.messages > 10)
    }

    @Test(
        "the transport keeps its promises through everything",
        arguments: 100..<112 as Range<UInt64>
    )
    func transport(_ seed: UInt64) {
        Self.expectKept(Simulation.run(.transport, seed: seed, faults: .all, size: .small))
    }

    @Test("the chat keeps its promises through everything", arguments: 1..<121 as Range<UInt64>)
    func chat(_ seed: UInt64) {
        Self.expectKept(Simulation.run(.chat, seed: seed, faults: .all, size: .small))
    }

    /// Each broke a promise once. What they draw has moved since, so what each found has a test of its own;
    /// they are here as long runs that meet much.
    @Test(
        "long runs that once broke a promise keep them all",
        arguments: [5_009, 30_052, 30_097, 40_146, 40_400, 40_455] as [UInt64]
    )
    func past(_ seed: UInt64) {
        Self.expectKept(Simulation.run(.chat, seed: seed, faults: .all, size: .full))
    }

    @Test("the commit's own hash is a seed too")
    func commit() {
        let hash = ProcessInfo.processInfo.environment["KIRIM_SEED"] ?? ""
        guard let seed = UInt64(hash.prefix(16), radix: 16) else {
            print("KIRIM_SEED is not set: the commit's own seed is not run. make test sets it.")
            return
        }
        Self.expectKept(Simulation.run(.chat, seed: seed, faults: .all, size: .full))
    }

    @Test("each kind of trouble alone is survived", arguments: Faults.names.map(\.name))
    func alone(_ name: String) throws {
        let faults = try #require(Faults(name))
        Self.expectKept(Simulation.run(.chat, seed: 1, faults: faults, size: .small))
    }

    @Test("fault lists are read and written")
    func faultNames() throws {
        #expect(Faults("all") == .all)
        #expect(Faults("none") == Faults.none)
        #expect(Faults("all,-attack") == Faults.all.subtracting(.attack))
        #expect(Faults("loss,server-crash") == [.loss, .serverCrash])
        #expect(Faults("weather") == nil)
        for (name, fault) in Faults.names {
            #expect(Faults(name) == fault)
            #expect(fault.description == name)
        }
        #expect(
            Faults(Faults.all.subtracting(.plain).description) == Faults.all.subtracting(.plain)
        )
    }
}
