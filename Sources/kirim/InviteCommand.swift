import ArgumentParser
import Foundation
import KirimClient
import KirimNoise
import KirimServer
import KirimWire

/// `kirim invite`: an address that lets one key into an invite-only server, once.
struct InviteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite",
        abstract: "Print an address that lets one person into this machine's invite-only server.",
        discussion: """
            The invitation is good for the first device that uses it, and for that one from then on.
            The server need not run, and keeps nothing until the invitation is used.

            EXAMPLES
              kirim invite --host chat.example
              kirim invite --host 192.0.2.7 --port 4000 --hours 1

            EXIT CODES
              0   the address is on standard output
              64  a flag makes no sense
              73  the server's key cannot be read or made
            """
    )

    @Option(help: "The name or address under which others reach the server.")
    var host = "127.0.0.1"

    @Option(help: "The server's UDP port.")
    var port: UInt16 = ServerAddress.defaultPort

    @Option(help: "How long it may be used for the first time.")
    var hours = 24

    @Option(help: "The folder of the server's key. (default: ~/.local/share/kirim/server)")
    var data: String?

    func validate() throws {
        guard hours > 0, hours <= 24 * 366 else {
            throw ValidationError("An invitation lasts 1 to 8784 hours.")
        }
    }

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        guard let folder = data ?? environment["KIRIM_DATA"] ?? Folders.server else {
            throw Complaint.setting(Folders.missing).said()
        }
        do {
            let key = try KirimServer.key(in: ServerOptions(folder: folder))
            let end = Int64(Date().timeIntervalSince1970 / 60) + Int64(hours) * 60
            let (id, secret) = KirimServer.invitation(to: key, endingAt: UInt32(clamping: end))
            let address = ServerAddress(
                host: host,
                port: port,
                key: key.publicKey,
                invitation: ServerAddress.invitation(id, secret: secret)
            )
            print(address)
        } catch {
            throw Complaint(sentence: error.sentence, code: Complaint.storage).said()
        }
    }
}
