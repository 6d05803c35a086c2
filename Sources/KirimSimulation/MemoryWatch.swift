package import KirimClientCore
package import KirimServerCore
import KirimTransport
package import KirimWire

/// Promise 7: what the cores keep in memory stays below what their configuration allows, and a reader that
/// does not read costs no more than at the beginning of its silence.
package struct MemoryWatch: Sendable {
    /// The most that is allowed. A test lowers a part of it to see the watch bark.
    package var serverLimit: Limits<ServerCore.Load>
    package var clientLimit: Limits<ClientCore.Load>
    /// What was met at most of each of the server's parts, in their order.
    private var peaks: [Int] = []
    /// Looks at readers that were silent at the look before too.
    package private(set) var silentLooks = 0
    private var silences: [ConnectionHandle: Silence] = [:]

    /// A connection whose reader is not heard.
    private struct Silence: Sendable {
        var heard: Instant
        var since: Instant
        var bytesInFlight: Int
        var load: ConnectionLoad
    }

    package init(server: ServerCore.Configuration, client: ClientCore.Configuration) {
        serverLimit = Limits(ServerCore.Load(limitsOf: server))
        // Two faces of a person share a journal.
        clientLimit = Limits(ClientCore.Load(limitsOf: client, faces: 2))
    }

    package mutating func check(server load: ServerCore.Load) throws(Violation) {
        let counts = try serverLimit.check(load, of: "the server")
        if peaks.isEmpty { peaks = counts }
        for place in counts.indices where counts[place] > peaks[place] {
            peaks[place] = counts[place]
        }
    }

    package func check(client load: ClientCore.Load, face: Int) throws(Violation) {
        try clientLimit.check(load, of: "face \(face)")
    }

    /// Nobody wants anything and everything is kept: nothing may wait for anything, but for posts of a client
    /// that died and whose connection has yet to time out, and for what it is probed with.
    package func checkRest(
        server load: ServerCore.Load,
        hasDeadReaders: Bool
    ) throws(Violation) {
        let leftovers = [
            ("reserved names", load.chat.reservedNames),
            ("held posts", hasDeadReaders ? 0 : load.chat.heldPosts),
            ("throttled outboxes", load.chat.throttled), ("greetings", load.chat.greetings),
            ("bytes for the journal", load.chat.gatheredBytes + load.chat.committingBytes),
            ("waits for a read", hasDeadReaders ? 0 : load.chat.shelfWaits + load.chat.shelfReads),
            ("requests under way", load.chat.waitingRequests),
        ]
        for (what, count) in leftovers where count > 0 {
            throw Violation(.boundedMemory, "the server at rest still keeps \(count) \(what).")
        }
    }

    /// Whether the server came to the limit of a part.
    package func isMet(_ name: String) -> Bool {
        guard let part = serverLimit[name], !peaks.isEmpty else { return false }
        return peaks[part.place] >= part.most
    }

    /// The server lives anew: its connections are others.
    package mutating func serverRestarted() { silences = [:] }
}

// MARK: - Silent readers

extension MemoryWatch {
    /// How long after a reader's last word its connection may still change: what it wished for is done.
    private static let settling: Duration = .seconds(10)
    /// Packets of one probe timeout: two with content, and a challenge of an unproved path.
    private static let probes = 3
    /// Bytes of the smallest packet that bears a record.
    private static let smallest = PacketSize.dataHeaderToClient + 16 + PacketSize.tag
    /// Probe timeouts of the first minute, while they double, and the wait between later ones.
    private static let firstProbes = 16
    private static let probeWait: Duration = .seconds(8)

    /// The server's connections. Whatever is said in the rooms, that of a reader that is not heard may only
    /// grow by probes, whose packets are remembered without their bytes; datagrams and replies have limits
    /// of their own.
    package mutating func check(
        readers: [ServerCore.ReaderLoad],
        at now: Instant
    ) throws(Violation) {
        for reader in readers where reader.link.lastHeard.advanced(by: Self.settling) <= now {
            guard let before = silences[reader.connection], before.heard == reader.link.lastHeard
            else {
                silences[reader.connection] = Silence(
                    heard: reader.link.lastHeard,
                    since: now,
                    bytesInFlight: reader.link.bytesInFlight,
                    load: reader.load
                )
                continue
            }
            silentLooks += 1
            let silent = before.since.duration(to: now).inNanoseconds
            let timeouts = Self.firstProbes + Int(silent / Self.probeWait.inNanoseconds)
            // A window is all that may be under way, an earlier one perhaps, and the probes that go out
            // in spite of it.
            let window = max(reader.link.congestionWindow, before.bytesInFlight)
            let most = window + timeouts * Self.probes * PacketSize.maximum
            try check("bytes under way", reader.link.bytesInFlight, most)
            try check("streams", reader.load.streams, before.load.streams)
            // What a probe repeats is marked until it has gone out, record by record: what one packet's worth of the
            // smallest carried.
            let repeated = Self.probes * (reader.load.streams + PacketSize.maximum / Self.smallest)
            try check("pieces", reader.load.pieces, before.load.pieces + repeated)
            try check("assembled bytes", reader.load.assemblyBytes, before.load.assemblyBytes)
        }
    }

    private func check(_ what: String, _ count: Int, _ limit: Int) throws(Violation) {
        guard count > limit else { return }
        throw Violation(
            .boundedMemory,
            "the connection of a silent reader has grown to \(count) \(what), of \(limit) at most."
        )
    }
}

// MARK: - Limits

/// A load that is not to be exceeded in any part. Parts are found by reflection, so none is forgotten.
package struct Limits<Load: BitwiseCopyable & Sendable>: Sendable {
    /// In the order of their declaration, those of nested loads behind a dot.
    private(set) var names: [String] = []
    private var most: [Int]

    init(_ limit: Load) {
        most = Self.counts(of: limit)
        Self.name(limit, in: "", &names)
        precondition(names.count == most.count, "a load consists of counts only")
    }

    subscript(name: String) -> (place: Int, most: Int)? {
        names.firstIndex(of: name).map { ($0, most[$0]) }
    }

    /// Another limit for one part, which must exist.
    package mutating func set(_ name: String, to most: Int) {
        guard let place = names.firstIndex(of: name) else {
            preconditionFailure("\(name) is a part of the load")
        }
        self.most[place] = most
    }

    /// Returns the counts, in the order of ``names``.
    @discardableResult
    func check(_ load: Load, of who: String) throws(Violation) -> [Int] {
        let counts = Self.counts(of: load)
        for place in counts.indices where counts[place] > most[place] {
            throw Violation(
                .boundedMemory,
                "\(who) keeps \(counts[place]) in \(names[place]), of \(most[place]) at most."
            )
        }
        return counts
    }

    /// A load is a row of integers in memory too: reflection would cost more than a step.
    private static func counts(of load: Load) -> [Int] {
        withUnsafeBytes(of: load) { Array($0.bindMemory(to: Int.self)) }
    }

    private static func name(_ load: Any, in path: String, _ names: inout [String]) {
        for child in Mirror(reflecting: load).children {
            let name = path + (child.label ?? "")
            if child.value is Int {
                names.append(name)
            } else {
                Self.name(child.value, in: name + ".", &names)
            }
        }
    }
}
