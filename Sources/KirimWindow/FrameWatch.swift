#if GTK
import CGtk
import Foundation
import KirimGtk

/// Measures how a window keeps up, where `KIRIM_FRAMES` is set: the main thread's work for each frame, and the time
/// from one frame to the next, which it asks for without a pause. Tells at the end, on standard error.
final class FrameWatch {
    private var gaps: [Double] = []
    private var works: [Double] = []
    /// Work on facts and intents since the last frame.
    private var pending = 0.0
    private var began = 0.0
    private var last = 0.0

    /// `nil` where nobody wants to know.
    init?(_ window: Widget) {
        guard ProcessInfo.processInfo.environment["KIRIM_FRAMES"] != nil,
            let clock = gtk_widget_get_frame_clock(window)
        else { return nil }
        gdk_frame_clock_begin_updating(clock)
        clock.on("before-paint") { [weak self] _ in self?.began = Self.now }
        clock.on("after-paint", after: true) { [weak self] _ in self?.painted() }
    }

    /// Does it, and counts its time.
    func measure(_ work: () -> Void) {
        let start = Self.now
        work()
        pending += Self.now - start
    }

    private func painted() {
        let now = Self.now
        works.append(pending + now - began)
        pending = 0
        if last > 0 { gaps.append(now - last) }
        last = now
    }

    func tell() {
        let line = """
            frames \(works.count); work ms \(Self.summary(works)); gap ms \(Self.summary(gaps)); \
            resident \(Self.resident) MB

            """
        FileHandle.standardError.write(Data(line.utf8))
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
