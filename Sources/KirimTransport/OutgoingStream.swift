import KirimWire

/// One stream's sending side: which numbers were sent, lost, acknowledged. Never the bytes.
struct OutgoingStream {
    let name: Name
    /// The first number that was never sent.
    private(set) var next: UInt64
    /// The owner has every number below.
    private(set) var end: UInt64
    /// Every number below is acknowledged or gone.
    private(set) var acknowledgedBelow: UInt64
    /// The owner is fetching the record that comes next.
    var isWaiting = false
    /// Whether it is among those that send in turn.
    var hasTurn = false
    /// Whether ``acknowledgedBelow`` moved and its owner is yet to hear of it.
    var hasNews = false
    /// Records too long for a packet, of which a part was sent.
    private(set) var fragmented: [FragmentedRecord] = []

    /// Mostly there are none.
    private var holes: Holes?

    /// Sets of ranges are dear even to copy. Belongs to one stream, which is never copied.
    private final class Holes {
        /// Acknowledged out of order.
        var acknowledged: RangeSet<UInt64>?
        /// To be sent again.
        var again: RangeSet<UInt64>?
    }

    private var acknowledged: RangeSet<UInt64>? {
        get { holes?.acknowledged }
        set { change(\.acknowledged, to: newValue) }
    }

    private var again: RangeSet<UInt64>? {
        get { holes?.again }
        set { change(\.again, to: newValue) }
    }

    private mutating func change(
        _ part: ReferenceWritableKeyPath<Holes, RangeSet<UInt64>?>,
        to ranges: RangeSet<UInt64>?
    ) {
        if holes == nil {
            if ranges == nil { return }
            holes = Holes()
        }
        holes?[keyPath: part] = ranges
        if let holes, holes.acknowledged == nil, holes.again == nil { self.holes = nil }
    }

    struct Name: Equatable {
        let id: UInt64
        /// Tells it from a stream of the same id that was opened before it on the connection.
        let serial: UInt32
    }

    init(name: Name, first: UInt64) {
        self.name = name
        next = first
        end = first
        acknowledgedBelow = first
    }

    var id: UInt64 { name.id }

    /// The number that should go out next as a whole or as a first fragment.
    var nextNumber: UInt64? {
        if let lost = again?.ranges.first { return lost.lowerBound }
        return next < end ? next : nil
    }

    var hasWork: Bool {
        !isWaiting && (nextNumber != nil || fragmented.contains { !$0.unsent.isEmpty })
    }

    mutating func offer(upTo end: UInt64) { self.end = max(self.end, end) }

    func isUnacknowledged(_ number: UInt64) -> Bool {
        number >= acknowledgedBelow && number < next && acknowledged?.contains(number) != true
    }

    mutating func sent(_ number: UInt64) {
        if number == next {
            next += 1
        } else {
            removeLost(number..<number + 1)
        }
    }

    /// Returns whether ``acknowledgedBelow`` moved.
    mutating func acknowledge(_ numbers: Range<UInt64>) -> Bool {
        removeLost(numbers)
        let news = numbers.clamped(to: acknowledgedBelow..<max(next, acknowledgedBelow))
        guard news.lowerBound == acknowledgedBelow || acknowledged != nil else {
            if !news.isEmpty { acknowledged = RangeSet(news) }
            return false
        }
        guard var all = acknowledged else {
            acknowledgedBelow = news.upperBound
            return !news.isEmpty
        }
        all.insert(contentsOf: news)
        defer { acknowledged = all.isEmpty ? nil : all }
        guard let first = all.ranges.first, first.lowerBound == acknowledgedBelow else {
            return false
        }
        acknowledgedBelow = first.upperBound
        all.remove(contentsOf: first)
        return true
    }

    mutating func lose(_ numbers: Range<UInt64>) {
        let lost = numbers.clamped(to: acknowledgedBelow..<max(next, acknowledgedBelow))
        guard !lost.isEmpty else { return }
        var all = again ?? RangeSet()
        all.insert(contentsOf: lost)
        for range in (acknowledged ?? RangeSet()).ranges where range.overlaps(numbers) {
            all.remove(contentsOf: range)
        }
        again = all.isEmpty ? nil : all
    }

    private mutating func removeLost(_ numbers: Range<UInt64>) {
        guard var lost = again else { return }
        lost.remove(contentsOf: numbers)
        again = lost.isEmpty ? nil : lost
    }
}

/// A record longer than a packet, on its way in pieces.
struct FragmentedRecord {
    let number: UInt64
    let total: Int
    var unsent: RangeSet<Int>
    var acknowledged = RangeSet<Int>()

    init(number: UInt64, total: Int) {
        self.number = number
        self.total = total
        unsent = RangeSet(0..<total)
    }
}

extension OutgoingStream {
    mutating func startFragments(of number: UInt64, total: Int) {
        sent(number)
        if !fragmented.contains(where: { $0.number == number }) {
            fragmented.append(FragmentedRecord(number: number, total: total))
        }
    }

    mutating func sentFragment(at index: Int, _ bytes: Range<Int>) {
        fragmented[index].unsent.remove(contentsOf: bytes)
    }

    /// The record is not wanted any more. Returns whether ``acknowledgedBelow`` moved.
    mutating func abandonFragments(at index: Int) -> Bool {
        let number = fragmented.remove(at: index).number
        return acknowledge(number..<number + 1)
    }

    /// Returns whether ``acknowledgedBelow`` moved.
    mutating func acknowledgeFragment(of number: UInt64, _ bytes: Range<Int>) -> Bool {
        guard let index = fragmented.firstIndex(where: { $0.number == number }) else {
            return false
        }
        fragmented[index].acknowledged.insert(contentsOf: bytes)
        fragmented[index].unsent.remove(contentsOf: bytes)
        guard fragmented[index].acknowledged.contains(0..<fragmented[index].total) else {
            return false
        }
        fragmented.remove(at: index)
        return acknowledge(number..<number + 1)
    }

    mutating func loseFragment(of number: UInt64, _ bytes: Range<Int>) {
        guard let index = fragmented.firstIndex(where: { $0.number == number }) else { return }
        fragmented[index].unsent.insert(contentsOf: bytes)
        for range in fragmented[index].acknowledged.ranges where range.overlaps(bytes) {
            fragmented[index].unsent.remove(contentsOf: range)
        }
    }

    /// What has to be remembered beside the cursors.
    var pieces: Int {
        (acknowledged?.ranges.count ?? 0) + (again?.ranges.count ?? 0) + fragmented.count
    }

    /// Bytes of records that the peer holds in pieces or will; its WINDOW bounds them.
    var bytesInFragments: Int { fragmented.reduce(0) { $0 + $1.total } }
}

extension RangeSet {
    fileprivate func contains(_ range: Range<Bound>) -> Bool {
        ranges.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
    }
}
