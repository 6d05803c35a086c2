import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire

extension Cluster {
    /// A server process begins with what the journal holds, and nothing else.
    func startServer() throws(Violation) {
        life += 1
        narrator?(world.now, "the server begins its life \(life)")
        let snapshot: JournalSnapshot
        do {
            snapshot = try roomJournal.snapshot()
        } catch {
            throw Violation(.acceptedMeansKept, "the journal cannot be read: \(error).")
        }
        // A new process reads the clock once, and counts on from there.
        var configuration = serverConfiguration
        let began = wall.milliseconds / 1_000 - world.now.nanoseconds / 1_000_000_000
        configuration.endpoint.startedAt = UInt32(clamping: began)
        kickedUntil = [:]
        bannedSince = [:]
        server = ServerNode(
            ServerCore(
                identity: serverKey,
                snapshot: snapshot,
                configuration: configuration,
                dice: dice.fork("server", life)
            )
        )
        world.watch.serverRestarted()
        memory.serverRestarted()
        guard Set(snapshot.bans) == ledger.bans else {
            throw Violation(.acceptedMeansKept, "a restart changed the bans.")
        }
        try drainServer()
    }

    func deliverToServer(_ delivery: SimulatedNetwork.Delivery) throws(Violation) {
        guard let server, delivery.local.port == world.serverAddresses[0].port else { return }
        // What the sockets' buffers hold until the process runs again; meanwhile nobody is banned, and nobody freed.
        let hasRoom = !isServerStalled || serverMissed.count < 256
        if !hasRoom || server.core.bans.contains(where: { Self.holds($0, delivery.from.ip) }) {
            world.watch.droppedUnread()
        }
        if !isServerStalled {
            try read(delivery, by: server)
        } else if hasRoom {
            serverMissed.append(delivery)
        }
    }

    func read(
        _ delivery: SimulatedNetwork.Delivery,
        by server: ServerNode
    ) throws(Violation) {
        server.core.receive(
            delivery.bytes,
            on: Path(socket: socket(for: delivery.local.ip), remote: delivery.from),
            at: world.now,
            wall: wall
        )
        // Often several datagrams are read before the turn ends.
        if drawing.chance(0.3) {
            guard !server.isTurnPlanned else { return }
            server.isTurnPlanned = true
            world.schedule(.turn(life: life), after: drawing.duration(around: .microseconds(300)))
        } else {
            try drainServer()
        }
    }

    /// The server binds one socket for each of its addresses.
    private func socket(for ip: IPAddress) -> SocketID {
        if ip.isLoopback { return SocketID(rawValue: 2) }
        return SocketID(rawValue: ip.isVersion4 ? 0 : 1)
    }

    func drainServer() throws(Violation) {
        guard let server, !isServerStalled else { return }
        while let output = server.core.nextOutput(at: world.now) {
            if let left = server.outputsToLive {
                guard left > 0 else { return try crash(at: output) }
                server.outputsToLive = left - 1
            }
            try carryOut(output, server)
        }
    }

    private func carryOut(_ output: ServerCore.Output, _ server: ServerNode) throws(Violation) {
        switch output {
        case .transmit(let transmit):
            try world.sendFromServer(
                transmit.bytes,
                socket: Int(transmit.path.socket.rawValue),
                to: transmit.path.remote
            )
        case .commit(let id, let writes):
            try checkAuthors(of: writes)
            enqueue(.commit(id, writes), server)
        case .read(let id, let query): enqueue(.read(id, query), server)
        case .lookUp(let id, let member, let outbox): enqueue(.lookUp(id, member, outbox), server)
        case .note(let note): narrator?(world.now, "server: \(note)".prefix(300).description)
        }
    }

