import KirimClientCore
import KirimRooms
import KirimServerCore
import KirimWire

// What befalls all at once, a server that stands still, and disks that do not say what they did.

extension Cluster {
    func planStorms() {
        let faults = world.faults
        if faults.contains(.storm) {
            world.schedule(.storms, after: storming.duration(around: .seconds(15)))
        }
        if faults.contains(.stall) {
            world.schedule(.stalls, after: storming.duration(around: .seconds(20)))
        }
    }

    /// Everybody loses the server, in one of the ways there are, and all are back in the same moment.
    func storm() throws(Violation) {
        counters.storms += 1
        world.schedule(.storms, after: storming.duration(around: .seconds(40)))
        let spell = storming.duration(
            in: .milliseconds(500)...(.seconds(storming.chance(0.3) ? 60 : 12))
        )
        switch storming.number(below: 5) {
        case 0, 1:
            world.cutServer(true)
            world.schedule(.calms, after: spell)
        case 2: try crash()
        case 3: for index in faces.indices { sleep(index, for: spell) }
        default: for index in faces.indices { try crashFace(index, backAfter: spell) }
        }
    }
}

// MARK: - A server that stands still

extension Cluster {
    func stallServer() {
        world.schedule(.stalls, after: storming.duration(around: .seconds(40)))
        guard server != nil, !isServerStalled else { return }
        counters.stalls += 1
        isServerStalled = true
        let spell = storming.duration(
            in: .milliseconds(50)...(.seconds(storming.chance(0.2) ? 60 : 5))
        )
        world.schedule(.resumes(life: life), after: spell)
    }

    func serverResumes(life: Int) throws(Violation) {
        if life == self.life { try resumeServer() }
    }

    /// The process runs again: it reads what its sockets hold, and its timers are late.
    func resumeServer() throws(Violation) {
        guard isServerStalled else { return }
        let missed = serverMissed
        endStall()
        guard let server else { return }
        for delivery in missed { try read(delivery, by: server) }
        server.core.timePassed(to: world.now, wall: wall)
        try drainServer()
    }

    func endStall() {
        isServerStalled = false
        serverMissed = []
    }
}

// MARK: - Disks in limbo

// When writing the end of a transaction to the disk fails, it is undone in the process that asked for it. It may
// stand in the file nevertheless, and whoever opens that next finds it, unless something else was written over it.

extension Cluster {
    /// Now and then a disk says no.
    func drawnFailure() -> JournalError? {
        guard world.faults.contains(.limbo), isActive, storming.chance(0.02) else { return nil }
        counters.failedWrites += 1
        return .failed("The disk reported an error.")
    }

    /// The server's process is dead.
    func settleServerLimbo() throws(Violation) {
        guard let writes = serverLimbo else { return }
        serverLimbo = nil
        guard storming.chance(0.5), !isServerDiskFull else { return }
        counters.limboKept += 1
        do {
            roomJournal.failCommits(with: nil)
            try ledger.committed(writes, try roomJournal.commit(writes))
        } catch let violation as Violation {
            throw violation
        } catch {
            preconditionFailure("a journal takes what it was asked to take before")
        }
    }

    /// A face of this person is dead.
    func settleLimbo(of index: Int) throws(Violation) {
        guard let (request, known) = people[index].limbo else { return }
        people[index].limbo = nil
        guard storming.chance(0.5) else { return }
        counters.limboKept += 1
        let person = people[index]
        let result = Result { () throws(JournalError) in
            try request.perform(for: known, on: person.journal)
        }
        try note(result, known: known, person: index)
    }
}
