import KirimWire

package enum Simulation {
    /// Runs one seed from its beginning to convergence, or to the first broken promise.
    package static func run(
        _ kind: RunReport.Kind,
        seed: UInt64,
        faults: Faults,
        size: RunSize,
        narrator: ((String) -> Void)? = nil
    ) -> RunReport {
        var report = RunReport(seed: seed, faults: faults, kind: kind, size: size)
        switch kind {
        case .transport: runTransport(&report)
        case .chat: runChat(&report, narrator)
        case .swarm: runSwarm(&report, narrator)
        }
        return report
    }

    private static func runSwarm(_ report: inout RunReport, _ narrator: ((String) -> Void)?) {
        let swarm = Swarm(seed: report.seed, allowed: report.faults, size: report.size)
        report.circumstances = swarm.description
        switch swarm.kind {
        case .chat:
            let cluster = Cluster(seed: swarm.seed, faults: swarm.faults, scene: swarm.scene)
            run(cluster, swarm.active, patience: swarm.patience, narrator, &report)
        case .transport(let clients):
            let run = TransportRun(
                seed: swarm.seed,
                faults: swarm.faults,
                clients: clients,
                scene: swarm.scene
            )
            Self.run(run, swarm.active, patience: swarm.patience, &report)
        }
    }

    private static func runChat(_ report: inout RunReport, _ narrator: ((String) -> Void)?) {
        var dice = Dice(seed: report.seed).fork("scenario")
        let longest: Duration = .seconds(report.size == .small ? 60 : 400)
        let cluster = Cluster(seed: report.seed, faults: report.faults, size: report.size)
        let active = dice.duration(in: .seconds(20)...longest)
        run(cluster, active, patience: .seconds(240), narrator, &report)
    }

    private static func runTransport(_ report: inout RunReport) {
        var dice = Dice(seed: report.seed).fork("scenario")
        let isSmall = report.size == .small
        let run = TransportRun(
            seed: report.seed,
            faults: report.faults,
            clients: dice.number(in: 1...(isSmall ? 3 : 8))
        )
        let active = dice.duration(in: .seconds(20)...(.seconds(isSmall ? 90 : 400)))
        Self.run(run, active, patience: .seconds(240), &report)
    }

    private static func run(
        _ cluster: Cluster,
        _ active: Duration,
        patience: Duration,
        _ narrator: ((String) -> Void)?,
        _ report: inout RunReport
    ) {
        if let narrator {
            cluster.narrator = { narrator("\(Double($0.nanoseconds / 1_000) / 1_000_000) \($1)") }
        }
        do throws(Violation) {
            try cluster.run(active: active, patience: patience)
        } catch {
            report.violation = error
        }
        report.trace = cluster.world.network.trace
        report.time = Instant.start.duration(to: cluster.world.now)
        report.settling = cluster.settling
        report.messages = cluster.ledger.accepted
        let counters = cluster.counters
        report.crashes = counters.crashes + counters.faceCrashes
        report.notes = [
            "\(cluster.ledger.shown) shown", "\(counters.steps) steps",
            "\(counters.commits) commits",
        ]
        let befell = [
            (counters.journalsLost, "journals lost"),
            (counters.journalsRestored, "journals restored"),
            (counters.postsLost, "posts lost"), (counters.kicks, "kicks"),
            (counters.bans, "bans"), (counters.unbans, "unbans"),
            (counters.clockJumps, "clock jumps"), (counters.storms, "storms"),
            (counters.stalls, "stalls"), (counters.failedWrites, "failed writes"),
            (counters.limboKept, "kept after all"),
        ]
        report.notes += befell.filter { $0.0 != 0 }.map { "\($0.0) \($0.1)" }
        report.notes += counters.turnedAway.sorted { $0.key < $1.key }.map {
            "\($0.value) \($0.key)"
        }
    }

    private static func run(
        _ run: TransportRun,
        _ active: Duration,
        patience: Duration,
        _ report: inout RunReport
    ) {
        do throws(Violation) {
            try run.run(active: active, patience: patience)
        } catch {
            report.violation = error
        }
        report.trace = run.world.network.trace
        report.time = Instant.start.duration(to: run.world.now)
        report.messages = run.counters.records
        report.crashes = run.counters.crashes
        report.notes = run.counters.closed.sorted { $0.key < $1.key }.map {
            "\($0.key) \($0.value)"
        }
    }
}
