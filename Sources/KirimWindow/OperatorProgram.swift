#if GTK
import CGtk
import KirimGtk
package import KirimRooms
import KirimScreen
package import KirimWire

/// A server as its operator's window reaches it, from any task.
package struct OperatorDoor: Sendable {
    package var addresses: [Address]
    /// This machine as others may reach it.
    package var outside: IPAddress?
    package var key: PublicKey
    package var name: String
    package var canInvite: Bool
    /// What happens, until the server has stopped.
    package var notes: AsyncStream<[ServerNote]>
    /// A text of somebody's, with all that would order a line anew written out.
    package var visible: @Sendable (String) -> String
    package var status: @Sendable () async -> ServerStatus
    package var perform: @Sendable (OperatorWish) async -> Void
    package var invite: @Sendable () async -> ServerAddress?
    /// Begins to stop; the end of the notes says that it has.
    package var stop: @Sendable () async -> Void

    package nonisolated init(
        addresses: [Address],
        outside: IPAddress?,
        key: PublicKey,
        name: String,
        canInvite: Bool,
        notes: AsyncStream<[ServerNote]>,
        visible: @escaping @Sendable (String) -> String,
        status: @escaping @Sendable () async -> ServerStatus,
        perform: @escaping @Sendable (OperatorWish) async -> Void,
        invite: @escaping @Sendable () async -> ServerAddress?,
        stop: @escaping @Sendable () async -> Void
    ) {
        self.addresses = addresses
        self.outside = outside
        self.key = key
        self.name = name
        self.canInvite = canInvite
        self.notes = notes
        self.visible = visible
        self.status = status
        self.perform = perform
        self.invite = invite
        self.stop = stop
    }
}

/// The program that is a server's window: it lives as long as the server does.
package final class OperatorProgram {
    /// How it went.
    package enum Ending {
        case stopped
        case noDisplay
        /// The server did not start.
        case failed(any Error)
    }

    private let application: UnsafeMutablePointer<AdwApplication>
    private let open: @Sendable () async throws -> OperatorDoor
    private let sentence: (any Error) -> String
    private var window: OperatorWindow?
    private var ending = Ending.stopped

    /// Opens the server and its window. On the main thread.
    ///
    /// - Parameters:
    ///   - open: Opens the server.
    ///   - sentence: Says what kept the server from starting, to whoever did not start it from a terminal.
    /// - Returns: How it ended, when the server has stopped.
    package static func run(
        open: @escaping @Sendable () async throws -> OperatorDoor,
        sentence: @escaping (any Error) -> String
    ) -> Ending {
        guard Stage.begin() else { return .noDisplay }
        let program = OperatorProgram(open, sentence)
        _ = Stage.run(program.application.cast(), ["kirim"])
        return program.ending
    }

    private init(
        _ open: @escaping @Sendable () async throws -> OperatorDoor,
        _ sentence: @escaping (any Error) -> String
    ) {
        self.open = open
        self.sentence = sentence
        application = made(adw_application_new(Program.id + ".Server", G_APPLICATION_NON_UNIQUE))
        application.on("startup", after: true) { [weak self] _ in self?.startUp() }
        application.on("activate") { _ in }
    }

    private func startUp() {
        Stage.dress()
        application.action("about") { [weak self] in
            guard let self else { return }
            Stage.about(over: gtk_application_get_active_window(application.cast()))
        }
        for (name, accelerators) in [
            ("win.stop", ["<Control>w", "<Control>q"]),
            ("win.copy-address", ["<Control><Shift>c"]), ("win.latest", ["<Control>End"]),
            ("win.show-log", ["<Alt>1"]), ("win.show-guests", ["<Alt>2"]),
            ("win.show-server", ["<Alt>3"]),
            ("win.show-help-overlay", ["<Control>question"]),
        ] {
            keys(accelerators, for: name, of: application.cast())
        }
        application.choice("appearance", initially: "system") { Stage.appear($0) }
        g_application_hold(application.cast())
        Task {
            do {
                let door = try await open()
                window = OperatorWindow(door, of: application.cast()) { [weak self] in self?.end() }
            } catch {
                ending = .failed(error)
                Dialogs.complain(
                    tr("The Server Did Not Start"),
                    sentence(error),
                    of: application.cast()
                ) { [weak self] in self?.end() }
            }
        }
    }

    private func end() {
        window = nil
        g_application_release(application.cast())
    }
}
#endif
