package import KirimRooms

/// A day as people count them, where the person lives.
package struct CivilDay: Hashable, Sendable, Comparable {
    /// Days since 1970-01-01.
    package var number: Int64

    package init(number: Int64) { self.number = number }

    /// The day of a moment at which local time is so many seconds ahead of UTC.
    package init(_ time: WallTime, offset: Int) {
        let seconds = Self.floor(time.milliseconds, 1_000)
        let (local, overflow) = seconds.addingReportingOverflow(Int64(offset))
        number = Self.floor(overflow ? seconds : local, 86_400)
    }

    /// Year, month and day of the Gregorian calendar.
    package var date: (year: Int, month: Int, day: Int) {
        // Years that begin in March have their leap day at the end; 400 of them have 146,097 days.
        let shifted = number + 719_468
        let era = Self.floor(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0)
        return (Int(year), Int(civilMonth), Int(day))
    }

    private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    package static func < (a: CivilDay, b: CivilDay) -> Bool { a.number < b.number }
}
