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

    @Test("asks the journal one question at a time, however many rooms the server speaks of")
    func oneQuestion() throws {
        var scene = try Scene()
        scene.enter()
        scene.isDiskSlow = true
        for number in 1...500 {
            scene.say(.joined(try #require(RoomName("kamar\(number)"))))
            scene.say(.renamed(Scene.name("ani\(number)")))
        }
        // A question and a name.
        #expect(scene.waiting.count == 2)
        scene.isDiskSlow = false
        scene.work()
        scene.run()
        #expect(try scene.journal.server(at: "test").name == Scene.name("ani500"))
    }

    @Test("in three hundred rooms the journal is asked no more than once for each answer")
    func fewQuestions() throws {
        var scene = try Scene()
        for number in 1...300 {
            let room = try #require(RoomName("kamar\(number)"))
            try scene.journal.addRoom(room, to: scene.chat.knownServer)
        }
        scene = try Scene(journal: scene.journal)
        scene.isDiskSlow = true
        scene.open()
        scene.work()
        scene.run()
        scene.welcome()
        #expect(scene.waiting.count { $0.1 == .rooms } == 1)
        scene.work()
        scene.run()
        #expect(scene.requests.count { if case .join = $0 { true } else { false } } >= 60)
    }

    @Test("a room that was just left does not come back with what the journal said before")
    func leftMeanwhile() throws {
        let kelas = try #require(RoomName("kelas"))
        var scene = try Scene()
        scene.enter()
        scene.join(kelas)
        scene.isDiskSlow = true
        // The journal is asked about another room, and will answer with this one.
        scene.say(.joined(try #require(RoomName("kebun"))))
        scene.ask(.leave(kelas))
        scene.say(.done(scene.id { $0 == .leave(kelas) }))
        let before = scene.events.count
        scene.isDiskSlow = false
        scene.work()
        scene.run()
        #expect(scene.chat.joinedRooms == [.lobby])
        #expect(!scene.events[before...].contains(.joined(kelas)))
        scene.pass(.seconds(5))
        #expect(scene.chat.joinedRooms == [.lobby])
    }
}
