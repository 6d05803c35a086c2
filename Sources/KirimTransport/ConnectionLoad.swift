import KirimWire

/// What one connection keeps in memory, part by part. Nothing in it grows with what the peer has yet to
/// read: that is a cursor.
package struct ConnectionLoad: Hashable, BitwiseCopyable, Sendable {
    /// Packets without an answer. 65,536; then the connection ends.
    package var sentPackets = 0
    /// Streams that we send: what the owner opens and does not drop.
    package var streams = 0
    /// Ranges of records that were overtaken, and long records of which a part is out. Each belongs to a
    /// packet that is under way or was lost, so they are bounded as packets are.
    package var pieces = 0
    /// Unreliable datagrams that wait. 32; the newest stay.
    package var datagrams = 0
    /// Frames of our own that wait: a token, a ping, eight challenges and their answers.
    package var frames = 0
    /// Addresses that were asked for a proof. 8.
    package var challenges = 0
    /// Bytes of records that came in pieces. ``TransportConfiguration/receiveWindow`` and one record.
    package var assemblyBytes = 0
    /// Such records, and 1,024 completed ones that are remembered by number.
    package var assemblies = 0
    /// Small records that may go a second time in a packet with room. 16.
    package var recent = 0
    /// Facts that the owner has not taken. None after a turn.
    package var events = 0

    /// The records that packets with room may ask the owner for once more.
    package static var bundledRecords: Int { Connection.recentLimit }

    package init() {}

    /// The most that any connection may come to whose owner opens so many streams.
    package init(limitsOf configuration: TransportConfiguration, streams: Int) {
        sentPackets = Connection.sentLimit
        self.streams = streams
        pieces = 2 * Connection.sentLimit
        datagrams = Connection.datagramQueue
        frames = 2 + Connection.pathFrameLimit
        challenges = Paths.challengeLimit
        let bytes = configuration.receiveWindow + RecordFrame.recordLimit
        assemblyBytes = bytes
        assemblies = Reassembly.completedLimit + bytes / Reassembly.shortest
        recent = Connection.recentLimit
    }

    /// Each part becomes the larger one.
    package mutating func formMaximum(_ other: ConnectionLoad) {
        sentPackets = max(sentPackets, other.sentPackets)
        streams = max(streams, other.streams)
        pieces = max(pieces, other.pieces)
        datagrams = max(datagrams, other.datagrams)
        frames = max(frames, other.frames)
        challenges = max(challenges, other.challenges)
        assemblyBytes = max(assemblyBytes, other.assemblyBytes)
        assemblies = max(assemblies, other.assemblies)
        recent = max(recent, other.recent)
        events = max(events, other.events)
    }
}

extension Connection {
    var load: ConnectionLoad {
        var load = ConnectionLoad()
        load.sentPackets = sent.unanswered
        load.streams = streams.count
        load.pieces = streams.indices.reduce(0) { $0 + streams[$1].pieces }
        load.datagrams = datagrams.count
        load.frames = controls.count + pathFrames.count
        load.challenges = paths.challengeCount
        load.assemblyBytes = reassembly.bytesHeld
        load.assemblies = reassembly.count
        load.recent = recent.count
        load.events = events.count
        return load
    }
}
