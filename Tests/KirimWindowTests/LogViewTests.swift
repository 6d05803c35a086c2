#if GTK
import CGtk
import KirimGtk
import KirimWindow
import Testing

@Suite(
    "The log of a room",
    .serialized,
    .enabled(
        // Asked a second time, GTK says yes also where there was no display.
        if: gtk_init_check() != 0 && gdk_display_get_default() != nil,
        "SKIPPED: there is no display for the window's tests."
    )
)
struct LogViewTests {
    final class Line: LogRow {
        let root = label()
    }

    /// A log of numbers in a window of its own.
    final class Shown {
        let window: Widget
        let log: LogView<Line>
        var count = 0
        var asked: [Int] { relay.asked }
        private let relay = Relay()

        init() {
            adw_init()
            window = made(gtk_window_new())
            gtk_window_set_default_size(window.cast(), 400, 300)
            let scroller = made(gtk_scrolled_window_new())
            let relay = relay
            log = LogView(
                scroller: scroller,
                asks: .init(
                    make: { Line() },
                    fill: { line, place in
                        relay.asked.append(place)
                        line.root.label = "\(place)"
                    }
                )
            )
            gtk_window_set_child(window.cast(), scroller)
            gtk_window_present(window.cast())
        }

        private final class Relay { var asked: [Int] = [] }

        func forget() { relay.asked = [] }

        func append(_ count: Int) {
            log.splice(at: self.count, removed: 0, added: count)
            self.count += count
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
        shown.forget()
        shown.log.rebind(999)
        shown.log.rebind(3)
        #expect(shown.asked == [999])
        gtk_window_destroy(shown.window.cast())
    }
}
#endif
