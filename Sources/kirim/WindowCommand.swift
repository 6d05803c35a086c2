import ArgumentParser
import Foundation
import KirimClient
import KirimRooms
import KirimTerminal
import KirimWindow
import KirimWire

/// `kirim window`: the chat in a window of the desktop.
struct WindowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "window",
        abstract: "Chat in a window of the desktop.",
        discussion: """
            Without an address the window goes to the server where you were last, or asks for one. What is
            written while the server is away is kept and sent later.

            EXAMPLES
              kirim window
              kirim window chat.example:4000 --name ani
              kirim window kirim://192.0.2.7:12345/<key>?invite=<token>
              kirim window --data /tmp/budi --name budi     somebody else, beside your own window

            EXIT CODES
              0   the window was closed
              64  a flag makes no sense
              69  this kirim was built without windows, or there is no display
            """
    )

    @Argument(help: "host, host:port, or kirim://host:port/key.", transform: Reading.server)
    var address: ServerAddress?

    @Option(
        help: "The room to open. (default: the one that was open last)",
        transform: Reading.room
    )
    var room: RoomName?

    @OptionGroup var person: PersonOptions

    @Option(
        help: "The local UDP port; others may know you by it. (default: any)",
        transform: Reading.localPort
    )
    var port: UInt16?
}

#if GTK
extension WindowCommand: WindowedCommand {
    var opensWindow: Bool { true }

    func runWindow() throws -> Int32 {
        guard let folder = person.data.map({ Folders.expanded($0) }) ?? Folders.data else {
            throw Complaint.setting(Folders.missing).said()
        }
        var settings = WindowSettings(folder: folder)
        settings.address = address
        settings.room = room
        settings.port = port ?? 0
        settings.name = person.name.flatMap { MemberName($0) }
        settings.trust = person.trust
        settings.password = try person.clientOptions().password
        settings.isApart =
            person.data != nil || person.name != nil || port != nil || person.trust != nil
            || settings.password != nil || room != nil
        guard let code = Program.run(settings) else { throw Main.withoutDisplay.said() }
        return code
    }
}
#else
extension WindowCommand {
    func run() throws {
        throw Main.withoutWindows.said()
    }
}
#endif
