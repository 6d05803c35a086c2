#if GTK
import CGtk
import KirimGtk
import KirimRooms
import KirimScreen
import KirimWindow
import Testing

@Suite(
    "The log of a room",
    .serialized,
    .enabled(if: gtk_init_check() != 0, "SKIPPED: there is no display for the window's tests.")
)
struct LogViewTests {
    /// A log of days in a window of its own.
    final class Shown {
        let window: Widget
        let log: LogView
        var days: [Int64] = []
        var asked: [Int] = []

        init() {
            adw_init()
            window = made(gtk_window_new())
            gtk_window_set_default_size(window.cast(), 400, 300)
            let scroller = made(gtk_scrolled_window_new())
            let relay = Relay()
            log = LogView(scroller: scroller, asks: .init(row: { relay.shown?.row($0) }))
            relay.shown = self
            gtk_window_set_child(window.cast(), scroller)
            gtk_window_present(window.cast())
        }

        final class Relay { weak var shown: Shown? }

        func row(_ place: Int) -> Row? {
            asked.append(place)
            return .day(CivilDay(number: days[place]))
        }

        func append(_ count: Int) {
            let at = days.count
            days += (0..<count).map { Int64(at + $0) }
            log.splice(at: at, removed: 0, added: count)
        }

        func settle(until condition: () -> Bool) {
            while !condition() { g_main_context_iteration(nil, 1) }
        }

        var end: Double {
            let adjustment = gtk_scrolled_window_get_vadjustment(log.scroller.opaque)
            return gtk_adjustment_get_upper(adjustment) - gtk_adjustment_get_page_size(adjustment)
                - gtk_adjustment_get_value(adjustment)
        }
    }

    @Test("asks for the rows that are seen, of a hundred thousand, and shows the last one")
    func bounded() {
        let shown = Shown()
        shown.append(100_000)
        shown.settle { shown.asked.contains(99_999) && shown.end < 1 }
        #expect(shown.asked.count < 2_000)
        gtk_window_destroy(shown.window.cast())
    }

    @Test("fills a row again where GTK has it, and no other")
    func rebinding() {
        let shown = Shown()
        shown.append(1_000)
        shown.settle { shown.asked.contains(999) && shown.end < 1 }
        shown.asked = []
        shown.log.rebind(999)
        shown.log.rebind(3)
        #expect(shown.asked == [999])
        gtk_window_destroy(shown.window.cast())
    }
}
#endif
