import KirimClientCore
import KirimRooms
import KirimSimulation
import KirimWire
import Testing

@Suite("What is wished for without a server")
struct WishTests {
    @Test("a post to a room that is wished for waits for the answer, those before it do not")
    func wishedRoom() throws {
        let kelas = try #require(RoomName("kelas"))
        var scene = try Scene()
        scene.enter(kelas)
        scene.post("a")
        scene.post(["b"], room: kelas)
        scene.post("c")
        // A later run knows of the wish.
        var later = try Scene(journal: scene.journal)
        #expect(later.chat.queued.map(\.post.text) == ["a", "b", "c"])
        later.enter()
        #expect(later.posts.map(\.rawValue) == [1])
        #expect(later.requests.contains(.join(kelas)))
        later.say(.done(later.id { $0 == .join(kelas) }))
        #expect(later.posts.map(\.rawValue) == [1, 2, 3])
    }

    @Test("a room that is refused for ever lets its posts go, to come back refused")
    func refusedRoom() throws {
        let kelas = try #require(RoomName("kelas"))
        var scene = try Scene()
        scene.enter(kelas)
        scene.post(["a"], room: kelas)
        scene.enter()
        #expect(scene.posts == [])
        scene.say(.refused(scene.id { $0 == .join(kelas) }, .tooManyRooms))
        #expect(scene.events.contains(.left(kelas, .tooManyRooms)))
        #expect(scene.posts == [.first])
        #expect(try scene.journal.server(at: "test").rooms == [])
    }

    @Test("a post to a room that another face wished for waits for its answer here, too")
    func otherFacesRoom() throws {
        let kelas = try #require(RoomName("kelas"))
        var one = try Scene()
        var two = try Scene(journal: one.journal)
        one.enter(kelas)
        one.post(["a"], room: kelas)
        two.enter()
        two.post("b")
        #expect(two.posts == [])
        two.say(.done(two.id { $0 == .join(kelas) }))
        #expect(two.posts.map(\.rawValue) == [1, 2])
    }

    @Test(
        "more wishes than may be with the server are asked as answers come, whatever these are",
        arguments: [ClientRequest.listRooms, .listMembers(.lobby), .create(.lobby), .join(.lobby)],
        [false, true]
    )
    func turns(_ first: ClientRequest, isCancelled: Bool) throws {
        var configuration = ChatClient.Configuration()
        configuration.wishesInFlight = 1
        var scene = try Scene(configuration: configuration)
        scene.enter()
        let before = scene.requests.count
        let ticket = scene.ask(first)
        scene.ask(.create(.lobby))
        #expect(scene.requests.count == before + 1)
        if isCancelled { scene.chat.cancel(ticket) }
        let id = RequestID(rawValue: UInt64(before))
        switch first {
        case .listRooms: scene.say(.rooms(id, []))
        case .listMembers: scene.say(.members(id, .lobby, []))
        case .create: scene.say(.done(id))
        default: scene.say(.refused(id, .tooManyRooms))
        }
        #expect(scene.requests.count == before + 2)
    }

    @Test("a name that is wished for without a server is in the next hello, in a later run too")
    func wishedName() throws {
        var scene = try Scene()
        scene.enter()
        scene.close()
        scene.ask(.rename(Scene.name("budi")))
        scene.open()
        let isSaid: (Request) -> Bool = {
            if case .hello(let name, _, _) = $0 { name == Scene.name("budi") } else { false }
        }
        #expect(scene.requests.contains(where: isSaid))
        #expect(try scene.journal.server(at: "test").name == Scene.name("budi"))
    }

    @Test("a wished name that is not to be had is told once, with the reason")
    func refusedName() throws {
        let first = try Scene()
        try first.journal.setName(Scene.name("budi"), of: first.chat.knownServer)
        var scene = try Scene(journal: first.journal)
        scene.open()
        let hello = scene.id { if case .hello = $0 { true } else { false } }
        scene.welcome()
        scene.say(.refused(hello, .nameTaken))
        scene.say(.refused(hello, .nameTaken))
        let told = scene.events.filter {
            if case .nameRefused = $0 { true } else { false }
        }
        #expect(told == [.nameRefused(Scene.name("budi"), .nameTaken)])
        #expect(try scene.journal.server(at: "test").name == Scene.me.name)
    }

    @Test("who waits for a name that is not to be had hears it there, and not twice")
    func refusedWish() throws {
        var scene = try Scene()
        let ticket = scene.ask(.rename(Scene.name("budi")))
        scene.open()
        let hello = scene.id { if case .hello = $0 { true } else { false } }
        scene.welcome()
        scene.say(.refused(hello, .nameTaken))
        #expect(scene.answer(ticket) == .refused(.nameTaken))
        let isTold = scene.events.contains { if case .nameRefused = $0 { true } else { false } }
        #expect(!isTold)
    }

    @Test("a room that another face joined is read at once, if it is wanted in this journal")
    func otherFace() throws {
        let kelas = try #require(RoomName("kelas"))
        let kebun = try #require(RoomName("kebun"))
        var scene = try Scene()
        scene.enter()
        try scene.journal.addRoom(kelas, to: scene.chat.knownServer)
        scene.say(.joined(kelas))
        #expect(scene.chat.joinedRooms == [.lobby, kelas])
        #expect(scene.requests.last == .join(kelas))
        // A face on another machine, with the same key.
        scene.say(.joined(kebun))
        #expect(scene.chat.joinedRooms == [.lobby, kelas])
    }
}
