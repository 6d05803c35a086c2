import DequeModule
import KirimNoise
import KirimWire

extension Connection {
    /// Ranges that our ACK frames name. The rest is old news.
    private static let ackRanges = 32
    /// Plaintext is padded to a multiple of this, so that sizes tell less (PROTOCOL.md §3).
    private static let paddingUnit = 16
    /// Bundling is for thin flows: with more than this under way there are packets enough.
    private static let thinFlow = 8 * PacketSize.maximum
    private static let bundledSize = 256
    private static let bundledCopies: UInt8 = 2
    static let recentLimit = 16
    /// Packets without a loss after which a path is good: copies would only be bytes.
    private static let calm: UInt64 = 128
    /// Packet numbers that are kept for goodbyes.
    private static let reserve = 1_024
    /// Less is not worth a packet.
    static let smallestPacket = 96

    private var headerSize: Int {
        switch role {
        case .client: PacketSize.dataHeaderToServer
        case .server: PacketSize.dataHeaderToClient
        }
    }

    private func plaintextLimit(within size: Int = PacketSize.maximum) -> Int {
        (size - headerSize - PacketSize.tag) / Self.paddingUnit * Self.paddingUnit
    }

    /// The next datagram that may leave now; `nil` when there is none.
    mutating func nextPacket(at now: Instant, source: inout some RecordSource) -> Transmit? {
        let numbersLeft = Int(constants.configuration.endOfPacketNumbers) - Int(nextPacketNumber)
        guard numbersLeft > 0 else {
            end(.violation)
            return nil
        }
        if let goodbye = takeGoodbye() {
            // A peer whose address is unproved gets no more than it may; the idle timeout ends it.
            guard paths.allowance >= 2 * Frame.reasonLimit else { return nil }
            var draft = Draft(header, limit: plaintextLimit())
            draft.add(goodbye)
            return seal(&draft, to: paths.active.path, at: now)
        }
        guard phase == .open else { return nil }
        guard numbersLeft > Self.reserve, sent.unanswered < Self.sentLimit else {
            close(.violation, reason: "out of packet numbers", as: .violation, at: now)
            return nextPacket(at: now, source: &source)
        }
        if let (path, frame) = pathFrames.popFirst() { return pathPacket(frame, on: path, at: now) }
        // Until the address has proved itself, packets are as small as what it sent allows.
        let size = min(PacketSize.maximum, paths.allowance)
        guard size >= Self.smallestPacket else { return nil }
        let isProbe = probesOwed > 0
        let acknowledges = acknowledgeBy.map { $0 <= now } ?? false
        isPacing = false
        if isProbe, !hasContent() { requeueOldest() }
        var mayCarry = isProbe
        if !mayCarry, hasContent() {
            pacer.refill(at: now, window: congestion.window, smoothed: roundTrip.smoothed)
            if sent.bytesInFlight + PacketSize.maximum <= congestion.window {
                mayCarry = pacer.allows
                isPacing = !mayCarry
            }
        }
        guard mayCarry || acknowledges else { return nil }
        var draft = Draft(header, limit: plaintextLimit(within: size))
        if unacknowledged > 0 || isProbe { addAck(to: &draft, at: now) }
        if mayCarry { fill(&draft, at: now, from: &source) }
        if isProbe {
            probesOwed -= 1
            if !draft.isAckEliciting { draft.add(.ping) }
        }
        guard !draft.isEmpty else { return nil }
        if draft.isAckEliciting {
            bundle(into: &draft, at: now, from: &source)
            switch ackTiming(of: draft, at: now) {
            case .now: if draft.add(.ackNow) { draft.ackTiming = .now }
            case .later: if draft.add(.ackLater) { draft.ackTiming = .later }
            case .usual: break
            }
            if dice.oneIn(constants.configuration.grease.framesOneIn) {
                draft.add(
                    .grease(
                        type: 0x40 | UInt8(truncatingIfNeeded: dice.idleWord() >> 32),
                        length: Int(
                            (dice.idleWord() >> 32) % constants.configuration.grease.frameBytes
                        )
                    )
                )
            }
        }
        return seal(&draft, to: paths.active.path, at: now)
    }

