import KirimClientCore
import KirimRooms
import KirimSimulation
import KirimTransport
import KirimWire
import Testing

@Suite("Reading")
struct ReadingTests {
    @Test("tells entries in order, without gap or repeat, however they arrive")
    func order() throws {
        var scene = try Scene()
        scene.open()
        scene.welcome()
        scene.entry(12)
        scene.entry(11)
        #expect(scene.told == [])
        scene.subscribed(first: 10, last: 12)
        #expect(scene.told == [])
        scene.entry(10)
        scene.entry(11)
        scene.entry(9)
        #expect(scene.told == [10, 11, 12])
        #expect(scene.events.last == .caughtUp(.lobby))
    }

    @Test("goes on from its cursor on the next connection, and in the next run")
    func cursor() throws {
        var scene = try Scene()
        scene.enter(first: 1, last: 2)
        scene.entry(1)
        scene.entry(2)
        scene.close()
        scene.open()
        scene.welcome()
        #expect(start(in: scene) == .after(SequenceNumber(rawValue: 2)))
        scene.subscribed(first: 3, last: 3)
        scene.entry(3)
        #expect(scene.told == [1, 2, 3])

        var later = try Scene(journal: scene.journal)
        later.open()
        later.welcome()
        #expect(start(in: later) == .after(SequenceNumber(rawValue: 3)))
    }

    @Test("what an older connection brings late changes nothing")
    func late() throws {
        var scene = try Scene()
        scene.enter(first: 1, last: 1)
        let old = scene
        scene.open()
        scene.welcome()
        var mixed = scene
        mixed.chat.received(
            .record(stream: 2, number: 1, bytes: Scene.entry(1).bytes),
            on: ConnectionHandle(rawValue: 1),
            at: mixed.now
        )
        mixed.run()
        #expect(mixed.told == old.told)
    }

    @Test("asks again when what is missing does not come")
    func stuck() throws {
        var scene = try Scene()
        scene.enter(first: 1, last: 3)
        scene.entry(1)
        scene.entry(3)
        let asked = scene.requests.count
        scene.pass(.seconds(31))
        #expect(start(in: scene) == .after(SequenceNumber(rawValue: 1)))
        #expect(scene.requests.count == asked + 2)
        scene.subscribed(first: 2, last: 3)
        scene.entry(2)
        scene.entry(3)
        #expect(scene.told == [1, 2, 3])
    }

    @Test("holds a bounded number of early entries, then asks again")
    func earlyLimit() throws {
        var scene = try Scene()
        scene.enter(first: 1, last: 5_000)
        for number in 2...4_098 { scene.entry(UInt64(number)) }
        #expect(start(in: scene) == .after(.zero))
        #expect(scene.requests.contains { if case .unsubscribe = $0 { true } else { false } })
        scene.subscribed(first: 1, last: 3)
        for number in 1...3 { scene.entry(UInt64(number)) }
        #expect(scene.told == [1, 2, 3])
    }

    @Test("what becomes due while too much waits is told all the same")
    func earlyLimitInTheMiddle() throws {
        var scene = try Scene()
        scene.enter(first: 1, last: 9_000)
        for number in 2...4_097 { scene.entry(UInt64(number)) }
        scene.entry(1)
        scene.entry(4_098)
        #expect(scene.told == Array(1...4_098))
    }

    @Test("bytes of early entries are bounded, too")
    func earlyBytes() throws {
        var scene = try Scene()
        scene.enter(first: 1, last: 5_000)
        let text = String(repeating: "x", count: 60_000)
        for number in 2...10 { scene.entry(UInt64(number), text) }
        #expect(scene.requests.contains { if case .unsubscribe = $0 { true } else { false } })
    }

