/// A list that grows at both ends at constant cost, and is read at any place at constant cost.
struct TwoEnded<Element: Sendable>: Sendable {
    /// What was put before the first element ever, the last one first.
    private var front: [Element] = []
    private var back: [Element] = []
    /// Elements of `back` that are gone and not yet let go of.
    private var gone = 0
    /// Elements written or moved since the list was made: what a test of costs counts.
    private(set) var effort = 0

    var count: Int { front.count + back.count - gone }
    var isEmpty: Bool { count == 0 }
    var first: Element? { isEmpty ? nil : self[0] }

    subscript(_ index: Int) -> Element {
        index < front.count ? front[front.count - 1 - index] : back[index - front.count + gone]
    }

    mutating func append(_ element: Element) {
        effort += 1
        back.append(element)
    }

    /// Puts the elements, in their order, before the first.
    mutating func prepend(_ elements: [Element]) {
        effort += elements.count
        front.append(contentsOf: elements.reversed())
    }

    /// Near either end the cost is small.
    mutating func insert(_ element: Element, at index: Int) {
        effort += 1 + min(index, count - index)
        if index < front.count {
            front.insert(element, at: front.count - index)
        } else {
            back.insert(element, at: index - front.count + gone)
        }
    }

    mutating func remove(at index: Int) {
        effort += 1 + min(index, count - index)
        if index < front.count {
            front.remove(at: front.count - 1 - index)
        } else {
            back.remove(at: index - front.count + gone)
        }
    }

    /// Lets go of so many at the front. What is left is moved together only where there is much to be gained.
    mutating func removeFirst(_ number: Int) {
        let fromFront = min(number, front.count)
        front.removeLast(fromFront)
        gone += number - fromFront
        guard gone > 0, gone >= back.count / 4 else { return }
        effort += back.count - gone
        back.removeFirst(gone)
        gone = 0
    }

    mutating func removeAll() {
        front = []
        back = []
        gone = 0
    }
}
