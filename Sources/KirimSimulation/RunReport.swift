import KirimWire

/// What one run of one seed came to.
package struct RunReport: Sendable {
    package var seed: UInt64
    package var faults: Faults
    package var kind: Kind
    package var size: RunSize
    package var violation: Violation?
    package var trace = TraceHash()
    /// Simulated time, from the start to convergence.
    package var time: Duration = .zero
    package var messages = 0
    package var crashes = 0
    package var notes: [String] = []
    /// From the end of the trouble until everything had arrived; `nil` where it did not come to that.
    package var settling: Duration?
    /// What the seed drew, where it is a swarm's; in words, so that a program that only tells it does not depend on how
    /// the configuration of every layer lies in memory.
    package var circumstances: String?

    package enum Kind: String, CaseIterable, Sendable {
        /// Endpoints and streams of records, without the chat.
        case transport
        /// A server, its clients, and all promises.
        case chat
        /// One of the two in circumstances that are all drawn (``Swarm``).
        case swarm
    }

    package init(seed: UInt64, faults: Faults, kind: Kind, size: RunSize) {
        self.size = size
        self.seed = seed
        self.faults = faults
        self.kind = kind
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
