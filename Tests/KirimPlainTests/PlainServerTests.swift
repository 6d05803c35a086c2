import KirimPlain
import KirimRooms
import KirimWire
import Testing

@Suite("A plain server")
struct PlainServerTests {
    @Test("plays the report's first scenario: halo server!, halo juga client!")
    func firstScenario() {
        var scene = Scene()
        scene.hear("halo server!", from: local(50_001))
        #expect(scene.joined == [local(50_001)])
        #expect(scene.said == ["halo server!"])
        #expect(scene.sent.isEmpty)
        scene.broadcast("halo juga client!")
        #expect(scene.texts(to: local(50_001)) == ["halo juga client!"])
    }

    @Test("plays the second: who has not spoken gets nothing, a broadcast reaches all who have")
    func secondScenario() {
        var scene = Scene()
        scene.hear("hi", from: local(50_002))
        #expect(scene.texts(to: local(50_001)).isEmpty)
        scene.hear("halo server ^-^", from: local(50_001))
        scene.broadcast("halo clients!")
        #expect(scene.texts(to: local(50_001)) == ["halo clients!"])
        #expect(scene.texts(to: local(50_002)) == ["halo clients!"])
    }

    @Test("relays to everybody but the sender, with the name before the text")
    func relay() {
        var scene = Scene()
        scene.hear("a", from: local(50_001))
        scene.hear("b", from: local(50_002))
        scene.deliver("hi", by: .plain(local(50_001).address))
        scene.deliver("halo", by: ani)
        #expect(scene.texts(to: local(50_001)) == ["ani: halo"])
        #expect(scene.texts(to: local(50_002)) == ["127.0.0.1:50001: hi", "ani: halo"])
    }

    @Test("a flood from many ports is bounded by what its messages cost, and ends with it")
    func relayBudget() {
        var scene = Scene {
            $0.relaysPerSecond = 1_000
            $0.relayBurst = 2_000
        }
        func flood() {
            for port in 20_000..<20_200 { scene.hear("x", from: local(UInt16(port))) }
        }
        flood()
        // One for each message and one for each client that is there: 1 + 2 + 3 + …
        let first = scene.said.count
        #expect((60...66).contains(first))
        #expect(scene.server.counters.tooFast == 200 - first)
        scene.forget()
        scene.wait(.seconds(1))
        flood()
        #expect((8...20).contains(scene.said.count))
        scene.forget()
        scene.wait(.seconds(3))
        scene.hear("calm again", from: local(20_000))
        #expect(scene.said == ["calm again"])
    }

    @Test("ports of one machine in a network share what one may, and leave the others their part")
    func relayShare() {
        var scene = Scene(.lan) {
            $0.relaysPerSecond = 800
            $0.relayBurst = 1_600
            $0.strangerBurst = 100
        }
        func enter(_ peer: PlainPeer) {
            scene.hear("halo server!", from: peer)
            scene.hear(scene.code, from: peer)
        }
        let flooders = (0..<8).map { remote(1, port: 50_001 + $0) }
        for peer in flooders + [remote(2)] { enter(peer) }
        scene.wait(.seconds(10))
        for _ in 0..<20 { for peer in flooders { scene.hear("x", from: peer) } }
        // Each message costs 9, and the eight have one burst of 800 among them.
        #expect((80...96).contains(scene.said.count))
        scene.forget()
        scene.hear("me too", from: remote(2))
        #expect(scene.said == ["me too"])
    }

    @Test("a text that costs more than all may at once silences its author, and nobody else")
    func dearText() {
        var scene = Scene {
            $0.relaysPerSecond = 1_000
            $0.relayBurst = 2_000
        }
        for port in 20_000..<20_050 {
            scene.hear("a", from: local(UInt16(port)))
            scene.wait(.seconds(1))
        }
        scene.forget()
        scene.hear(String(repeating: "\n", count: 60_000) + "x", from: local(20_000))
        #expect(scene.said.count == 1)
        scene.wait(.seconds(2))
        scene.forget()
        scene.hear("we go on", from: local(20_001))
        scene.hear("and I may not", from: local(20_000))
        #expect(scene.said == ["we go on"])
    }

