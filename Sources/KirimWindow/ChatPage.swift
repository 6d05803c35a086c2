#if GTK
import CGtk
import KirimClient
import KirimGtk
import KirimRooms
import KirimScreen
import KirimWire

/// The chat on one server: a screen, its client, and the widgets that show it.
final class ChatPage {
    let widget: Widget
    let wire: Wire
    private(set) var screen: ChatScreen
    private(set) var identity: PublicKey?
    private let desk: Desk
    private let leaflet: Widget
    private let title: Widget
    private let serverTitle: Widget
    private let banner: Widget
    private let bannerText: Widget
    private let jump: Widget
    private let jumpCount: Widget
    private let empty: Widget
    private let announcement: Announcement
    let composer: Composer
    private let sidebar: Sidebar
    private let pill: LinkPill
    private let finder: Finder
    private(set) lazy var log = makeLog()
    private let form: Form
    private var isOver = false
    /// Why the client stopped, once the person was told.
    private var toldStop: StopReason?
    /// Rooms whose backlog has been told: what comes now is new.
    private var caughtUp: Set<RoomName> = []
    /// The room that the command line names, until the server has welcomed one.
    private var wanted: RoomName?
    private var ticks = 0
    /// The client that stopped was replaced, and it is not known yet how that goes.
    private var isTrying = false
    /// Something that is remembered has changed. What was read changes with every message, so it is not written each time.
    private var hasNews = false
    /// As of the last drawing: what the rows in sight were filled with.
    private var rowWords = RowWords(myName: "", today: CivilDay(number: 0))
    private static let rememberSeconds = 5

    /// What the page asks of the window around it.
    struct Desk {
        var toast: (String) -> Void
        var notify: (ChatScreen.Notification, RowWords) -> Void
        var withdraw: (RoomName) -> Void
        var openLink: (String) -> Void
        var copy: (String) -> Void
        /// The client stopped, and a person is needed.
        var stopped: (StopReason, _ known: PublicKey?) -> Void
        var goesOn: () -> Void
        var notOpened: (String) -> Void
        var remember: (ChatScreen.Memory, _ title: String) -> Void
        var want: (ChatScreen.Wanted) -> Void
        var rooms: ([RoomSummary]) -> Void
        /// The open room is another one, or is notified about otherwise.
        var roomChanged: () -> Void
        var quit: () -> Void
        /// Where somebody measures.
        var frames: () -> FrameWatch?
    }

    init(_ call: Wire.Call, memory: ChatScreen.Memory, room: RoomName?, desk: Desk) {
        self.desk = desk
        wanted = room
        var configuration = ChatScreen.Configuration()
        configuration.memory = memory
        if let open = room ?? memory.open { configuration.room = open }
        configuration.offset = { LocalTime.offset(at: $0) }
        screen = ChatScreen(address: call.address, configuration: configuration)
        form = Form(PackageResources.chat_ui)
        widget = form["leaflet"]
        leaflet = widget
        title = form["title"]
        serverTitle = form["server-title"]
        banner = form["banner"]
        bannerText = form["banner-text"]
        jump = form["jump-revealer"]
        jumpCount = form["jump-count"]
        empty = form["empty"]
        announcement = Announcement(by: form["spoken"])
        wire = Wire(call)
        let ask = Relay()
        composer = Composer(form) { ask.perform($0) }
        sidebar = Sidebar(form) { ask.open($0) }
        pill = LinkPill(form)
        finder = Finder(form) { ask.perform($0) }
        ask.page = self
        connectWidgets()
        _ = log
        drawAll()
        let mailbox = wire.mailbox
        Task { [weak self] in
            await mailbox.deliver { facts in
                guard let self else { return }
                if let frames = self.desk.frames() {
                    frames.measure { self.take(facts) }
                } else {
                    self.take(facts)
                }
            }
        }
        MainLoop.every(milliseconds: 1_000) { [weak self] in self?.tick() ?? false }
    }

    /// Stands for the page while it is being made.
    private final class Relay {
        weak var page: ChatPage?
        func perform(_ intent: ChatScreen.Intent) { page?.perform(intent) }
        func open(_ room: RoomName) { page?.open(room) }
    }

    /// Says goodbye to the server; then `closed` is called, from any thread.
    func close(then closed: @escaping @Sendable () -> Void = {}) {
        guard !isOver else { return }
        isOver = true
        remember()
        wire.close(then: closed)
    }

    // MARK: - Facts and intents

