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
    /// Mostly there is nothing of this, and a stream is copied without it.
    private var rest: Rest?

    /// What losses, disorder and long records leave to be remembered. Sets of ranges are dear even to copy. Belongs to one
    /// stream, which is never copied for long.
    private final class Rest {
        /// Acknowledged out of order.
        var acknowledged = RangeSet<UInt64>()
        /// To be sent again.
        var again = RangeSet<UInt64>()
        /// Records too long for a packet, of which a part was sent.
        var fragmented: [FragmentedRecord] = []

        var isEmpty: Bool { acknowledged.isEmpty && again.isEmpty && fragmented.isEmpty }
    }

    /// Changes what is to be remembered, and forgets it where it is empty.
    private mutating func change<Result>(_ body: (Rest) -> Result) -> Result {
        let changed = rest ?? Rest()
        let result = body(changed)
        rest = changed.isEmpty ? nil : changed
        return result
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

    /// Records too long for a packet, of which a part was sent.
    var fragmented: [FragmentedRecord] { rest?.fragmented ?? [] }

    /// The number that should go out next as a whole or as a first fragment.
    var nextNumber: UInt64? {
        if let rest, let lost = rest.again.ranges.first { return lost.lowerBound }
        return next < end ? next : nil
    }

    var hasWork: Bool {
        guard !isWaiting else { return false }
        guard let rest else { return next < end }
        return nextNumber != nil || rest.fragmented.contains { !$0.unsent.isEmpty }
    }

    /// Where among ``fragmented`` the one is of which a part is to be sent.
    var nextFragmented: Int? { rest?.fragmented.firstIndex { !$0.unsent.isEmpty } }

    mutating func offer(upTo end: UInt64) { self.end = max(self.end, end) }

    func isUnacknowledged(_ number: UInt64) -> Bool {
        guard number >= acknowledgedBelow, number < next else { return false }
        return rest?.acknowledged.contains(number) != true
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
        guard !news.isEmpty else { return false }
        let below = acknowledgedBelow
        acknowledgedBelow =
            if let rest, !rest.acknowledged.isEmpty {
                change { rest in
                    rest.acknowledged.insert(contentsOf: news)
                    guard let first = rest.acknowledged.ranges.first, first.lowerBound == below
                    else { return below }
                    rest.acknowledged.remove(contentsOf: first)
                    return first.upperBound
                }
            } else if news.lowerBound == below {
                news.upperBound
            } else {
                change { rest in
                    rest.acknowledged.insert(contentsOf: news)
                    return below
                }
            }
        return acknowledgedBelow > below
    }

    mutating func lose(_ numbers: Range<UInt64>) {
        let lost = numbers.clamped(to: acknowledgedBelow..<max(next, acknowledgedBelow))
        guard !lost.isEmpty else { return }
        change { rest in
            rest.again.insert(contentsOf: lost)
            for range in rest.acknowledged.ranges where range.overlaps(numbers) {
                rest.again.remove(contentsOf: range)
            }
        }
    }

    private mutating func removeLost(_ numbers: Range<UInt64>) {
        guard let rest, !rest.again.isEmpty else { return }
        change { $0.again.remove(contentsOf: numbers) }
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

    var isAcknowledged: Bool { acknowledged.contains(0..<total) }

    mutating func lose(_ bytes: Range<Int>) {
        unsent.insert(contentsOf: bytes)
        for range in acknowledged.ranges where range.overlaps(bytes) {
            unsent.remove(contentsOf: range)
        }
    }
}

extension OutgoingStream {
    mutating func startFragments(of number: UInt64, total: Int) {
        sent(number)
        guard !fragmented.contains(where: { $0.number == number }) else { return }
        change { $0.fragmented.append(FragmentedRecord(number: number, total: total)) }
    }

    mutating func sentFragment(at index: Int, _ bytes: Range<Int>) {
        change { $0.fragmented[index].unsent.remove(contentsOf: bytes) }
    }

    /// The record is not wanted any more. Returns whether ``acknowledgedBelow`` moved.
    mutating func abandonFragments(at index: Int) -> Bool {
        let number = change { $0.fragmented.remove(at: index).number }
        return acknowledge(number..<number + 1)
    }

    /// Returns whether ``acknowledgedBelow`` moved.
    mutating func acknowledgeFragment(of number: UInt64, _ bytes: Range<Int>) -> Bool {
        guard let index = fragmented.firstIndex(where: { $0.number == number }) else {
            return false
        }
        let isWhole = change { rest in
            rest.fragmented[index].acknowledged.insert(contentsOf: bytes)
            rest.fragmented[index].unsent.remove(contentsOf: bytes)
            guard rest.fragmented[index].isAcknowledged else { return false }
            rest.fragmented.remove(at: index)
            return true
        }
        return isWhole && acknowledge(number..<number + 1)
    }

    mutating func loseFragment(of number: UInt64, _ bytes: Range<Int>) {
        guard let index = fragmented.firstIndex(where: { $0.number == number }) else { return }
        change { $0.fragmented[index].lose(bytes) }
    }

    /// What has to be remembered beside the cursors.
    var pieces: Int {
        rest.map { $0.acknowledged.ranges.count + $0.again.ranges.count + $0.fragmented.count } ?? 0
    }

    /// Bytes of records that the peer holds in pieces or will; its WINDOW bounds them.
    var bytesInFragments: Int { fragmented.reduce(0) { $0 + $1.total } }
}

extension RangeSet {
    fileprivate func contains(_ range: Range<Bound>) -> Bool {
        ranges.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
    }
}
