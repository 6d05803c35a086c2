import HeapModule
import KirimWire

/// Which connection has to be looked at next, among thousands.
///
/// Deadlines move on with every packet, mostly to later; so an entry is only a lower bound, checked
/// when it comes up. Being early is harmless. What is some milliseconds away is looked at on whole milliseconds, and what
/// is far away on every eighth, so that a room's readers, who heard at nearly the same time, cost one wakeup and not
/// one each.
struct TimerQueue {
    /// RFC 9002's (§6.1.2), in nanoseconds.
    private static let granularity: Int64 = 1_000_000
    /// An entry may be late by an eighth of what it is away at least.
    private static let eighths: Int64 = 8

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

    /// Nanoseconds by which what is so many away may come late.
    static func slack(at distance: Int64) -> Int64 {
        switch distance {
        case ..<(eighths * granularity): 0
        case ..<(eighths * eighths * granularity): granularity
        default: eighths * granularity
        }
    }

    private static func rounded(_ moment: Instant, now: Instant) -> Instant {
        let step = slack(at: moment.nanoseconds - now.nanoseconds)
        guard step > 0 else { return moment }
        let over = moment.nanoseconds % step
        return over == 0 ? moment : moment.advanced(nanoseconds: step - over)
    }

    /// Drops all overtaken entries, which would otherwise stay until their time, half an hour.
    mutating func rebuild(from entries: [Entry]) { heap = Heap(entries) }

    mutating func removeNext() { _ = heap.popMin() }
}
