import KirimTestKit
import KirimWire
import Testing

@Suite("Packets")
struct PacketTests {
    private static let ephemeral = (0..<32).map { UInt8($0) }
    private static let versions = [ProtocolVersion.one, .grease(0xBEEF)]

    private func prefixes(_ bytes: [UInt8]) -> [[UInt8]] {
        (0..<bytes.count).map { Array(bytes.prefix($0)) }
    }

    @Test("HELLO fills a packet, comes back, and has one length only")
    func hello() throws {
        let packet = HelloPacket(ephemeral: Self.ephemeral, versions: Self.versions)
        let bytes = packet.bytes
        #expect(bytes.count == 1200)
        #expect(Array(bytes.prefix(34)) == [0xF8] + Self.ephemeral + [2])
        #expect(try HelloPacket(parsing: bytes) == packet)
        for prefix in prefixes(bytes) {
            #expect(throws: WireError.self) { try HelloPacket(parsing: prefix) }
        }
        #expect(throws: WireError.self) { try HelloPacket(parsing: bytes + [0]) }
    }

    @Test("HELLO with anything but zeros behind its versions, or with none or too many, is refused")
    func badHello() {
        let bytes = HelloPacket(ephemeral: Self.ephemeral, versions: Self.versions).bytes
        var padded = bytes
        padded[1199] = 1
        #expect(throws: WireError.malformed) { try HelloPacket(parsing: padded) }
        for count in [0, UInt8(PacketSize.versionLimit) + 1, 255] {
            var changed = bytes
            changed[33] = count
            #expect(throws: WireError.malformed) { try HelloPacket(parsing: changed) }
        }
        var other = bytes
        other[0] = 0xF9
        #expect(throws: WireError.malformed) { try HelloPacket(parsing: other) }
    }

    @Test("a list without a grease version is refused, in HELLO and in CHALLENGE")
    func greaseless() throws {
        var hello = HelloPacket(ephemeral: Self.ephemeral, versions: [.one])
        #expect(throws: WireError.malformed) { try HelloPacket(parsing: hello.bytes) }
        hello.versions = [.grease(0)]
        #expect(try HelloPacket(parsing: hello.bytes) == hello)
        let challenge = ChallengePacket(
            echo: Array(Self.ephemeral.prefix(8)),
            access: .open,
            versions: [.one],
            serverKey: try #require(PublicKey(bytes: Self.ephemeral)),
            cookie: [UInt8](repeating: 7, count: PacketSize.cookie)
        )
        #expect(throws: WireError.malformed) { try ChallengePacket(parsing: challenge.bytes) }
    }

    @Test(
        "CHALLENGE comes back, is far smaller than HELLO, and refuses every prefix and any byte more"
    )
    func challenge() throws {
        let packet = ChallengePacket(
            echo: Array(Self.ephemeral.prefix(8)),
            access: .invitation,
            versions: Self.versions,
            serverKey: try #require(PublicKey(bytes: Self.ephemeral)),
            cookie: [UInt8](repeating: 7, count: PacketSize.cookie)
        )
        let bytes = packet.bytes
        #expect(bytes.count == 1 + 8 + 1 + 1 + 8 + 32 + 21)
        #expect(try ChallengePacket(parsing: bytes) == packet)
        for prefix in prefixes(bytes) {
            #expect(throws: WireError.self) { try ChallengePacket(parsing: prefix) }
        }
        #expect(throws: WireError.trailingBytes) { try ChallengePacket(parsing: bytes + [0]) }
        var unknown = bytes
        unknown[9] = 3
        #expect(throws: WireError.malformed) { try ChallengePacket(parsing: unknown) }
    }

    @Test("OPEN fills a packet and comes back; any other length is refused")
    func open() throws {
        var dice = SeededDice(seed: 5)
        let packet = OpenPacket(
            version: .one,
            clientIndex: 9,
            cookie: dice.bytes(PacketSize.cookie),
            noise: dice.bytes(OpenPacket.noiseSize)
        )
        let bytes = packet.bytes
        #expect(bytes.count == 1200)
        #expect(OpenPacket.noiseSize == OpenPacket.parametersSize + 96)
        #expect(try OpenPacket(parsing: bytes) == packet)
        #expect(packet.ephemeral == Array(packet.noise.prefix(32)))
        for prefix in prefixes(bytes) {
            #expect(throws: WireError.self) { try OpenPacket(parsing: prefix) }
        }
        #expect(throws: WireError.malformed) { try OpenPacket(parsing: bytes + [0]) }
    }

