package import KirimWire

/// What one direction of a host's access line does to datagrams.
package struct LinkConditions: Hashable, Sendable {
    /// Probability that a datagram is lost, each for itself.
    package var loss = 0.0
    /// Bad spells, in which many are lost together.
    package var bursts: Bursts?
    /// Time that every datagram takes.
    package var delay: Duration = .microseconds(100)
    /// Up to so much more, even; datagrams overtake each other where it is longer than their distance.
    package var jitter: Duration = .zero
    /// Probability that a datagram comes twice; the copy takes its own delay.
    package var duplication = 0.0
    /// Probability that one to three bits are flipped.
    package var corruption = 0.0
    /// Probability that the end is cut off.
    package var truncation = 0.0
    /// Longer payloads vanish, as with DF set and no ICMP. Ethernet over a tunnel leaves 1,252.
    package var mtu = 1_452
    /// Bits a second; 0 is unlimited.
    package var rate = 0
    /// Bytes that wait for the rate; what comes above it is dropped (tail drop).
    package var queue = 64 * 1_024

    package init() {}

    /// Gilbert and Elliott's two states, by time and not by packet: a fade lasts as long as it lasts,
    /// however little is said in it. Durations are drawn evenly from nothing to twice the mean.
    package struct Bursts: Hashable, Sendable {
        package var meanGood: Duration
        package var meanBad: Duration
        /// Probability of loss in a bad spell.
        package var loss: Double

        package init(meanGood: Duration, meanBad: Duration, loss: Double) {
            self.meanGood = meanGood
            self.meanBad = meanBad
            self.loss = loss
        }
    }
}

/// One direction of an access line: decides what comes of each datagram. Facts in, fates out.
package struct Link: Sendable {
    package var conditions: LinkConditions
    /// Nothing passes: a cable was pulled, or only this direction is dead.
    package var isCut = false
    private var dice: Dice
    private var isBad = false
    private var spellEnds: Instant?
    private var busyUntil: Instant = .start

    package init(_ conditions: LinkConditions, dice: Dice) {
        self.conditions = conditions
        self.dice = dice
    }

    package enum Loss: UInt64, Hashable, Sendable, CaseIterable {
        case random, burst, tooBig, queueFull, cut
    }

    /// What arrives at the far end, and when: no copy, one, or two.
    package enum Fate: Hashable, Sendable {
        case lost(Loss)
        case arrives(Copy, duplicate: Copy?)
    }

    package struct Copy: Hashable, Sendable {
        package var at: Instant
        package var bytes: [UInt8]
        package var isCorrupted = false
        package var isTruncated = false
    }

    package mutating func carry(_ bytes: [UInt8], at now: Instant) -> Fate {
        moveSpell(to: now)
        if isCut { return .lost(.cut) }
        if bytes.count > conditions.mtu { return .lost(.tooBig) }
        guard let departure = queued(bytes.count, at: now) else { return .lost(.queueFull) }
        if isBad, let bursts = conditions.bursts, dice.chance(bursts.loss) { return .lost(.burst) }
        if dice.chance(conditions.loss) { return .lost(.random) }
        let first = copy(of: bytes, from: departure)
        guard dice.chance(conditions.duplication) else { return .arrives(first, duplicate: nil) }
        return .arrives(first, duplicate: copy(of: bytes, from: departure))
    }

    private mutating func moveSpell(to now: Instant) {
        guard let bursts = conditions.bursts else {
            isBad = false
            spellEnds = nil
            return
        }
        if let ends = spellEnds, ends.duration(to: now) > .seconds(60) { spellEnds = nil }
        var ends = spellEnds ?? now.advanced(by: dice.duration(around: bursts.meanGood))
        while ends <= now {
            isBad.toggle()
            let mean = isBad ? bursts.meanBad : bursts.meanGood
            ends = ends.advanced(by: dice.duration(around: mean) + .microseconds(1))
        }
        spellEnds = ends
    }

    /// When the last bit leaves; `nil` where the queue is full.
    private mutating func queued(_ count: Int, at now: Instant) -> Instant? {
        guard conditions.rate > 0 else { return now }
        let start = max(busyUntil, now)
        let waiting =
            now.duration(to: start).inNanoseconds / 1_000 * Int64(conditions.rate) / 8_000_000
        guard waiting + Int64(count) <= Int64(conditions.queue) else { return nil }
        // 28 bytes of IP and UDP go over the line too.
        let bits = Int64(count + 28) * 8
        busyUntil = start.advanced(by: .nanoseconds(bits * 1_000_000_000 / Int64(conditions.rate)))
        return busyUntil
    }

    private mutating func copy(of bytes: [UInt8], from departure: Instant) -> Copy {
        var delay = conditions.delay
        if conditions.jitter > .zero { delay += dice.duration(in: .zero...conditions.jitter) }
        var copy = Copy(at: departure.advanced(by: delay), bytes: bytes)
        if !bytes.isEmpty, dice.chance(conditions.corruption) {
            copy.isCorrupted = true
            for _ in 0..<dice.number(in: 1...3) {
                copy.bytes[dice.number(below: bytes.count)] ^= 1 << UInt8(dice.number(below: 8))
            }
            // Two flips of one bit undo each other.
            if copy.bytes == bytes { copy.bytes[0] ^= 1 }
        }
        if !bytes.isEmpty, dice.chance(conditions.truncation) {
            copy.isTruncated = true
            copy.bytes.removeLast(dice.number(in: 1...copy.bytes.count))
        }
        return copy
    }
}
