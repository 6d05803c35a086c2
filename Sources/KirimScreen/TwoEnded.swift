/// A list that grows at both ends at constant cost, and is read at any place at constant cost.
struct TwoEnded<Element: Sendable>: Sendable {
    /// What was put before the first element ever, the last one first.
    private var front: [Element] = []
    private var back: [Element] = []
    /// Elements written or moved since the list was made: what a test of costs counts.
    private(set) var effort = 0

    var count: Int { front.count + back.count }
    var isEmpty: Bool { front.isEmpty && back.isEmpty }
    var first: Element? { front.last ?? back.first }
    var last: Element? { back.last ?? front.first }

    subscript(_ index: Int) -> Element {
        index < front.count ? front[front.count - 1 - index] : back[index - front.count]
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
            back.insert(element, at: index - front.count)
        }
    }

    mutating func remove(at index: Int) {
        effort += 1 + min(index, count - index)
        if index < front.count {
            front.remove(at: front.count - 1 - index)
        } else {
            back.remove(at: index - front.count)
        }
    }

    /// Lets go of so many at the front. What is left is moved together, so let go of many at once.
    mutating func removeFirst(_ number: Int) {
        let fromFront = min(number, front.count)
        front.removeLast(fromFront)
        let fromBack = number - fromFront
        guard fromBack > 0 else { return }
        effort += back.count - fromBack
        back.removeFirst(fromBack)
    }

    mutating func removeAll() {
        front = []
        back = []
    }
}