    private func take(_ facts: [Wire.Fact]) {
        let now = LocalTime.now
        for fact in facts {
            switch fact {
            case .opened(let key):
                identity = key
                if let wanted { screen.perform(.join(wanted)) }
            case .notOpened(let error): desk.notOpened(error.message)
            case .reconnecting:
                toldStop = nil
                screen.reconnecting(at: now)
                isTrying = true
            case .event(let event):
                if case .welcomed = event { wanted = nil }
                announce(event)
                screen.receive(event, at: now)
            case .answer(let answer): screen.take(answer, at: now)
            }
        }
        work()
        if isTrying, screen.link.state != .connecting {
            isTrying = false
            if case .stopped = screen.link.state {} else { desk.goesOn() }
        }
        if let frames = desk.frames() { note(facts, by: frames) }
    }

    /// What somebody who measures waits for.
    private func note(_ facts: [Wire.Fact], by frames: FrameWatch) {
        for fact in facts {
            switch fact {
            case .event(.caughtUp(let room)): frames.note("caught up with \(room.text)")
            case .answer(.page(let room, _, _)):
                frames.note("rows of \(room.text): \(screen.rowCount(in: room))")
            default: break
            }
        }
    }

    func perform(_ intent: ChatScreen.Intent) {
        screen.perform(intent)
        work()
    }

    /// Opens the room, and goes to it where only one of the two is shown.
    func open(_ room: RoomName) {
        perform(.open(room))
        adw_leaflet_set_visible_child(leaflet.opaque, form["conversation"])
        composer.focus()
    }

    /// The same, and becomes a member where one is none: for who comes from outside.
    func enter(_ room: RoomName) {
        perform(.join(room))
        open(room)
    }

    private func tick() -> Bool {
        guard !isOver else { return false }
        screen.timePassed(to: LocalTime.now)
        // Also while nobody looks at the details: the pill tells that a new way is being tried.
        wire.askLink()
        ticks += 1
        if hasNews, ticks % Self.rememberSeconds == 0 { remember() }
        work()
        return true
    }

    /// Carries out what the screen wants, and draws what it says has changed.
    private func work() {
        while let effect = screen.nextEffect() { carryOut(effect) }
        draw(screen.takeChanges())
    }

    private func carryOut(_ effect: ChatScreen.Effect) {
        switch effect {
        case .notify(let notification): desk.notify(notification, words)
        case .withdrawNotifications(let room): desk.withdraw(room)
        case .copy(let text): desk.copy(text)
        case .openLink(let link): desk.openLink(link)
        case .tell(.wanted(let wanted)): desk.want(wanted)
        case .tell(let news):
            if let line = Sentences.news(news) { desk.toast(line) }
        case .quit: desk.quit()
        default: wire.carryOut(effect)
        }
    }

    /// Says a new message to a screen reader, once, name and text first.
    private func announce(_ event: ChatEvent) {
        switch event {
        case .caughtUp(let room): caughtUp.insert(room)
        case .phase(let phase): if phase != .connected { caughtUp = [] }
        default: break
        }
        guard case .entry(let entry, nil) = event, entry.room == screen.openRoom,
            entry.kind == .text || entry.kind == .reply || entry.kind == .broadcast
                || entry.kind == .action,
            caughtUp.contains(entry.room)
        else { return }
        announcement.say(
            "\(rowWords.name(of: entry.author)): \(entry.text.beginning(bytes: 1_000))"
        )
    }

    // MARK: - Drawing

    var words: RowWords {
        RowWords(
            myName: screen.myName?.text ?? tr("You"),
            today: CivilDay(LocalTime.wall, offset: LocalTime.offset(at: LocalTime.wall))
        )
    }

    private func drawAll() {
        draw([
            .opened(screen.openRoom), .rooms, .members, .composerText, .composer, .link, .banners,
            .view,
        ])
    }

