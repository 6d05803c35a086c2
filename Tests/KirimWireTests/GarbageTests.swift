import KirimTestKit
import KirimWire
import Testing

/// No bytes from anyone end the program: every parser returns or throws.
@Suite("Garbage")
struct GarbageTests {
    /// Reads the bytes as everything that they might be. What matters is that it comes back.
    private func readAll(_ bytes: [UInt8]) -> Int {
        var understood = 0
        if (try? HelloPacket(parsing: bytes)) != nil { understood += 1 }
        if (try? ChallengePacket(parsing: bytes)) != nil { understood += 1 }
        if (try? OpenPacket(parsing: bytes)) != nil { understood += 1 }
        if (try? AcceptPacket(parsing: bytes)) != nil { understood += 1 }
        if (try? ResetPacket(parsing: bytes)) != nil { understood += 1 }
        if (try? DataHeader.parsingToServer(bytes)) != nil { understood += 1 }
        if (try? DataHeader.parsingToClient(bytes)) != nil { understood += 1 }
        if (try? Frame.all(in: bytes)) != nil { understood += 1 }
        return understood
    }

    @Test("100,000 random strings, and those that begin like a packet or frame, trap no parser")
    func random() {
        var dice = SeededDice(seed: 8)
        var understood = 0
        let beginnings: [UInt8] = [
            0xF8, 0xF9, 0xFA, 0xFB, 0xFC, 0xFD, 0x02, 0x02, 0x10, 0x11, 0x13, 0x18, 0x20, 0x24,
            0x40,
        ]
        for round in 0..<100_000 {
            var bytes = dice.bytes(Int(dice.next() % (round % 1000 == 0 ? 1300 : 48)))
            if round % 2 == 0, !bytes.isEmpty {
                bytes[0] = beginnings[round / 2 % beginnings.count]
            }
            understood += readAll(bytes)
        }
        // Some of it does make sense by chance, or the test would not reach behind the first byte.
        #expect(understood > 1000)
    }

    @Test("true packets with a few bytes changed trap no parser")
    func mutated() throws {
        var dice = SeededDice(seed: 9)
        var understood = 0
        for _ in 0..<20_000 {
            var writer = ByteWriter()
            for frame in dice.frames().shuffled(using: &dice).prefix(3) {
                frame.write(to: &writer)
            }
            var bytes = writer.bytes
            for _ in 0..<1 + dice.next() % 3 {
                bytes[Int(dice.next() % UInt64(bytes.count))] = UInt8(
                    truncatingIfNeeded: dice.next()
                )
            }
            understood += readAll(bytes)
        }
        #expect(understood > 1000)
    }

    @Test("what an ACK says after parsing is always in order and apart")
    func ackInvariant() {
        var dice = SeededDice(seed: 10)
        var acks = 0
        for _ in 0..<50_000 {
            let bytes = [0x02] + dice.bytes(12).map { $0 & 0x3F }
            var reader = ByteReader(bytes)
            guard case .ack(let ack)? = try? Frame.next(&reader) else { continue }
            acks += 1
            for (above, below) in zip(ack.ranges, ack.ranges.dropFirst()) {
                #expect(UInt64(below.upperBound) + 1 < UInt64(above.lowerBound))
            }
        }
        #expect(acks > 100)
    }

    @Test("random text is no key, no base 32 and no address, or comes back as it was")
    func text() {
        var dice = SeededDice(seed: 11)
        let letters = Array("0123456789abcdefABCDEFz:.%[]- é".unicodeScalars)
        for _ in 0..<50_000 {
            let count = Int(dice.next() % 24)
            let text = String(
                String.UnicodeScalarView(
                    (0..<count).map { _ in letters[Int(dice.next() % UInt64(letters.count))] }
                )
            )
            if let ip = IPAddress(text) { #expect(IPAddress(ip.description) == ip) }
            if let address = Address(text) { #expect(Address(address.description) == address) }
            if let bytes = Base32.decode(text) {
                #expect(Base32.decode(Base32.encode(bytes)) == bytes)
            }
            #expect(PublicKey(text) == nil)
        }
    }
}
