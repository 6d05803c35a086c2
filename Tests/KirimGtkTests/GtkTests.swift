#if GTK
import CGtk
import KirimGtk
import Testing

@Suite(
    "What stands between Swift and GTK",
    .serialized,
    .enabled(
        // Asked a second time, GTK says yes also where there was no display.
        if: gtk_init_check() != 0 && gdk_display_get_default() != nil,
        "SKIPPED: there is no display for the window's tests."
    )
)
struct GtkTests {
    @Test("a list's model tells who listens what was replaced")
    func splice() {
        let model = CountModel()
        var seen: [[UInt32]] = []
        model.raw.on("items-changed") { values in
            seen.append([values.unsigned(1), values.unsigned(2), values.unsigned(3)])
        }
        model.splice(at: 0, added: 7)
        model.splice(at: 2, removed: 3, added: 1)
        #expect(seen == [[0, 0, 7], [2, 3, 1]])
        #expect(g_list_model_get_n_items(model.raw.opaque) == 5)
        #expect(g_list_model_get_item(model.raw.opaque, 5) == nil)
    }

    @Test("a handler lives as long as its object")
    func handlers() {
        final class Canary {}
        weak var watched: Canary?
        var clicks = 0
        do {
            let canary = Canary()
            watched = canary
            let button = Owned(made(gtk_button_new()))
            button.raw.on("clicked") { _ in
                clicks += 1
                _ = canary
            }
            emitClicked(button.raw)
            #expect(watched != nil)
        }
        #expect(clicks == 1)
        #expect(watched == nil)
    }

    @Test("an answer to a signal that asks reaches GTK")
    func answers() {
        let window: Widget = made(gtk_window_new())
        var asked = 0
        window.asked("close-request") { _ in
            asked += 1
            return asked == 1
        }
        gtk_window_present(window.cast())
        gtk_window_close(window.cast())
        while asked == 0 { g_main_context_iteration(nil, 1) }
        #expect(g_list_model_get_n_items(gtk_window_get_toplevels()) == 1)
        gtk_window_close(window.cast())
        while asked == 1 { g_main_context_iteration(nil, 1) }
        #expect(g_list_model_get_n_items(gtk_window_get_toplevels()) == 0)
    }

    private func emitClicked(_ button: some ObjectPointer) {
        var emitter = GValue()
        g_value_init(&emitter, gtk_button_get_type())
        g_value_set_object(&emitter, button.raw)
        g_signal_emitv(&emitter, g_signal_lookup("clicked", gtk_button_get_type()), 0, nil)
        g_value_unset(&emitter)
    }
}
#endif
