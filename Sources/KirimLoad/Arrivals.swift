/// Which messages of one talker have reached one listener.
package struct Arrivals: Sendable {
    package enum Kind: Sendable { case inOrder, overtaken, repeated }

    /// Every number below has come.
    private var whole: UInt32 = 0
    /// The number behind the highest that came.
    private var end: UInt32 = 0
    private var early: Set<UInt32> = []

    package init() {}

    package mutating func take(_ number: UInt32) -> Kind {
        guard number >= whole, !early.contains(number) else { return .repeated }
        early.insert(number)
        while early.remove(whole) != nil { whole += 1 }
        guard number >= end else { return .overtaken }
        end = number + 1
        return .inOrder
    }
}
