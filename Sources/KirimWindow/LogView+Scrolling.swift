#if GTK
import CGtk
import Foundation
import KirimGtk

/// What is to happen to the view after the next frame: the list has to lay out first what is new.
struct LogScrolling {
    /// A row to be scrolled to.
    var target: Int?
    /// The end has to come into sight, wherever the keyboard is.
    var isDue = false
    /// So often in a row the end was gone to and was not there, while nothing came.
    var attempts = 0
    /// Turns of the wheel since the last frame.
    var wheel = 0.0
    /// The rows in sight are held in their places until the next frame.
    var isHeld = false
    /// The clock of the window that the log stands in, and what is called at its frames.
    var frames: (clock: Owned, handlers: [gulong])?
    /// The first row is near.
    var isNearTop = false
    /// A key that goes up was pressed since the last frame.
    var isGoingUp = false

    /// A list that cannot be scrolled to its end is not drawn for ever.
    static let patience = 30
}

extension LogView {
    func watchScrolling() {
        let wheel = made(gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_VERTICAL))
        gtk_event_controller_set_propagation_phase(wheel.opaque, GTK_PHASE_CAPTURE)
        wheel.asked("scroll") { [weak self, wheel] values in
            self?.turned(values.double(2), by: wheel) ?? false
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
        scroller.on("edge-reached") { [weak self] values in
            switch values.enumeration(1) {
            case GTK_POS_BOTTOM.rawValue: self?.personReachedEnd()
            case GTK_POS_TOP.rawValue: self?.nearTop()
            default: break
            }
        }
        list.on("realize", after: true) { [weak self] _ in self?.watchFrames() }
        list.on("unrealize") { [weak self] _ in self?.unwatchFrames() }
        gtk_scrolled_window_get_vadjustment(scroller.opaque)?.on("value-changed") { [weak self] _ in
            self?.valueChanged()
        }
    }

    private func watchFrames() {
        guard scrolling.frames == nil, let clock = gtk_widget_get_frame_clock(list) else { return }
        scrolling.frames = (
            Owned(clock),
            [
                clock.on("update") { [weak self] _ in self?.turn() },
                clock.on("after-paint") { [weak self] _ in self?.painted() },
            ]
        )
    }

    /// The window's clock goes on when the log has left the window.
    private func unwatchFrames() {
        guard let (clock, handlers) = scrolling.frames else { return }
        scrolling.frames = nil
        // A clock that ends has let go of them.
        for handler in handlers where g_signal_handler_is_connected(clock.raw, handler) != 0 {
            g_signal_handler_disconnect(clock.raw, handler)
        }
    }

    // MARK: - The wheel

    /// Several turns in one frame are done as one: GTK's list (4.8) looks for what is in sight in a layout that the first
    /// turn has taken apart, and finds rows that are a hundred further down.
    private func turned(_ turns: Double, by wheel: OpaquePointer) -> Bool {
        if turns < 0 { personLooksBack() }
        guard let event = gtk_event_controller_get_current_event(wheel),
            gdk_event_get_event_type(event) == GDK_SCROLL,
            gdk_scroll_event_get_unit(event) == GDK_SCROLL_UNIT_WHEEL,
            let clock = gtk_widget_get_frame_clock(list)
        else { return false }
        scrolling.wheel += turns
        gdk_frame_clock_request_phase(clock, GDK_FRAME_CLOCK_PHASE_UPDATE)
        return true
    }

    private func turn() {
        guard scrolling.wheel != 0, let view else { return }
        let turns = scrolling.wheel
        scrolling.wheel = 0
        // As far as GTK goes for one turn.
        let step = pow(view.page, 2.0 / 3.0)
        gtk_adjustment_set_value(view.adjustment, view.value + turns * step)
        // At the top already nothing moves that could be noticed.
        if turns < 0 { valueChanged() }
    }

    // MARK: - Frames

    /// The end is to be in sight once what is changed now has its place.
    func bringEnd() {
        scrolling.isDue = true
        scrolling.attempts = 0
        gtk_widget_queue_draw(list)
    }

