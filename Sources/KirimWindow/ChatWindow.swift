#if GTK
import CGtk
import KirimClient
import KirimGtk
import KirimRooms
import KirimScreen
import KirimWire

/// One window: the page that asks where to, the chat, and the page of a client that stopped.
final class ChatWindow {
    let window: Widget
    private let toasts: Widget
    private let pages: Widget
    private let program: Program
    private var start: StartPage?
    private var stopped: StoppedPage?
    private(set) var page: ChatPage?
    private var server: Keepsake.Server?
    /// As whom, and from which port, was connected last.
    private var given: (name: MemberName?, port: UInt16) = (nil, 0)
    /// A password was given, which goes before an invitation.
    private var hasPassword = false
    private var isClosing = false
    private var frames: FrameWatch?
    private var mode: OpaquePointer?
    private var shownMode = "mentions"
    private var directory: RoomDirectory?

    init(_ program: Program) {
        self.program = program
        let form = Form(PackageResources.window_ui)
        window = form["window"]
        toasts = form["toasts"]
        pages = form["pages"]
        gtk_window_set_application(window.cast(), program.application.cast())
        gtk_window_set_icon_name(window.cast(), Program.id)
        makePages()
        makeActions()
        window.asked("close-request") { [weak self] _ in self?.closes() ?? false }
        window.on("notify::is-active") { [weak self] _ in
            guard let self else { return }
            page?.perform(.focus(window.flag("is-active")))
        }
        gtk_window_present(window.cast())
        frames = FrameWatch(window)
    }

    private func makePages() {
        let start = StartPage(
            StartPage.Asks(
                connect: { [weak self] choice, password in
                    self?.connect(
                        choice.address,
                        as: choice.name,
                        from: choice.localPort,
                        password: password.isEmpty ? nil : password
                    )
                },
                forget: { [weak self] server in
                    guard let self else { return }
                    program.keepsake.servers.removeAll { $0.address == server.address }
                    self.start?.show(program.keepsake.servers)
                }
            )
        )
        let stopped = StoppedPage(
            StoppedPage.Asks(
                back: { [weak self] in self?.showStart() },
                trust: { [weak self] in self?.confirmTrust($0) },
                password: { [weak self] in self?.answer(.password($0)) },
                address: { [weak self] in
                    guard let self else { return }
                    connect($0, as: given.name, from: given.port)
                },
                again: { [weak self] in self?.answer(.again) }
            )
        )
        self.start = start
        self.stopped = stopped
        gtk_stack_add_named(pages.opaque, start.widget, "start")
        gtk_stack_add_named(pages.opaque, stopped.widget, "stopped")
    }

    /// Goes to the address, or to where one was last, or asks.
    func begin(at address: ServerAddress?) {
        start?.show(program.keepsake.servers)
        let settings = program.settings
        let known = program.keepsake.servers.first
        if let address {
            let before = program.keepsake.servers.first { $0.address == address.endpoint }
            start?.fill(
                address: address.description,
                name: settings.name,
                localPort: settings.port
            )
            if settings.name != nil || address.invitation != nil || before != nil {
                return connect(
                    address,
                    as: settings.name ?? before?.name.flatMap { MemberName($0) },
                    from: settings.port
                )
            }
        } else if let known {
            start?.fill(known)
            if let address = ServerAddress(known.address) {
                return connect(
                    address,
                    as: settings.name ?? known.name.flatMap { MemberName($0) },
                    from: settings.port != 0 ? settings.port : known.localPort ?? 0
                )
            }
        }
        showStart()
    }

    private func showStart() {
        leave()
        start?.show(program.keepsake.servers)
        gtk_stack_set_visible_child_name(pages.opaque, "start")
        if let connect = start?.connect { gtk_window_set_default_widget(window.cast(), connect) }
        start?.focus()
    }

    // MARK: - The chat

