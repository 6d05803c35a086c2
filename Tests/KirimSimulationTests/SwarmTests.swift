import KirimSimulation
import Testing

/// Circumstances that are drawn, and runs in them.
@Suite("Swarms")
struct SwarmTests {
    @Test("promises are kept in drawn circumstances", arguments: 1..<61 as Range<UInt64>)
    func promises(_ seed: UInt64) {
        let report = Simulation.run(.swarm, seed: seed, faults: .all, size: .small)
        guard let violation = report.violation else { return }
        Issue.record(
            "\(violation) In: \(report.circumstances ?? "") Repeat it: \(report.command)"
        )
    }

    @Test("a seed draws the same circumstances each time")
    func repetition() {
        for seed in 1...50 as ClosedRange<UInt64> {
            let first = Swarm(seed: seed, allowed: .all, size: .full)
            #expect(first.description == Swarm(seed: seed, allowed: .all, size: .full).description)
            let other = Swarm(seed: seed + 50, allowed: .all, size: .full)
            #expect(first.description != other.description)
        }
    }

    @Test("faults that are not allowed are taken away, and nothing else changes")
    func allowedFaults() {
        for seed in 1...50 as ClosedRange<UInt64> {
            let all = Swarm(seed: seed, allowed: .all, size: .full)
            let some = Swarm(seed: seed, allowed: Faults.all.subtracting(.attack), size: .full)
            #expect(some.faults == all.faults.subtracting(.attack))
            #expect(some.constants == all.constants)
            #expect(some.scene.people == all.scene.people)
            #expect(some.active == all.active)
        }
    }

    @Test("seeds together draw every fault, crowds of all sizes, and most constants")
    func variety() {
        var withFault: [Faults: Int] = [:]
        var people: Set<Int> = []
        var constants: Set<String> = []
        let count = 400
        for seed in 1...UInt64(count) {
            let swarm = Swarm(seed: seed, allowed: .all, size: .full)
            for (_, fault) in Faults.names where swarm.faults.contains(fault) {
                withFault[fault, default: 0] += 1
            }
            people.insert(swarm.scene.people)
            constants.formUnion(swarm.constants)
        }
        for (name, fault) in Faults.names {
            #expect((count / 5...count * 4 / 5).contains(withFault[fault, default: 0]), "\(name)")
        }
        #expect(people.contains(2))
        #expect(people.contains { $0 > 90 })
        #expect(people.allSatisfy { (2...100).contains($0) })
        for change in ["rekey after 1.0 seconds", "tail entries 2", "posts in flight 1"] {
            #expect(constants.contains(change))
        }
    }

    private static func counters(_ faults: Faults) -> Cluster.Counters {
        var all = Cluster.Counters()
        for seed in 1...12 as ClosedRange<UInt64> {
            var scene = Scene()
            scene.people = 4
            let cluster = Cluster(seed: seed, faults: faults, scene: scene)
            do throws(Violation) {
                try cluster.run(active: .seconds(60), patience: .seconds(120))
            } catch {
                Issue.record("\(error) Seed \(seed), faults \(faults).")
            }
            all.storms += cluster.counters.storms
            all.stalls += cluster.counters.stalls
            all.failedWrites += cluster.counters.failedWrites
            all.limboKept += cluster.counters.limboKept
        }
        return all
    }

    @Test("storms, stalls and disks in limbo really happen, and are survived")
    func misfortunes() {
        #expect(Self.counters(.storm).storms > 15)
        #expect(Self.counters(.stall).stalls > 15)
        let limbo = Self.counters([.limbo, .clientCrash, .faces])
        #expect(limbo.failedWrites > 30)
        #expect(limbo.limboKept > 0)
        #expect(limbo.limboKept < limbo.failedWrites)
    }

    @Test("a run without a swarm does not know the faults of swarms")
    func olderSeeds() {
        let all = Simulation.run(.chat, seed: 5, faults: .all, size: .small)
        let older = Faults.all.subtracting(.swarmOnly)
        let same = Simulation.run(.chat, seed: 5, faults: older, size: .small)
        #expect(all.trace == same.trace)
    }
}
