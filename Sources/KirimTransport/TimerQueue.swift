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

    private struct Entry: Comparable {
        let at: Instant
        let handle: ConnectionHandle
        static func < (a: Entry, b: Entry) -> Bool {
            (a.at, a.handle.rawValue) < (b.at, b.handle.rawValue)
        }
    }

    private var heap = Heap<Entry>()
    private var scheduled: [ConnectionHandle: Instant] = [:]

    /// Overtaken entries among them.
    var count: Int { heap.count }

    var deadline: Instant? { heap.min?.at }

    mutating func schedule(_ handle: ConnectionHandle, at deadline: Instant?, now: Instant) {
        guard let deadline else {
            scheduled[handle] = nil
            return
        }
        let moment = Self.rounded(deadline, now: now)
        if let known = scheduled[handle], known <= moment { return }
        scheduled[handle] = moment
        heap.insert(Entry(at: moment, handle: handle))
        // Entries that were overtaken by an earlier one would otherwise stay until their time, half an hour.
        if heap.count > 4 * scheduled.count + 64 {
            heap = Heap(scheduled.map { Entry(at: $0.value, handle: $0.key) })
        }
    }

    private static func rounded(_ moment: Instant, now: Instant) -> Instant {
        guard moment.nanoseconds - now.nanoseconds >= farAway else { return moment }
        let over = moment.nanoseconds % granularity
        return over == 0 ? moment : moment.advanced(nanoseconds: granularity - over)
    }

    mutating func forget(_ handle: ConnectionHandle) {
        scheduled[handle] = nil
        while let next = heap.min, scheduled[next.handle] != next.at { heap.removeMin() }
    }

    /// The next one whose time has come.
    mutating func popDue(at now: Instant) -> ConnectionHandle? {
        while let next = heap.min, next.at <= now {
            heap.removeMin()
            guard scheduled[next.handle] == next.at else { continue }
            scheduled[next.handle] = nil
            return next.handle
        }
        return nil
    }
}
