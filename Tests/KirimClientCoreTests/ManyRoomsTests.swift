import KirimClientCore
import KirimRooms
import KirimSimulation
import KirimWire
import Testing

@Suite("A client in hundreds of rooms")
struct ManyRoomsTests {
    @Test("asks for them by and by, so that no server has reason to refuse, and reads all")
    func manyRooms() throws {
        var scene = try Scene()
        for number in 1...300 {
            let room = try #require(RoomName("kamar\(number)"))
            try scene.journal.addRoom(room, to: scene.chat.knownServer)
        }
        scene = try Scene(journal: scene.journal)
        scene.open()
        scene.welcome()
        var answered = 0
        var asked: Set<RoomName> = []
        while answered < scene.requests.count {
            #expect(scene.requests.count - answered <= 80)
            let request = scene.requests[answered]
            let id = RequestID(rawValue: UInt64(answered))
            answered += 1
            scene.arrived(requestsBelow: answered)
            switch request {
            case .join: scene.say(.done(id))
            case .subscribe(let stream, let room, _, _):
                asked.insert(room)
                scene.say(
                    .subscribed(
                        id,
                        stream: stream,
                        room: room,
                        first: SequenceNumber(rawValue: 1),
                        last: .zero
                    )
                )
            default: break
            }
        }
        #expect(asked.count == 301)
        #expect(scene.reconnects == 0)
    }

    @Test(
        "a room that another face wrote down is found at the welcome, and a little after it was told of"
    )
    func otherFaceWasLate() throws {
        let kelas = try #require(RoomName("kelas"))
        let kebun = try #require(RoomName("kebun"))
        var scene = try Scene()
        try scene.journal.addRoom(kelas, to: scene.chat.knownServer)
        scene.enter()
        #expect(scene.chat.joinedRooms == [.lobby, kelas])
        scene.say(.joined(kebun))
        #expect(scene.chat.joinedRooms == [.lobby, kelas])
        try scene.journal.addRoom(kebun, to: scene.chat.knownServer)
        scene.pass(.seconds(5))
        #expect(scene.chat.joinedRooms == [.lobby, kelas, kebun])
    }
}
