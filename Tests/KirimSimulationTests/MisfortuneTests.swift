import KirimServerCore
import KirimSimulation
import KirimWire
import Testing

/// Each misfortune really happens, and is survived.
@Suite("Misfortunes")
struct MisfortuneTests {
    /// What befell many small worlds together.
    private static func counters(
        _ faults: Faults,
        seeds: ClosedRange<UInt64>
    ) -> Cluster.Counters {
        var all = Cluster.Counters()
        for seed in seeds {
            let cluster = Cluster(seed: seed, faults: faults, size: .small)
            do throws(Violation) {
                try cluster.run(active: .seconds(60), patience: .seconds(240))
            } catch {
                Issue.record("\(error) Seed \(seed), faults \(faults).")
            }
            let one = cluster.counters
            all.journalsLost += one.journalsLost
            all.journalsRestored += one.journalsRestored
            all.postsLost += one.postsLost
            all.kicks += one.kicks
            all.bans += one.bans
            all.unbans += one.unbans
            all.clockJumps += one.clockJumps
            all.turnedAway.merge(one.turnedAway) { $0 + $1 }
        }
        return all
    }

    @Test("journals are lost, and come back from older copies, with posts in them")
    func journals() {
        let counters = Self.counters([.journalLoss, .loss, .cut, .faces], seeds: 1...60)
        #expect(counters.journalsLost > 10)
        #expect(counters.journalsRestored > 10)
        #expect(counters.postsLost > 0)
    }

    @Test("doors are closed: wrong passwords and used invitations get nobody in")
    func doors() {
        let counters = Self.counters([.door, .loss, .serverCrash], seeds: 1...60)
        for reason in ["secret refused", "password needed", "invitation needed"] {
            #expect(counters.turnedAway[reason, default: 0] > 0, "\(reason)")
        }
        #expect(counters.turnedAway["kicked"] == nil)
    }

    @Test("an operator puts people out, and lets them in again")
    func banishment() {
        let counters = Self.counters([.banishment, .plain, .serverCrash, .move], seeds: 1...40)
        #expect(counters.kicks > 10)
        #expect(counters.bans > 10)
        #expect(counters.unbans > 10)
        #expect(counters.turnedAway["kicked", default: 0] > 5)
        #expect(counters.turnedAway["banned", default: 0] > 5)
    }

    @Test(
        "wall time decides nothing: clocks that jump change no run",
        arguments: 1...5 as ClosedRange<UInt64>
    )
    func clocks(_ seed: UInt64) {
        let faults: Faults = [.loss, .move, .sleep, .clientCrash, .disk]
        let calm = Cluster(seed: seed, faults: faults, size: .full)
        let mad = Cluster(seed: seed, faults: faults.union(.clock), size: .full)
        for cluster in [calm, mad] {
            do throws(Violation) {
                try cluster.run(active: .seconds(120), patience: .seconds(240))
            } catch {
                Issue.record("\(error) Seed \(seed).")
            }
        }
        #expect(mad.counters.clockJumps > 0)
        #expect(mad.world.now == calm.world.now)
        #expect(mad.ledger.accepted == calm.ledger.accepted)
        #expect(mad.ledger.shown == calm.ledger.shown)
        #expect(mad.world.watch.bytesIn == calm.world.watch.bytesIn)
        #expect(mad.world.watch.bytesOut == calm.world.watch.bytesOut)
    }
}
