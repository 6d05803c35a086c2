// swift-format-ignore-file: NeverForceUnwrap

import KirimRooms
import KirimServer
import KirimServerCore
import KirimWire
import Testing

@Suite("The operator's log and commands")
struct ServerLogTests {
    private let address = Address(ip: .loopback, port: 50_001)

    @Test("a plain client's line stands as the old server printed it; a member's has the name")
    func said() {
        func line(
            _ name: String?,
            _ room: RoomName = .lobby,
            _ text: String = "halo server!"
        ) -> String {
            ServerLog.line(
                for: .said(
                    name: name.flatMap { MemberName($0) },
                    address: address,
                    room: room,
                    kind: .text,
                    text: text
                )
            )
        }
        #expect(line(nil) == "Client ('127.0.0.1', 50001): halo server!")
        #expect(line("ani") == "Client ('127.0.0.1', 50001) ani: halo server!")
        #expect(
            line("ani", RoomName("dapur")!)
                == "Client ('127.0.0.1', 50001) ani #dapur: halo server!"
        )
        #expect(line(nil, .lobby, "halo 👩‍🚀 ½ שלום").hasSuffix(": halo 👩‍🚀 ½ שלום"))
    }

    @Test("nothing that people send steers the operator's terminal or forges a line")
    func visible() {
        let text = ServerLog.visible("a\nClient ('1.2.3.4', 5): b\u{1B}[2J\u{202E}\u{7}\r\u{2028}")
        #expect(
            text == "a\\nClient ('1.2.3.4', 5): b\\u{1b}[2J\\u{202e}\\u{7}\\r\\u{2028}"
        )
    }

    @Test(
        "what the operator types is a command or a line for everybody",
        arguments: [
            ("halo clients!", OperatorCommand.say("halo clients!")),
            ("  spaces stay ", .say("  spaces stay ")),
            ("//who", .say("/who")), ("", .nothing), ("/who", .who),
            ("/kick  Ani W ", .kick("Ani W")),
            ("/ban 10.0.0.0/8", .ban("10.0.0.0/8")), ("/ban", .ban("")), ("/quit", .quit),
            ("/nope x", .unknown("/nope")), ("/", .unknown("/")),
            ("/who\n", .who), ("satu\n/who\n/quit\n", .say("satu\n/who\n/quit")), ("\n", .nothing),
        ]
    )
    func commands(line: String, command: OperatorCommand) {
        #expect(OperatorCommand(line) == command)
    }

    @Test("a line that is too long is said to be so; one that could not be stored too")
    func broadcastFailed() {
        let long = String(repeating: "a", count: 65_537)
        let line = ServerLog.line(for: .broadcastFailed(long))
        #expect(line.contains("65537") && line.contains("65536") && line.utf8.count < 200)
        #expect(ServerLog.line(for: .broadcastFailed("halo")).contains("stored: halo"))
    }

    @Test("what keeps a server from starting is told in whole sentences")
    func sentences() {
        for detail in ["Permission denied", "Permission denied."] {
            for error in [JournalError.denied(detail), .corrupt(detail)] {
                let sentence = ServerError.storage(error, path: "x").sentence
                #expect(sentence.contains("Permission denied. "))
            }
        }
    }

    @Test("an ICMP port unreachable names both ends; anything else is refused")
    func unreachable() throws {
        func header(_ carries: UInt8, _ source: UInt32, _ destination: UInt32) -> [UInt8] {
            var writer = ByteWriter()
            writer.append([0x45, 0, 0, 0, 0, 0, 0, 0, 64, carries, 0, 0])
            writer.integer(source)
            writer.integer(destination)
            return writer.bytes
        }
        let udp: [UInt8] = [0x30, 0x39, 0xC3, 0x51, 0, 8, 0, 0]
        let inner = header(17, 0x7F00_0001, 0x7F00_0002) + udp
        let packet = header(1, 1, 2) + [3, 3, 0, 0, 0, 0, 0, 0] + inner
        let report = try Unreachables.read(packet)
        #expect(report.sender == Address(ip: .loopback, port: 12_345))
        #expect(report.receiver == Address(ip: .v4(0x7F00_0002), port: 50_001))
        for count in 0..<packet.count - 4 {
            #expect(throws: WireError.self) { try Unreachables.read(Array(packet.prefix(count))) }
        }
        var other = packet
        other[21] = 1
        #expect(throws: WireError.malformed) { try Unreachables.read(other) }
    }
}
