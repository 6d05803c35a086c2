#if GTK
import CGtk
import KirimGtk

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Says lines to whoever uses a screen reader, without moving the focus: at most once a second.
///
/// The first is said at once. What comes within the second after it is said together at its end, and of more than a few
/// lines how many there are, and the last one: of a flood nobody could hear more.
final class Announcement {
    private typealias Announce =
        @convention(c) (OpaquePointer, UnsafePointer<CChar>, Int32) -> Void

    /// GTK 4.14 has a function for it, which older ones lack.
    private static let announce: Announce? = {
        guard let function = dlsym(nil, "gtk_accessible_announce") else { return nil }
        return unsafeBitCast(function, to: Announce.self)
    }()

    /// Lines that are said together.
    private static let few = 3

    /// A label with the role of a status, for GTK before 4.14: its name changes.
    private let status: Widget
    private var isPausing = false
    private var lines: [String] = []
    private var count = 0

    init(by status: Widget) { self.status = status }

    func say(_ line: String) {
        guard isPausing else {
            utter(line)
            return pause()
        }
        count += 1
        lines.append(line)
        if lines.count > Self.few { lines.removeFirst() }
    }

    private func pause() {
        isPausing = true
        MainLoop.every(milliseconds: 1_000) { [weak self] in self?.goOn() ?? false }
    }

    private func goOn() -> Bool {
        guard count > 0, let last = lines.last else {
            isPausing = false
            return false
        }
        utter(
            count <= Self.few
                ? lines.joined(separator: "\n")
                : tr(one: "%1 new message", many: "%1 new messages", count) + "\n" + last
        )
        lines = []
        count = 0
        return true
    }

    private func utter(_ line: String) {
        if let announce = Self.announce {
            // 1: medium priority, when the reader has said what it is saying.
            announce(status.opaque, line, 1)
        } else {
            status.nameForReaders(line)
        }
    }
}
#endif
