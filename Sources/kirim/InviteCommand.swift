import ArgumentParser
import Foundation
import KirimClient
import KirimNoise
import KirimServer
import KirimTerminal
import KirimWire

/// `kirim invite`: an address that lets one key into an invite-only server, once.
struct InviteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite",
        abstract: "Print an address that lets one person into this machine's invite-only server.",
        discussion: """
            The invitation is good for the first device that uses it, and for that one from then on.
            The server need not run, and keeps nothing until the invitation is used; but it must have run
            once, so that there is a key. Where its files are, and its port, come from the settings of
            kirim serve, unless flags say otherwise.

            EXAMPLES
              kirim invite --host chat.example
              kirim invite --host 192.0.2.7 --port 4000 --hours 1

            EXIT CODES
              0   the address is on standard output
              64  a flag makes no sense
              73  the server has no key yet, or it cannot be read
              78  a setting of the server makes no sense
            """
    )

    @Option(help: "The name or address under which others reach the server.")
    var host = "127.0.0.1"

    @Option(help: "The server's UDP port. (default: that of kirim serve)")
    var port: UInt16?

    @Option(help: "How long it may be used for the first time.")
    var hours = 24

    @Option(
        help: "The folder of the server's key. (default: that of kirim serve)",
        transform: Reading.folder
    )
    var data: String?

    @Option(help: "The settings file of kirim serve. (default: ~/.config/kirim/server.json)")
    var settings: String?

    func validate() throws {
        guard hours > 0, hours <= 24 * 366 else {
            throw ValidationError("An invitation lasts 1 to 8784 hours.")
        }
        if let port, ReflectablePorts.contains(port) {
            throw ValidationError(
                port == 0
                    ? "Others need the port itself: 1 to 65535."
                    : "Nobody gets in there: \(Setting.unusable(port))."
            )
        }
        _ = try reachableHost()
    }

    /// The host, if somebody else can go there.
    private func reachableHost() throws -> String {
        let ip = Setting.address(host)
        if let ip, ip.isUnspecified || ip.isMulticastOrBroadcast {
            throw ValidationError(
                """
                \(host) is no address to go to. Give the name or the address under which others reach this \
                machine, such as --host 192.0.2.7.
                """
            )
        }
        let name = ip?.description ?? host
        let address = ServerAddress(host: name)
        guard let read = ServerAddress(address.description), read.host == name.lowercased() else {
            throw ValidationError("\(host) is no name or address of a machine.")
        }
        return read.host
    }

    func run() throws {
        let host = try reachableHost()
        do {
            let place = try ServeSettings.place(.init(data: data, settings: settings))
            let port = port ?? place.port
            guard port != 0 else {
                throw Complaint.setting(
                    "The settings give the server any free port; name it with --port."
                )
            }
            let path = ServerOptions(folder: place.folder).keyPath
            guard let key = try KeptKey.load(from: path) else {
                throw Complaint(
                    sentence: """
                        There is no server key in \(place.folder). Start the server once with kirim serve, or say \
                        with --data where its files are.
                        """,
                    code: Complaint.storage
                )
            }
            let end = Int64(Date().timeIntervalSince1970 / 60) + Int64(hours) * 60
            let (id, secret) = KirimServer.invitation(to: key, endingAt: UInt32(clamping: end))
            let address = ServerAddress(
                host: host,
                port: port,
                key: key.publicKey,
                invitation: ServerAddress.invitation(id, secret: secret)
            )
            try Complaint.print(address.description)
            if place.isForOthers, Setting.address(host)?.isLoopback == true {
                StandardOutput.complain(
                    "kirim: this address is of use on this machine only; for others say --host NAME."
                )
            }
        } catch let complaint as Complaint {
            throw complaint.said()
        }
    }
}