    private func draw(_ changes: [Change]) {
        guard !changes.isEmpty else { return }
        rowWords = words
        let open = screen.openRoom
        // Another room's rows are drawn from the beginning; what happened to them before means nothing to the list.
        let isOpened = changes.contains { if case .opened = $0 { true } else { false } }
        var splices = 0
        for change in changes {
            switch change {
            case .rows(let room, let at, let removed, let added):
                guard room == open, !isOpened else { continue }
                log.splice(at: at, removed: removed, added: added)
                splices += 1
            case .rowChanged(let room, let at): if room == open, !isOpened { log.rebind(at) }
            case .rowsRestyled(let room): if room == open { log.rebindAll() }
            case .rooms:
                sidebar.show(screen.rooms, open: open)
                desk.roomChanged()
            case .opened: drawRoom()
            case .members:
                sidebar.show(screen.members)
                drawTitle()
            case .composerText: composer.fill(screen.composer.text)
            case .composer: drawComposer()
            case .link:
                pill.show(screen.link)
                drawLinkFacts()
                drawTitle()
            case .banners: drawBanner()
            case .view: drawView()
            case .search: finder.show(screen.search)
            case .directory: if let rooms = screen.directory { desk.rooms(rooms) }
            case .reveal(let room, let at): if room == open { log.reveal(at) }
            case .follow(let room): if room == open { log.followEnd() }
            case .memory: hasNews = true
            }
        }
        // Rows below a splice that came before another one were filled where they no longer are.
        if splices > 1 { log.rebindAll() }
        if splices > 0 { drawEmpty() }
        if screen.search?.state == .searching { searchOn() }
    }

    private func drawRoom() {
        let room = screen.openRoom
        log.replace(count: screen.rowCount(in: room), follow: screen.view.isAtEnd)
        composer.fill(screen.composer.text)
        drawComposer()
        sidebar.show(screen.rooms, open: room)
        sidebar.show(screen.members)
        finder.show(screen.search)
        drawTitle()
        drawView()
    }

    private func drawComposer() {
        composer.show(screen.composer, words: words)
        form["composer-box"].show(!screen.isOutside)
        form["outside"].show(screen.isOutside)
        drawEmpty()
        form["outside-text"].label = tr("You are not in %1.", screen.openRoom.text)
    }

    private func drawTitle() {
        let name = screen.serverName.isEmpty ? screen.address.endpoint : screen.serverName
        adw_window_title_set_title(serverTitle.opaque, name)
        adw_window_title_set_subtitle(serverTitle.opaque, screen.myName?.text ?? "")
        adw_window_title_set_title(title.opaque, "# " + screen.openRoom.text)
        let here = screen.members.count { $0.presence != .offline }
        let people = here > 0 ? tr(one: "%1 person here", many: "%1 people here", here) : ""
        let isStale = screen.isPresenceStale
        adw_window_title_set_subtitle(
            title.opaque,
            isStale && here > 0 ? tr("%1 (last known)", people) : people
        )
        sidebar.show(here: here, isStale: isStale)
    }

    private func drawLinkFacts() {
        guard pill.isOpen else { return }
        pill.show(screen.linkStatus, address: screen.address, own: identity)
    }

    private func drawBanner() {
        if case .stopped(let reason) = screen.banners.first, reason != toldStop {
            toldStop = reason
            desk.stopped(reason, screen.linkStatus?.serverKey)
        }
        let line = screen.banners.lazy.compactMap { Sentences.banner($0) }.first
        if let line { bannerText.label = line }
        gtk_revealer_set_reveal_child(banner.opaque, line == nil ? 0 : 1)
        drawEmpty()
    }

    /// What stands where there is no message: that there is none, or that the server's name leads nowhere.
    private func drawEmpty() {
        let isLost = screen.banners.contains {
            if case .unknownHost = $0 { true } else { false }
        }
        empty.show(screen.rowCount(in: screen.openRoom) == 0 && !screen.isOutside)
        gtk_widget_set_can_target(empty, isLost ? 1 : 0)
        form["change-address"].show(isLost)
        adw_status_page_set_title(
            empty.opaque,
            isLost ? tr("Server Not Found") : tr("No Messages Yet")
        )
        adw_status_page_set_description(
            empty.opaque,
            isLost
                ? tr("Nothing is known under this address. It may be mistyped.")
                : tr("What you write here is kept for everybody in the room.")
        )
    }

    private func drawView() {
        let view = screen.view
        gtk_revealer_set_reveal_child(jump.opaque, view.isAtEnd ? 0 : 1)
        jumpCount.show(view.below > 0)
        jumpCount.label = "\(view.below)"
        let name = tr("Jump to the Latest Message")
        form["jump"].nameForReaders(
            view.below > 0
                ? name + ", " + tr(one: "%1 new message", many: "%1 new messages", view.below)
                : name
        )
    }

    private func searchOn() {
        Task { [weak self] in
            while let self, !isOver, screen.searchOn(rows: 2_000) {
                try? await Task.sleep(for: .milliseconds(8))
            }
            self?.work()
        }
    }

    private func remember() {
        hasNews = false
        desk.remember(screen.memory, screen.serverName)
    }

    // MARK: - Widgets

