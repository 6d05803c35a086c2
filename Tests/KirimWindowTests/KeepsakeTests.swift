#if GTK
import Foundation
import KirimRooms
import KirimScreen
import KirimWindow
import KirimWire
import Testing

@Suite("What a window remembers")
struct KeepsakeTests {
    private func memory() throws -> ChatScreen.Memory {
        var memory = ChatScreen.Memory()
        let room = try #require(RoomName("kelas"))
        memory.open = room
        memory.rooms = [
            .init(
                name: room,
                read: SequenceNumber(rawValue: 7),
                draft: "halo\ndunia",
                mode: .all,
                refused: [
                    .init(
                        kind: .reply,
                        reference: SequenceNumber(rawValue: 6),
                        text: "tidak jadi",
                        refusal: .notInRoom
                    ), .init(kind: .text, reference: nil, text: "hilang?", refusal: nil),
                ]
            )
        ]
        memory.me = .init(name: try #require(MemberName("budi")), id: MemberID(rawValue: 4))
        memory.acquaintances = [
            .init(name: try #require(MemberName("ani")), id: MemberID(rawValue: 3))
        ]
        return memory
    }

    @Test("comes back from its file as it was")
    func roundTrip() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "kirim-keepsake-\(UInt64.random(in: 0 ... .max))").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var keepsake = Keepsake()
        var server = keepsake.use(.local, name: MemberName("budi"), localPort: 50_001)
        server.memory = try memory()
        keepsake.put(server)
        let file = KeepsakeFile(folder: folder)
        file.save(keepsake)
        await file.finish()
        let back = await KeepsakeFile(folder: folder).load()
        #expect(back == keepsake)
        #expect(back.servers.first?.memory == server.memory)
        #expect(back.servers.first?.localPort == 50_001)
    }

    @Test("is empty where its file is missing or makes no sense")
    func damaged() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "kirim-keepsake-\(UInt64.random(in: 0 ... .max))").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(await KeepsakeFile(folder: folder).load() == Keepsake())
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("{\"servers\": 3".utf8).write(to: URL(filePath: folder + "/window.json"))
        #expect(await KeepsakeFile(folder: folder).load() == Keepsake())
    }

    @Test("the server used last stands first, and only so many are kept")
    func order() throws {
        var keepsake = Keepsake()
        for number in 0..<(Keepsake.serverLimit + 5) {
            let address = try #require(ServerAddress("host\(number)"))
            _ = keepsake.use(address, name: nil, localPort: 0)
        }
        #expect(keepsake.servers.count == Keepsake.serverLimit)
        let old = keepsake.servers[10]
        keepsake.put(old)
        #expect(keepsake.servers.first == old)
        #expect(keepsake.servers.count == Keepsake.serverLimit)
    }
}
#endif
