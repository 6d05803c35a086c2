import KirimWire

extension ServerEndpoint {
    /// What the transport of a server keeps in memory.
    package struct Load: Hashable, BitwiseCopyable, Sendable {
        /// Confirmed connections, with those that drain or were turned away at once.
        /// ``Configuration/connectionLimit``, and the handshakes of four seconds.
        package var connections = 0
        /// Handshakes that wait for their first DATA. ``TransportConfiguration/unconfirmedLimit``.
        package var unconfirmed = 0
        /// Ephemeral keys by which a repeated OPEN is known: one for each connection and handshake.
        package var openings = 0
        /// HELLOs and OPENs that wait for the end of the turn. 256 of each, and none after it.
        package var strangers = 0
        /// OPENs that wait for their handshake. 4,096.
        package var waiting = 0
        /// Answers and facts that the owner has not taken. None after a turn.
        package var unfinished = 0
        /// Connections that are to be looked at again: each at most once when the turn ends.
        package var agenda = 0
        /// Entries of the timers, overtaken ones among them: four for each connection, and 64.
        package var timers = 0
        /// The most of each part that any connection has.
        package var largest = ConnectionLoad()

        package init() {}

        /// The most that the configuration allows at the end of a turn, if the owner opens at most so many
        /// streams on a connection.
        package init(limitsOf configuration: Configuration, streams: Int) {
            let handshakes = configuration.handshakes
            let second = Duration.seconds(1).inNanoseconds
            // Who is turned away gets a goodbye and is forgotten three first probe timeouts later.
            let turnedAway =
                handshakes.burst + Int(4 * second / max(1, handshakes.interval.inNanoseconds))
            connections = configuration.connectionLimit + turnedAway
            unconfirmed = configuration.transport.unconfirmedLimit
            openings = connections + unconfirmed
            waiting = ServerEndpoint.waitingLimit
            agenda = openings
            timers = ServerEndpoint.timersForEach * openings + ServerEndpoint.sparedTimers
            largest = ConnectionLoad(limitsOf: configuration.transport, streams: streams)
        }
    }

    /// Costs a look at each connection.
    package var load: Load {
        var load = Load()
        load.connections = connectionCount
        load.unconfirmed = unconfirmed.count
        load.openings = openings.count
        load.strangers = hellos.count + opens.count
        load.waiting = waiting.count
        load.unfinished = answers.count + events.count
        load.agenda = agendaCount
        load.timers = timerCount
        for session in sessions.values { load.largest.formMaximum(session.connection.load) }
        return load
    }

    package func load(of handle: ConnectionHandle) -> ConnectionLoad? {
        session(handle)?.connection.load
    }
}