    private func connect(
        _ address: ServerAddress,
        as name: MemberName?,
        from port: UInt16,
        password: String? = nil
    ) {
        leave()
        given = (name, port)
        let settings = program.settings(for: address)
        // Whoever comes back to the first page finds there what was given.
        start?.fill(address: address.description, name: name, localPort: port)
        var call = Wire.Call(address: address, name: name)
        call.options.dataFolder = settings.folder
        call.options.waitForServer = false
        call.options.history = 100
        call.options.localPort = port
        call.options.agent = "kirim window"
        call.options.trust = settings.trust
        // It would go before the invitation of an address that was entered after it.
        call.options.password = password ?? (address.invitation == nil ? settings.password : nil)
        hasPassword = call.options.password != nil
        let server = program.keepsake.use(address, name: name, localPort: port)
        self.server = server
        let page = ChatPage(call, memory: server.memory, room: settings.room, desk: desk())
        self.page = page
        gtk_stack_add_named(pages.opaque, page.widget, "chat")
        gtk_window_set_default_widget(window.cast(), nil)
        gtk_stack_set_visible_child_name(pages.opaque, "chat")
        page.composer.focus()
        page.perform(.focus(window.flag("is-active")))
    }

    private func leave() {
        guard let page else { return }
        page.close()
        gtk_stack_remove(pages.opaque, page.widget)
        self.page = nil
    }

    private func desk() -> ChatPage.Desk {
        ChatPage.Desk(
            toast: { [weak self] in self?.toast($0) },
            notify: { [weak self] notification, words in
                guard let self, let server else { return }
                program.notify(notification, words: words, server: server)
            },
            withdraw: { [weak self] room in
                guard let self, let server else { return }
                program.withdraw(room, server: server)
            },
            openLink: { [weak self] in self?.open(link: $0) },
            copy: { [weak self] text in
                guard let self else { return }
                gdk_clipboard_set_text(gtk_widget_get_clipboard(window), text)
                toast(tr("Copied"))
            },
            stopped: { [weak self] in self?.stop($0, known: $1) },
            goesOn: { [weak self] in
                guard let self else { return }
                gtk_stack_set_visible_child_name(pages.opaque, "chat")
                page?.composer.focus()
            },
            notOpened: { [weak self] sentence in
                guard let self else { return }
                showStart()
                start?.complain(sentence)
            },
            remember: { [weak self] memory, title in
                guard let self, var server else { return }
                server.memory = memory
                if !title.isEmpty {
                    server.title = title
                    // It has let one in, and need not stand there any longer.
                    start?.forgetPassword()
                }
                self.server = server
                program.keepsake.put(server)
            },
            want: { [weak self] in self?.show($0) },
            rooms: { [weak self] in self?.directory?.show($0) },
            roomChanged: { [weak self] in self?.showMode() },
            quit: { [weak self] in
                guard let self else { return }
                gtk_window_close(window.cast())
            },
            frames: { [weak self] in self?.frames }
        )
    }

    func toast(_ text: String) {
        let toast = made(adw_toast_new(""))
        let safe = made(g_markup_escape_text(text, -1))
        adw_toast_set_title(toast, safe)
        g_free(safe)
        adw_toast_set_timeout(toast, 4)
        // Beside the log: what is being written is not covered.
        adw_toast_overlay_add_toast((page?.toastsInSight ?? toasts).opaque, toast)
    }

    private func open(link: String) {
        if let address = ServerAddress(link), link.lowercased().hasPrefix("kirim://") {
            program.open(address)
        } else {
            gtk_show_uri(window.cast(), link, guint(GDK_CURRENT_TIME))
        }
    }

    private func show(_ wanted: ChatScreen.Wanted) {
        switch wanted {
        case .help: gtk_widget_activate_action_variant(window, "win.show-help-overlay", nil)
        case .link: page?.showLink()
        case .rooms: joinRoom()
        case .members, .history: break
        }
    }

    // MARK: - The client stopped

    private func stop(_ reason: StopReason, known: PublicKey?) {
        guard let page else { return }
        stopped?.show(
            reason,
            at: page.screen.address,
            known: known,
            hasPassword: hasPassword
        )
        gtk_stack_set_visible_child_name(pages.opaque, "stopped")
        stopped?.focus()
    }

    private func answer(_ remedy: ChatScreen.Remedy) {
        if case .password = remedy { hasPassword = true }
        stopped?.isTrying(true)
        page?.perform(.answer(remedy))
    }

