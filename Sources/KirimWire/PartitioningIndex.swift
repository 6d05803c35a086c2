extension RandomAccessCollection {
    /// The first place whose element belongs to the second part, where all of the first stand before all of the second;
    /// the end where there is none. A binary search; swift-algorithms has it under this name.
    @inlinable
    package func partitioningIndex(
        where belongsInSecondPart: (Element) throws -> Bool
    ) rethrows -> Index {
        var low = startIndex
        var length = count
        while length > 0 {
            let half = length / 2
            let middle = index(low, offsetBy: half)
            if try belongsInSecondPart(self[middle]) {
                length = half
            } else {
                low = index(after: middle)
                length -= half + 1
            }
        }
        return low
    }
}
