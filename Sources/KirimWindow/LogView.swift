#if GTK
import CGtk
package import KirimGtk

/// What a log puts into its list: widgets that are made once, and filled again and again.
package protocol LogRow: AnyObject {
    var root: Widget { get }
}

/// A log: GTK's list over rows that are looked up where they are kept when they come into sight.
///
/// It follows what comes as long as its end is in sight. Only the person's own scrolling ends that: a layout moves the
/// view, too, and means nothing. Who looks back keeps what is in sight, whatever comes above it or below.
package final class LogView<Shown: LogRow> {
    package let scroller: Widget
    package let list: Widget
    let model = CountModel()
    let asks: Asks
    /// By the list's items, which GTK makes for what is in sight and some more.
    private(set) var rows: [UnsafeMutableRawPointer: Shown] = [:]
    var follows = true
    var scrolling = LogScrolling()

    package struct Asks {
        package var make: () -> Shown
        /// Puts what stands at the place into the row.
        package var fill: (Shown, Int) -> Void
        /// The end came into sight, or left it, by the person's doing.
        package var follow: (Bool) -> Void = { _ in }
        /// The first row is in sight.
        package var top: () -> Void = {}
        /// The row is to be copied.
        package var copy: (Int) -> Void = { _ in }
        /// The row was chosen by keyboard or a double click.
        package var activate: (Int) -> Void = { _ in }
        /// What can be done with the row, at this place of the widget.
        package var menu: (Int, Widget, Double, Double) -> Void = { _, _, _, _ in }

        package init(make: @escaping () -> Shown, fill: @escaping (Shown, Int) -> Void) {
            self.make = make
            self.fill = fill
        }
    }

    /// `page` is what the log is a part of, and goes with it.
    package init(scroller: Widget, in page: Widget, asks: Asks) {
        self.scroller = scroller
        self.asks = asks
        let factory = made(gtk_signal_list_item_factory_new())
        // The list takes the factory and the selection over, and the selection the model.
        let selection = gtk_no_selection_new(OpaquePointer(g_object_ref(model.raw)))
        list = made(gtk_list_view_new(selection, factory.opaque))
        list.style("log")
        list.nameForReaders(tr("Messages"))
        gtk_scrolled_window_set_child(scroller.opaque, list)
        factory.on("setup") { [weak self] in self?.setUp($0.object(1)) }
        factory.on("bind") { [weak self] in self?.bind($0.object(1)) }
        factory.on("teardown") { [weak self] in
            if let item = $0.object(1) { self?.rows[item] = nil }
        }
        list.on("activate") { [weak self] in self?.asks.activate(Int($0.unsigned(1))) }
        watchScrolling()
        watchKeyboard()
        watchTab(in: page)
    }

    // MARK: - What is to be drawn

    package func splice(at place: Int, removed: Int, added: Int) {
        let gone = place..<place + removed
        keepKeyboard(outOf: gone)
        if follows { bringEnd() } else { hold(beside: gone) }
        model.splice(at: place, removed: removed, added: added)
    }

    /// Another room's log.
    package func replace(count: Int, follow: Bool) {
        follows = follow
        scrolling.target = nil
        scrolling.wheel = 0
        bringEnd()
        model.splice(at: 0, removed: model.count, added: count)
    }

    /// Fills the row again, where GTK has it.
    package func rebind(_ place: Int) {
        for (item, row) in rows where position(of: item) == place { refill(row, place) }
    }

    package func rebindAll() {
        for (item, row) in rows {
            if let place = position(of: item) { refill(row, place) }
        }
    }

    private func refill(_ row: Shown, _ place: Int) {
        fill(row, place)
        // It may be higher now.
        if follows { bringEnd() }
    }

    package func reveal(_ place: Int) {
        follows = false
        scrolling.target = place
        gtk_widget_queue_draw(list)
    }

    package func followEnd() {
        follows = true
        scrolling.target = nil
        bringEnd()
    }

    // MARK: - Rows

    private func setUp(_ item: UnsafeMutableRawPointer?) {
        guard let item else { return }
        let row = asks.make()
        rows[item] = row
        gtk_list_item_set_activatable(item.opaque, 1)
        gtk_list_item_set_child(item.opaque, row.root)
        let press = made(gtk_gesture_click_new())
        gtk_gesture_single_set_button(press.opaque, guint(GDK_BUTTON_SECONDARY))
        press.on("pressed") { [weak self, weak row] values in
            guard let self, let row, let place = position(of: item) else { return }
            asks.menu(place, row.root, values.double(2), values.double(3))
        }
        gtk_widget_add_controller(row.root, press.opaque)
        let hold = made(gtk_gesture_long_press_new())
        gtk_gesture_single_set_touch_only(hold.opaque, 1)
        hold.on("pressed") { [weak self, weak row] values in
            guard let self, let row, let place = position(of: item) else { return }
            asks.menu(place, row.root, values.double(1), values.double(2))
        }
        gtk_widget_add_controller(row.root, hold.opaque)
    }

    private func bind(_ item: UnsafeMutableRawPointer?) {
        guard let item, let row = rows[item], let place = position(of: item) else { return }
        fill(row, place)
    }

    private func fill(_ row: Shown, _ place: Int) {
        // The list may ask for what went a moment ago.
        if place < model.count { asks.fill(row, place) }
    }

    func position(of item: UnsafeMutableRawPointer) -> Int? {
        let position = gtk_list_item_get_position(item.opaque)
        return position == guint.max ? nil : Int(position)
    }
}
#endif