    private var header: DataHeader {
        switch role {
        case .client(let connectionID):
            DataHeader(
                destination: .server(connectionID: connectionID),
                packetNumber: nextPacketNumber
            )
        case .server(let index):
            DataHeader(destination: .client(index: index), packetNumber: nextPacketNumber)
        }
    }

    /// How soon a packet is to be acknowledged. A client's at once: a post is worth it, and the answer to a question
    /// for a sign of life would wait for company that never comes. A server's records are after a silence as long as the
    /// peer may wait: it costs nothing, since no other packet would share the acknowledgement. On a path that loses next
    /// to nothing the others may wait for more of them, while the window has room for this one and three that are full:
    /// those ask for an acknowledgement before it has none.
    private func ackTiming(of draft: borrowing Draft, at now: Instant) -> AckTiming {
        if case .client = role { return .now }
        guard draft.hasRecords else { return .usual }
        let mayWait =
            peerLaterAckDelay > peerMaxAckDelay && isCalm && packetsSent >= laterAcksFrom
        let silence = now.nanoseconds - lastElicitingSent.nanoseconds
        if silence >= (mayWait ? peerLaterAckDelay : peerMaxAckDelay) { return .now }
        let hasRoom = sent.bytesInFlight + 4 * PacketSize.maximum <= congestion.window
        return mayWait && probeCount == 0 && hasRoom ? .later : .usual
    }

    /// Nothing was lost for so long that precautions would only cost bytes.
    private var isCalm: Bool { packetsSent - lossMark >= Self.calm }

    private mutating func hasContent() -> Bool {
        !controls.isEmpty || !datagrams.isEmpty || streams.haveWork()
    }

    private mutating func addAck(to draft: inout Draft, at now: Instant) {
        guard let largest = received.largest else { return }
        let waited = max(0, now.nanoseconds - largestReceivedAt.nanoseconds)
        var ack = AckFrame(
            ranges: received.ranges(limit: Self.ackRanges),
            delay: min(UInt64(waited) / 8_000, 1 << 20)
        )
        if !draft.add(.ack(ack)) {
            // All of it is worth saying; but where a small packet has no room for it, the newest.
            ack.ranges = received.ranges(limit: 1)
            guard draft.add(.ack(ack)) else { return }
        }
        draft.acknowledges = largest
        unacknowledged = 0
        acknowledgeBy = nil
    }

    /// A packet of its own for a path that may not be the active one. A challenge is as large as the
    /// packets that will use the path, where that much may be sent (RFC 9000 §8.2.1); to an address that
    /// was left it is small, since a token has proved the host there but not the port.
    private mutating func pathPacket(_ frame: Frame, on path: Path, at now: Instant) -> Transmit? {
        var draft = Draft(header, limit: plaintextLimit())
        draft.add(frame)
        if case .pathChallenge = frame, path == paths.active.path,
            paths.allowance >= PacketSize.maximum
        {
            draft.padding = plaintextLimit()
        }
        return seal(&draft, to: path, at: now)
    }
}

// MARK: Filling

extension Connection {
    private mutating func fill(
        _ draft: inout Draft,
        at now: Instant,
        from source: inout some RecordSource
    ) {
        while let control = controls.first, draft.add(control) { controls.removeFirst() }
        while let datagram = datagrams.first, draft.add(.datagram(datagram)) {
            datagrams.removeFirst()
        }
        // The stream of the lowest id, which both sides use for control, first; then the others in turn, so that none
        // waits behind a busy one.
        if streams.count > 0 { _ = fill(&draft, fromStream: 0, at: now, source: &source) }
        for _ in 0..<streams.turnCount {
            guard let index = streams.takeTurn() else { continue }
            let room = draft.room
            let hasRoom = fill(&draft, fromStream: index, at: now, source: &source)
            // What found no room begins the next packet.
            streams.queue(index, isNext: !hasRoom && draft.room == room)
            guard hasRoom else { return }
        }
    }

