package import KirimPlain
package import KirimRooms
package import KirimTransport
package import KirimWire

extension ServerCore {
    /// What an operator may decide, and what simulations draw.
    package struct Configuration: Sendable {
        package var endpoint = ServerEndpoint.Configuration()
        package var limits = ChatLimits.standard
        /// What the server calls itself in the welcome; cut to ``Reply/serverNameLimit`` bytes.
        package var name = "Kirim"
        package var plain = PlainServer.Configuration()
        /// A member that is not heard for so long is shown as offline: three keepalives and some grace.
        package var presenceGone: Duration = .seconds(90)
        /// Whoever was put out is turned away for so long.
        package var kickMemory: Duration = .seconds(60)
        /// Connections of one key: some faces, and two of each for a moment while they rekey.
        package var connectionsPerMember = 16
        /// A connection that says no hello for so long is closed: it only takes somebody's place.
        package var helloPatience: Duration = .seconds(60)
        /// Bytes of posts that wait for the journal, of everybody together. 64 MiB; above, posts are put off.
        package var gatheredBytes = 67_108_864
        /// How long to wait before a journal that failed is tried again.
        package var storageRetry: Duration = .seconds(1)
        /// Requests a second of one connection, and how many may come at once.
        package var requestsPerSecond = 50
        package var requestBurst = 200
        /// New members of one address (a /64 of IPv6): above, a hello is refused, and said again later. Who
        /// can make keys would otherwise use up ``ChatLimits/members`` in an hour, for everybody and for ever.
        package var enrolments = Rate(oneIn: .seconds(10), burst: 50)
        /// Replies that one connection leaves unacknowledged, in records and bytes; over it, it is closed. More than
        /// answers to all requests that may wait behind a hello, and to all posts in flight.
        package var replyRecords = 512
        package var replyBytes = 262_144
        /// Presence is told to at most so many readers of a room; above, it would drown the text.
        package var presenceAudience = 1_000
        /// Who joins or leaves is told to at most so many readers of a room; above, a thousand newcomers would be a million
        /// deliveries, and all that is said. Another name is told in any case: somebody else may take the old one.
        package var noticeAudience = 1_000
        /// Whole extensions (PROTOCOL.md §6) behind each reply and entry, for readers to pass over: none that mean
        /// something exist.
        package var extensions: [UInt8] = []

        package init() {}
    }
}
