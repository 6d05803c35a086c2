import KirimPlain
import KirimWire
import Testing

@Suite("Plain text")
struct PlainTextTests {
    @Test("cuts within a character only where it alone is too long, and then between scalars")
    func endlessCharacter() {
        // One character for a person: a letter under two thousand accents.
        let text = "xa" + String(repeating: "\u{301}", count: 2_000)
        #expect(text.count == 2)
        let pieces = PlainText.datagrams(of: text)
        #expect(pieces.count == 4)
        #expect(pieces.allSatisfy { $0.count <= 1024 })
        #expect(pieces.allSatisfy { String(validating: $0, as: UTF8.self) != nil })
        #expect(pieces.flatMap(\.self) == Array(text.utf8))
    }

    @Test("keeps what fits in one datagram, and makes none of nothing")
    func borders() {
        #expect(PlainText.datagrams(of: "").isEmpty)
        #expect(PlainText.datagrams(of: "", prefix: "ani: ").isEmpty)
        #expect(PlainText.datagrams(of: String(repeating: "a", count: 1024)).count == 1)
        #expect(
            PlainText.datagrams(of: String(repeating: "a", count: 1025)).map(\.count) == [1024, 1]
        )
    }

    @Test(
        "what a relayed text costs is never less than its datagrams",
        arguments: ["a", "\n", "\u{1}", "\u{7F}", "\u{85}", "é", "漢", "a\n\u{1B}"]
    )
    func pieces(unit: String) {
        for count in [1, 300, 1_000, 16_000] {
            let text = String(repeating: unit, count: count)
            let sent = PlainText.datagrams(of: PlainText.indented(text), prefix: "ani: ")
            #expect(sent.count <= PlainText.pieces(of: text))
        }
    }

    @Test("never trims more than one line end, and refuses what is not UTF-8")
    func reading() {
        #expect(PlainText.read(Array("a\n\n".utf8))?.text == "a\n")
        #expect(PlainText.read(Array("\r\n".utf8))?.text == "")
        #expect(PlainText.read(Array("a\r".utf8))?.text == "a\r")
        #expect(PlainText.read([0xC0, 0x80]) == nil)
    }
}

@Suite("A plain client")
struct PlainClientTests {
    private let server = Address(ip: .loopback, port: 12_345)

    @Test("says a line as one datagram, and a long one as several")
    func saying() {
        let client = PlainClient(server: server)
        #expect(client.say("halo server!") == [Array("halo server!".utf8)])
        #expect(client.say("").isEmpty)
        let long = String(repeating: "漢", count: 400)
        #expect(client.say(long).map(\.count) == [1023, 177])
    }

    @Test("shows what its server says, and nothing from elsewhere")
    func hearing() {
        var client = PlainClient(server: server)
        #expect(client.receive(Array("halo\n".utf8), from: server) == "halo")
        let mapped = Address(ip: .v6(0, 0xFFFF_7F00_0001, zone: 0), port: 12_345)
        #expect(client.receive(Array("halo".utf8), from: mapped) == "halo")
        #expect(
            client.receive(Array("psst".utf8), from: Address(ip: .loopback, port: 1_234)) == nil
        )
        #expect(client.receive(Array("psst".utf8), from: Address(ip: .v4(9), port: 12_345)) == nil)
        #expect(client.strangers == 2)
    }

    @Test("shows a text that was cut within a character")
    func torn() {
        var client = PlainClient(server: server)
        #expect(client.receive([0x68, 0x69, 0xC3], from: server) == "hi\u{FFFD}")
    }
}
