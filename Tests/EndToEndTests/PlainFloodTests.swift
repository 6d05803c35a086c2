import Foundation
import KirimTestKit
import KirimWire
import Testing

/// Plain text in the names of a whole network that has not spoken, with `--plain lan`. Part of `make attack`.
@Suite("Plain text from forged addresses", .serialized, .timeLimit(.minutes(60)))
struct PlainFloodTests {
    private static let server = Address(ip: .v4(0x0A4D_0001), port: 12_345)
    private static let rounds = Int(variable("KIRIM_ATTACK_SECONDS") ?? 3) * 10

    @Test("aims the server at nobody, and lets nobody in; the members chat on")
    func reflection() throws {
        let prepare: (NetworkPair) -> Bool = { pair in
            // The client's machine takes what is sent to anybody in 10.66.0.0/16, and so sees all of it.
            pair.atClient("route add local 10.66.0.0/16 dev lo")
            pair.atServer("route add 10.66.0.0/16 via 10.77.0.2")
            return true
        }
        guard let site = try NetworkSite(["--plain", "lan"], prepare: prepare) else { return }
        let made = try site.pair.open(in: site.pair.client) {
            (RawSocket(), Wiretap(port: Self.server.port))
        }
        guard let liar = made.0, let wiretap = made.1 else {
            print("SKIPPED: forged packets need root.")
            return
        }
        defer { wiretap.stop() }
        let ani = try site.person("ani", in: site.pair.server)
        let budi = try site.person("budi", in: site.pair.client)
        #expect(ani.isIn())
        #expect(budi.isIn())
        let memory = site.server.residentBytes
        var dice = SeededDice(seed: 11)
        var given: [Address: Int] = [:]
        let texts = ["a", "halo\n", "aaaaaa", "halo server, boleh masuk? saya dari jaringan lain"]
        for round in 1...Self.rounds {
            for _ in 0..<500 {
                let ip = UInt32(0x0A42_0000) + UInt32(dice.below(4_000) + 1)
                let source = Address(ip: .v4(ip), port: UInt16(20_000 + dice.below(2)))
                let text = texts[dice.below(texts.count)]
                given[source, default: 0] += text.utf8.count
                try liar.send(Array(text.utf8), from: source, to: Self.server)
            }
            let (speaker, other) = round.isMultiple(of: 2) ? (ani, budi) : (budi, ani)
            speaker.says("kata \(round)")
            #expect(other.hears("kata \(round)") != nil)
        }
        wiretap.settle()
        let answered = wiretap.answered.filter { $0.key.ip != .v4(0x0A4D_0002) }
        var (into, out, worst) = (0, 0, 0.0)
        for (address, tally) in answered {
            let bytes = given[address] ?? 0
            #expect(tally.bytes <= bytes, "\(address) gave \(bytes)")
            worst = max(worst, Double(tally.bytes) / Double(max(1, bytes)))
            out += tally.bytes
        }
        for bytes in given.values { into += bytes }
        let grown = site.server.residentBytes - memory
        print(
            """
            attack: plain text of \(given.count) forged addresses: \(into) bytes in, \(out) out to \
            \(answered.count), at most \(worst) for a byte; the server grew by \(grown / 1_024) KiB
            """
        )
        #expect(!answered.isEmpty, "nobody was asked for a code")
        #expect(grown < (isSanitized ? 48 : 16) << 20)
        let words = (1...Self.rounds).map { "kata \($0)" }
        #expect(ani.hears("kata \(Self.rounds)") != nil || ani.texts == words)
        #expect(ani.texts == words)
    }
}