    @Test("pauses while the disk is far behind, and goes on from the cursor")
    func slowDisk() throws {
        var scene = try Scene()
        scene.enter(first: 1, last: 9_000)
        scene.isDiskSlow = true
        for number in 1...4_200 { scene.entry(UInt64(number)) }
        #expect(scene.requests.contains { if case .unsubscribe = $0 { true } else { false } })
        scene.isDiskSlow = false
        scene.work()
        scene.run()
        let cursor = try #require(scene.chat.cursor(of: .lobby))
        #expect(start(in: scene) == .after(cursor))
    }

    @Test("reading goes on when the disk is full, and nothing is lost for the next run")
    func fullDisk() throws {
        var scene = try Scene()
        scene.enter(first: 1, last: 4)
        scene.entry(1)
        scene.journal.failWrites(with: .full)
        scene.entry(2)
        scene.journal.failWrites(with: nil)
        scene.entry(3)
        scene.entry(4)
        #expect(scene.told == [1, 2, 3, 4])
        let full = scene.events.filter { $0 == .storageFailed(.full) }
        #expect(full.count == 1)
        var later = try Scene(journal: scene.journal)
        later.open()
        later.welcome()
        #expect(start(in: later) == .after(SequenceNumber(rawValue: 1)))
    }

    @Test("reading that paused for a slow disk goes on when the disk turns out to be full")
    func slowThenFullDisk() throws {
        var scene = try Scene()
        scene.enter(first: 1, last: 9_000)
        scene.isDiskSlow = true
        for number in 1...4_200 { scene.entry(UInt64(number)) }
        let cursor = try #require(scene.chat.cursor(of: .lobby))
        let asked = scene.requests.count
        scene.isDiskSlow = false
        scene.journal.failWrites(with: .full)
        scene.work()
        scene.run()
        #expect(scene.requests.count == asked + 1)
        #expect(start(in: scene) == .after(cursor))
        scene.subscribed(first: cursor.rawValue + 1, last: 9_000)
        scene.entry(cursor.rawValue + 1)
        #expect(scene.told.last == cursor.rawValue + 1)
    }

    @Test("a wait that ends while reading is paused is due once, not for ever")
    func dueOnce() throws {
        var scene = try Scene()
        scene.open()
        scene.welcome()
        let subscription = scene.id { if case .subscribe = $0 { true } else { false } }
        scene.say(.refused(subscription, .tooManyRequests))
        scene.chat.pauseReading()
        scene.run()
        scene.pass(.seconds(6))
        #expect(scene.chat.deadline.map { $0 > scene.now } ?? true)
        scene.chat.resumeReading(at: scene.now)
        scene.run()
        #expect(start(in: scene) == .last(50))
        scene.subscribed(first: 1, last: 1)
        scene.entry(1)
        #expect(scene.told == [1])
    }

    @Test("a log that was set back is told, and read from its new end")
    func setBack() throws {
        var scene = try Scene()
        scene.enter(first: 1, last: 2)
        scene.entry(1)
        scene.entry(2)
        scene.close()
        scene.enter(first: 3, last: 1)
        #expect(scene.events.contains(.setBack(.lobby)))
        #expect(start(in: scene) == .after(SequenceNumber(rawValue: 1)))
        scene.subscribed(first: 2, last: 1)
        scene.entry(2, "another")
        #expect(scene.told == [1, 2, 2])
        // A later run has one log, not pieces of two.
        let server = try scene.journal.server(at: "test")
        let kept = try scene.journal.history(of: .lobby, from: server, before: nil, limit: 9)
        #expect(kept.map(\.text) == ["hi", "another"])
        #expect(try scene.journal.span(of: .lobby, from: server)?.last.rawValue == 2)
    }

    @Test("an entry that cannot be read leaves no gap")
    func unreadable() throws {
        var scene = try Scene()
        scene.enter(first: 1, last: 0)
        scene.bring([0xEE, 1, 2], stream: 2, number: 1)
        scene.entry(2)
        #expect(scene.told == [1, 2])
        #expect(scene.chat.counters.malformed == 1)
    }

