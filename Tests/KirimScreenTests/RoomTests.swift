import KirimRooms
import KirimScreen
import KirimWire
import Testing

@Suite("Rooms, and what is new in them")
struct RoomTests {
    @Test("can be written to by who is in it, and offers to be joined to who is not")
    func outside() {
        var scene = Scene { $0.room = Scene.kelas }
        #expect(!scene.screen.isOutside, "nothing is known yet")
        scene.tell(.joined(.lobby))
        #expect(scene.screen.isOutside)
        #expect(scene.drain().contains(.composer))
        scene.wish(.join(Scene.kelas))
        #expect(scene.takeEffects().contains(.join(Scene.kelas)))
        #expect(!scene.screen.isOutside)
        scene.tell(.joined(Scene.kelas))
        #expect(!scene.screen.isOutside)
        scene.tell(.left(Scene.kelas, .noSuchRoom))
        scene.wish(.open(Scene.kelas))
        #expect(scene.screen.isOutside)
    }

    private var scene = Scene.welcomed()

    private mutating func joinKelas() {
        scene.tell(.joined(Scene.kelas))
        scene.tell(.caughtUp(Scene.kelas))
    }

    @Test(
        "count what others said since, and what of it names me, and forget it when the room is opened"
    )
    mutating func unread() {
        joinKelas()
        for number in UInt64(1)...3 { scene.say(number, in: Scene.kelas) }
        scene.say(4, "ani?", in: Scene.kelas)
        scene.say(5, "aku", by: Scene.me, in: Scene.kelas)
        scene.say(6, "budi masuk", by: .server, kind: .notice, in: Scene.kelas)
        #expect(scene.screen.room(Scene.kelas)?.unread == 4)
        #expect(scene.screen.room(Scene.kelas)?.mentions == 1)
        scene.effects = []
        scene.wish(.open(Scene.kelas))
        #expect(scene.screen.room(Scene.kelas)?.unread == 0)
        #expect(scene.effects.contains(.withdrawNotifications(Scene.kelas)))
        // The mark stays where it was, for the eyes.
        #expect(scene.rows(Scene.kelas)[1] == .newMessages)
        scene.wish(.open(.lobby))
        #expect(!scene.rows(Scene.kelas).contains(.newMessages))
    }

    @Test("count history as read where nothing is known of the last time")
    func history() {
        var scene = Scene()
        scene.tell(.joined(.lobby))
        scene.tell(.joined(Scene.kelas))
        for number in UInt64(1)...5 { scene.say(number, in: Scene.kelas) }
        scene.tell(.caughtUp(Scene.kelas))
        #expect(scene.screen.room(Scene.kelas)?.unread == 0)
        scene.say(6, in: Scene.kelas)
        #expect(scene.screen.room(Scene.kelas)?.unread == 1)
    }