    private func confirmTrust(_ key: PublicKey) {
        let waiting = page?.screen.link.waiting ?? 0
        var sentences = [
            tr("Do this only if the operator told you this fingerprint: %1", key.fingerprint),
            tr(
                "What was said with the old server is kept, and is shown again only if that server comes back."
            ),
        ]
        if waiting > 0 {
            sentences.append(
                tr(
                    one: "%1 message waits for the old server and will not go to this one.",
                    many: "%1 messages wait for the old server and will not go to this one.",
                    waiting
                )
            )
        }
        Dialogs.confirm(
            tr("Trust the New Key?"),
            sentences.joined(separator: "\n\n"),
            yes: tr("Trust"),
            over: window
        ) { [weak self] isSure in
            if isSure { self?.answer(.trust(key)) }
        }
    }

    // MARK: - Actions

    private func makeActions() {
        window.action("show-help-overlay") { [weak self] in self?.showShortcuts() }
        window.action("join") { [weak self] in self?.joinRoom() }
        window.action("rename") { [weak self] in self?.rename() }
        window.action("servers") { [weak self] in self?.showStart() }
        window.action("find") { [weak self] in self?.page?.find() }
        window.action("link") { [weak self] in self?.page?.showLink() }
        window.action("latest") { [weak self] in self?.page?.perform(.jumpToLatest) }
        window.action("next-room") { [weak self] in self?.page?.perform(.openNext) }
        window.action("previous-room") { [weak self] in self?.page?.perform(.openPrevious) }
        window.action("copy-message") { [weak self] in self?.page?.copyFocused() }
        window.action("close") { [weak self] in
            guard let self else { return }
            gtk_window_close(window.cast())
        }
        window.action(
            "open-room",
            text: { [weak self] name in
                guard let self else { return }
                gtk_window_present(window.cast())
                if let room = RoomName(name) { page?.enter(room) }
            }
        )
        window.action("leave") { [weak self] in
            guard let page = self?.page else { return }
            page.perform(.leave(page.screen.openRoom))
        }
        mode = window.choice("notify", initially: "mentions") { [weak self] value in
            guard let self, let page else { return }
            let mode: ChatScreen.NotificationMode =
                switch value {
                case "all": .all
                case "none": .none
                default: .mentions
                }
            shownMode = value
            page.perform(.mode(page.screen.openRoom, mode))
        }
    }

    /// Made when it is wanted: where a window is hidden, a screen reader that asks for one that has gone ends the program (GTK 4.8).
    private func showShortcuts() {
        let shortcuts = Form(PackageResources.shortcuts_ui)["shortcuts"]
        gtk_window_set_transient_for(shortcuts.cast(), window.cast())
        gtk_window_present(shortcuts.cast())
    }

    private func joinRoom() {
        guard let page else { return }
        let directory = RoomDirectory(over: window) { [weak self] in
            self?.page?.perform(.join($0))
        }
        self.directory = directory
        if let rooms = page.screen.directory { directory.show(rooms) }
        page.perform(.listRooms)
    }

    private func rename() {
        guard let page else { return }
        Dialogs.ask(
            tr("Change Name"),
            tr("Everybody on this server sees the new name."),
            field: tr("Your name"),
            value: page.screen.me?.name.text ?? "",
            yes: tr("Change"),
            over: window
        ) { [weak self] text in
            guard let self else { return }
            guard let name = MemberName(text) else {
                toast(
                    tr(
                        "A name has 1 to 32 characters, begins with a letter, a number or an emoji, and holds no colon."
                    )
                )
                return
            }
            page.perform(.rename(name))
        }
    }

    /// The mode of the room that is open, in its menu.
    private func showMode() {
        guard let page, let mode else { return }
        let value =
            switch page.screen.room(page.screen.openRoom)?.mode {
            case .all: "all"
            case .some(.none): "none"
            case .mentions, nil: "mentions"
            }
        guard value != shownMode else { return }
        shownMode = value
        g_simple_action_set_state(mode, g_variant_new_string(value))
    }

    // MARK: - The end

    /// The window goes at once; the client takes a moment to say goodbye.
    private func closes() -> Bool {
        guard !isClosing else { return false }
        isClosing = true
        frames?.tell()
        program.closed(self, page: page)
        page = nil
        return false
    }
}
#endif