    /// Returns whether the draft may take more of another stream.
    private mutating func fill(
        _ draft: inout Draft,
        fromStream index: Int,
        at now: Instant,
        source: inout some RecordSource
    ) -> Bool {
        let name = streams[index].name
        let id = name.id
        while streams[index].hasWork {
            if let piece = streams[index].nextFragmented {
                guard addFragment(piece, ofStream: index, to: &draft, source: &source) else {
                    return false
                }
                continue
            }
            guard let number = streams[index].nextNumber else { return true }
            switch source.record(number, stream: id, of: handle) {
            case .later:
                streams[index].isWaiting = true
            case .gone:
                streams[index].sent(number)
                withStream(name) { $0.acknowledge(number..<number + 1) }
            case .bytes(let bytes):
                guard bytes.count <= wholeLimit(id, number) else {
                    guard mayFragment(bytes.count) else { return true }
                    streams[index].startFragments(of: number, total: bytes.count)
                    continue
                }
                guard draft.add(stream: id, number: number, bytes: bytes[...]) else { return false }
                draft.carry(number, of: name)
                streams[index].sent(number)
                remember(number, of: id, size: bytes.count, at: now)
            }
        }
        return true
    }

    /// Bytes of the longest record that fits a packet of its own.
    private func wholeLimit(_ stream: UInt64, _ number: UInt64) -> Int {
        // An ACK of the usual size and an ACK_NOW stand beside it.
        plaintextLimit()
            - RecordFrame.size(stream: stream, number: number, fragment: nil, count: 1_000)
            + 1_000 - 72
    }

    private func mayFragment(_ count: Int) -> Bool {
        let held = streams.indices.reduce(0) { $0 + streams[$1].bytesInFragments }
        return held == 0 || held + count <= peerWindow
    }

    /// Returns whether the draft may take more.
    private mutating func addFragment(
        _ piece: Int,
        ofStream index: Int,
        to draft: inout Draft,
        source: inout some RecordSource
    ) -> Bool {
        let name = streams[index].name
        let id = name.id
        let record = streams[index].fragmented[piece]
        guard let gap = record.unsent.ranges.first else { return true }
        let fragment = RecordFrame.Fragment(offset: gap.lowerBound, total: record.total)
        let overhead =
            RecordFrame.size(
                stream: id,
                number: record.number,
                fragment: fragment,
                count: 1_000
            ) - 1_000
        let room = min(draft.room - overhead, gap.count)
        // A crumb would cost more in headers than it carries.
        guard room >= min(gap.count, 64) else { return false }
        switch source.record(record.number, stream: id, of: handle) {
        case .later:
            streams[index].isWaiting = true
            return true
        case .gone:
            withStream(name) { $0.abandonFragments(at: piece) }
            return true
        case .bytes(let bytes) where bytes.count != record.total:
            // The owner has given the number to another record: the one begun is gone.
            withStream(name) { $0.abandonFragments(at: piece) }
            return true
        case .bytes(let bytes):
            let range = gap.lowerBound..<gap.lowerBound + room
            guard
                draft.add(
                    stream: id,
                    number: record.number,
                    fragment: fragment,
                    bytes: bytes[range]
                )
            else { return false }
            draft.carry(.fragment(name, number: record.number, range))
            streams[index].sentFragment(at: piece, range)
            return true
        }
    }

    private mutating func remember(_ number: UInt64, of stream: UInt64, size: Int, at now: Instant)
    {
        guard size <= Self.bundledSize, !isCalm else { return }
        if recent.count >= Self.recentLimit { recent.removeFirst() }
        recent.append(RecentRecord(stream: stream, number: number, sentAt: now, copies: 0))
    }

    /// Redundant bundling: small records younger than one probe timeout ride along for free in bytes
    /// that the packet has left. A loss then costs no round trip (PROTOCOL.md §3).
    private mutating func bundle(
        into draft: inout Draft,
        at now: Instant,
        from source: inout some RecordSource
    ) {
        guard draft.hasRecords, !recent.isEmpty, !isCalm, sent.bytesInFlight <= Self.thinFlow else {
            return
        }
        for index in recent.indices.reversed() {
            let record = recent[index]
            guard record.sentAt < now,
                now.nanoseconds - record.sentAt.nanoseconds < probeTimeout,
                record.copies < Self.bundledCopies,
                let place = streams.index(of: record.stream),
                streams[place].isUnacknowledged(record.number),
                !draft.carries(record.number, of: streams[place].name),
                case .bytes(let bytes) = source.record(
                    record.number,
                    stream: record.stream,
                    of: handle
                )
            else { continue }
            guard draft.add(stream: record.stream, number: record.number, bytes: bytes[...]) else {
                continue
            }
            draft.carry(record.number, of: streams[place].name)
            recent[index].copies += 1
        }
    }
}

