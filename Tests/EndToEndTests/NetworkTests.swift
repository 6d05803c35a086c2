import Foundation
import KirimServer
import KirimTestKit
import KirimWire
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// What only another network can show.
@Suite("From another network", .serialized, .timeLimit(.minutes(5)))
struct NetworkTests {
    private static let server = Address(ip: .v4(0x0A4D_0001), port: 12_345)
    private static let client = IPAddress.v4(0x0A4D_0002)

    @Test("a plain client proves with a code that it is there, and only then takes part")
    func typedCode() throws {
        guard let site = try NetworkSite(["--plain", "lan"]) else { return }
        let budi = try site.person("budi", in: site.pair.client)
        #expect(budi.isIn())
        let old = try site.pair.open(in: site.pair.client) { try UDPSocket(ip: Self.client) }
        let other = try site.pair.open(in: site.pair.client) { try UDPSocket(ip: Self.client) }
        var (bytesIn, bytesOut) = (0, 0)
        func say(_ text: String) -> String? {
            bytesIn += text.utf8.count
            old.send(text, to: Self.server)
            let answer = old.receiveText(within: .milliseconds(300))
            bytesOut += answer?.utf8.count ?? 0
            #expect(bytesOut <= bytesIn)
            return answer
        }
        // Shorter than the code: nothing, until it is enough together.
        #expect(say("hi\n") == nil)
        #expect(say("hi\n")?.count == 6)
        let answer = try #require(say("halo server, boleh masuk? saya dari jaringan lain"))
        #expect(answer.hasPrefix("To join this chat, send "))
        let code = String(answer.dropFirst(24).prefix(6))
        #expect(code.count == 6)
        // Neither a wrong code nor the right one from elsewhere lets anybody in.
        #expect(say("aaaaaa") != nil)
        other.send(code, to: Self.server)
        other.send("dari tempat lain", to: Self.server)
        #expect(other.receiveText(within: .milliseconds(500)) != "budi: apa kabar?")
        budi.says("apa kabar?")
        #expect(budi.hears("apa kabar?") != nil)
        #expect(old.receiveText(within: .milliseconds(300)) == nil)
        // With it, both directions work.
        old.send(code, to: Self.server)
        #expect(old.receiveText(within: .seconds(10))?.hasPrefix("You are in.") == true)
        old.send("halo semua", to: Self.server)
        let heard = budi.hears("halo semua")
        #expect(heard?.author == old.address.description)
        #expect(heard?.fields["author_type"] as? String == "plain")
        budi.says("selamat datang")
        #expect(old.receiveText(within: .seconds(10)) == "budi: selamat datang")
        #expect(budi.hears("selamat datang") != nil)
        #expect(budi.texts == ["apa kabar?", "halo semua", "selamat datang"])
    }

    @Test(
        "a client that sleeps while its address changes hears again by itself, and has lost nothing"
    )
    func sleep() throws {
        guard let site = try NetworkSite() else { return }
        let ani = try site.person("ani", in: site.pair.client)
        let budi = try site.person("budi", in: site.pair.server)
        #expect(ani.isIn())
        #expect(budi.isIn())
        budi.says("sebelum")
        #expect(ani.hears("sebelum") != nil)
        ani.process.kill(SIGSTOP)
        for number in 1...10 { budi.says("tidur \(number)") }
        #expect(budi.hears("tidur 10") != nil)
        site.pair.moveClient(from: "10.77.0.2", to: "10.77.0.3")
        usleep(20_000_000)
        budi.says("bangun")
        #expect(budi.hears("bangun") != nil)
        let clock = ContinuousClock()
        let start = clock.now
        ani.process.kill(SIGCONT)
        #expect(ani.hears("bangun", within: .seconds(30)) != nil)
        print("a client that slept 20 s and moved hears again after \(clock.now - start)")
        #expect(ani.texts == ["sebelum"] + (1...10).map { "tidur \($0)" } + ["bangun"])
        isWithoutGap(ani)
        #expect(site.server.line(containing: "10.77.0.3") != nil, "\(site.server.lines)")
        budi.says("selamat pagi")
        #expect(ani.hears("selamat pagi") != nil)
    }

