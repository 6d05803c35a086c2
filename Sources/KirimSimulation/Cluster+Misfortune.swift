import KirimNoise
import KirimRooms
import KirimWire

// What befalls clocks and journals.

extension Cluster {
    func planMisfortune() {
        let faults = world.faults
        if faults.contains(.clock) {
            world.schedule(.clockJumps, after: misfortune.duration(around: .seconds(20)))
        }
        if faults.contains(.banishment) {
            world.schedule(.operatorPutsOut, after: misfortune.duration(around: .seconds(20)))
        }
        guard faults.contains(.journalLoss) else { return }
        for index in people.indices where misfortune.chance(0.4) {
            world.schedule(.backsUp(index), after: misfortune.duration(around: .seconds(15)))
            world.schedule(.losesJournal(index), after: misfortune.duration(around: .seconds(50)))
        }
    }

    /// All clocks go wrong together, or right again.
    func jumpClock() {
        counters.clockJumps += 1
        let day: Int64 = 86_400_000
        switch misfortune.number(below: 5) {
        case 0: wallOffset = 0
        case 1: wallOffset += Int64(misfortune.number(in: -3_600_000...3_600_000))
        case 2: wallOffset = Int64(misfortune.number(in: 1...3_650)) * day
        case 3: wallOffset = -Int64(misfortune.number(in: 1...3_650)) * day
        // A machine without a battery, a month after the beginning of time.
        default: wallOffset = 30 * day - Self.epoch
        }
        world.schedule(.clockJumps, after: misfortune.duration(around: .seconds(30)))
    }

    func backUp(_ index: Int) {
        people[index].backup = people[index].journal.copyForCrash()
        world.schedule(.backsUp(index), after: misfortune.duration(around: .seconds(60)))
    }

    /// The outbox and the history are gone, or those of a backup stand in their place; the key is kept.
    func loseJournal(of index: Int) throws(Violation) {
        world.schedule(.losesJournal(index), after: misfortune.duration(around: .seconds(90)))
        for (place, face) in faces.enumerated() where face.person == index {
            try crashFace(place)
        }
        let person = people[index]
        counters.postsLost += undecided(in: person.journal)
        if let backup = person.backup, misfortune.chance(0.6) {
            counters.journalsRestored += 1
            people[index].journal = backup.copyForCrash()
            counters.postsLost -= undecided(in: backup)
        } else {
            counters.journalsLost += 1
            let dice = dice.fork("outbox \(index) after loss", counters.journalsLost)
            people[index].journal = MemoryClientJournal(dice: dice)
        }
        let journal = people[index].journal
        journal.failWrites(with: nil)
        let known = try? journal.server(at: Self.typedAddress)
        ledger.lostJournal(
            of: person.identity.publicKey,
            keeping: known?.outbox,
            upTo: known.flatMap { try? journal.lastPost(of: $0) }
        )
        setDisk(full: person.isDiskFull, of: index)
    }

    private func undecided(in journal: MemoryClientJournal) -> Int {
        guard let known = try? journal.server(at: Self.typedAddress) else { return 0 }
        return (try? journal.undecided(of: known).count) ?? 0
    }
}
