extension PlainServer {
    /// What the plain protocol keeps in memory, beside the paces of strangers, which are a fixed piece.
    package struct Load: Hashable, BitwiseCopyable, Sendable {
        /// ``Configuration/clientLimit``, each with the last 16 datagrams that it was sent.
        package var clients = 0
        /// Addresses that were put out. ``Configuration/clientLimit``.
        package var putOut = 0
        /// About the bytes that wait to be sent. ``Configuration/backlogBytes``, or one text for everybody.
        package var backlogBytes = 0
        /// What the owner has not taken. None after a turn.
        package var unfinished = 0

        package init() {}

        /// The most that the configuration allows at the end of a turn.
        package init(limitsOf configuration: Configuration) {
            clients = configuration.clientLimit
            putOut = configuration.clientLimit
        }
    }

    package var load: Load {
        var load = Load()
        load.clients = peers.count
        load.putOut = putOutCount
        load.backlogBytes = backlogCost
        load.unfinished = waitingCount
        return load
    }
}
