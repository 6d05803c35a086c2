#if GTK
import KirimGtk
import KirimRooms
import KirimWire

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The machine's clocks, as a window needs them.
nonisolated enum LocalTime {
    /// Seconds by which local time is ahead of UTC at that moment.
    static func offset(at time: WallTime) -> Int {
        var seconds = time_t(time.milliseconds / 1_000)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return 0 }
        return parts.tm_gmtoff
    }

    /// Since midnight, where the person lives.
    static func secondsOfDay(_ time: WallTime) -> Int {
        let local = time.milliseconds / 1_000 + Int64(offset(at: time))
        return Int(((local % 86_400) + 86_400) % 86_400)
    }

    static var wall: WallTime {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return WallTime(milliseconds: Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000)
    }

    /// Milliseconds that the processor has worked for this thread.
    static var processor: Double {
        var spent = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent)
        return Double(spent.tv_sec) * 1_000 + Double(spent.tv_nsec) / 1_000_000
    }

    /// Goes on while the machine sleeps, so that a silence is as long as it was.
    static var now: Instant {
        var now = timespec()
        #if os(Linux)
        clock_gettime(CLOCK_BOOTTIME, &now)
        #else
        clock_gettime(CLOCK_MONOTONIC, &now)
        #endif
        return Instant(nanoseconds: Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec))
    }
}
#endif
