import KirimRooms

/// What is to be drawn again, beside rows, each thing once.
struct ChangeLedger: Sendable {
    private(set) var marks: [Change] = []
    /// The entry to be brought into view; what was wanted last counts.
    var reveal: (room: RoomName, number: UInt64)?

    mutating func mark(_ change: Change) {
        if !marks.contains(change) { marks.append(change) }
    }
}