    private func enqueue(_ work: JournalWork, _ server: ServerNode) {
        narrator?(world.now, "journal is to \(work)".prefix(400).description)
        if case .commit = work, server.journal.count.isMultiple(of: 2) {
            // Questions that were asked before may be answered after it, where many wait.
            let behind = server.journal.lastIndex { if case .commit = $0 { true } else { false } }
            server.journal.insert(work, at: behind.map { $0 + 1 } ?? 0)
        } else {
            server.journal.append(work)
        }
        var latency = drawing.duration(in: .microseconds(100)...(.milliseconds(12)))
        if world.faults.contains(.disk), drawing.chance(0.02) {
            latency += drawing.duration(around: .seconds(2))
        }
        server.journalBusyUntil = max(server.journalBusyUntil, world.now).advanced(by: latency)
        world.schedule(
            .journal(life: life),
            after: world.now.duration(to: server.journalBusyUntil)
        )
    }

    /// The journal's thread has done its next piece of work.
    func journalWorks(life: Int) throws(Violation) {
        guard life == self.life, let server, !server.journal.isEmpty else { return }
        if isServerStalled {
            world.schedule(.journal(life: life), after: .milliseconds(100))
            return
        }
        let now = world.now
        switch server.journal.removeFirst() {
        case .commit(let id, let writes):
            server.core.committed(id, try commit(writes), at: now, wall: wall)
        case .read(let id, let query):
            let result = Result { () throws(JournalError) in try roomJournal.entries(query) }
            server.core.entriesRead(id, result, at: now)
        case .lookUp(let id, let member, let outbox):
            let result = Result { () throws(JournalError) in
                try roomJournal.nextPost(of: member, in: outbox)
            }
            server.core.authorFound(id, result, at: now)
        }
        try drainServer()
    }

    private func commit(
        _ writes: [JournalWrite]
    ) throws(Violation) -> Result<[JournalOutcome], JournalError> {
        roomJournal.failCommits(with: isServerDiskFull ? .full : nil)
        if let error = drawnFailure() {
            counters.failedCommits += 1
            serverLimbo = writes
            if storming.chance(0.5) { server?.outputsToLive = storming.number(in: 0...20) }
            return .failure(error)
        }
        do {
            let outcomes = try roomJournal.commit(writes)
            serverLimbo = nil
            counters.commits += 1
            try ledger.committed(writes, outcomes)
            return .success(outcomes)
        } catch let violation as Violation {
            throw violation
        } catch let error as JournalError {
            counters.failedCommits += 1
            return .failure(error)
        } catch {
            preconditionFailure("a journal throws JournalError only")
        }
    }

    /// The process dies before this output is carried out, or, if it is a commit, perhaps just after.
    private func crash(at output: ServerCore.Output) throws(Violation) {
        if case .commit(_, let writes) = output, drawing.chance(0.5) { _ = try commit(writes) }
        try crash()
    }

    /// The process dies. A commit under way is kept or not; nobody hears which.
    func crash() throws(Violation) {
        guard let server else { return }
        if case .commit(_, let writes)? = server.journal.first, drawing.chance(0.5) {
            _ = try commit(writes)
        }
        narrator?(world.now, "the server crashes")
        self.server = nil
        endStall()
        try settleServerLimbo()
        counters.crashes += 1
        world.schedule(.serverReturns, after: drawing.duration(around: .seconds(4)))
    }

    /// A graceful end: says goodbye, keeps what is not kept yet where the disk takes it, and is gone.
    func stopServer() throws(Violation) {
        guard let server, !isServerStalled else { return }
        server.core.stop(at: world.now)
        try drainServer()
        world.schedule(.serverStops(life: life), after: .milliseconds(300))
    }

    func serverStopped(life: Int) throws(Violation) {
        guard life == self.life, let server else { return }
        if isServerStalled || server.core.isStoring && !isServerDiskFull {
            world.schedule(.serverStops(life: life), after: .milliseconds(50))
            return
        }
        for work in server.journal {
            if case .commit(_, let writes) = work { _ = try commit(writes) }
        }
        self.server = nil
        try settleServerLimbo()
        world.schedule(.serverReturns, after: drawing.duration(around: .seconds(3)))
    }
}