    @Test("leave unread what came while the end was out of sight or the window away")
    mutating func sight() {
        scene.wish(.scroll(atEnd: false))
        scene.say(1)
        scene.say(2)
        scene.say(3, #"{"joined":1}"#, by: .server, kind: .notice)
        scene.say(4, "mine", by: Scene.me)
        // As many as the room's own number: neither who came nor what is mine.
        #expect(scene.screen.view == .init(isAtEnd: false, below: 2))
        #expect(scene.screen.room(.lobby)?.unread == 2)
        scene.wish(.jumpToLatest)
        #expect(scene.screen.view == .init(isAtEnd: true, below: 0))
        #expect(scene.screen.room(.lobby)?.unread == 0)
        #expect(scene.drain().contains(.follow(.lobby)))
        scene.wish(.focus(false))
        scene.say(5)
        #expect(scene.screen.room(.lobby)?.unread == 1)
        #expect(scene.rows().suffix(2).first == .newMessages)
        scene.wish(.focus(true))
        #expect(scene.screen.room(.lobby)?.unread == 0)
    }

    @Test("notify as the room's mode says, and never while the window has the keyboard")
    mutating func notifications() {
        scene.say(1, "ani!")
        #expect(scene.takeNotified().isEmpty)
        scene.wish(.focus(false))
        scene.say(2, "halo")
        scene.say(3, "ani!")
        #expect(scene.takeNotified() == [3])
        scene.say(4, "penting", by: .server, kind: .broadcast)
        #expect(scene.takeNotified() == [4])
        scene.wish(.mode(.lobby, .all))
        scene.say(5, "halo")
        scene.say(6, "aku", by: Scene.me)
        #expect(scene.takeNotified() == [5])
        scene.wish(.mode(.lobby, .none))
        scene.say(7, "ani!")
        #expect(scene.takeNotified().isEmpty)
    }

    @Test("make one notification of a flood")
    mutating func flood() {
        scene.wish(.focus(false), .mode(.lobby, .all))
        for number in UInt64(1)...100 {
            scene.screen.receive(.entry(Scene.entry(number), mine: nil), at: .start)
        }
        scene.wish()
        let notes = scene.effects.filter { if case .notify = $0 { true } else { false } }
        #expect(notes.count == 1)
    }

    @Test("open a room at once when it is joined, and go back to the lobby where that fails")
    mutating func join() {
        scene.wish(.join(Scene.kelas))
        #expect(scene.screen.openRoom == Scene.kelas)
        #expect(scene.takeEffects().contains(.join(Scene.kelas)))
        #expect(scene.screen.room(Scene.kelas)?.isJoined == false)
        scene.answer(.failed(.join(Scene.kelas), .refused(.tooManyRooms)))
        #expect(scene.screen.openRoom == .lobby)
        #expect(scene.news == [.failed(.refused(.tooManyRooms))])
        #expect(scene.screen.rooms.map(\.name) == [.lobby])
    }

    @Test("go from the list when they are left, with their rows")
    mutating func leave() {
        joinKelas()
        scene.wish(.open(Scene.kelas))
        scene.say(1, in: Scene.kelas)
        scene.drain()
        scene.tell(.left(Scene.kelas, .notAllowed))
        #expect(scene.screen.openRoom == .lobby)
        #expect(scene.screen.rooms.map(\.name) == [.lobby])
        scene.drain()
        #expect(scene.mirror[Scene.kelas] == [])
    }

    @Test("are gone through in their order, and those with something new apart")
    mutating func neighbours() {
        joinKelas()
        let ruang = RoomName("ruang")!
        scene.tell(.joined(ruang))
        scene.tell(.caughtUp(ruang))
        scene.wish(.openNext)
        #expect(scene.screen.openRoom == Scene.kelas)
        scene.wish(.openPrevious, .openPrevious)
        #expect(scene.screen.openRoom == ruang)
        scene.say(1, in: Scene.kelas)
        scene.wish(.open(.lobby), .openUnread)
        #expect(scene.screen.openRoom == Scene.kelas)
        scene.wish(.openUnread)
        #expect(scene.screen.openRoom == Scene.kelas)
    }

    @Test("list who is here first, then by name, and follow who comes and goes")
    mutating func members() {
        let key = Scene.ani.key
        let budi = Member(id: MemberID(rawValue: 2), key: key, name: MemberName("budi")!)
        scene.answer(
            .members(
                .lobby,
                [
                    MemberStatus(member: budi, presence: .offline),
                    MemberStatus(member: Scene.ani, presence: .online),
                ]
            )
        )
        #expect(scene.screen.members.map(\.name.text) == ["ani", "budi"])
        #expect(scene.screen.members.map(\.isMe) == [true, false])
        let adi = MemberName("adi")!
        scene.effects = []
        scene.tell(.presence(.lobby, MemberID(rawValue: 3), adi, .online, online: 2))
        #expect(scene.screen.members.map(\.name.text) == ["adi", "ani", "budi"])
        #expect(scene.screen.members[0].standing == .new)
        #expect(scene.news == [.presence(adi, .online, online: 2)])
    }

    @Test("find what a text holds, a few rows at a time, upwards and downwards")
    mutating func find() {
        for number in UInt64(1)...100 {
            scene.say(number, number % 40 == 0 ? "Jarum \(number)" : "jerami")
        }
        func found() -> UInt64? {
            if case .found(let number) = scene.screen.search?.state { number.rawValue } else { nil }
        }
        scene.wish(.find("jarum"))
        let hasMore = scene.screen.searchOn(rows: 10)
        #expect(hasMore)
        while scene.screen.searchOn(rows: 10) {}
        #expect(found() == 80)
        #expect(scene.entries()[79].isFound)
        scene.wish(.findPrevious)
        while scene.screen.searchOn(rows: 10) {}
        #expect(found() == 40)
        scene.wish(.findPrevious)
        while scene.screen.searchOn(rows: 10) {}
        #expect(scene.screen.search?.state == .ended(hasEarlier: false))
        scene.wish(.findNext)
        while scene.screen.searchOn(rows: 10) {}
        #expect(found() == 80)
        scene.wish(.find("emas"))
        while scene.screen.searchOn(rows: 10) {}
        #expect(scene.screen.search?.state == .ended(hasEarlier: false))
        #expect(scene.screen.search?.last == nil)
        scene.wish(.find("jarum"))
        while scene.screen.searchOn(rows: 10) {}
        scene.wish(.find(""))
        #expect(scene.screen.search == nil && !scene.entries()[79].isFound)
    }

    @Test("find nothing where not all is loaded, and say so")
    mutating func findInPart() {
        for number in UInt64(50)...60 { scene.say(number) }
        scene.wish(.find("jarum"))
        while scene.screen.searchOn(rows: 100) {}
        #expect(scene.screen.search?.state == .ended(hasEarlier: true))
    }
}
