extension ClientEndpoint {
    /// What the transport of a client keeps in memory.
    package struct Load: Hashable, BitwiseCopyable, Sendable {
        /// Open and draining connections. 8; the oldest gives way.
        package var connections = 0
        /// Sockets that were left and may still bring something. 8; the oldest gives way.
        package var retiring = 0
        /// Packets and facts that the owner has not taken. None after a turn.
        package var unfinished = 0
        /// The most of each part that any connection has.
        package var largest = ConnectionLoad()

        package init() {}

        /// The most that the configuration allows at the end of a turn.
        package init(limitsOf configuration: TransportConfiguration, streams: Int) {
            connections = ClientEndpoint.connectionLimit
            retiring = ClientEndpoint.retiringLimit
            largest = ConnectionLoad(limitsOf: configuration, streams: streams)
        }
    }

    package var load: Load {
        var load = Load()
        load.connections = sessions.count
        load.retiring = retiring.count
        load.unfinished = outgoing.count + events.count
        for session in sessions { load.largest.formMaximum(session.connection.load) }
        return load
    }
}
