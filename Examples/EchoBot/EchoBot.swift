// A bot in one file: it greets whoever says "halo" and repeats what follows "!echo ".
//
//     swift run kirim-echo-bot                          the server on this machine
//     swift run kirim-echo-bot kirim://host:port/key    another one
import KirimClient
import KirimRooms
import KirimWire

@main
struct EchoBot {
    static func main() async throws {
        let text = CommandLine.arguments.dropFirst().first ?? ServerAddress.local.description
        guard let address = ServerAddress(text) else {
            print("\(text) is not an address; try 127.0.0.1:12345 or kirim://host:port/key")
            return
        }
        var options = KirimClient.Options()
        // A bot has a key and an outbox of its own, wants no history, and waits for its server.
        options.dataFolder = "./.kirim-echo-bot"
        options.history = 0
        options.waitForServer = false
        options.agent = "kirim-echo-bot"
        let chat = try await KirimClient.connect(to: address, as: "gema", options: options)

        for await event in chat.events {
            switch event {
            case .welcomed(let me, let server): print("I am \(me.name) on \(server).")
            case .firstContact(let key): print("The server's key: \(key.fingerprint)")
            case .entry(let entry, mine: nil):
                guard let reply = answer(to: entry, from: await chat.me()) else { break }
                // Durable when this returns; the server's word can be awaited with `accepted()`.
                try await chat.send(reply, to: entry.room, kind: .reply, reference: entry.sequence)
            case .stopped(let reason): print(KirimError(reason).message)
            default: break
            }
        }
    }

    /// What there is to say; `nil` for nothing. Never answers itself, so that no two bots talk for ever.
    static func answer(to entry: Entry, from me: Member?) -> String? {
        guard entry.kind == .text, case .member(let author, let name) = entry.author,
            author != me?.id
        else { return nil }
        if entry.text.hasPrefix("!echo ") { return String(entry.text.dropFirst("!echo ".count)) }
        return entry.text.lowercased() == "halo" ? "Halo, \(name)!" : nil
    }
}