    @Test("a line in somebody's text does not pass for another's: it is moved in")
    func forgedLine() {
        var scene = Scene()
        scene.hear("a", from: local(50_001))
        scene.deliver("halo\nServer: closed at 8\nbudi: yes", by: ani)
        scene.broadcast("one\ntwo")
        #expect(
            scene.texts(to: local(50_001)) == [
                "ani: halo\n  Server: closed at 8\n  budi: yes", "one\ntwo",
            ]
        )
    }

    @Test("who is put out is not heard for as long, and then is")
    func putOut() {
        var scene = Scene()
        scene.hear("a", from: local(50_001))
        scene.hear("b", from: local(50_002))
        scene.server.remove(local(50_001).address, until: scene.now.advanced(by: .seconds(60)))
        scene.drain()
        #expect(scene.left == [.removed])
        scene.forget()
        scene.hear("again", from: local(50_001))
        scene.hear("still here", from: local(50_002))
        #expect(scene.said == ["still here"])
        #expect(scene.server.counters.refused == 1)
        scene.wait(.seconds(60))
        scene.hear("back", from: local(50_001))
        #expect(scene.said.last == "back")
    }

    @Test("gives up the oldest relays, and counts them, when too much waits to be sent")
    func backlog() {
        var scene = Scene(.loopback) { $0.backlogBytes = 10 * 256 }
        scene.hear("a", from: local(50_001))
        let text = String(repeating: "x", count: 100)
        scene.server.broadcast("from the operator")
        for number in 10..<30 { scene.server.deliver(entry("\(number)" + text, by: ani)) }
        scene.drain()
        let texts = scene.texts(to: local(50_001))
        #expect(texts.first == "from the operator")
        #expect(texts.last == "ani: 29" + text)
        #expect((8...12).contains(texts.count))
        #expect(texts.dropFirst().first == "ani: \(31 - texts.count)" + text)
        #expect(scene.server.counters.givenUp == 21 - texts.count)
        // What went out waits no more.
        scene.forget()
        for number in 10..<17 { scene.server.deliver(entry("\(number)" + text, by: ani)) }
        scene.drain()
        #expect(scene.texts(to: local(50_001)).count == 7)
        // A single message is never too much.
        scene.forget()
        scene.server.broadcast(String(repeating: "y", count: 1_000_000))
        scene.drain()
        #expect(scene.sentBytes.reduce(0) { $0 + $1.count } == 1_000_000)
    }

    @Test("shows each kind of entry in its own way")
    func kinds() {
        var scene = Scene()
        scene.hear("a", from: local(50_001))
        scene.deliver("waves", by: ani, kind: .action)
        scene.deliver("budi joined", by: .server, kind: .notice)
        scene.deliver(" as typed ", by: .server, kind: .broadcast)
        scene.deliver("better", by: ani, kind: .edit)
        scene.deliver("", by: ani, kind: .delete)
        #expect(
            scene.texts(to: local(50_001)) == [
                "* ani waves", "budi joined", " as typed ", "ani (edited): better",
                "* ani deletes a message",
            ]
        )
    }

    @Test("takes a line end for no part of the text, and gives line ends to who sends them")
    func lineEnds() {
        var scene = Scene()
        scene.hear("from nc\n", from: local(50_001))
        scene.hear("from a window", from: local(50_002))
        scene.hear("two\nlines\r\n", from: local(50_002))
        #expect(scene.said == ["from nc", "from a window", "two\nlines"])
        scene.hear("again without", from: local(50_002))
        scene.broadcast("halo")
        #expect(scene.texts(to: local(50_001)) == ["halo\n"])
        #expect(scene.texts(to: local(50_002)) == ["halo"])
    }

    @Test("registers who presses only Return, and takes that for no message")
    func loneLineEnd() {
        var scene = Scene()
        scene.hear("\n", from: local(50_001))
        #expect(scene.joined.count == 1)
        #expect(scene.said.isEmpty)
    }

    @Test("registers nobody for an empty datagram or one that is not UTF-8, and counts both")
    func nonsense() {
        var scene = Scene()
        scene.hear([UInt8](), from: local(50_001))
        scene.hear([0x68, 0xC3], from: local(50_001))
        scene.hear([0xED, 0xA0, 0x80], from: local(50_001))
        #expect(scene.joined.isEmpty)
        #expect(scene.said.isEmpty)
        #expect(scene.server.counters.empty == 1)
        #expect(scene.server.counters.malformed == 2)
    }

    @Test("answers no source that cannot be, or must not be, answered")
    func unanswerable() {
        var scene = Scene(.lan)
        for port in ReflectablePorts.all {
            scene.hear("To join this chat, please", from: local(port))
            scene.hear("To join this chat, please", from: remote(1, port: port))
        }
        for ip in [
            IPAddress.v4(0), .v4(0xFFFF_FFFF), .v4(0xE000_0001), .v6(0xFF02 << 48, 1, zone: 0),
        ] {
            let peer = PlainPeer(address: Address(ip: ip, port: 50_001), socket: 0)
            scene.hear("To join this chat, please", from: peer)
        }
        #expect(scene.joined.isEmpty)
        #expect(scene.sent.isEmpty)
        #expect(scene.server.counters.unanswerable == 2 * ReflectablePorts.all.count + 4)
    }

    @Test("takes nobody when it is off, and only this machine's programs by default")
    func policies() {
        var off = Scene(.off)
        off.hear("halo", from: local(50_001))
        #expect(off.joined.isEmpty)
        var loopback = Scene(.loopback)
        loopback.hear("halo", from: remote(1))
        #expect(loopback.joined.isEmpty)
        #expect(loopback.sent.isEmpty)
        let six = PlainPeer(address: Address(ip: .loopback6, port: 50_001), socket: 0)
        loopback.hear("halo", from: six)
        #expect(loopback.joined == [six])
    }

    @Test("lets a client go after its silence, not before")
    func silence() {
        var scene = Scene { $0.silence = .seconds(60) }
        scene.hear("a", from: local(50_001))
        scene.wait(.seconds(30))
        scene.hear("b", from: local(50_002))
        scene.wait(.seconds(29))
        scene.hear("c", from: local(50_002))
        let first = scene.server.visits.last
        #expect(first?.began == Instant.start.advanced(by: .seconds(30)))
        #expect(first?.heard == Instant.start.advanced(by: .seconds(59)))
        #expect(scene.left.isEmpty)
        #expect(scene.server.deadline == Instant.start.advanced(by: .seconds(60)))
        scene.wait(.seconds(1))
        #expect(scene.left == [.silent])
        #expect(scene.server.peers == [local(50_002)])
        scene.broadcast("still there?")
        #expect(scene.texts(to: local(50_001)).isEmpty)
    }

    @Test("lets a client go when nobody listens there, and takes it back when it speaks")
    func unreachable() {
        var scene = Scene()
        scene.hear("a", from: local(50_001))
        scene.server.unreachable(local(50_001).address)
        scene.server.unreachable(local(50_009).address)
        scene.drain()
        #expect(scene.left == [.unreachable])
        #expect(scene.server.deadline == nil)
        scene.hear("b", from: local(50_001))
        #expect(scene.server.peers == [local(50_001)])
    }

    @Test("replaces the one that was silent longest when it is full")
    func full() {
        var scene = Scene { $0.clientLimit = 2 }
        scene.hear("a", from: local(50_001))
        scene.wait(.seconds(1))
        scene.hear("b", from: local(50_002))
        scene.wait(.seconds(1))
        scene.hear("a again", from: local(50_001))
        scene.hear("c", from: local(50_003))
        #expect(scene.left == [.replaced])
        #expect(scene.server.peers == [local(50_001), local(50_003)])
    }

    @Test("knows a client by its address, and answers from the socket spoken to last")
    func sockets() {
        var scene = Scene()
        scene.hear("a", from: local(50_001, socket: 1))
        scene.hear("b", from: local(50_001, socket: 2))
        scene.broadcast("halo")
        #expect(scene.joined.count == 1)
        #expect(scene.sent.map(\.to) == [local(50_001, socket: 2)])
    }

    @Test("lets a client say so much at once, and then at its rate")
    func rate() {
        var scene = Scene {
            $0.messageBurst = 3
            $0.messagesPerSecond = 2
        }
        for number in 0..<5 { scene.hear("\(number)", from: local(50_001)) }
        #expect(scene.said == ["0", "1", "2"])
        #expect(scene.server.counters.tooFast == 2)
        scene.wait(.milliseconds(500))
        scene.hear("later", from: local(50_001))
        scene.hear("too soon", from: local(50_001))
        #expect(scene.said.last == "later")
    }

    @Test("cuts a long text between characters, each datagram with its name and within 1024 bytes")
    func longText() {
        var scene = Scene()
        scene.hear("a", from: local(50_001))
        scene.hear("b\n", from: local(50_002))
        let text = String(repeating: "halo 👨‍👩‍👧‍👦 é 漢字 ", count: 500)
        scene.deliver(text, by: ani)
        for peer in [local(50_001), local(50_002)] {
            let pieces = scene.texts(to: peer)
            #expect(pieces.count > 15)
            #expect(pieces.allSatisfy { $0.utf8.count <= 1024 && $0.hasPrefix("ani: ") })
            let joined = pieces.map { $0.dropFirst(5).replacing("\n", with: "") }.joined()
            #expect(joined == text)
            #expect(pieces.reduce(0) { $0 + $1.dropFirst(5).count { $0 != "\n" } } == text.count)
        }
    }

    @Test("makes harmless what a terminal would obey, but sends the operator's line as it is")
    func disarmed() {
        var scene = Scene()
        scene.hear("a", from: local(50_001))
        scene.deliver("\u{1B}]0;x\u{7}a\tb\r\nc\u{9B}1m", by: ani)
        scene.broadcast("\u{1B}[1mhalo\u{1B}[0m")
        #expect(
            scene.texts(to: local(50_001)) == [
                "ani: \u{FFFD}]0;x\u{FFFD}a\tb\n  c\u{FFFD}1m", "\u{1B}[1mhalo\u{1B}[0m",
            ]
        )
    }
}