// MARK: Sealing

/// How soon a packet is to be acknowledged.
enum AckTiming {
    case now
    /// Within the peer's max_ack_delay.
    case usual
    /// When more has come, at the latest within the longer time that the peer has told for it.
    case later
}

/// A packet while it is put together: its header, and behind it the plaintext.
private struct Draft {
    private var writer: ByteWriter
    private let headerSize: Int
    /// Bytes of plaintext.
    let limit: Int
    var padding = 0
    private(set) var contents = SentContents()
    var acknowledges: UInt32?
    private(set) var isAckEliciting = false
    /// What it asks of the peer.
    var ackTiming = AckTiming.usual

    /// Most packets are small; a larger one makes its buffer grow.
    private static let usualSize = 256

    init(_ header: DataHeader, limit: Int) {
        self.limit = limit
        headerSize = header.size
        writer = ByteWriter(capacity: Self.usualSize)
        header.write(to: &writer)
    }

    private var count: Int { writer.count - headerSize }
    var isEmpty: Bool { count == 0 }
    var room: Int { limit - count }
    var hasRecords: Bool { !contents.isEmpty }

    /// Returns whether the frame fitted; otherwise nothing has changed.
    @discardableResult
    mutating func add(_ frame: Frame) -> Bool {
        let before = writer.count
        frame.write(to: &writer)
        guard count <= limit else {
            writer.truncate(to: before)
            return false
        }
        if frame.isAckEliciting { isAckEliciting = true }
        if case .token = frame { contents.append(.token) }
        return true
    }

    /// A record, or a piece of one.
    mutating func add(
        stream: UInt64,
        number: UInt64,
        fragment: RecordFrame.Fragment? = nil,
        bytes: ArraySlice<UInt8>
    ) -> Bool {
        let size = RecordFrame.size(
            stream: stream,
            number: number,
            fragment: fragment,
            count: bytes.count
        )
        guard size <= room else { return false }
        RecordFrame.write(
            stream: stream,
            number: number,
            fragment: fragment,
            bytes: bytes,
            to: &writer
        )
        isAckEliciting = true
        return true
    }

    /// The packet with its plaintext padded to the unit, and where that begins; the draft is empty afterwards.
    mutating func take(unit: Int) -> (packet: [UInt8], headerSize: Int) {
        writer.pad(to: headerSize + max(padding, (count + unit - 1) / unit * unit))
        return (writer.take(), headerSize)
    }

    mutating func carry(_ number: UInt64, of name: OutgoingStream.Name) {
        if case .records(name, let numbers)? = contents.last, numbers.upperBound == number {
            contents.replaceLast(by: .records(name, numbers.lowerBound..<number + 1))
        } else {
            carry(.records(name, number..<number + 1))
        }
    }

    mutating func carry(_ content: SentContent) { contents.append(content) }

    func carries(_ number: UInt64, of name: OutgoingStream.Name) -> Bool {
        contents.contains {
            if case .records(name, let numbers) = $0 { numbers.contains(number) } else { false }
        }
    }
}

extension Connection {
    private mutating func seal(_ draft: inout Draft, to path: Path, at now: Instant) -> Transmit {
        var (bytes, headerSize) = draft.take(unit: Self.paddingUnit)
        sealing.seal(
            &bytes,
            after: headerSize,
            number: UInt64(nextPacketNumber),
            by: constants.configuration.cipher
        )
        sent.append(
            SentPacket(
                sentAt: now,
                contents: draft.contents,
                size: bytes.count,
                number: nextPacketNumber,
                pathGeneration: paths.generation,
                acknowledges: draft.acknowledges,
                isAckEliciting: draft.isAckEliciting
            )
        )
        nextPacketNumber += 1
        if draft.isAckEliciting {
            packetsSent += 1
            lastElicitingSent = now
            askedAckTiming = draft.ackTiming
            isResting = false
            pacer.sent(bytes.count)
        }
        paths.sent(bytes.count, on: path)
        return Transmit(bytes: bytes, path: path)
    }
}