    @Test("joins a room, reads it, remembers it, and leaves it")
    func joining() throws {
        let room = try #require(RoomName("kebun"))
        var scene = try Scene()
        scene.enter()
        let ticket = scene.ask(.join(room))
        scene.say(.done(scene.id { $0 == .join(room) }))
        #expect(scene.answer(ticket) == .done)
        scene.subscribed(room, first: 1, last: 1)
        scene.entry(1, room: room)
        #expect(scene.chat.cursor(of: room) == SequenceNumber(rawValue: 1))

        var later = try Scene(journal: scene.journal)
        later.enter()
        #expect(later.requests.contains(.join(room)))
        later.say(.done(later.id { $0 == .join(room) }))
        later.subscribed(room, first: 2, last: 1)
        let leaving = later.ask(.leave(room))
        later.say(.done(later.id { $0 == .leave(room) }))
        #expect(later.answer(leaving) == .done)
        #expect(later.chat.joinedRooms == [.lobby])
        let last = try Scene(journal: scene.journal)
        #expect(last.chat.joinedRooms == [.lobby])
    }

    @Test("a room that another face joined stays, and one that it left does not come back")
    func otherFaceLeft() throws {
        let (kebun, dapur) = (try #require(RoomName("kebun")), try #require(RoomName("dapur")))
        var scene = try Scene()
        scene.enter()
        var other = try Scene(journal: scene.journal)
        other.enter()
        scene.join(kebun)
        other.join(dapur)
        #expect(try scene.journal.rooms(of: scene.chat.knownServer) == [kebun, dapur])
        scene.close()

        // A face of its own run reads both; the first one only knows its own.
        var third = try Scene(journal: scene.journal)
        third.enter()
        #expect(third.chat.joinedRooms == [.lobby, kebun, dapur])
        third.say(.done(third.id { $0 == .join(kebun) }))
        third.ask(.leave(kebun))
        third.say(.done(third.id { $0 == .leave(kebun) }))

        scene.enter()
        let subscription = scene.id {
            if case .subscribe(_, kebun, _, _) = $0 { true } else { false }
        }
        scene.say(.refused(subscription, .notInRoom))
        #expect(!scene.requests.contains(.join(kebun)))
        #expect(scene.events.last == .left(kebun, nil))
        // What the other face joined is read here too, since the last welcome.
        #expect(scene.chat.joinedRooms == [.lobby, dapur])
    }

    @Test("a face that began before another one left a room does not join it again")
    func otherFaceLeftBefore() throws {
        let room = try #require(RoomName("kebun"))
        var scene = try Scene()
        scene.enter()
        scene.join(room)
        var early = try Scene(journal: scene.journal)
        #expect(early.chat.joinedRooms == [.lobby, room])
        scene.ask(.leave(room))
        scene.say(.done(scene.id { $0 == .leave(room) }))
        early.enter()
        #expect(!early.requests.contains(.join(room)))
        #expect(early.chat.joinedRooms == [.lobby])
    }

    @Test("joins a room again when only the server has forgotten it")
    func serverForgotRoom() throws {
        let room = try #require(RoomName("kebun"))
        var scene = try Scene()
        scene.enter()
        scene.join(room)
        scene.close()
        scene.enter()
        let subscription = scene.id {
            if case .subscribe(_, room, _, _) = $0 { true } else { false }
        }
        scene.say(.refused(subscription, .notInRoom))
        let joining = scene.id { $0 == .join(room) }
        scene.say(.done(joining))
        scene.subscribed(room, first: 1, last: 1)
        scene.entry(1, room: room)
        #expect(scene.chat.cursor(of: room) == SequenceNumber(rawValue: 1))
    }

    @Test("a room that is wished for while the journal is asked about it is read")
    func joinedWhileChecked() throws {
        let room = try #require(RoomName("kebun"))
        var scene = try Scene()
        scene.enter()
        scene.join(room)
        var early = try Scene(journal: scene.journal)
        scene.ask(.leave(room))
        scene.say(.done(scene.id { $0 == .leave(room) }))
        early.isDiskSlow = true
        early.enter()
        early.join(room)
        early.isDiskSlow = false
        early.work()
        early.run()
        #expect(early.chat.joinedRooms == [.lobby, room])
        #expect(try early.journal.rooms(of: early.chat.knownServer) == [room])
    }

    @Test("is put out of a room")
    func removed() throws {
        let room = try #require(RoomName("kebun"))
        var scene = try Scene()
        scene.enter()
        scene.ask(.join(room))
        scene.say(.done(scene.id { $0 == .join(room) }))
        scene.say(.removed(room, .banned))
        #expect(scene.events.last == .left(room, .banned))
        #expect(scene.chat.joinedRooms == [.lobby])
    }

    @Test("a page of a room that is left is refused, and does not wait for ever")
    func pageOfLeftRoom() throws {
        var scene = try Scene()
        scene.enter(first: 101, last: 101)
        scene.entry(101)
        let ticket = scene.ask(.page(.lobby, before: SequenceNumber(rawValue: 101), limit: 3))
        scene.say(.removed(.lobby, .notInRoom))
        #expect(scene.answer(ticket) == .refused(.notInRoom))
    }

    /// On which stream the newest request asks for which entries.
    private func askedPage(
        _ requests: [Request]
    ) throws -> (stream: UInt64, entries: ClosedRange<UInt64>) {
        guard case .subscribe(let stream, _, .after(let after), let until?)? = requests.last else {
            throw NoPage()
        }
        return (stream, after.rawValue + 1...until.rawValue)
    }

    private struct NoPage: Error {}

    private func numbers(_ answer: Answer?) -> [UInt64]? {
        guard case .entries(let entries)? = answer else { return nil }
        return entries.map(\.sequence.rawValue)
    }

    @Test("a page that several connections bring is asked for from where it stopped")
    func pageInPieces() throws {
        var scene = try Scene()
        scene.enter(first: 101, last: 101)
        scene.entry(101)
        let ticket = scene.ask(.page(.lobby, before: SequenceNumber(rawValue: 101), limit: 3))
        let (stream, _) = try askedPage(scene.requests)
        // The one in the middle is lost with the connection.
        scene.bring(entries: [98, 100], stream: stream)
        scene.close()
        scene.enter(first: 102, last: 101)
        let (again, rest) = try askedPage(scene.requests)
        #expect(rest == 99...100)
        scene.bring(entries: [99, 100], stream: again)
        #expect(numbers(scene.answer(ticket)) == [98, 99, 100])
    }

    @Test("a page is asked for anew where the room's log was set back meanwhile")
    func pageOfAnotherLog() throws {
        var scene = try Scene()
        scene.enter(first: 101, last: 101)
        scene.entry(101)
        let ticket = scene.ask(.page(.lobby, before: SequenceNumber(rawValue: 101), limit: 3))
        let (stream, _) = try askedPage(scene.requests)
        scene.bring(entries: [98], stream: stream)
        scene.close()
        scene.open()
        scene.welcome()
        let first = scene.requests.firstIndex { if case .subscribe = $0 { true } else { false } }
        guard let first, case .subscribe(let reading, _, _, _) = scene.requests[first] else {
            Issue.record("no reading")
            return
        }
        scene.say(
            .subscribed(
                RequestID(rawValue: UInt64(first)),
                stream: reading,
                room: .lobby,
                first: SequenceNumber(rawValue: 100),
                last: SequenceNumber(rawValue: 99)
            )
        )
        scene.subscribed(first: 100, last: 99)
        let (again, rest) = try askedPage(scene.requests)
        #expect(rest == 97...99)
        scene.bring(entries: [97, 98, 99], stream: again)
        #expect(numbers(scene.answer(ticket)) == [97, 98, 99])
    }

    @Test("pages back from the server, then from the journal")
    func paging() throws {
        var scene = try Scene()
        scene.enter(first: 101, last: 101)
        scene.entry(101)
        let ticket = scene.ask(.page(.lobby, before: SequenceNumber(rawValue: 101), limit: 3))
        let (stream, asked) = try askedPage(scene.requests)
        #expect(asked == 98...100)
        scene.bring(entries: [99, 98, 100], stream: stream)
        #expect(numbers(scene.answer(ticket)) == [98, 99, 100])
        let before = scene.requests.filter { if case .subscribe = $0 { true } else { false } }.count
        let again = scene.ask(.page(.lobby, before: nil, limit: 4))
        #expect(numbers(scene.answer(again)) == [98, 99, 100, 101])
        let now = scene.requests.filter { if case .subscribe = $0 { true } else { false } }.count
        #expect(now == before)
        #expect(scene.told == [101])
    }

    @Test("an unanswered question is asked again on the next connection")
    func askedAgain() throws {
        var scene = try Scene()
        scene.enter()
        let ticket = scene.ask(.listRooms)
        let lobby = RoomSummary(name: .lobby, members: 1, last: .zero)
        let other = RoomSummary(name: try #require(RoomName("b")), members: 2, last: .zero)
        scene.say(.roomsPart(scene.id { $0 == .listRooms }, [lobby]))
        scene.close()
        scene.enter()
        scene.say(.roomsPart(scene.id { $0 == .listRooms }, [lobby]))
        scene.say(.rooms(scene.id { $0 == .listRooms }, [other]))
        #expect(scene.answer(ticket) == .rooms([lobby, other]))
    }

    @Test("decisions do not wait behind a lost reply; lists do")
    func replyOrder() throws {
        var scene = try Scene()
        scene.enter()
        scene.post("halo")
        let ticket = scene.ask(.listRooms)
        let id = scene.id { $0 == .listRooms }
        // Number 2 is lost for now.
        scene.say(bytes: Reply.rooms(id, []).bytes, number: 3)
        #expect(scene.answer(ticket) == nil)
        scene.say(
            bytes: Reply.decided([.first: .accepted(.lobby, SequenceNumber(rawValue: 1))]).bytes,
            number: 4
        )
        #expect(scene.decisions.count == 1)
        let lobby = RoomSummary(name: .lobby, members: 1, last: .zero)
        scene.say(bytes: Reply.roomsPart(id, [lobby]).bytes, number: 2)
        #expect(scene.answer(ticket) == .rooms([lobby]))
        #expect(scene.decisions.count == 1)
    }

    @Test("no bytes of the server's end the client", arguments: 0..<64)
    func garbage(_ seed: Int) throws {
        var scene = try Scene()
        scene.enter(first: 1, last: 5)
        scene.post(["a", "b"])
        scene.ask(.listMembers(.lobby))
        var dice = Dice(seed: UInt64(seed))
        for _ in 0..<400 {
            var bytes: [UInt8] = (0..<Int.random(in: 0...60, using: &dice)).map { _ in
                .random(in: 0...255, using: &dice)
            }
            // Half of them begin like something that is known.
            if Bool.random(using: &dice), !bytes.isEmpty {
                bytes[0] = .random(in: 0...0x40, using: &dice)
            }
            let number: UInt64 =
                Bool.random(using: &dice)
                ? .random(in: 0...9, using: &dice) : .random(in: 0...(1 << 62 - 1), using: &dice)
            scene.bring(bytes, stream: .random(in: 0...5, using: &dice), number: number)
            if number % 7 == 0 { scene.pass(.seconds(1)) }
        }
        scene.enter(nextPost: 1, first: 1, last: 1)
        #expect(scene.chat.connection != nil)
    }

    private func start(in scene: Scene) -> SubscriptionStart? {
        for case .subscribe(_, .lobby, let start, nil) in scene.requests.reversed() { return start }
        return nil
    }
}
