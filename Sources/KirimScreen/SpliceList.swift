import KirimWire

/// Gathers splices of one list so that they can be told at once: they do not overlap, and stand from the top down.
///
/// Each counts from the list as the splices before it left it; since those stand above it, that is also its place in
/// the final list.
package struct SpliceList: Hashable, Sendable {
    /// At `at`, so many went and so many came.
    package struct Splice: Hashable, Sendable {
        package var at: Int
        package var removed: Int
        package var added: Int

        var end: Int { at + added }
    }

    package private(set) var all: [Splice] = []

    /// More are merged with their neighbours: telling that a few rows are others which are not costs less.
    package static let limit = 64

    package init() {}

    /// Something happened to the list as it is now.
    package mutating func splice(at place: Int, removed: Int, added: Int) {
        guard removed > 0 || added > 0 else { return }
        // The splices that touch what is replaced become one with it.
        let first = all.firstIndex { $0.end >= place } ?? all.endIndex
        var last = first
        var merged = Splice(at: place, removed: removed, added: added)
        if first < all.endIndex, all[first].at <= place + removed {
            last = all[first...].firstIndex { $0.at > place + removed } ?? all.endIndex
            let touched = all[first..<last]
            let start = min(place, all[first].at)
            let end = max(place + removed, all[last - 1].end)
            // Rows in the region that were there before anything happened, or went with the touched splices.
            let cameMeanwhile = touched.reduce(0) { $0 + $1.added }
            let went = touched.reduce(0) { $0 + $1.removed }
            merged = Splice(
                at: start,
                removed: end - start - cameMeanwhile + went,
                added: end - start - removed + added
            )
        }
        all.replaceSubrange(
            first..<last,
            with: merged.removed > 0 || merged.added > 0 ? [merged] : []
        )
        let next = merged.removed > 0 || merged.added > 0 ? first + 1 : first
        for index in next..<all.endIndex { all[index].at += added - removed }
        if all.count > Self.limit { mergeNearest() }
    }

    /// Whether the row came with one of the splices, so that nobody has it yet.
    package func isNew(_ place: Int) -> Bool {
        let first = all.partitioningIndex { $0.end > place }
        return first < all.count && all[first].at <= place
    }

    private mutating func mergeNearest() {
        var best = 0
        for index in 1..<all.count - 1
        where all[index + 1].at - all[index].end < all[best + 1].at - all[best].end {
            best = index
        }
        let between = all[best + 1].at - all[best].end
        all[best].removed += between + all[best + 1].removed
        all[best].added += between + all[best + 1].added
        all.remove(at: best + 1)
    }
}
