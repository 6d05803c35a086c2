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
            var asks = LogView<Line>.Asks(
                make: { Line() },
                fill: { line, place in
                    relay.asked.append(place)
                    line.root.label = "\(place + relay.first)" + relay.more
                }
            )
            asks.top = { relay.top() }
            log = LogView(scroller: scroller, in: window, asks: asks)
            gtk_window_set_child(window.cast(), scroller)
            gtk_window_present(window.cast())
        }

        private final class Relay {
            var asked: [Int] = []
            /// The number of the first row, and what stands behind each.
            var first = 0
            var more = ""
            var top: () -> Void = {}
        }

        /// What is done when the first row is near.
        var top: () -> Void {
            get { relay.top }
            set { relay.top = newValue }
        }

        /// Gives the keyboard to a row that is in sight.
        func focus(_ number: Int) throws {
            let row = try #require(
                log.list.descendants.first { $0.typeName == "GtkLabel" && $0.label == "\(number)" }
            )
            gtk_widget_grab_focus(made(gtk_widget_get_parent(row)))
        }

        /// Rows with the numbers before the first one.
        func prepend(_ count: Int) {
            relay.first -= count
            self.count += count
            log.splice(at: 0, removed: 0, added: count)
        }

        var more: String {
            get { relay.more }
            set { relay.more = newValue }
        }

        /// With so many rows, of which the last one is in sight.
        convenience init(_ count: Int) {
            self.init()
            append(count)
            settle { asked.contains(count - 1) && end < 1 }
        }

        func showTop() {
            log.reveal(0)
            settle { inSight.first?.number == 0 }
            draw(2)
        }

        func forget() { relay.asked = [] }

        func append(_ count: Int) {
            log.splice(at: self.count, removed: 0, added: count)
            self.count += count
        }

        func settle(until condition: () -> Bool) {
            while !condition() { g_main_context_iteration(nil, 1) }
        }

        /// The rows whose beginning is in sight, and where.
        var inSight: [(number: Int, top: Double)] {
            log.list.descendants.filter { $0.typeName == "GtkLabel" }.compactMap { line in
                var (x, top) = (0.0, 0.0)
                guard gtk_widget_get_mapped(line) != 0,
                    let number = Int(line.label.prefix { $0.isNumber }),
                    gtk_widget_translate_coordinates(line, log.scroller, 0, 0, &x, &top) != 0,
                    top >= 0, top < Double(gtk_widget_get_height(log.scroller))
                else { return nil }
                return (number, top)
            }.sorted { $0.top < $1.top }
        }

        /// Lets so many frames be drawn.
        func draw(_ frames: Int) {
            guard let clock = gtk_widget_get_frame_clock(log.list) else { return }
            let start = gdk_frame_clock_get_frame_counter(clock)
            gdk_frame_clock_begin_updating(clock)
            settle { gdk_frame_clock_get_frame_counter(clock) >= start + frames }
            gdk_frame_clock_end_updating(clock)
        }

        var end: Double {
            let adjustment = gtk_scrolled_window_get_vadjustment(log.scroller.opaque)
            return gtk_adjustment_get_upper(adjustment) - gtk_adjustment_get_page_size(adjustment)
                - gtk_adjustment_get_value(adjustment)
        }
    }

    @Test("asks for the rows that are seen, of a hundred thousand, and shows the last one")
    func bounded() {
        let shown = Shown(100_000)
        #expect(shown.asked.count < 2_000)
        gtk_window_destroy(shown.window.cast())
    }

    @Test("fills a row again where GTK has it, and no other")
    func rebinding() {
        let shown = Shown(1_000)
        shown.forget()
        shown.log.rebind(999)
        shown.log.rebind(3)
        #expect(shown.asked == [999])
        gtk_window_destroy(shown.window.cast())
    }

    @Test("keeps what is read in its place when others come in above it, also at the very top")
    func held() {
        let shown = Shown(300)
        shown.showTop()
        let before = shown.inSight
        shown.prepend(100)
        shown.draw(4)
        #expect(shown.inSight.map(\.number) == before.map(\.number))
        #expect(shown.inSight.map(\.top) == before.map(\.top))
        gtk_window_destroy(shown.window.cast())
    }

    @Test("stays at the top when the keyboard has gone there from the end, and earlier rows come")
    func wentUp() throws {
        let shown = Shown(300)
        try shown.focus(299)
        shown.draw(2)
        var earlier = [100]
        shown.top = { [unowned shown] in earlier.popLast().map { shown.prepend($0) } }
        // As GTK does it for the key Home.
        gtk_widget_activate_action_variant(
            shown.log.list,
            "list.scroll-to-item",
            g_variant_new_uint32(0)
        )
        shown.settle { earlier.isEmpty }
        shown.draw(6)
        #expect(shown.inSight.first?.number == 0)
        gtk_window_destroy(shown.window.cast())
    }

    @Test("gives the keyboard to a row in sight when the one that has it goes")
    func focusStays() throws {
        let shown = Shown(300)
        shown.showTop()
        try shown.focus(0)
        shown.log.splice(at: 0, removed: 1, added: 301)
        shown.draw(4)
        let row = try #require(gtk_widget_get_focus_child(shown.log.list))
        let line = try #require(row.descendants.first { $0.typeName == "GtkLabel" })
        #expect(shown.inSight.contains { "\($0.number)" == line.label })
        gtk_window_destroy(shown.window.cast())
    }

    @Test("shows the end of a row that is higher than the view")
    func high() {
        let shown = Shown(50)
        shown.more = String(repeating: "\nline", count: 200)
        shown.append(1)
        shown.settle { shown.asked.contains(50) }
        shown.draw(6)
        #expect(shown.end < 1)
        gtk_window_destroy(shown.window.cast())
    }

    @Test("shows the end after a flood in which no frame had it")
    func flood() {
        let shown = Shown(50)
        for _ in 0..<60 {
            shown.append(3)
            shown.draw(1)
        }
        shown.draw(6)
        #expect(shown.end < 1)
        #expect(shown.inSight.last?.number == 229)
        gtk_window_destroy(shown.window.cast())
    }

    @Test("shows the end of a last row that grows, also while that has the keyboard")
    func growing() throws {
        let shown = Shown(50)
        try shown.focus(49)
        shown.draw(2)
        shown.more = "\nline\nline"
        shown.log.rebind(49)
        shown.draw(4)
        #expect(shown.end < 1)
        gtk_window_destroy(shown.window.cast())
    }

    /// Blocked ones are passed over, so that each is found once.
    private func handlers(of object: OpaquePointer, _ signal: String) -> Int {
        let id = g_signal_lookup(signal, gdk_frame_clock_get_type())
        let mask = GSignalMatchType(G_SIGNAL_MATCH_ID.rawValue | G_SIGNAL_MATCH_UNBLOCKED.rawValue)
        var found: [gulong] = []
        while true {
            let handler = g_signal_handler_find(object.raw, mask, id, 0, nil, nil, nil)
            guard handler != 0 else { break }
            g_signal_handler_block(object.raw, handler)
            found.append(handler)
        }
        for handler in found { g_signal_handler_unblock(object.raw, handler) }
        return found.count
    }

    @Test("leaves nothing behind in a window that it has left")
    func left() {
        let shown = Shown(50)
        let clock = made(gtk_widget_get_frame_clock(shown.window))
        let watching = handlers(of: clock, "update") + handlers(of: clock, "after-paint")
        gtk_window_set_child(shown.window.cast(), nil)
        let left = handlers(of: clock, "update") + handlers(of: clock, "after-paint")
        // The others are GTK's own.
        #expect(left == watching - 2)
        gtk_window_destroy(shown.window.cast())
    }
}
#endif
