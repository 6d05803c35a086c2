extension HistorySpan {
    /// Grows the span by one entry at either end, or starts it.
    ///
    /// False where the entry is in it already, which changes nothing; throws where a gap would be.
    package static func join(
        _ number: SequenceNumber,
        to span: inout HistorySpan?
    ) throws(JournalError) -> Bool {
        guard let present = span else {
            span = HistorySpan(first: number, last: number)
            return true
        }
        if number == present.last.next {
            span?.last = number
        } else if number.next == present.first {
            span?.first = number
        } else if number < present.first || number > present.last {
            throw .failed("Entry \(number.rawValue) would leave a gap in the history.")
        } else {
            return false
        }
        return true
    }

    /// What is left without the entries beyond `last`.
    package func cut(after last: SequenceNumber) -> HistorySpan? {
        guard first <= last else { return nil }
        return HistorySpan(first: first, last: min(self.last, last))
    }

    /// The entries in an order in which each touches what is there: those above the span's first
    /// upwards, then those below it downwards.
    package static func inOrderOfJoining(_ entries: [Entry], to span: HistorySpan?) -> [Entry] {
        let upwards = entries.sorted { $0.sequence < $1.sequence }
        guard let first = span?.first else { return upwards }
        return upwards.filter { $0.sequence >= first }
            + upwards.reversed().filter { $0.sequence < first }
    }
}