    @Test(
        "ACCEPT comes back; one that cannot hold a key and a tag, or no packet can hold, is refused"
    )
    func accept() throws {
        var dice = SeededDice(seed: 6)
        let packet = AcceptPacket(clientIndex: 200, noise: dice.bytes(48))
        #expect(try AcceptPacket(parsing: packet.bytes) == packet)
        for prefix in prefixes(packet.bytes) {
            #expect(throws: WireError.truncated) {
                if prefix.isEmpty { throw WireError.truncated }
                _ = try AcceptPacket(parsing: prefix)
            }
        }
        let longest = AcceptPacket(clientIndex: 0, noise: dice.bytes(1198))
        #expect(try AcceptPacket(parsing: longest.bytes) == longest)
        #expect(throws: WireError.tooLong) { try AcceptPacket(parsing: longest.bytes + [0]) }
    }

    @Test("RESET is 25 bytes, no fewer and no more")
    func reset() throws {
        var dice = SeededDice(seed: 7)
        let packet = ResetPacket(connectionID: dice.next(), token: dice.bytes(16))
        let bytes = packet.bytes
        #expect(bytes.count == 25)
        #expect(try ResetPacket(parsing: bytes) == packet)
        for prefix in prefixes(bytes) {
            #expect(throws: WireError.self) { try ResetPacket(parsing: prefix) }
        }
        #expect(throws: WireError.trailingBytes) { try ResetPacket(parsing: bytes + [0]) }
    }

    @Test("DATA names the connection to the server and the one-byte index to the client")
    func data() throws {
        let up = DataHeader(
            destination: .server(connectionID: 0x0102_0304_0506_0708),
            packetNumber: 9
        )
        let down = DataHeader(destination: .client(index: 5), packetNumber: UInt32.max)
        #expect(up.bytes == hex("fd" + "0102030405060708" + "00000009"))
        #expect(down.bytes == hex("fd" + "05" + "ffffffff"))
        #expect(up.bytes.count == up.size)
        #expect(down.bytes.count == down.size)
        let sealed = [UInt8](repeating: 1, count: PacketSize.tag + 1)
        #expect(try DataHeader.parsingToServer(up.bytes + sealed) == up)
        #expect(try DataHeader.parsingToClient(down.bytes + sealed) == down)
        for prefix in prefixes(up.bytes + sealed) {
            #expect(throws: WireError.self) { try DataHeader.parsingToServer(prefix) }
        }
        for prefix in prefixes(down.bytes + sealed) {
            #expect(throws: WireError.self) { try DataHeader.parsingToClient(prefix) }
        }
        let long = down.bytes + [UInt8](repeating: 1, count: 1200)
        #expect(throws: WireError.tooLong) { try DataHeader.parsingToClient(long) }
    }

    @Test("claims the bytes that UTF-8 never begins with, and no others")
    func claims() {
        #expect(!PacketType.claims([]))
        for byte in 0...255 as ClosedRange<UInt8> {
            #expect(PacketType.claims([byte]) == (byte >= 0xF5))
        }
        for type: PacketType in [.hello, .challenge, .open, .accept, .reset, .data] {
            #expect(PacketType.claims([type.rawValue]))
        }
    }

    @Test("grease versions have their form, and version 1 has not")
    func grease() {
        #expect(!ProtocolVersion.one.isGrease)
        var seen: Set<ProtocolVersion> = []
        for bits in stride(from: 0 as UInt16, to: UInt16.max, by: 257) {
            let version = ProtocolVersion.grease(bits)
            #expect(version.isGrease)
            seen.insert(version)
        }
        #expect(seen.count == 255)
        #expect(ProtocolVersion.grease(0xBEEF).rawValue == 0xBAEA_EAFA)
    }
}
