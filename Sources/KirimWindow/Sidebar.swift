#if GTK
import CGtk
import KirimGtk
import KirimRooms
import KirimScreen
import KirimWire

/// The rooms, and who is in the open one.
final class Sidebar {
    private let roomList: Widget
    private let peopleList: Widget
    private let peopleTitle: Widget
    private var rooms: [RoomLine] = []
    private var people: [PersonLine] = []
    private var names: [RoomName] = []
    /// The room that was brought into sight last.
    private var revealed: RoomName?
    /// Of more people the number is told.
    static let longest = 200

    init(_ form: Form, open: @escaping (RoomName) -> Void) {
        roomList = form["rooms"]
        peopleList = form["people"]
        peopleTitle = form["people-title"]
        roomList.isOneStop()
        peopleList.isOneStop()
        roomList.on("row-activated") { [weak self] values in
            guard let self, let row = values.object(1) else { return }
            let place = Int(gtk_list_box_row_get_index(row.cast()))
            if names.indices.contains(place) { open(names[place]) }
        }
    }

    func show(_ items: [ChatScreen.RoomItem], open: RoomName) {
        names = items.map(\.name)
        while rooms.count > items.count {
            gtk_list_box_remove(roomList.opaque, rooms.removeLast().row)
        }
        while rooms.count < items.count {
            let line = RoomLine()
            gtk_list_box_append(roomList.opaque, line.row)
            rooms.append(line)
        }
        for (line, item) in zip(rooms, items) { line.show(item) }
        if let place = names.firstIndex(of: open) {
            gtk_list_box_select_row(roomList.opaque, rooms[place].row.cast())
            if revealed != open {
                revealed = open
                reveal(rooms[place])
            }
        } else {
            gtk_list_box_unselect_all(roomList.opaque)
        }
    }

    /// Brings the room's line into sight, once there is a layout for it.
    private func reveal(_ line: RoomLine) {
        var patience = 50
        MainLoop.every(milliseconds: 40) { [weak self, weak line] in
            patience -= 1
            guard let self, let line, patience > 0 else { return false }
            return !bringIntoSight(line.row)
        }
    }

    /// Returns whether it could be done.
    private func bringIntoSight(_ row: Widget) -> Bool {
        guard let port = gtk_widget_get_ancestor(roomList, gtk_viewport_get_type()),
            let adjustment = gtk_scrollable_get_vadjustment(port.opaque)
        else { return true }
        let height = Double(gtk_widget_get_height(row))
        var (x, top) = (0.0, 0.0)
        guard height > 0, gtk_widget_get_mapped(row) != 0,
            gtk_widget_translate_coordinates(row, roomList, 0, 0, &x, &top) != 0
        else { return false }
        gtk_adjustment_clamp_page(adjustment, top, top + height)
        return true
    }

    /// How many people are here, or were when that was told last.
    func show(here: Int, isStale: Bool) {
        peopleTitle.label =
            if here == 0 {
                tr("People")
            } else if isStale {
                tr("People, last known")
            } else {
                tr("People (%1 online)", "\(here)")
            }
    }

    func show(_ members: [ChatScreen.Person]) {
        var shown = members.prefix(Self.longest).map { Line.person($0) }
        if members.count > shown.count { shown.append(.more(members.count - shown.count)) }
        while people.count > shown.count {
            gtk_list_box_remove(peopleList.opaque, people.removeLast().row)
        }
        while people.count < shown.count {
            let line = PersonLine()
            gtk_list_box_append(peopleList.opaque, line.row)
            people.append(line)
        }
        for (line, content) in zip(people, shown) { line.show(content) }
    }

    fileprivate enum Line: Hashable {
        case person(ChatScreen.Person)
        case more(Int)
    }
}

/// A room's line: name, what waits, and how much was not read.
private final class RoomLine {
    let row = made(gtk_list_box_row_new())
    private let name = label()
    private let draft = made(gtk_image_new_from_icon_name("document-edit-symbolic"))
    private let trouble = made(gtk_image_new_from_icon_name("dialog-warning-symbolic"))
    private let unread = label("", "unread", "numeric")
    private var shown: ChatScreen.RoomItem?

    init() {
        gtk_widget_set_hexpand(name, 1)
        gtk_label_set_ellipsize(name.opaque, PANGO_ELLIPSIZE_END)
        gtk_widget_set_valign(unread, GTK_ALIGN_CENTER)
        gtk_widget_set_tooltip_text(trouble, tr("A message was refused"))
        let line = box(GTK_ORIENTATION_HORIZONTAL, spacing: 6, name, draft, trouble, unread)
        gtk_list_box_row_set_child(row.cast(), line)
    }

    func show(_ item: ChatScreen.RoomItem) {
        guard item != shown else { return }
        shown = item
        name.label = "# " + item.name.text
        // A pencil is for what is being written; what was sent waits in an outbox.
        draft.show(item.hasDraft || item.waiting > 0)
        gtk_image_set_from_icon_name(
            draft.opaque,
            item.hasDraft ? "document-edit-symbolic" : "mail-send-symbolic"
        )
        gtk_widget_set_tooltip_text(draft, item.hasDraft ? tr("Draft") : tr("Not sent yet"))
        trouble.show(item.refused > 0)
        unread.show(item.unread > 0)
        unread.label = item.unread > 999 ? "999+" : "\(item.unread)"
        unread.style("mentioned", item.mentions > 0)
        name.style("dim-label", !item.isJoined)
        let news =
            item.unread > 0
            ? ", " + tr(one: "%1 unread message", many: "%1 unread messages", item.unread) : ""
        let draft = item.hasDraft ? ", " + tr("Draft") : ""
        let waiting =
            item.waiting > 0
            ? ", " + tr(one: "%1 waiting", many: "%1 waiting", item.waiting) : ""
        row.nameForReaders(item.name.text + news + draft + waiting)
    }
}

/// A person's line: whether an answer can be expected, and the name.
private final class PersonLine {
    let row = made(gtk_list_box_row_new())
    private let dot = made(gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0))
    private let name = label()
    private var shown: Sidebar.Line?

    init() {
        dot.style("dot")
        gtk_widget_set_valign(dot, GTK_ALIGN_CENTER)
        gtk_label_set_ellipsize(name.opaque, PANGO_ELLIPSIZE_END)
        gtk_list_box_row_set_activatable(row.cast(), 0)
        gtk_list_box_row_set_child(
            row.cast(),
            box(GTK_ORIENTATION_HORIZONTAL, spacing: 9, dot, name)
        )
    }

    func show(_ line: Sidebar.Line) {
        guard line != shown else { return }
        shown = line
        switch line {
        case .more(let count):
            dot.show(false)
            name.label = tr(one: "and %1 more", many: "and %1 more", count)
            row.nameForReaders(name.label)
        case .person(let person):
            dot.show(true)
            dot.style("away", person.presence == .away)
            dot.style("offline", person.presence == .offline)
            name.style("dim-label", person.presence == .offline)
            name.label = person.isMe ? tr("%1 (you)", person.name.text) : person.name.text
            let state = Sentences.presence(person.presence)
            let key = person.key.map { "\n" + tr("Fingerprint: %1", $0.fingerprint) } ?? ""
            gtk_widget_set_tooltip_text(row, state + key)
            row.nameForReaders("\(name.label), \(state)")
        }
    }
}
#endif
