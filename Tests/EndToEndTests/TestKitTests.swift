import KirimTestKit
import KirimWire
import Testing

/// The tools that the other tests lean on.
@Suite("The test kit", .serialized, .timeLimit(.minutes(1)))
struct TestKitTests {
    @Test("the proxy loses and doubles at about the rates it was told")
    func rates() throws {
        let (server, client) = (try UDPSocket(), try UDPSocket())
        var road = ImpairmentProxy.Road()
        road.loss = 0.2
        road.duplication = 0.1
        let proxy = try ImpairmentProxy(to: server.address, road: road, seed: 5)
        defer { proxy.stop() }
        for number in 0..<1_000 { client.send("\(number)", to: proxy.address) }
        var seen: [String: Int] = [:]
        while let text = server.receiveText(within: .milliseconds(300)) {
            seen[text, default: 0] += 1
        }
        #expect((700...900).contains(seen.count))
        #expect((40...140).contains(seen.values.count { $0 == 2 }))
        #expect(seen.values.allSatisfy { $0 <= 2 })
    }

    @Test("the proxy carries answers back, and gives new source ports when told")
    func rebinding() throws {
        let (server, client) = (try UDPSocket(), try UDPSocket())
        let proxy = try ImpairmentProxy(to: server.address, road: .init(), seed: 6)
        defer { proxy.stop() }
        var ports: Set<UInt16> = []
        for _ in 0..<3 {
            client.send("ping", to: proxy.address)
            let heard = try #require(server.receive(within: .seconds(5)))
            ports.insert(heard.from.port)
            server.send("pong", to: heard.from)
            #expect(client.receiveText(within: .seconds(5)) == "pong")
            proxy.rebind()
        }
        #expect(ports.count == 3)
    }

    @Test("the proxy lets later datagrams overtake, and nothing through when it is cut")
    func order() throws {
        let (server, client) = (try UDPSocket(), try UDPSocket())
        var road = ImpairmentProxy.Road()
        road.reordering = 0.3
        let proxy = try ImpairmentProxy(to: server.address, road: road, seed: 7)
        defer { proxy.stop() }
        for number in 0..<200 { client.send("\(number)", to: proxy.address) }
        var seen: [Int] = []
        while let text = server.receiveText(within: .milliseconds(300)) {
            seen.append(Int(text) ?? -1)
        }
        #expect(seen.sorted() == Array(0..<200))
        #expect(seen != seen.sorted())
        proxy.change { $0.isCut = true }
        client.send("lost", to: proxy.address)
        #expect(server.receive(within: .milliseconds(200)) == nil)
    }

    @Test("a child's lines come with a deadline, and its end with a code")
    func child() throws {
        let cat = try ChildProcess("/bin/cat")
        cat.type("one")
        cat.type("two")
        #expect(cat.line { $0 == "two" } == "two")
        #expect(cat.line(within: .milliseconds(50)) { _ in true } == nil)
        cat.kill()
        #expect(cat.exitCode() == -9)
        let shell = try ChildProcess("/bin/sh", ["-c", "echo last; exit 7"])
        #expect(shell.exitCode() == 7)
        #expect(shell.lines == ["last"])
    }

    @Test("a terminal is one for the program in it")
    func terminal() throws {
        let shell = try PseudoTerminal(
            "/bin/sh",
            ["-c", "tty; test -t 0 && stty size && echo ready && read line && echo \"<$line>\""],
            columns: 33,
            rows: 7
        )
        #expect(shell.shows("ready"))
        #expect(shell.shows("7 33"))
        shell.press("halo\r")
        #expect(shell.shows("<halo>"))
        #expect(shell.process.exitCode() == 0)
    }

    @Test("the screen obeys what a line editor writes")
    func screen() {
        var screen = TerminalScreen(columns: 8, rows: 3)
        screen.obey(Array("abc\r\u{1B}[Kdef\u{1B}[2D!\r\n世界x\u{8}y".utf8))
        #expect(screen.lines == ["d!f", "世界y", ""])
        screen.obey(Array("\u{1B}[1A\u{1B}[J\r\nA\r\nB\r\n12345678".utf8))
        #expect(screen.scrolledOff == ["d!f"])
        #expect(screen.lines == ["A", "B", "12345678"])
        screen.obey(Array("9".utf8))
        #expect(screen.lines == ["B", "12345678", "9"])
        #expect(screen.unknown.isEmpty)
    }
}
