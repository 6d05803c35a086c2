import KirimTestKit
import KirimWire
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// The line face in a real pseudo terminal.
@Suite("At a terminal", .serialized, .timeLimit(.minutes(3)))
struct TerminalTests {
    private func chat(_ stage: Stage, _ name: String) throws -> PseudoTerminal {
        let terminal = try stage.terminal([
            "chat", "\(stage.address)", "--name", name, "--data", stage.data(of: name),
        ])
        return terminal
    }

    @Test("what is typed is sent with Return and marked when it is accepted")
    func typing() throws {
        let stage = try Stage()
        let budi = try stage.person("budi")
        #expect(budi.isIn())
        let ani = try chat(stage, "ani")
        #expect(ani.shows("ani"))
        ani.press("halo budi\r")
        #expect(budi.hears("halo budi")?.author == "ani")
        #expect(
            ani.shows { screen in
                screen.lines.contains { $0.contains("✓") && $0.contains("halo budi") }
            },
            "\(ani.screen.text)"
        )
        budi.says("halo ani")
        #expect(ani.shows("halo ani"))
        #expect(ani.screen.unknown.isEmpty)
    }

    @Test("a line that arrives does not tear the one being typed")
    func arrivingLine() throws {
        let stage = try Stage()
        let budi = try stage.person("budi")
        #expect(budi.isIn())
        let ani = try chat(stage, "ani")
        #expect(ani.shows("ani"))
        ani.press("setengah kal")
        #expect(ani.shows("setengah kal"))
        budi.says("menyela")
        #expect(
            ani.shows { screen in
                let lines = screen.lines
                guard let arrived = lines.lastIndex(where: { $0.contains("menyela") }),
                    let typed = lines.lastIndex(where: { $0.contains("setengah kal") })
                else { return false }
                return arrived < typed && lines.count { $0.contains("setengah kal") } == 1
            },
            "\(ani.screen.text)"
        )
        ani.press("imat\r")
        #expect(budi.hears("setengah kalimat") != nil)
    }

    @Test("64 KiB pasted are one message, byte for byte, line ends included")
    func paste() throws {
        let stage = try Stage()
        let budi = try stage.person("budi")
        #expect(budi.isIn())
        let ani = try chat(stage, "ani")
        #expect(ani.shows("ani"))
        let text = mixedScripts(bytes: 65_536, lineEnds: true)
        ani.press("\u{1B}[200~\(text)\u{1B}[201~")
        ani.press("\r")
        let heard = try #require(budi.hears(text, within: .seconds(60)))
        #expect(Array(heard.text.utf8) == Array(text.utf8))
    }

    @Test("escape codes in a message are shown, not obeyed")
    func forgedScreen() throws {
        let stage = try Stage()
        let ani = try chat(stage, "ani")
        #expect(ani.shows("ani"))
        let old = try UDPSocket()
        old.send("awas \u{1B}[2J\u{1B}]0;judul\u{7}\u{202E}balik", to: stage.address)
        #expect(ani.shows("awas"))
        #expect(ani.shows("balik"))
        #expect(!ani.transcript.contains("\u{1B}]0;judul"))
        #expect(!ani.transcript.contains("\u{1B}[2J"))
        #expect(!ani.transcript.contains("\u{202E}"))
    }

    @Test("/link tells the round trip, and /quit ends it with 0 and the terminal as it was")
    func commands() throws {
        let stage = try Stage()
        let ani = try chat(stage, "ani")
        #expect(ani.shows("ani"))
        ani.press("/link\r")
        #expect(ani.shows { $0.text.contains(" ms") }, "\(ani.screen.text)")
        ani.press("/quit\r")
        #expect(ani.process.exitCode() == 0)
        #expect(ani.screen.unknown.isEmpty)
    }

    @Test("lines that the operator pastes are one text for everybody, and no commands")
    func operatorPaste() throws {
        let stage = try Stage()
        let port = try UDPSocket.freePort()
        let desk = try stage.terminal([
            "serve", "--port", "\(port)", "--data", "\(stage.folder)/other",
        ])
        #expect(desk.shows("Server>"))
        let client = try UDPSocket()
        client.send("halo", to: Address(ip: .loopback, port: port))
        #expect(desk.shows("halo"))
        desk.press("\u{1B}[200~baris satu\r/who\r/quit\u{1B}[201~")
        desk.press("\r")
        #expect(client.receiveText(within: .seconds(20)) == "baris satu\n/who\n/quit")
        desk.press("masih ada\r")
        #expect(client.receiveText(within: .seconds(20)) == "masih ada")
    }

    @Test("the prompt goes on counting while the server is silent")
    func silence() throws {
        let stage = try Stage()
        let ani = try chat(stage, "ani")
        #expect(ani.shows("ani"))
        stage.server.kill(SIGSTOP)
        defer { stage.server.kill(SIGCONT) }
        ani.press("halo?\r")
        #expect(ani.shows("silent for 7 s", within: .seconds(40)), "\(ani.screen.text)")
        #expect(ani.shows("silent for 9 s", within: .seconds(40)), "\(ani.screen.text)")
    }
}
