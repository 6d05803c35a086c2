import ArgumentParser
import Foundation
import KirimJournal
import KirimNoise
import KirimRooms
import KirimServer
import KirimWire

/// `kirim key`: the keys of this machine, for people to compare.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Show your own key, and the key of this machine's server.",
        discussion: """
            The fingerprint is what people compare; the whole key is what an address carries. Neither is
            a secret. The files that they come from are.

            EXIT CODES
              0   shown
              64  a flag makes no sense
              73  a key file cannot be read, or the output not written
              78  a setting of the server makes no sense
            """
    )

    @Option(
        help: "The folder of your own key. (default: ~/.local/share/kirim)",
        transform: Reading.folder
    )
    var data: String?

    @Option(
        help: "The folder of the server's key. (default: that of kirim serve)",
        transform: Reading.folder
    )
    var serverData: String?

    func run() throws {
        do {
            guard let own = data ?? Folders.data else { throw Complaint.setting(Folders.missing) }
            let server = try serverData ?? ServeSettings.place(.init()).folder
            let lines = [
                try line("Yours", at: own + "/key", otherwise: "made when you first chat"),
                try line(
                    "The server's",
                    at: ServerOptions(folder: server).keyPath,
                    otherwise: "made when it first runs"
                ),
            ]
            try Complaint.print(lines.joined(separator: "\n"))
        } catch let complaint as Complaint {
            throw complaint.said()
        }
    }

    private func line(_ whose: String, at path: String, otherwise: String) throws -> String {
        guard let key = try KeptKey.load(from: path) else {
            return "\(whose): none yet, \(otherwise)"
        }
        return "\(whose): \(key.publicKey.fingerprint)  (\(key.publicKey))"
    }
}

/// A key in its file, which is read and never made here.
enum KeptKey {
    /// `nil` where there is no file.
    static func load(from path: String) throws -> StaticKey? {
        do throws(JournalError) {
            guard let bytes = try KeyFile.load(from: path) else { return nil }
            guard let key = StaticKey(privateBytes: bytes) else {
                throw .corrupt("It holds no key.")
            }
            return key
        } catch {
            throw Complaint(
                sentence: ServerError.storage(error, path: path).sentence,
                code: Complaint.storage
            )
        }
    }
}
