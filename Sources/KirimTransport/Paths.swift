import KirimWire

/// Where the peer is heard, and what has been proved about it (RFC 9000 §8.2, §9).
struct Paths {
    struct State {
        let path: Path
        var isValidated: Bool
        /// Counted until the address has proved itself: out may be at most three times in.
        var bytesIn = 0
        var bytesOut = 0
    }

    struct Challenge {
        let path: Path
        let data: UInt64
        let deadline: Instant
    }

    private(set) var active: State
    /// The last address that proved itself, to fall back on.
    private(set) var fallback: Path?
    private var challenges: [Challenge] = []
    /// Counts the changes of ``active``.
    private(set) var generation: UInt32 = 0

    /// Challenges that may be open; more are the work of somebody who forges moves.
    static let challengeLimit = 8

    init(first: Path) { active = State(path: first, isValidated: true) }

    var challengeCount: Int { challenges.count }

    var deadline: Instant? { challenges.map(\.deadline).min() }

    /// The newest challenge that the active path has yet to answer.
    var openChallenge: Challenge? {
        active.isValidated ? nil : challenges.last { $0.path == active.path }
    }

    /// Bytes that may still go to the active path.
    var allowance: Int { active.isValidated ? .max : max(0, 3 * active.bytesIn - active.bytesOut) }

    mutating func received(_ count: Int, on path: Path) {
        if path == active.path, !active.isValidated { active.bytesIn += count }
    }

    mutating func sent(_ count: Int, on path: Path) {
        if path == active.path, !active.isValidated { active.bytesOut += count }
    }

    /// The peer moved: an authentic packet with the highest number came from another address. The new
    /// path is used at once; both it and the old one are asked to prove themselves.
    /// Returns the challenges to send.
    mutating func move(
        to path: Path,
        bytesIn: Int,
        challenge: () -> UInt64,
        deadline: Instant
    ) -> [Challenge] {
        let old = active
        if old.isValidated { fallback = old.path }
        active = State(path: path, isValidated: path == fallback, bytesIn: bytesIn)
        generation += 1
        var issued = [Challenge(path: path, data: challenge(), deadline: deadline)]
        if old.isValidated {
            issued.append(Challenge(path: old.path, data: challenge(), deadline: deadline))
        }
        challenges.append(contentsOf: issued)
        if challenges.count > Self.challengeLimit {
            challenges.removeFirst(challenges.count - Self.challengeLimit)
        }
        return issued
    }

    /// Our own end moved; the peer will ask for proof, we need none of it.
    mutating func use(_ path: Path) {
        active = State(path: path, isValidated: true)
        fallback = nil
        challenges = []
        generation += 1
    }

    /// Returns whether the active path was proved by this.
    mutating func answered(_ data: UInt64) -> Bool {
        guard let index = challenges.firstIndex(where: { $0.data == data }) else { return false }
        let challenge = challenges.remove(at: index)
        guard challenge.path == active.path, !active.isValidated else { return false }
        active.isValidated = true
        challenges.removeAll { $0.path == challenge.path }
        return true
    }

    /// Returns whether the active path failed to prove itself, and the last good one is used again.
    mutating func timePassed(to now: Instant) -> Bool {
        let failed = challenges.contains { $0.deadline <= now && $0.path == active.path }
        challenges.removeAll { $0.deadline <= now }
        guard failed, !active.isValidated, let fallback else { return false }
        active = State(path: fallback, isValidated: true)
        generation += 1
        return true
    }
}
