import Foundation
import KirimRooms
import KirimWire
import NIOCore

/// The machine's clocks, as the core counts: instants from the server's start, and civil time.
struct ShellClock: Sendable {
    private let start = NIODeadline.now()
    /// Civil time at the start, in seconds since 1970.
    let startedAt = UInt32(clamping: Int64(Date().timeIntervalSince1970))

    var now: Instant {
        Instant(nanoseconds: (NIODeadline.now() - start).nanoseconds)
    }

    var wall: WallTime {
        WallTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
    }

    func deadline(_ instant: Instant) -> NIODeadline {
        start + .nanoseconds(max(instant.nanoseconds, 0))
    }
}
