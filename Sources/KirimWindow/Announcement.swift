#if GTK
import CGtk
import KirimGtk

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Says a line to whoever uses a screen reader, without moving the focus.
enum Announcement {
    private typealias Announce =
        @convention(c) (OpaquePointer, UnsafePointer<CChar>, Int32) -> Void

    /// GTK 4.14 has a function for it, which older ones lack.
    private static let announce: Announce? = {
        guard let function = dlsym(nil, "gtk_accessible_announce") else { return nil }
        return unsafeBitCast(function, to: Announce.self)
    }()

    /// `status` is a label with the role of a status, for GTK before 4.14: its name changes.
    static func say(_ line: String, by status: Widget) {
        if let announce {
            // 1: medium priority, when the reader has said what it is saying.
            announce(status.opaque, line, 1)
        } else {
            status.nameForReaders(line)
        }
    }
}
#endif