@Suite("A plain server among machines that answer")
struct LoopTests {
    @Test("drops its own words when they come back")
    func echo() {
        var scene = Scene()
        scene.hear("a", from: local(50_001))
        scene.hear("b", from: local(50_002))
        scene.forget()
        scene.deliver("hi", by: ani)
        for (text, peer) in scene.sent { scene.hear(text + "\n", from: peer) }
        #expect(scene.said.isEmpty)
        #expect(scene.server.counters.echoed == 2)
    }

    @Test("lets a client repeat the operator's words")
    func repeated() {
        var scene = Scene()
        scene.hear("a", from: local(50_001))
        scene.broadcast("ok")
        scene.hear("ok", from: local(50_001))
        #expect(scene.said == ["a", "ok"])
    }

    @Test("comes to rest between two echo services within the first round")
    func twoEchoes() {
        var scene = Scene()
        scene.hear("a", from: local(50_001))
        scene.hear("b", from: local(50_002))
        scene.forget()
        scene.deliver("start", by: ani)
        var rounds = 0
        while !scene.sent.isEmpty, rounds < 100 {
            rounds += 1
            let arriving = scene.sent
            scene.forget()
            for (text, peer) in arriving {
                let before = scene.said.count
                scene.hear(text, from: peer)
                for said in scene.said[before...] { scene.deliver(said, by: .plain(peer.address)) }
            }
        }
        #expect(rounds == 1)
    }