    private func makeLog() -> LogView<MessageRow> {
        var asks = LogView<MessageRow>.Asks(
            make: { [weak self] in
                MessageRow(
                    perform: { self?.perform($0) },
                    showAll: { if let self { WholeText.show($0, over: self.window) } }
                )
            },
            fill: { [weak self] row, place in
                guard let self, let shown = self.row(place) else { return }
                row.show(shown, words: rowWords)
            }
        )
        asks.follow = { [weak self] in self?.perform(.scroll(atEnd: $0)) }
        asks.top = { [weak self] in self?.perform(.loadEarlier) }
        asks.activate = { [weak self] place in
            guard let self, let row = row(place) else { return }
            if case .earlier = row { perform(.loadEarlier) } else { log.focusedMenu() }
        }
        asks.menu = { [weak self] place, widget, x, y in
            guard let row = self?.row(place) else { return }
            self?.openMenu(row, on: widget, x, y)
        }
        asks.copy = { [weak self] _ in self?.copyFocused() }
        return LogView(scroller: form["scroller"], in: widget, asks: asks)
    }

    private func row(_ place: Int) -> Row? {
        guard place < screen.rowCount(in: screen.openRoom) else { return nil }
        return screen.row(place, in: screen.openRoom)
    }

    private func openMenu(_ row: Row, on widget: Widget, _ x: Double, _ y: Double) {
        let wasInLog = log.hasKeyboard
        MessageMenu.open(
            row,
            on: widget,
            x,
            y,
            chose: { [weak self] in self?.chose($0) },
            closed: { [weak self] in
                // Who opened it by keyboard goes on among the rows.
                if !wasInLog { self?.composer.focus() }
            }
        )
    }

    private func chose(_ choice: MessageMenu.Choice) {
        switch choice {
        case .showAll(let text): WholeText.show(text, over: window)
        case .intent(let intent):
            perform(intent)
            switch intent {
            case .reply, .edit: composer.focus()
            default: break
            }
        }
    }

    private var window: Widget { made(gtk_widget_get_root(widget)).cast() }

    /// Where toasts cover nothing that is being written; `nil` while another page is shown.
    var toastsInSight: Widget? { gtk_widget_get_mapped(widget) != 0 ? form["toasts"] : nil }

    private func connectWidgets() {
        form["jump"].on("clicked") { [weak self] _ in
            self?.perform(.jumpToLatest)
            self?.composer.focus()
        }
        form["banner-close"].on("clicked") { [weak self] _ in
            guard let self,
                let banner = screen.banners.first(where: { Sentences.banner($0) != nil })
            else { return }
            perform(.dismiss(banner))
        }
        form["back"].on("clicked") { [weak self] _ in
            guard let self else { return }
            adw_leaflet_set_visible_child(leaflet.opaque, form["sidebar"])
        }
        adw_leaflet_set_visible_child(leaflet.opaque, form["conversation"])
        form["outside-join"].on("clicked") { [weak self] _ in
            guard let self else { return }
            perform(.join(screen.openRoom))
            composer.focus()
        }
        widget.passesTyping(to: composer.view)
        for menu in ["menu", "room-menu-button", "link"] {
            gtk_menu_button_get_popover(form[menu].opaque)?.on("closed") { [weak self] _ in
                if let self { menuClosed(form[menu]) }
            }
        }
        pill.whenOpened { [weak self] in
            self?.wire.askLink()
            self?.drawLinkFacts()
        }
        leaflet.on("notify::folded") { [weak self] _ in self?.fold() }
        fold()
    }

    /// The keyboard goes back to where one writes, unless what was chosen took it elsewhere.
    private func menuClosed(_ button: Widget) {
        let focus = gtk_widget_get_root(widget).flatMap { gtk_root_get_focus($0) }
        if let focus, gtk_widget_is_ancestor(focus, button) == 0, focus != button { return }
        composer.focus()
    }

    private func fold() {
        let isFolded = adw_leaflet_get_folded(leaflet.opaque) != 0
        form["back"].show(isFolded)
        // The room's menu has it, too, and a narrow header has no place for both.
        form["find"].show(!isFolded)
        pill.isNarrow(isFolded)
        adw_header_bar_set_show_end_title_buttons(form["sidebar-header"].opaque, isFolded ? 1 : 0)
    }

    // MARK: - What keys and menus ask for

    func find() { finder.open() }
    func showLink() { pill.open() }
    func copyFocused() {
        guard let (place, _) = log.focusedRow(), let row = row(place) else { return }
        switch row {
        case .entry(let entry): perform(.copy(entry.sequence))
        case .own(let post): desk.copy(post.text)
        default: break
        }
    }
}
#endif
