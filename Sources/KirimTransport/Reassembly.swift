import DequeModule
package import KirimWire

/// Puts the fragments of long records together, within a fixed number of bytes.
package struct Reassembly {
    /// Completed records that are remembered. A fragment of one is a late copy, as a rule; but the
    /// owner may send the whole record again (a post that was postponed), so it begins the record
    /// anew, and gives way to all others. Each packet completes at most a few, and the replay window
    /// refuses packets older than 1,024, so 1,024 is enough.
    static let completedLimit = 1_024

    private struct Key: Hashable {
        var stream: UInt64
        var number: UInt64
    }

    private struct Partial {
        let key: Key
        var bytes: [UInt8]
        var missing: RangeSet<Int>
        /// The record was whole once before.
        var isAgain: Bool
    }

    private let limit: Int
    /// The one that grew last stands last.
    private var partials: [Partial] = []
    private var completed: Set<Key> = []
    private var completedOrder: Deque<Key> = []
    package private(set) var bytesHeld = 0

    package init(limit: Int) { self.limit = limit }

    /// Records in pieces, and those that are remembered as whole.
    var count: Int { partials.count + completed.count }

    /// Nobody has a reason to fragment less: each record in pieces costs two allocations and a place in a
    /// list that is searched, and these bound how many there can be.
    static let shortest = 512
    /// Holes in a record, beyond which its pieces are too small to be honest.
    private static let holeLimit = 256

    /// Returns the record's bytes when this fragment was the last one missing.
    package mutating func add(_ record: RecordFrame, _ fragment: RecordFrame.Fragment) -> [UInt8]? {
        guard fragment.total >= Self.shortest else { return nil }
        let key = Key(stream: record.stream, number: record.number)
        var partial: Partial
        if let index = partials.firstIndex(where: { $0.key == key }) {
            guard partials[index].bytes.count == fragment.total else {
                // What is left of an older record of that number is in the way of the new one.
                guard partials[index].isAgain else { return nil }
                drop(at: index)
                return add(record, fragment)
            }
            partial = partials.remove(at: index)
        } else {
            let isAgain = completed.contains(key)
            guard makeRoom(for: fragment.total, isAgain: isAgain) else { return nil }
            bytesHeld += fragment.total
            partial = Partial(
                key: key,
                bytes: [UInt8](repeating: 0, count: fragment.total),
                missing: RangeSet(0..<fragment.total),
                isAgain: isAgain
            )
        }
        let range = fragment.offset..<fragment.offset + record.bytes.count
        partial.bytes.replaceSubrange(range, with: record.bytes)
        partial.missing.remove(contentsOf: range)
        guard partial.missing.isEmpty else {
            guard partial.missing.ranges.count <= Self.holeLimit else {
                bytesHeld -= fragment.total
                return nil
            }
            partials.append(partial)
            return nil
        }
        bytesHeld -= fragment.total
        if !partial.isAgain { remember(key) }
        return partial.bytes
    }

    /// A peer that keeps to the window never comes here with a record that it still sends: what has
    /// not grown for the longest time was abandoned.
    private mutating func makeRoom(for total: Int, isAgain: Bool) -> Bool {
        while bytesHeld + total > limit, let index = partials.firstIndex(where: \.isAgain) {
            drop(at: index)
        }
        guard !isAgain else { return bytesHeld + total <= limit }
        while !partials.isEmpty, bytesHeld + total > limit { drop(at: 0) }
        return true
    }

    private mutating func drop(at index: Int) {
        bytesHeld -= partials.remove(at: index).bytes.count
    }

    private mutating func remember(_ key: Key) {
        completed.insert(key)
        completedOrder.append(key)
        if completedOrder.count > Self.completedLimit {
            completed.remove(completedOrder.removeFirst())
        }
    }
}
