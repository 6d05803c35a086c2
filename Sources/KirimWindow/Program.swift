#if GTK
import CGtk
import KirimGtk
package import KirimRooms
import KirimScreen
package import KirimWire

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What a window is told from outside.
package struct WindowSettings: Sendable {
    package var address: ServerAddress?
    package var name: MemberName?
    /// The local UDP port; 0 for any.
    package var port: UInt16 = 0
    package var room: RoomName?
    package var password: String?
    package var trust: PublicKey?
    /// The folder of key, outbox, history and of what windows remember.
    package var folder: String
    /// It was named: such a window is a program of its own, and not one more window of the one that runs.
    package var isApart = false

    package nonisolated init(folder: String) { self.folder = folder }
}

/// The program with its windows, as the desktop knows it.
package final class Program {
    nonisolated static let id = "id.kirim.Kirim"

    let application: UnsafeMutablePointer<AdwApplication>
    private(set) var settings: WindowSettings
    private let file: KeepsakeFile
    private var windows: [ChatWindow] = []
    private var isLoaded = false
    private var asked: [ServerAddress?] = []
    /// When a window was closed last.
    private var leaving: Instant?
    /// A goodbye takes two seconds and a little.
    private static let patience = Duration.seconds(3)
    /// What is remembered; whatever changes it is written.
    var keepsake = Keepsake() {
        didSet { if keepsake != oldValue, isLoaded { file.save(keepsake) } }
    }

    /// Runs until the last window is closed, on the main thread.
    ///
    /// - Returns: The exit code; `nil` where there is no display.
    package static func run(_ settings: WindowSettings) -> Int32? {
        guard Stage.begin() else { return nil }
        let program = Program(settings)
        var arguments = ["kirim"]
        if let address = settings.address {
            // As a link: it goes to the program that runs already, which opens one more window for it.
            arguments.append(link(to: address))
        }
        return Stage.run(program.application.cast(), arguments)
    }

    private init(_ settings: WindowSettings) {
        self.settings = settings
        file = KeepsakeFile(folder: settings.folder)
        let flags =
            G_APPLICATION_HANDLES_OPEN.rawValue
            | (settings.isApart ? G_APPLICATION_NON_UNIQUE.rawValue : 0)
        application = made(adw_application_new(Self.id, GApplicationFlags(flags)))
        application.on("startup", after: true) { [weak self] _ in self?.startUp() }
        application.on("activate") { [weak self] _ in self?.activate() }
        application.on("open") { [weak self] values in
            for address in Self.addresses(values) { self?.open(address) }
        }
    }

    private func startUp() {
        Stage.dress()
        makeActions()
        // The end of a session, or of a terminal, is no reason to go without a word.
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            MainLoop.at(signal: signal) { [weak self] in self?.closeAll() }
        }
        // The disk is not waited for: the first window is there before what is remembered.
        g_application_hold(application.cast())
        Task {
            keepsake = await file.load()
            isLoaded = true
            if let appearance = keepsake.appearance { Stage.appear(appearance) }
            for address in asked { show(address) }
            asked = []
            g_application_release(application.cast())
        }
    }

    private func activate() {
        if let window = windows.first { return gtk_window_present(window.window.cast()) }
        open(nil)
    }

    /// Opens a window for the address, or for where one was last.
    func open(_ address: ServerAddress?) {
        if isLoaded { show(address) } else { asked.append(address) }
    }

    private func show(_ address: ServerAddress?) {
        let window = ChatWindow(self)
        windows.append(window)
        window.begin(at: address)
    }

    /// What the command line gave is for the server that it named, or else for the first one that is gone to. Another
    /// one gets neither password nor key nor room of it: anybody may have written the link that leads there.
    func settings(for address: ServerAddress) -> WindowSettings {
        var given = settings
        settings.address = settings.address ?? address
        if settings.address?.endpoint != address.endpoint {
            given.password = nil
            given.trust = nil
            given.room = nil
        }
        return given
    }

    /// A window has gone; the program ends when its client has said goodbye.
    func closed(_ window: ChatWindow, page: ChatPage?) {
        windows.removeAll { $0 === window }
        leaving = LocalTime.now
        g_application_hold(application.cast())
        guard let page else { return finish() }
        page.close { Task { @MainActor in self.finish() } }
    }

    private func closeAll() {
        for window in windows { gtk_window_close(window.window.cast()) }
        // Before there is a window there is nobody to say goodbye to. After the last one a signal mostly has the same
        // cause as the one that closed it, a terminal or a session that ends; who waits for long may have enough.
        guard windows.isEmpty,
            leaving.map({ $0.duration(to: LocalTime.now) > Self.patience }) ?? true
        else { return }
        g_application_quit(application.cast())
    }

    private func finish() {
        guard windows.isEmpty else { return g_application_release(application.cast()) }
        Task {
            await file.finish()
            g_application_release(application.cast())
        }
    }

    // MARK: - Actions

    private func makeActions() {
        let app: UnsafeMutablePointer<GtkApplication> = application.cast()
        application.action("quit") { [weak self] in self?.closeAll() }
        application.action("about") { [weak self] in
            guard let self else { return }
            Stage.about(over: gtk_application_get_active_window(application.cast()))
        }
        application.choice("appearance", initially: keepsake.appearance ?? "system") {
            [weak self] value in
            Stage.appear(value)
            self?.keepsake.appearance = value
        }
        application.action(
            "open-room",
            text: { [weak self] target in
                self?.openRoom(target)
            }
        )
        for (name, accelerators) in [
            ("app.quit", ["<Control>q"]), ("win.close", ["<Control>w"]),
            ("win.find", ["<Control>f"]),
            ("win.join", ["<Control>j"]), ("win.link", ["<Control>i"]),
            ("win.latest", ["<Control>End"]), ("win.next-room", ["<Alt>Down"]),
            ("win.previous-room", ["<Alt>Up"]),
            ("win.show-help-overlay", ["<Control>question"]),
        ] {
            keys(accelerators, for: name, of: app)
        }
    }

    // MARK: - Notifications

    func notify(
        _ notification: ChatScreen.Notification,
        words: RowWords,
        server: Keepsake.Server
    ) {
        let name = words.name(of: notification.author)
        let title =
            notification.room == .lobby ? name : tr("%1 in %2", name, notification.room.text)
        let notice = made(g_notification_new(title))
        g_notification_set_body(notice, notification.text)
        if notification.isMention {
            g_notification_set_priority(notice, G_NOTIFICATION_PRIORITY_HIGH)
        }
        let target = Self.target(notification.room, server)
        g_notification_set_default_action_and_target_value(
            notice,
            "app.open-room",
            g_variant_new_string(target)
        )
        g_application_send_notification(application.cast(), target, notice)
        g_object_unref(notice.raw)
    }

    func withdraw(_ room: RoomName, server: Keepsake.Server) {
        g_application_withdraw_notification(application.cast(), Self.target(room, server))
    }

    private static func target(_ room: RoomName, _ server: Keepsake.Server) -> String {
        "\(room.text) \(server.address)"
    }

    /// A notification was clicked.
    private func openRoom(_ target: String) {
        let parts = target.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2, let room = RoomName(parts[0]) else { return }
        let window = windows.first { $0.page?.screen.address.endpoint == parts[1] }
        guard let window else { return activate() }
        gtk_window_present(window.window.cast())
        window.page?.enter(room)
    }

    // MARK: - Addresses

    private static func link(to address: ServerAddress) -> String {
        let text = address.description
        return text.hasPrefix("kirim://") ? text : "kirim://" + text
    }

    private static func addresses(_ values: SignalValues) -> [ServerAddress] {
        guard let files = values.pointer(1)?.assumingMemoryBound(to: OpaquePointer?.self) else {
            return []
        }
        return (0..<Int(values.signed(2))).compactMap { place in
            guard let file = files[place], let uri = g_file_get_uri(file) else { return nil }
            defer { g_free(uri) }
            return ServerAddress(String(cString: uri))
        }
    }
}
#endif
