#if os(Linux)
/// What a run counts.
struct Tally {
    /// The measured time.
    var start = Int64.max
    var end = Int64.max
    var sent: UInt64 = 0
    var unsent: UInt64 = 0
    var expected: UInt64 = 0
    var received: UInt64 = 0
    var repeated: UInt64 = 0
    var overtaken: UInt64 = 0
    var foreign: UInt64 = 0
    var accepted: UInt64 = 0
    var disconnects: UInt64 = 0
    var reconnects: UInt64 = 0
    var stalls: UInt64 = 0
    /// Within the measured time.
    var messages: UInt64 = 0
    var deliveries: UInt64 = 0
    var decisions: UInt64 = 0
    var latency = Histogram()
    /// Of what came while not all of a storm were back.
    var stormLatency = Histogram()
    var lateness = Histogram()
    /// What was said after the event.
    var eventAt: Int64?
    var expectedAfter: UInt64 = 0
    var receivedAfter: UInt64 = 0
    var lastTrouble = ""

    func isMeasured(_ moment: Int64) -> Bool { moment >= start && moment < end }
    func isAfterEvent(_ moment: Int64) -> Bool { eventAt.map { moment >= $0 } ?? false }
}
#endif
