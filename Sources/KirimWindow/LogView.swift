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
/// view, too, and means nothing.
package final class LogView<Shown: LogRow> {
    package let scroller: Widget
    package let list: Widget
    private let model = CountModel()
    private let asks: Asks
    /// By the list's items, which GTK makes for what is in sight and some more.
    private var rows: [UnsafeMutableRawPointer: Shown] = [:]
    private var follows = true
    /// A row to be scrolled to after the next frame: the list has to lay it out first.
    private var target: Int?
    private var isWatched = false

    package struct Asks {
        package var make: () -> Shown
        /// Puts what stands at the place into the row.
        package var fill: (Shown, Int) -> Void
        /// The end came into sight, or left it, by the person's doing.
        package var follow: (Bool) -> Void = { _ in }
        /// The first row is in sight.
        package var top: () -> Void = {}
        /// The row was chosen by keyboard or a double click.
        package var activate: (Int) -> Void = { _ in }
        /// What can be done with the row, at this place of the widget.
        package var menu: (Int, Widget, Double, Double) -> Void = { _, _, _, _ in }

        package init(make: @escaping () -> Shown, fill: @escaping (Shown, Int) -> Void) {
            self.make = make
            self.fill = fill
        }
    }

    package init(scroller: Widget, asks: Asks) {
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
    }

    // MARK: - What is to be drawn

    package func splice(at place: Int, removed: Int, added: Int) {
        model.splice(at: place, removed: removed, added: added)
        if follows { target = .max }
    }

    /// Another room's log.
    package func replace(count: Int, follow: Bool) {
        follows = follow
        model.splice(at: 0, removed: model.count, added: count)
        target = .max
    }

    /// Fills the row again, where GTK has it.
    package func rebind(_ place: Int) {
        for (item, row) in rows where position(of: item) == place { fill(row, place) }
    }

    package func rebindAll() {
        for (item, row) in rows {
            if let place = position(of: item) { fill(row, place) }
        }
    }

    package func reveal(_ place: Int) {
        follows = false
        target = place
        gtk_widget_queue_draw(list)
    }

    package func followEnd() {
        follows = true
        target = .max
        gtk_widget_queue_draw(list)
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

    private func position(of item: UnsafeMutableRawPointer) -> Int? {
        let position = gtk_list_item_get_position(item.opaque)
        return position == guint.max ? nil : Int(position)
    }

    /// The menu of the row that has the keyboard.
    func focusedMenu() {
        guard let (place, row) = focusedRow() else { return }
        asks.menu(place, row.root, 60, 20)
    }

    /// Where the keyboard is in the log.
    func focusedRow() -> (Int, Shown)? {
        for (item, row) in rows {
            guard let holder = gtk_widget_get_parent(row.root),
                gtk_widget_has_focus(holder) != 0 || gtk_widget_has_focus(row.root) != 0,
                let place = position(of: item)
            else { continue }
            return (place, row)
        }
        return nil
    }

    // MARK: - Scrolling

    private func watchScrolling() {
        let wheel = made(gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_VERTICAL))
        gtk_event_controller_set_propagation_phase(wheel.opaque, GTK_PHASE_CAPTURE)
        wheel.asked("scroll") { [weak self] values in
            if values.double(2) < 0 { self?.personLooksBack() }
            return false
        }
        gtk_widget_add_controller(scroller, wheel.opaque)
        // A scrollbar's own range says "change-value" for the person's drags and clicks only.
        let bar = gtk_scrolled_window_get_vscrollbar(scroller.opaque)
        if let bar, let range = gtk_widget_get_first_child(bar) {
            range.asked("change-value") { [weak self] _ in
                self?.personLooksBack()
                return false
            }
        }
        let keys = made(gtk_event_controller_key_new())
        gtk_event_controller_set_propagation_phase(keys.opaque, GTK_PHASE_CAPTURE)
        keys.asked("key-pressed") { [weak self] values in
            switch Int32(bitPattern: values.unsigned(1)) {
            case GDK_KEY_Up, GDK_KEY_Page_Up, GDK_KEY_Home:
                self?.personLooksBack()
                // At the top already nothing moves that could be noticed.
                self?.valueChanged()
            case GDK_KEY_Menu:
                self?.focusedMenu()
                return true
            case GDK_KEY_F10 where values.flags(3) & GDK_SHIFT_MASK.rawValue != 0:
                self?.focusedMenu()
                return true
            default: break
            }
            return false
        }
        gtk_widget_add_controller(list, keys.opaque)
        scroller.on("edge-reached") { [weak self] values in
            switch values.enumeration(1) {
            case GTK_POS_BOTTOM.rawValue: self?.personReachedEnd()
            case GTK_POS_TOP.rawValue: self?.asks.top()
            default: break
            }
        }
        list.on("realize", after: true) { [weak self] _ in self?.watchFrames() }
        guard let adjustment = gtk_scrolled_window_get_vadjustment(scroller.opaque) else { return }
        adjustment.on("value-changed") { [weak self] _ in self?.valueChanged() }
    }

    private func watchFrames() {
        guard !isWatched, let clock = gtk_widget_get_frame_clock(list) else { return }
        isWatched = true
        // The list can scroll to rows that have been laid out: after the frame that did that.
        clock.on("after-paint") { [weak self] _ in self?.scrollToTarget() }
        list.on("unrealize") { [weak self] _ in self?.isWatched = false }
    }

    private func scrollToTarget() {
        guard let target, model.count > 0 else { return }
        self.target = nil
        let place = min(target, model.count - 1)
        // There is a function for this since GTK 4.12; the action does the same.
        gtk_widget_activate_action_variant(
            list,
            "list.scroll-to-item",
            g_variant_new_uint32(guint(place))
        )
    }

    private func personLooksBack() {
        guard follows, canScroll else { return }
        follows = false
        target = nil
        asks.follow(false)
    }

    private func personReachedEnd() {
        guard !follows else { return }
        follows = true
        asks.follow(true)
    }

    private var canScroll: Bool {
        guard let adjustment = gtk_scrolled_window_get_vadjustment(scroller.opaque) else {
            return false
        }
        return gtk_adjustment_get_upper(adjustment) > gtk_adjustment_get_page_size(adjustment)
    }

    /// Earlier messages are fetched before the first row is quite in sight.
    private func valueChanged() {
        guard !follows,
            let adjustment = gtk_scrolled_window_get_vadjustment(scroller.opaque),
            gtk_adjustment_get_value(adjustment) < gtk_adjustment_get_page_size(adjustment)
        else { return }
        asks.top()
    }
}
#endif
