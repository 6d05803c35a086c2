import KirimWire

/// What one run of one seed came to.
package struct RunReport: Sendable {
    package var seed: UInt64
    package var faults: Faults
    package var kind: Kind
    package var size: RunSize
    package var violation: Violation?
    package var trace: TraceHash
    /// Simulated time, from the start to convergence.
    package var time: Duration
    package var messages = 0
    package var crashes = 0
    package var notes: [String] = []

    package enum Kind: String, CaseIterable, Sendable {
        /// Endpoints and streams of records, without the chat.
        case transport
        /// A server, its clients, and all promises.
        case chat
    }

    package init(
        seed: UInt64,
        faults: Faults,
        kind: Kind,
        size: RunSize,
        trace: TraceHash,
        time: Duration
    ) {
        self.size = size
        self.seed = seed
        self.faults = faults
        self.kind = kind
        self.trace = trace
        self.time = time
    }

    /// The line that repeats the run.
    package var command: String {
        "make sim SEED=\(seed) FAULTS=\(faults) KIND=\(kind.rawValue) SIZE=\(size.rawValue)"
    }
}

/// How much a run asks for.
package enum RunSize: String, CaseIterable, Sendable {
    /// A handful of clients for a minute: fast enough for hundreds in a test.
    case small
    /// More clients for minutes.
    case full
}

package enum Simulation {
    /// Runs one seed from its beginning to convergence, or to the first broken promise.
    package static func run(
        _ kind: RunReport.Kind,
        seed: UInt64,
        faults: Faults,
        size: RunSize,
        narrator: ((String) -> Void)? = nil
    ) -> RunReport {
        switch kind {
        case .transport: runTransport(seed: seed, faults: faults, size: size)
        case .chat: runChat(seed: seed, faults: faults, size: size, narrator: narrator)
        }
    }

    private static func runChat(
        seed: UInt64,
        faults: Faults,
        size: RunSize,
        narrator: ((String) -> Void)?
    ) -> RunReport {
        var dice = Dice(seed: seed).fork("scenario")
        let cluster = Cluster(seed: seed, faults: faults, size: size)
        if let narrator {
            cluster.narrator = { narrator("\(Double($0.nanoseconds / 1_000) / 1_000_000) \($1)") }
        }
        var violation: Violation?
        do throws(Violation) {
            try cluster.run(
                active: dice.duration(in: .seconds(20)...(.seconds(size == .small ? 60 : 400))),
                patience: .seconds(240)
            )
        } catch {
            violation = error
        }
        var report = RunReport(
            seed: seed,
            faults: faults,
            kind: .chat,
            size: size,
            trace: cluster.world.network.trace,
            time: Instant.start.duration(to: cluster.world.now)
        )
        report.violation = violation
        report.messages = cluster.ledger.accepted
        report.crashes = cluster.counters.crashes + cluster.counters.faceCrashes
        report.notes = [
            "\(cluster.ledger.shown) shown", "\(cluster.counters.steps) steps",
            "\(cluster.counters.commits) commits",
        ]
        let counters = cluster.counters
        let befell = [
            (counters.journalsLost, "journals lost"),
            (counters.journalsRestored, "journals restored"),
            (counters.postsLost, "posts lost"), (counters.kicks, "kicks"),
            (counters.bans, "bans"), (counters.unbans, "unbans"),
            (counters.clockJumps, "clock jumps"),
        ]
        report.notes += befell.filter { $0.0 != 0 }.map { "\($0.0) \($0.1)" }
        report.notes += counters.turnedAway.sorted { $0.key < $1.key }.map {
            "\($0.value) \($0.key)"
        }
        return report
    }

    private static func runTransport(seed: UInt64, faults: Faults, size: RunSize) -> RunReport {
        var dice = Dice(seed: seed).fork("scenario")
        let isSmall = size == .small
        let run = TransportRun(
            seed: seed,
            faults: faults,
            clients: dice.number(in: 1...(isSmall ? 3 : 8))
        )
        var violation: Violation?
        do throws(Violation) {
            try run.run(
                active: dice.duration(in: .seconds(20)...(.seconds(isSmall ? 90 : 400))),
                patience: .seconds(240)
            )
        } catch {
            violation = error
        }
        var report = RunReport(
            seed: seed,
            faults: faults,
            kind: .transport,
            size: size,
            trace: run.world.network.trace,
            time: Instant.start.duration(to: run.world.now)
        )
        report.violation = violation
        report.messages = run.counters.records
        report.crashes = run.counters.crashes
        report.notes = run.counters.closed.sorted { $0.key < $1.key }.map {
            "\($0.key) \($0.value)"
        }
        return report
    }
}