    @Test(
        "a server on every address answers its own machine and then others, also after it has moved"
    )
    func everyAddress() throws {
        guard let site = try NetworkSite(hosts: ["0.0.0.0"]) else { return }
        let ani = try site.person("ani", in: site.pair.server, at: "127.0.0.1")
        #expect(ani.isIn())
        let budi = try site.person("budi", in: site.pair.client)
        #expect(budi.isIn())
        budi.says("halo dari luar")
        #expect(ani.hears("halo dari luar") != nil)
        site.pair.moveServer(from: "10.77.0.1", to: "10.77.0.9")
        let cici = try site.person("cici", in: site.pair.client, at: "10.77.0.9")
        #expect(cici.isIn())
        cici.says("masih di sini")
        #expect(ani.hears("masih di sini") != nil)
    }

    @Test("packets from sources to which there is no way do not make the server deaf")
    func noWayBack() throws {
        guard let site = try NetworkSite(["--plain", "lan"]) else { return }
        let ani = try site.person("ani", in: site.pair.client)
        #expect(ani.isIn())
        guard let liar = try site.pair.open(in: site.pair.client, { RawSocket() }) else { return }
        let hello = HelloPacket(
            ephemeral: [UInt8](repeating: 7, count: 32),
            versions: [.one, .grease(1)]
        )
        let clock = ContinuousClock()
        var longest = Duration.zero
        for turn in 1...20 {
            for number in 0..<100 as Range<UInt32> {
                // Everywhere but here: no route, a network's broadcast address, a reserved block.
                let ip: UInt32 =
                    switch number % 3 {
                    case 0: 0x0808_0000 + UInt32(turn) * 256 + number
                    case 1: 0x0A4D_00FF
                    default: 0xF000_0000 + number
                    }
                let source = Address(ip: .v4(ip), port: 40_000)
                try liar.send(hello.bytes, from: source, to: Self.server)
                try liar.send(
                    Array("halo server! ini dari jauh sekali".utf8),
                    from: source,
                    to: Self.server
                )
            }
            let start = clock.now
            ani.says("\(turn)")
            #expect(ani.hears("\(turn)") != nil)
            longest = max(longest, clock.now - start)
        }
        print("the slowest message among packets from nowhere took \(longest)")
        #expect(ani.texts == (1...20).map { "\($0)" })
        // It was never bound anew: what waits in a socket is lost with it.
        #expect(!site.server.lines.contains { $0.contains("socket lost") })
    }

    @Test("what the network has no room for waits, and leaves when there is")
    func noRoom() throws {
        guard let pair = NetworkPair() else { return }
        let sender = try pair.open(in: pair.server) {
            try UDPSocket(ip: .v4(0x0A4D_0001))
        }
        var room: Int32 = 4_608
        let size = socklen_t(MemoryLayout<Int32>.size)
        #expect(setsockopt(sender.descriptor, SOL_SOCKET, SO_SNDBUF, &room, size) == 0)
        let outlet = try #require(Outlet(sharing: sender.descriptor))
        // Nobody has that address: until the system gives it up, what goes there takes the socket's room.
        let nobody = Address(ip: .v4(0x0A4D_0003), port: 9)
        for turn in 0..<10 {
            #expect(outlet.take([UInt8](repeating: 0, count: 1_000 + turn), to: nobody))
        }
        #expect(outlet.flush() == 0)
        #expect(outlet.isWaiting)
        let receiver = try pair.open(in: pair.client) { try UDPSocket(ip: Self.client) }
        #expect(outlet.take(Array("at last".utf8), to: receiver.address))
        let start = ContinuousClock.now
        while outlet.isWaiting, start.duration(to: .now) < .seconds(60) {
            usleep(1_000)
            _ = outlet.flush()
        }
        #expect(!outlet.isWaiting)
        #expect(receiver.receiveText(within: .seconds(10)) == "at last")
    }
}
