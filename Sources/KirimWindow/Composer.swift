#if GTK
import CGtk
import KirimGtk
import KirimScreen

/// The entry at the foot: Enter sends, Shift+Enter begins a new line, and what is pasted stays one message.
final class Composer {
    let view: Widget
    private let buffer: UnsafeMutablePointer<GtkTextBuffer>
    private let placeholder: Widget
    private let send: Widget
    private let about: Widget
    private let aboutText: Widget
    private let perform: (ChatScreen.Intent) -> Void
    /// The screen puts a text in: that is not typing.
    private var isFilling = false
    /// Something was put in, and the view has not found its height yet.
    private var isGrowing = false

    init(_ form: Form, perform: @escaping (ChatScreen.Intent) -> Void) {
        self.perform = perform
        view = form["composer"]
        buffer = made(gtk_text_view_get_buffer(view.cast()))
        placeholder = form["placeholder"]
        send = form["send"]
        about = form["about-revealer"]
        aboutText = form["about-message"]
        send.on("clicked") { [weak self] _ in self?.submit() }
        form["about-close"].on("clicked") { [weak self] _ in self?.perform(.cancel) }
        // It is two thousand buttons: made when somebody wants one of them.
        form["emoji"].popover { [weak self] in
            let chooser = made(gtk_emoji_chooser_new())
            chooser.on("emoji-picked") { values in
                guard let self, let emoji = values.text(1) else { return }
                gtk_text_buffer_insert_at_cursor(self.buffer, emoji, -1)
                self.focus()
            }
            chooser.on("closed") { _ in self?.focus() }
            return chooser
        }
        PlainBreaks.view(view)
        followCaret()
        buffer.on("changed") { [weak self] _ in self?.changed() }
        let keys = made(gtk_event_controller_key_new())
        keys.asked("key-pressed") { [weak self, keys] values in
            self?.pressed(values.unsigned(1), values.flags(3), by: keys) ?? false
        }
        gtk_widget_add_controller(view, keys.opaque)
    }

    func focus() { gtk_widget_grab_focus(view) }

    /// The screen's text takes the place of what is there.
    func fill(_ text: String) {
        guard text != KirimGtk.text(of: view) else { return }
        isFilling = true
        gtk_text_buffer_set_text(buffer, text, -1)
        isFilling = false
        placeholder.show(text.isEmpty)
    }

    func show(_ composer: ChatScreen.Composer, words: RowWords) {
        gtk_widget_set_sensitive(send, composer.canSend ? 1 : 0)
        var line: String?
        switch composer.mode {
        case .plain: break
        case .reply(let quote):
            let name = quote.author.map { words.name(of: $0) } ?? ""
            line = tr("Reply to %1: %2", name, quote.text.replacing("\n", with: " "))
        case .edit: line = tr("Changing your message")
        }
        if composer.isTooLong {
            line = tr("The message is too long; send it in parts.")
        }
        if let line { aboutText.label = line }
        gtk_revealer_set_reveal_child(about.opaque, line == nil ? 0 : 1)
    }

    private func changed() {
        let text = KirimGtk.text(of: view)
        placeholder.show(text.isEmpty)
        isGrowing = true
        if !isFilling { perform(.type(text)) }
    }

    /// GTK brings the caret into sight when a text is put in, and then gives the view another height.
    private func followCaret() {
        gtk_scrollable_get_vadjustment(view.opaque)?.on("changed") { [weak self] _ in
            guard let self, isGrowing else { return }
            isGrowing = false
            // After the layout that this is a part of.
            MainLoop.every(milliseconds: 20) { [weak self] in
                guard let self else { return false }
                let caret = gtk_text_buffer_get_insert(buffer)
                gtk_text_view_scroll_mark_onscreen(view.cast(), caret)
                return false
            }
        }
    }

    private func submit() {
        perform(.send)
        focus()
    }

    private func pressed(_ key: UInt32, _ modifiers: UInt32, by keys: OpaquePointer) -> Bool {
        let isShifted = modifiers & GDK_SHIFT_MASK.rawValue != 0
        switch Int32(bitPattern: key) {
        case GDK_KEY_Return, GDK_KEY_KP_Enter, GDK_KEY_ISO_Enter:
            // Return may choose a word of an input method, and is no end of a message then.
            if let event = gtk_event_controller_get_current_event(keys.opaque),
                gtk_text_view_im_context_filter_keypress(view.cast(), event) != 0
            {
                return true
            }
            guard !isShifted else { return false }
            submit()
            return true
        case GDK_KEY_Up where gtk_text_buffer_get_char_count(buffer) == 0:
            perform(.editLast)
            return true
        case GDK_KEY_Escape:
            perform(.cancel)
            return true
        default: return false
        }
    }
}
#endif
