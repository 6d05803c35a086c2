import DequeModule
import KirimWire

// Loss detection and probes: RFC 9002 §6 and its appendix A, for one packet number space.

extension Connection {
    /// Packets that a later one may overtake before they count as lost (RFC 9002 §6.1.1).
    static let packetThreshold: UInt32 = 3
    /// Probes of one timeout, always two: at 10 % loss a lone one is lost too often (PROTOCOL.md §3).
    static let probes = 2
    /// Packets after a loss that ask for no later acknowledgement, and the most that losses add up to.
    private static let laterAckPenalty: UInt64 = 512
    private static let laterAckPenaltyLimit: UInt64 = 8_192
    /// Unanswered packets that a connection remembers; a peer that never acknowledges meets this.
    static let sentLimit = 65_536
    /// Longest wait between probes. A peer that comes back within it is found without its help.
    static let longestProbeWait: Int64 = 8_000_000_000

    mutating func acknowledged(_ ack: AckFrame, at now: Instant) {
        guard let largest = ack.ranges.first?.upperBound, largest < nextPacketNumber else {
            close(.violation, reason: "acknowledged a packet never sent", as: .violation, at: now)
            return
        }
        let inFlight = sent.bytesInFlight
        var newest: SentPacket?
        for range in ack.ranges {
            guard let numbers = sent.unanswered(in: range) else { continue }
            for number in numbers {
                guard let packet = sent.remove(number) else { continue }
                if newest.map({ packet.number > $0.number }) ?? true { newest = packet }
                delivered(packet, inFlight: inFlight)
            }
        }
        guard let newest else { return }
        largestAcknowledged = max(largestAcknowledged ?? 0, largest)
        if newest.number == largest, newest.isAckEliciting,
            newest.pathGeneration == paths.generation
        {
            let delay = Int64(min(ack.delay, 1 << 30)) * 8_000
            roundTrip.add(
                sample: now.nanoseconds - newest.sentAt.nanoseconds,
                acknowledgementDelay: min(delay, excusedAckDelay)
            )
        }
        probeCount = 0
        probesOwed = 0
        detectLosses(at: now)
        // Nothing is left of which a copy could be of use.
        if sent.elicitingCount == 0, !recent.isEmpty { recent = [] }
    }

    /// How long the peer may have let an acknowledgement wait: a client asks nobody to be late.
    var longestAckDelay: Int64 {
        switch role {
        case .client: peerMaxAckDelay
        case .server: max(peerMaxAckDelay, peerLaterAckDelay)
        }
    }

    /// How much of a wait that an acknowledgement tells of is taken off the round trip. Whoever is asked to acknowledge at once
    /// and is in the middle of a long turn is that much farther away, as the next probe has to know.
    private var excusedAckDelay: Int64 {
        switch role {
        case .client: TransportConfiguration.answerDelay
        case .server: longestAckDelay
        }
    }

    private mutating func delivered(_ packet: SentPacket, inFlight: Int) {
        if let acknowledges = packet.acknowledges { received.peerKnows(below: acknowledges) }
        if packet.isAckEliciting, packet.pathGeneration == paths.generation {
            congestion.acknowledged(bytes: packet.size, sentAt: packet.sentAt, inFlight: inFlight)
        }
        for content in packet.contents {
            switch content {
            case .records(let name, let numbers):
                withStream(name) { $0.acknowledge(numbers) }
            case .fragment(let name, let number, let bytes):
                withStream(name) { $0.acknowledgeFragment(of: number, bytes) }
            case .token: break
            }
        }
    }

    /// Runs `change`, which tells whether the stream's acknowledged front moved, and remembers that it did.
    mutating func withStream(
        _ name: OutgoingStream.Name,
        _ change: (inout OutgoingStream) -> Bool
    ) {
        guard let index = streams.index(of: name) else { return }
        if change(&streams[index]), !streams[index].hasNews {
            streams[index].hasNews = true
            acknowledgedStreams.append(name.id)
        }
    }

