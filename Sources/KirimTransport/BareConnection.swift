package import KirimNoise
package import KirimWire

/// One end of a connection whose keys are given instead of agreed on.
///
/// For whoever wants to try a million of them: two endpoints spend ten Diffie-Hellman operations before the
/// first packet. It is driven as an endpoint is, and knows nothing of strangers, tokens and sockets.
package struct BareConnection: ~Copyable {
    package enum End: Sendable {
        case client
        case server
    }

    private var connection: Connection

    package init(
        _ end: End,
        keys: SessionKeys,
        path: Path,
        configuration: TransportConfiguration,
        dice: any RandomNumberGenerator & Sendable,
        at now: Instant
    ) {
        connection = Connection(
            handle: ConnectionHandle(rawValue: 1),
            role: end == .client ? .client(connectionID: 1) : .server(clientIndex: 1),
            keys: keys,
            peer: Parameters(configuration),
            path: path,
            constants: Constants(configuration),
            dice: Dice(dice),
            roundTrip: nil,
            at: now
        )
    }
}

extension BareConnection {
    /// Returns whether the datagram was authentic and new. Anything at all may be in it.
    @discardableResult
    package mutating func receive(_ datagram: [UInt8], on path: Path, at now: Instant) -> Bool {
        let header: DataHeader? =
            switch connection.role {
            case .client: try? DataHeader.parsingToClient(datagram)
            case .server: try? DataHeader.parsingToServer(datagram)
            }
        guard let header else { return false }
        return connection.receive(datagram, header: header, on: path, at: now) == .taken
    }

    package mutating func timePassed(to now: Instant) { connection.timePassed(to: now) }

    package mutating func open(stream: UInt64, at first: UInt64) {
        connection.open(stream: stream, at: first)
    }

    package mutating func offer(upTo end: UInt64, on stream: UInt64) {
        connection.offer(upTo: end, on: stream)
    }

    package mutating func resume(stream: UInt64) { connection.resume(stream: stream) }

    package mutating func drop(stream: UInt64) { connection.drop(stream: stream) }

    package mutating func send(datagram: [UInt8]) { connection.send(datagram: datagram) }

    package mutating func close(_ code: CloseCode, reason: String, at now: Instant) {
        connection.close(code, reason: reason, as: .local, at: now)
    }

    package mutating func nextEvent() -> ConnectionEvent? { connection.takeEvent() }

    package mutating func nextTransmit(
        at now: Instant,
        source: inout some RecordSource
    ) -> Transmit? {
        connection.nextPacket(at: now, source: &source)
    }

    package var deadline: Instant? { connection.deadline }
    package var isOver: Bool { connection.isOver }
    package var isOpen: Bool { connection.phase == .open }
    package var load: ConnectionLoad { connection.load }
}
