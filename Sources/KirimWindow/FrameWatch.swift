#if GTK
import CGtk
import Foundation
import KirimGtk

/// Measures how a window keeps up, where `KIRIM_FRAMES` is set: for each frame the main thread's work on facts and on
/// drawing, the processor time of all that the main thread did since the frame before, and the time between the
/// two. Frames are asked for without a pause.
///
/// Tells on standard error at SIGUSR1 and at the end, each time what was measured since the last.
final class FrameWatch {
    private var gaps: [Double] = []
    private var works: [Double] = []
    private var costs: [Double] = []
    /// Work on facts since the last frame.
    private var pending = 0.0
    private var began = 0.0
    private var last = 0.0
    private var spent = 0.0

    /// `nil` where nobody wants to know.
    init?(_ window: Widget) {
        guard ProcessInfo.processInfo.environment["KIRIM_FRAMES"] != nil,
            let clock = gtk_widget_get_frame_clock(window)
        else { return nil }
        gdk_frame_clock_begin_updating(clock)
        clock.on("before-paint") { [weak self] _ in self?.began = Self.now }
        clock.on("after-paint", after: true) { [weak self] _ in self?.painted() }
        MainLoop.at(signal: SIGUSR1) { [weak self] in self?.tell() }
    }

    /// Does it, and counts its time.
    func measure(_ work: () -> Void) {
        let start = Self.now
        work()
        pending += Self.now - start
    }

    /// Says that something has happened which somebody who measures may wait for.
    func note(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

    private func painted() {
        let (now, cost) = (Self.now, LocalTime.processor)
        works.append(pending + now - began)
        pending = 0
        if last > 0 {
            gaps.append(now - last)
            costs.append(cost - spent)
        }
        (last, spent) = (now, cost)
    }

    func tell() {
        note(
            """
            frames \(works.count); work ms \(Self.summary(works)); processor ms \(Self.summary(costs)); \
            gap ms \(Self.summary(gaps)); resident \(Self.resident) MB
            """
        )
        works = []
        costs = []
        gaps = []
    }

    private static func summary(_ values: [Double]) -> String {
        let sorted = values.sorted()
        guard let last = sorted.last else { return "none" }
        func at(_ part: Double) -> String {
            let value = sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
            return "\((value * 10).rounded() / 10)"
        }
        return "p50 \(at(0.5)) p95 \(at(0.95)) p99 \(at(0.99)) max \((last * 10).rounded() / 10)"
    }

    private static var now: Double { Double(g_get_monotonic_time()) / 1_000 }

    private static var resident: Int {
        let status = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = status.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * 4_096 / 1_048_576
    }
}
#endif
