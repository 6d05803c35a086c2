import HeapModule
import KirimWire

/// Which connection has to be looked at next, among thousands.
///
/// Deadlines move on with every packet, mostly to later; so an entry is only a lower bound, checked
/// when it comes up. Being early is harmless. What is some milliseconds away is looked at on whole milliseconds, so
/// that a room's readers, who heard at nearly the same time, cost one wakeup and not one each.
struct TimerQueue {
    /// Nanoseconds by which an entry may be late, RFC 9002's granularity (§6.1.2), and those from which on it may.
    static let granularity: Int64 = 1_000_000
    private static let farAway = 8 * granularity

    struct Entry: Comparable {
        let at: Instant
        let handle: ConnectionHandle
        static func < (a: Entry, b: Entry) -> Bool {
            (a.at, a.handle.rawValue) < (b.at, b.handle.rawValue)
        }
    }

    private var heap = Heap<Entry>()

    /// Overtaken entries among them.
    var count: Int { heap.count }

    /// What comes up next.
    var next: Entry? { heap.min }

    /// `known` is the moment of the connection's entry that counts, until there is one of an earlier moment: those of later
    /// ones are overtaken.
    mutating func schedule(
        _ handle: ConnectionHandle,
        at deadline: Instant?,
        known: inout Instant?,
        now: Instant
    ) {
        guard let deadline else { return known = nil }
        let moment = Self.rounded(deadline, now: now)
        if let known, known <= moment { return }
        known = moment
        heap.insert(Entry(at: moment, handle: handle))
    }

    private static func rounded(_ moment: Instant, now: Instant) -> Instant {
        guard moment.nanoseconds - now.nanoseconds >= farAway else { return moment }
        let over = moment.nanoseconds % granularity
        return over == 0 ? moment : moment.advanced(nanoseconds: granularity - over)
    }

    /// Drops all overtaken entries, which would otherwise stay until their time, half an hour.
    mutating func rebuild(from entries: [Entry]) { heap = Heap(entries) }

    mutating func removeNext() { _ = heap.popMin() }
}