    private func painted() {
        scrolling.isHeld = false
        if let target = scrolling.target {
            scrolling.target = nil
            if model.count > 0 { scroll(to: min(target, model.count - 1)) }
        } else {
            follow()
            // Whoever went up has left the end by now, and what comes above holds the view.
            if scrolling.isNearTop {
                scrolling.isNearTop = false
                asks.top()
            }
        }
        scrolling.isGoingUp = false
    }

    private func follow() {
        guard follows, let view else { return }
        if view.isAtEnd {
            scrolling.isDue = false
            scrolling.attempts = 0
        } else if hasKeyboard, scrolling.isGoingUp || !scrolling.isDue {
            personLooksBack()
        } else if scrolling.attempts < LogScrolling.patience {
            scrolling.attempts += 1
            // To the end and not to the last row: that may be higher than the view.
            gtk_adjustment_set_value(view.adjustment, view.upper)
        }
    }

    /// Ties the view to a row in sight that stays, before others are put in or taken out above it: at the top the list is
    /// tied to the very row that goes, and would show what was put in instead of what is read.
    func hold(beside gone: Range<Int>) {
        guard !scrolling.isHeld, gone.lowerBound < model.count else { return }
        let stays = rowsInSight.first { $0.isWhole && $0.place >= gone.upperBound }
        guard let stays else { return }
        scrolling.isHeld = true
        // A glide that goes on would take the view to where it was before there was more above it.
        gtk_scrolled_window_set_kinetic_scrolling(scroller.opaque, 0)
        gtk_scrolled_window_set_kinetic_scrolling(scroller.opaque, 1)
        scroll(to: stays.place)
    }

    /// As little as it takes for the row to be in sight.
    private func scroll(to place: Int) {
        // There is a function for this since GTK 4.12; the action does the same.
        gtk_widget_activate_action_variant(
            list,
            "list.scroll-to-item",
            g_variant_new_uint32(guint(place))
        )
    }

    // MARK: - What the person sees

    func personLooksBack() {
        guard follows, let view, view.upper > view.page else { return }
        follows = false
        scrolling.target = nil
        scrolling.isDue = false
        asks.follow(false)
    }

    private func personReachedEnd() {
        guard !follows else { return }
        follows = true
        asks.follow(true)
    }

    /// Earlier messages are fetched before the first row is quite in sight.
    func valueChanged() {
        guard !follows, let view, view.value < view.page else { return }
        nearTop()
    }

    /// Asked after the frame: what is put in above can be held apart from what is in sight only where all is laid out.
    private func nearTop() {
        guard !scrolling.isNearTop else { return }
        scrolling.isNearTop = true
        gtk_widget_queue_draw(list)
    }

    /// What of the log is in sight.
    private var view: Sight? {
        gtk_scrolled_window_get_vadjustment(scroller.opaque).map { Sight(adjustment: $0) }
    }

    private struct Sight {
        let adjustment: UnsafeMutablePointer<GtkAdjustment>
        var value: Double { gtk_adjustment_get_value(adjustment) }
        var upper: Double { gtk_adjustment_get_upper(adjustment) }
        var page: Double { gtk_adjustment_get_page_size(adjustment) }
        var isAtEnd: Bool { value + page > upper - 1 }
    }

    /// A row as it stands in the view.
    struct Seen {
        var place: Int
        var holder: Widget
        /// Neither its beginning nor its end is cut off.
        var isWhole: Bool
    }

    /// From the top down.
    var rowsInSight: [Seen] {
        let height = Double(gtk_widget_get_height(scroller))
        return rows.compactMap { item, row -> Seen? in
            guard let place = position(of: item), let holder = gtk_widget_get_parent(row.root)
            else { return nil }
            var (x, top) = (0.0, 0.0)
            // GTK's list (4.8) leaves a row that is out of sight where it was last.
            guard gtk_widget_get_mapped(holder) != 0 else { return nil }
            let size = Double(gtk_widget_get_height(holder))
            guard size > 0, gtk_widget_translate_coordinates(holder, scroller, 0, 0, &x, &top) != 0,
                top + size > 0, top < height
            else { return nil }
            return Seen(place: place, holder: holder, isWhole: top >= 0 && top + size <= height)
        }.sorted { $0.place < $1.place }
    }
}
#endif
