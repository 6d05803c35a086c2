import KirimTestKit
import KirimTransport
import Testing

@Suite("Replay window")
struct ReplayWindowTests {
    /// The rule, written as plainly as it can be.
    private struct NaiveWindow {
        private(set) var seen: Set<UInt32> = []
        private var largest: UInt32?
        mutating func insert(_ number: UInt32) {
            seen.insert(number)
            largest = max(largest ?? number, number)
        }
        func isNew(_ number: UInt32) -> Bool {
            guard let largest else { return true }
            if number > largest { return true }
            return largest - number < ReplayWindow.size && !seen.contains(number)
        }
        var ranges: [ClosedRange<UInt32>] {
            guard let largest else { return [] }
            var ranges: [ClosedRange<UInt32>] = []
            for number in seen.sorted(by: >) where largest - number < ReplayWindow.size {
                if let last = ranges.last, last.lowerBound == number + 1 {
                    ranges[ranges.count - 1] = number...last.upperBound
                } else {
                    ranges.append(number...number)
                }
            }
            return ranges
        }
    }

    @Test("agrees with a naive set on every number", arguments: 1...20 as ClosedRange<UInt64>)
    func agrees(seed: UInt64) {
        var dice = SeededDice(seed: seed)
        var window = ReplayWindow()
        var naive = NaiveWindow()
        var front: UInt32 = seed % 2 == 0 ? 0 : .max - 6_000
        for step in 0..<1_500 {
            let number: UInt32
            switch dice.next() % 20 {
            case 0: front += UInt32(dice.next() % 1_500) % (.max - front); number = front
            case 1...9: front += 1; number = front
            default:
                let back = UInt32(dice.next() % 1_300)
                number = front >= back ? front - back : 0
            }
            if front > .max - 2_000 { break }
            #expect(window.isNew(number) == naive.isNew(number))
            if naive.isNew(number) {
                window.insert(number)
                naive.insert(number)
            }
            if step % 50 == 0 { #expect(window.ranges(limit: .max) == naive.ranges) }
        }
        #expect(window.ranges(limit: .max) == naive.ranges)
        #expect(window.ranges(limit: 3) == Array(naive.ranges.prefix(3)))
    }

    @Test(
        "agrees also where next to all arrives, and what is missing a little later",
        arguments: 1...20 as ClosedRange<UInt64>
    )
    func fewGaps(seed: UInt64) {
        var dice = SeededDice(seed: seed)
        var window = ReplayWindow()
        var naive = NaiveWindow()
        var missing: [UInt32] = []
        var front: UInt32 = seed % 3 == 0 ? 1 : 0
        func take(_ number: UInt32) {
            #expect(window.isNew(number) == naive.isNew(number))
            guard naive.isNew(number) else { return }
            window.insert(number)
            naive.insert(number)
        }
        for step in 0..<3_000 {
            if dice.next() % 100 == 0 { missing.append(front) } else { take(front) }
            front += 1
            if dice.next() % 30 == 0 {
                take(missing.popLast() ?? front.advanced(by: -1))
                take(UInt32(dice.next() % UInt64(front)))
            }
            if step % 100 == 0 { #expect(window.ranges(limit: .max) == naive.ranges) }
        }
        for number in missing { take(number) }
        #expect(window.ranges(limit: .max) == naive.ranges)
        #expect((0..<front).allSatisfy { window.isNew($0) == naive.isNew($0) })
    }

    @Test("the edges: exactly 1,023 back is remembered, 1,024 back is refused")
    func edges() {
        var window = ReplayWindow()
        #expect(window.ranges(limit: 4).isEmpty)
        window.insert(5_000)
        #expect(window.isNew(5_000 - 1_023))
        #expect(!window.isNew(5_000 - 1_024))
        #expect(!window.isNew(5_000))
        window.insert(.max)
        #expect(!window.isNew(5_000))
        #expect(window.isNew(.max - 1))
    }

    @Test("what the peer knows is not repeated, until something older arrives")
    func floor() {
        var window = ReplayWindow()
        for number in [0, 1, 2, 5, 6, 9] as [UInt32] { window.insert(number) }
        window.peerKnows(below: 6)
        #expect(window.ranges(limit: 8) == [9...9, 6...6])
        window.insert(3)
        #expect(window.ranges(limit: 8) == [9...9, 5...6, 3...3])
    }
}
