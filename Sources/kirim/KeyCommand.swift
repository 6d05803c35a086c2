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
              73  a key file cannot be read
            """
    )

    @Option(help: "The folder of your own key. (default: ~/.local/share/kirim)")
    var data: String?

    @Option(help: "The folder of the server's key. (default: ~/.local/share/kirim/server)")
    var serverData: String?

    func run() throws {
        guard let own = data ?? Folders.data, let server = serverData ?? Folders.server else {
            throw Complaint.setting(Folders.missing).said()
        }
        try show("Yours", at: own + "/key", otherwise: "made when you first chat")
        try show("The server's", at: server + "/server.key", otherwise: "made when it first runs")
    }

    private func show(_ whose: String, at path: String, otherwise: String) throws {
        do {
            guard let bytes = try KeyFile.load(from: path) else {
                return print("\(whose): none yet, \(otherwise)")
            }
            guard let key = StaticKey(privateBytes: bytes) else {
                throw JournalError.corrupt("\(path) holds no key.")
            }
            print("\(whose): \(key.publicKey.fingerprint)  (\(key.publicKey))")
        } catch {
            throw Complaint(
                sentence: sentence(of: error, path),
                code: Complaint.storage
            ).said()
        }
    }

    private func sentence(of error: any Error, _ path: String) -> String {
        guard let error = error as? JournalError else { return "\(path) cannot be read: \(error)" }
        return ServerError.storage(error, path: path).sentence
    }
}
