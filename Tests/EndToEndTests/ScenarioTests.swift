import Foundation
import KirimTestKit
import KirimWire
import Testing

/// The two scenarios of the report that this project grew from, to the letter.
@Suite("The old programs", .serialized, .timeLimit(.minutes(3)))
struct ScenarioTests {
    @Test("one client greets, the operator sees address, port and text, and answers")
    func oneClient() throws {
        let stage = try Stage()
        let client = try UDPSocket()
        client.send("halo server!", to: stage.address)
        let expected = "Client ('127.0.0.1', \(client.address.port)): halo server!"
        #expect(stage.server.line(containing: expected) != nil)
        stage.server.type("halo juga client!")
        #expect(client.receiveText(within: .seconds(10)) == "halo juga client!")
    }

    @Test("who has not spoken sees nothing; the operator's line reaches all who have")
    func twoClients() throws {
        let stage = try Stage()
        let (one, two) = (try UDPSocket(), try UDPSocket())
        two.send("hi", to: stage.address)
        let hi = "Client ('127.0.0.1', \(two.address.port)): hi"
        #expect(stage.server.line(containing: hi) != nil)
        // The server has dealt with "hi": what it would send is on its way by now.
        #expect(one.receive(within: .milliseconds(300)) == nil)
        one.send("halo server ^-^", to: stage.address)
        let halo = "Client ('127.0.0.1', \(one.address.port)): halo server ^-^"
        #expect(stage.server.line(containing: halo) != nil)
        stage.server.type("halo clients!")
        #expect(one.receiveText(within: .seconds(10)) == "halo clients!")
        #expect(
            two.receiveText(within: .seconds(10))
                == "127.0.0.1:\(one.address.port): halo server ^-^"
        )
        #expect(two.receiveText(within: .seconds(10)) == "halo clients!")
    }

    @Test("the student's own client, in Python, chats with kirim serve")
    func pythonClient() throws {
        let stage = try Stage()
        let ports = [try UDPSocket.freePort(), try UDPSocket.freePort()]
        var clients: [ChildProcess] = []
        for port in ports {
            guard let client = try stage.python("old_client.py", ["\(stage.address.port)"]) else {
                return
            }
            client.type("\(port)")
            #expect(client.line(containing: "bound") != nil)
            clients.append(client)
        }
        clients[1].type("hi")
        #expect(stage.server.line(containing: "Client ('127.0.0.1', \(ports[1])): hi") != nil)
        clients[0].type("halo server ^-^")
        let halo = "Client ('127.0.0.1', \(ports[0])): halo server ^-^"
        #expect(stage.server.line(containing: halo) != nil)
        stage.server.type("halo clients!")
        for client in clients { #expect(client.line { $0 == "Server: halo clients!" } != nil) }
        #expect(!clients[0].lines.contains { $0.contains("hi") })
    }

    @Test("kirim chat --plain, with a fixed port, chats with the student's own server")
    func pythonServer() throws {
        let stage = try Stage()
        let (port, own) = (try UDPSocket.freePort(), try UDPSocket.freePort())
        guard let server = try stage.python("old_server.py", ["\(port)"]) else { return }
        #expect(server.line(containing: "bound") != nil)
        let client = try stage.run(["chat", "127.0.0.1:\(port)", "--plain", "--port", "\(own)"])
        client.type("halo server!")
        #expect(server.line { $0 == "Client ('127.0.0.1', \(own)): halo server!" } != nil)
        server.type("halo juga client!")
        #expect(client.line(containing: "halo juga client!") != nil)
    }

    @Test("what a plain chat prints as JSON ends with a line that says so")
    func plainJSON() throws {
        let stage = try Stage()
        let chat = try stage.run(["chat", "\(stage.address)", "--plain", "--json"])
        chat.type("halo")
        chat.closeInput()
        #expect(chat.exitCode() == 0)
        let last = chat.lines.last.flatMap { Person.Event($0) }
        #expect(last?.name == "done" && last?.fields["exit"] as? Int == 0, "\(chat.lines)")
    }

    @Test("kirim chat --plain asks for the port at a terminal, as the student's client did")
    func askedPort() throws {
        let stage = try Stage()
        let (server, own) = (try UDPSocket(), try UDPSocket.freePort())
        let terminal = try stage.terminal(["chat", "127.0.0.1:\(server.address.port)", "--plain"])
        #expect(terminal.shows("Enter port:"))
        terminal.press("\(own)\r")
        terminal.press("halo server!\r")
        let heard = server.receive(within: .seconds(20))
        #expect(heard?.from.port == own)
        #expect(heard.map { String(decoding: $0.bytes, as: UTF8.self) } == "halo server!")
        if let heard { server.send("halo juga client!", to: heard.from) }
        #expect(terminal.shows("halo juga client!"))
    }

    @Test("plain and authenticated members are in the same room")
    func bothKinds() throws {
        let stage = try Stage()
        let ani = try stage.person("ani")
        #expect(ani.isIn())
        let old = try UDPSocket()
        old.send("dari nc\n", to: stage.address)
        let heard = ani.hears("dari nc")
        #expect(heard?.author == "127.0.0.1:\(old.address.port)")
        #expect(heard?.fields["author_type"] as? String == "plain")
        ani.says("halo nc")
        // Whoever ends lines, as nc does, gets ended lines.
        #expect(old.receiveText(within: .seconds(10)) == "ani: halo nc\n")
        stage.server.type("halo semua")
        #expect(ani.hears("halo semua")?.fields["author_type"] as? String == "server")
        #expect(old.receiveText(within: .seconds(10)) == "halo semua\n")
    }
}