    @Test("comes to rest in a ring of four plain servers")
    func ring() {
        let addresses = [local(40_001), local(40_002), local(40_003), local(40_004)]
        var servers = [Scene(), Scene(), Scene(), Scene()]
        // Each has heard its neighbours, however that came to be.
        for place in 0..<4 {
            servers[place].hear("x", from: addresses[(place + 1) % 4])
            servers[place].hear("x", from: addresses[(place + 3) % 4])
            servers[place].forget()
        }
        servers[0].deliver("start", by: ani)
        var datagrams = 0
        var isMoving = true
        while isMoving, datagrams < 1000 {
            isMoving = false
            for place in 0..<4 {
                let sent = servers[place].sent
                servers[place].forget()
                for (text, to) in sent {
                    isMoving = true
                    datagrams += 1
                    guard let target = addresses.firstIndex(of: to) else { continue }
                    servers[target].hear(text, from: addresses[place])
                    for said in servers[target].said {
                        servers[target].deliver(said, by: .plain(addresses[place].address))
                    }
                    servers[target].said = []
                }
            }
        }
        #expect(datagrams < 20)
        #expect(servers.contains { $0.server.counters.looped > 0 })
    }

    @Test("takes a time of day for no address")
    func timeOfDay() {
        var scene = Scene()
        scene.hear("12:30: 13:30: lunch", from: local(50_001))
        scene.hear("10.0.0.1:5: [::1]:6: round and round", from: local(50_001))
        #expect(scene.said == ["12:30: 13:30: lunch"])
        #expect(scene.server.counters.looped == 1)
    }
}

@Suite("The plain door on a LAN")
struct DoorTests {
    @Test("asks a stranger for a code, registers who sends it back, and takes the next text")
    func challenge() {
        var scene = Scene(.lan)
        scene.hear("halo server, may I come in?", from: remote(1))
        #expect(scene.joined.isEmpty)
        #expect(scene.said.isEmpty)
        #expect(scene.server.deadline == nil)
        let code = scene.code
        #expect(code.count == 6)
        scene.hear(" \(code.uppercased())\n", from: remote(1))
        #expect(scene.joined == [remote(1)])
        #expect(scene.said.isEmpty)
        #expect(scene.sent.last?.text == "You are in. What you send now goes to everybody.\n")
        scene.hear("halo", from: remote(1))
        #expect(scene.said == ["halo"])
        #expect(scene.sent.count == 2)
        // A machine that sends back what it gets has said nothing.
        scene.hear(scene.sent[1].text, from: remote(1))
        #expect(scene.said == ["halo"])
    }

