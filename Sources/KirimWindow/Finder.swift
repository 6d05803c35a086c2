#if GTK
import CGtk
import KirimGtk
import KirimScreen

/// The bar above the log that looks for words in it, from the newest message back.
final class Finder {
    private let bar: Widget
    private let entry: Widget
    private let state: Widget
    private let perform: (ChatScreen.Intent) -> Void

    init(_ form: Form, perform: @escaping (ChatScreen.Intent) -> Void) {
        self.perform = perform
        bar = form["search-bar"]
        entry = form["search"]
        state = form["search-count"]
        gtk_search_bar_connect_entry(bar.opaque, entry.opaque)
        entry.on("search-changed") { [weak self] _ in
            guard let self else { return }
            self.perform(.find(entry.entered))
        }
        entry.on("activate") { [weak self] _ in self?.perform(.findPrevious) }
        entry.on("next-match") { [weak self] _ in self?.perform(.findNext) }
        entry.on("previous-match") { [weak self] _ in self?.perform(.findPrevious) }
        form["search-up"].on("clicked") { [weak self] _ in self?.perform(.findPrevious) }
        form["search-down"].on("clicked") { [weak self] _ in self?.perform(.findNext) }
        bar.on("notify::search-mode-enabled") { [weak self] _ in
            guard let self, gtk_search_bar_get_search_mode(bar.opaque) == 0 else { return }
            self.perform(.find(""))
        }
    }

    func open() {
        gtk_search_bar_set_search_mode(bar.opaque, 1)
        gtk_widget_grab_focus(entry)
    }

    func show(_ search: ChatScreen.Search?) {
        switch search?.state {
        case .searching: state.label = tr("Looking…")
        case .ended(hasEarlier: true):
            state.label =
                search?.last == nil ? tr("Not in what is loaded") : tr("No more in what is loaded")
        case .ended: state.label = search?.last == nil ? tr("No results") : tr("No more")
        case .found, nil: state.label = ""
        }
    }
}
#endif