    /// Declares lost what later packets have outrun by number or by time (RFC 9002 §6.1).
    mutating func detectLosses(at now: Instant) {
        lossTime = nil
        guard let largestAcknowledged else { return }
        let delay = roundTrip.lossDelay
        var lost: [SentPacket] = []
        for packet in sent.eliciting {
            guard packet.number < largestAcknowledged else { break }
            let expiry = packet.sentAt.advanced(nanoseconds: delay)
            if largestAcknowledged - packet.number >= Self.packetThreshold || expiry <= now {
                lost.append(packet)
            } else {
                lossTime = min(lossTime ?? expiry, expiry)
            }
        }
        guard let first = lost.first, let last = lost.last else { return }
        lossMark = packetsSent
        // Of losses that come often the penalty grows, up to a limit: a path may heal.
        laterAcksFrom = min(
            max(laterAcksFrom, packetsSent) + Self.laterAckPenalty,
            packetsSent + Self.laterAckPenaltyLimit
        )
        // Losses that span three probe timeouts mean that the path is not what it was (RFC 9002 §7.6).
        let span = last.sentAt.nanoseconds - first.sentAt.nanoseconds
        let isPersistent =
            roundTrip.hasSample && lost.count > 1 && span > 3 * longestProbeTimeout
        for packet in lost {
            _ = sent.remove(packet.number)
            packetsLost += 1
            requeue(packet)
            if packet.pathGeneration == paths.generation {
                congestion.lost(sentAt: packet.sentAt, at: now, isPersistent: isPersistent)
            }
        }
    }

    /// Packets that a probe timeout has gone by without an answer, while probes get none either. A loss is declared when a
    /// later packet is acknowledged (RFC 9002 §6.1), which never happens to a peer that is gone: whoever shows how
    /// the link does counts these with the lost ones.
    var overdue: UInt64 {
        guard probeCount > 0 else { return 0 }
        let limit = lastElicitingSent.advanced(by: .zero - .nanoseconds(probeTimeout))
        return UInt64(sent.eliciting.prefix { $0.sentAt <= limit }.count)
    }

    /// What the packet carried is to be sent again.
    private mutating func requeue(_ packet: SentPacket) {
        for content in packet.contents {
            switch content {
            case .records(let name, let numbers):
                guard let index = streams.index(of: name) else { continue }
                streams[index].lose(numbers)
                streams.queue(index)
            case .fragment(let name, let number, let bytes):
                guard let index = streams.index(of: name) else { continue }
                streams[index].loseFragment(of: number, bytes)
                streams.queue(index)
            case .token: wantsToken = true
            }
        }
    }

    /// When silence becomes a reason to ask (RFC 9002 §6.2). Not before the address may be written to.
    var probeDeadline: Instant? {
        guard sent.elicitingCount > 0, paths.allowance >= Self.smallestPacket else { return nil }
        let longest = Self.longestProbeWait
        let first =
            switch askedAckTiming {
            case .now: min(probeTimeout, roundTrip.promptProbeTimeout)
            case .usual: probeTimeout
            case .later: longestProbeTimeout
            }
        // The shortest timeout is a millisecond: thirteen doublings, and it is the longest.
        let wait = min(min(first, longest) << Int64(min(probeCount, 13)), longest)
        return lastElicitingSent.advanced(nanoseconds: wait)
    }

    /// Two packets go out in spite of the window, with what waited longest (RFC 9002 §6.2.4).
    mutating func probe() {
        probeCount += 1
        // A lost challenge, or its lost answer, would send everything back to an address that is dead.
        if let challenge = paths.openChallenge, pathFrames.count < Self.pathFrameLimit {
            pathFrames.append((challenge.path, .pathChallenge(challenge.data)))
        }
        askAgain()
    }

    /// Asks for two packets, in spite of the window.
    mutating func askAgain() {
        probesOwed = Self.probes
        requeuedBelow = 0
        requeueOldest()
    }

    /// Queues again what the oldest unanswered packets carried, one packet's worth, from where the last call ended: not lost for
    /// certain, so still under way; a copy of the content costs less than another timeout. After the last of them it begins
    /// anew, so that where little is missing each probe bears all of it.
    mutating func requeueOldest() {
        var room = PacketSize.maximum
        for packet in sent.eliciting where packet.number >= requeuedBelow {
            room -= packet.size
            guard room >= 0 else { return }
            requeue(packet)
            requeuedBelow = packet.number + 1
        }
        requeuedBelow = 0
    }
}