    @Test("takes what follows the code as the first message")
    func codeAndText() {
        var scene = Scene(.lan)
        scene.hear("halo server!", from: remote(1))
        scene.hear("\(scene.code) halo again\n", from: remote(1))
        #expect(scene.said == ["halo again"])
    }

    @Test("never answers a stranger with more bytes than came", arguments: 0..<60)
    func noAmplification(size: Int) {
        var scene = Scene(.lan)
        scene.hear([UInt8](repeating: 0x61, count: size), from: remote(1))
        #expect(scene.sentBytes.reduce(0) { $0 + $1.count } <= size)
        #expect(scene.sentBytes.isEmpty == (size < 6))
    }

    @Test("answers short greetings when they are together as long as the code")
    func shortGreetings() {
        var scene = Scene(.lan)
        scene.hear("hi\n", from: remote(1))
        // Another's greeting, and another port's, count for nobody else.
        scene.hear("hi\n", from: remote(2))
        scene.hear("hi\n", from: remote(1, port: 50_002))
        #expect(scene.sent.isEmpty)
        scene.hear("hi\n", from: remote(1))
        #expect(scene.sent.map(\.to) == [remote(1)])
        #expect(scene.sentBytes.map(\.count) == [6])
        let code = scene.code
        // What was answered is spent.
        scene.hear("hi\n", from: remote(1))
        #expect(scene.sent.count == 1)
        scene.hear(code, from: remote(1))
        #expect(scene.joined == [remote(1)])
        #expect(scene.said.isEmpty)
    }

    @Test("never answers an address with more bytes than came from there, however they were cut")
    func noAmplificationTogether() {
        var scene = Scene(.lan) {
            $0.strangerBurst = 100_000
            $0.challengesPerSecond = 100_000
        }
        var bytesIn: [PlainPeer: Int] = [:]
        for turn in 0..<5_000 as Range<UInt32> {
            let peer = remote(1 + turn % 37)
            let size = Int(1 + turn * turn % 8)
            bytesIn[peer, default: 0] += size
            scene.hear([UInt8](repeating: 0x61, count: size), from: peer)
        }
        var answered = 0
        for (peer, count) in bytesIn {
            let out = scene.sent.filter { $0.to == peer }.reduce(0) { $0 + $1.text.utf8.count }
            #expect(out <= count)
            answered += out > 0 ? 1 : 0
        }
        // Two whose places are one take it from each other.
        #expect(answered > bytesIn.count / 2)
    }

    @Test("accepts no other address's code, and no old one")
    func foreignCode() {
        var scene = Scene(.lan)
        scene.hear("halo server!", from: remote(1))
        let code = scene.code
        scene.hear(code, from: remote(2))
        scene.hear(code, from: remote(1, port: 50_002))
        #expect(scene.joined.isEmpty)
        scene.wait(.seconds(241))
        scene.hear(code, from: remote(1))
        #expect(scene.joined.isEmpty)
    }

    @Test("still accepts a code when its time has just ended")
    func previousCode() {
        var scene = Scene(.lan)
        scene.hear("halo server!", from: remote(1))
        let code = scene.code
        scene.wait(.seconds(121))
        scene.hear(code, from: remote(1))
        #expect(scene.joined == [remote(1)])
    }

    @Test("answers a prefix at its rate, and all strangers together at theirs")
    func rates() {
        var scene = Scene(.lan)
        for port in 40_000..<40_100 {
            scene.hear("halo server!", from: remote(1, port: UInt16(port)))
        }
        #expect(scene.sent.count == 10)
        scene.forget()
        for host in 2..<255 {
            for _ in 0..<5 { scene.hear("halo server!", from: remote(UInt32(host))) }
        }
        #expect(scene.sent.count == 90)
    }

    @Test("lets one address hold only so many places")
    func prefixLimit() {
        var scene = Scene(.lan) {
            $0.clientsPerPrefix = 2
            $0.strangerBurst = 100
        }
        for port in 50_001...50_003 {
            let peer = remote(1, port: UInt16(port))
            scene.hear("halo server!", from: peer)
            scene.hear(scene.code, from: peer)
            scene.wait(.seconds(1))
        }
        #expect(scene.left == [.replaced])
        #expect(scene.server.peers == [remote(1, port: 50_002), remote(1, port: 50_003)])
    }
}
