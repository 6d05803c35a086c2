import DequeModule
import KirimNoise
import KirimWire

extension Connection {
    /// What became of a DATA packet.
    enum Reception {
        case taken
        case repeated
        case notAuthentic
    }

    /// Opens a packet and does what it says. Only an authentic, new one has any effect.
    mutating func receive(
        _ datagram: [UInt8],
        header: DataHeader,
        on path: Path,
        at now: Instant
    ) -> Reception {
        guard received.isNew(header.packetNumber) else { return .repeated }
        guard
            let plaintext = opening.open(
                datagram[header.size...],
                number: UInt64(header.packetNumber),
                header: datagram[..<header.size],
                by: constants.configuration.cipher
            )
        else { return .notAuthentic }
        let previous = received.largest
        let isHighest = received.insert(header.packetNumber)
        lastHeard = now
        guard phase == .open else {
            repeatGoodbye()
            return .taken
        }
        let frames: [Frame]
        do {
            frames = try Frame.all(in: plaintext)
        } catch {
            close(.violation, reason: "unreadable frame", as: .violation, at: now)
            return .taken
        }
        paths.received(datagram.count, on: path)
        if isHighest {
            largestReceivedAt = now
            if path != paths.active.path { peerMoved(to: path, bytes: datagram.count, at: now) }
        }
        if probeCount > 0 {
            // Heard after a silence: what waits for a doubled timeout may go out now.
            probeCount = min(probeCount, 1)
        }
        note(
            frames,
            size: datagram.count,
            number: header.packetNumber,
            isHighest: isHighest,
            previous: previous,
            at: now
        )
        for frame in frames where phase == .open { take(frame, on: path, at: now) }
        if phase == .open, let data = Self.question(in: frames) { answer(data, on: path) }
        return .taken
    }

    /// Decides when to acknowledge: when as much waits as two full packets hold, as RFC 9000 §13.2.2 has it for
    /// packets that are full; at once on a gap; as soon, or as late, as the newest packet asks for. A record gets an answer of
    /// a server, on which the acknowledgement rides if that is not long in coming.
    private mutating func note(
        _ frames: [Frame],
        size: Int,
        number: UInt32,
        isHighest: Bool,
        previous: UInt32?,
        at now: Instant
    ) {
        guard frames.contains(where: \.isAckEliciting) else { return }
        lastNews = now
        unacknowledged += size
        let isInOrder = isHighest && number == (previous.map { $0 &+ 1 } ?? 0)
        let (limit, delay) =
            if frames.contains(.ackNow) {
                (
                    TransportConfiguration.ackBytes,
                    expectsAnswer(to: frames) ? TransportConfiguration.answerDelay : 0
                )
            } else if frames.contains(.ackLater) {
                (TransportConfiguration.laterAckBytes, constants.laterAckDelay)
            } else {
                (TransportConfiguration.ackBytes, constants.ackDelay)
            }
        if unacknowledged >= limit || !isInOrder || delay == 0 {
            acknowledgeBy = now
        } else {
            let latest = now.advanced(nanoseconds: delay)
            acknowledgeBy = min(acknowledgeBy ?? latest, latest)
        }
    }

    private func expectsAnswer(to frames: [Frame]) -> Bool {
        guard case .server = role else { return false }
        return frames.contains { if case .record = $0 { true } else { false } }
    }

    private mutating func take(_ frame: Frame, on path: Path, at now: Instant) {
        switch frame {
        case .ping, .ackNow, .ackLater, .grease: break
        case .ack(let ack): acknowledged(ack, at: now)
        case .record(let record): take(record)
        case .datagram(let bytes): events.append(.datagram(bytes))
        case .window(let bytes): peerWindow = Int(min(bytes, 16 << 20))
        case .pathChallenge: break
        case .pathResponse(let data):
            if paths.answered(data) { wantsToken = true }
        case .token(let token): receivedToken = token
        case .close(let code, let reason):
            peerClosed(CloseCode(rawValue: code), reason: reason, at: now)
        }
    }

    private mutating func take(_ record: RecordFrame) {
        guard let fragment = record.fragment else {
            events.append(
                .record(stream: record.stream, number: record.number, bytes: record.bytes)
            )
            return
        }
        if let bytes = reassembly.add(record, fragment) {
            events.append(.record(stream: record.stream, number: record.number, bytes: bytes))
        }
    }

    /// One of a packet, so that the answer is no longer than what asked: the source may be forged.
    private static func question(in frames: [Frame]) -> UInt64? {
        for frame in frames { if case .pathChallenge(let data) = frame { return data } }
        return nil
    }

    /// Answered where it was asked (RFC 9000 §8.2.2).
    private mutating func answer(_ data: UInt64, on path: Path) {
        guard pathFrames.count < Self.pathFrameLimit else { return }
        pathFrames.append((path, .pathResponse(data)))
    }

    private mutating func peerMoved(to path: Path, bytes: Int, at now: Instant) {
        let isSameHost = path.remote.ip == paths.active.path.remote.ip
        let patience = max(
            3 * probeTimeout,
            3 * constants.configuration.initialRoundTrip.inNanoseconds
        )
        let challenges = paths.move(
            to: path,
            bytesIn: bytes,
            challenge: dice.next,
            deadline: now.advanced(by: .nanoseconds(patience))
        )
        // Who moves on does not answer there any more; and nobody may collect challenges for others.
        pathFrames.removeAll { waiting in
            guard case .pathChallenge = waiting.frame else { return false }
            return waiting.path != path && waiting.path != paths.fallback
        }
        for challenge in challenges where pathFrames.count < Self.pathFrameLimit {
            pathFrames.append((challenge.path, .pathChallenge(challenge.data)))
        }
        pathChanged(resets: !isSameHost)
    }

    /// The window and the round trip belong to a path; a new port of the same host is the same path
    /// behind another NAT mapping (RFC 9000 §9.4).
    mutating func pathChanged(resets: Bool) {
        if resets {
            congestion = CongestionController(window: constants.configuration.initialWindow)
            pacer = Pacer()
            roundTrip = RoundTrip(initial: constants.configuration.initialRoundTrip)
        }
        probeCount = 0
        // Of this road nothing is known yet.
        lossMark = packetsSent
        // What was under way to the old address is most likely lost: ask at once.
        if sent.elicitingCount > 0 { askAgain() }
        events.append(.moved(paths.active.path))
    }
}
