import KirimWire

/// Datagrams between two ends, and what may happen to them on their way.
struct Road {
    struct Flight {
        var arrives: Instant
        var toServer: Bool
        /// Where it seems to come from: the client's place.
        var place: Int
        var bytes: [UInt8]
    }

    private(set) var flights: [Flight] = []
    /// What was sent last in either direction, for copies that come much later.
    private var captured: [Flight] = []
    /// Datagrams under way; more are lost.
    private static let limit = 128
    private static let capturedLimit = 16
    static let delay = Duration.milliseconds(25)

    var nextArrival: Instant? { flights.map(\.arrives).min() }

    mutating func send(_ bytes: [UInt8], toServer: Bool, place: Int, at now: Instant) {
        let flight = Flight(
            arrives: now.advanced(by: Self.delay),
            toServer: toServer,
            place: place,
            bytes: bytes
        )
        if flights.count < Self.limit { flights.append(flight) }
        captured.append(flight)
        if captured.count > Self.capturedLimit { captured.removeFirst() }
    }

    mutating func arrivals(at now: Instant) -> [Flight] {
        let due = flights.filter { $0.arrives <= now }
        flights.removeAll { $0.arrives <= now }
        return due
    }

    mutating func lose(_ place: Int) {
        if !flights.isEmpty { flights.remove(at: place % flights.count) }
    }

    mutating func duplicate(_ place: Int) {
        guard !flights.isEmpty, flights.count < Self.limit else { return }
        flights.append(flights[place % flights.count])
    }

    mutating func delay(_ place: Int, by time: Duration) {
        guard !flights.isEmpty else { return }
        let index = place % flights.count
        flights[index].arrives = flights[index].arrives.advanced(by: time)
    }

    /// Changes the datagram under way itself: then it is lost.
    mutating func damage(_ place: Int, _ script: inout Script) {
        guard !flights.isEmpty else { return }
        let index = place % flights.count
        flights[index].bytes = Self.damaged(flights[index].bytes, &script)
    }

    /// A copy of something old, as it was or changed, from the same place or another.
    mutating func forge(_ place: Int, _ script: inout Script) -> Flight? {
        guard !captured.isEmpty else { return nil }
        var copy = captured[place % captured.count]
        let changes = script.byte()
        if changes & 1 != 0 { copy.bytes = Self.damaged(copy.bytes, &script) }
        if changes & 2 != 0 { copy.place = Int(changes >> 2) % 4 }
        return copy
    }

    private static func damaged(_ bytes: [UInt8], _ script: inout Script) -> [UInt8] {
        guard !bytes.isEmpty else { return bytes }
        var bytes = bytes
        switch script.number(below: 4) {
        case 0: bytes.removeLast(min(bytes.count, 1 + script.number(below: 64)))
        case 1: bytes += script.block(limit: 32)
        default:
            let index = script.number(below: bytes.count)
            bytes[index] ^= max(1, script.byte())
        }
        return bytes
    }
}

/// How far the records of one direction came.
struct Progress {
    /// Records below are there to be sent.
    private(set) var offered: UInt64 = 0
    private var acknowledged: UInt64 = 0
    private var arrived: Set<UInt64> = []
    /// The most that was ever offered, on an earlier connection perhaps.
    private var highest: UInt64 = 0

    mutating func offer(_ count: Int) {
        offered += UInt64(count)
        highest = max(highest, offered)
    }

    /// Another connection begins with the first record again; what was under way may still arrive.
    mutating func renew() {
        offered = 0
        acknowledged = 0
        arrived = []
    }

    mutating func arrived(_ number: UInt64, of stream: UInt64, _ bytes: [UInt8]) {
        require(number < highest, "nothing arrives that was not sent")
        require(Records.bytes(number, stream) == bytes, "what arrives is what was sent")
        arrived.insert(number)
    }

    mutating func acknowledged(below number: UInt64) {
        require(number >= acknowledged && number <= offered, "acknowledgements go forward")
        acknowledged = number
    }

    /// Every record that is wanted is at the other end, and the sender knows.
    var isComplete: Bool { acknowledged == offered }

    func check(_ stream: UInt64) {
        for number in 0..<acknowledged where Records.bytes(number, stream) != nil {
            require(arrived.contains(number), "what is acknowledged has arrived: \(number)")
        }
    }
}
