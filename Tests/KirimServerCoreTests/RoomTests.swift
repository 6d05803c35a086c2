// swift-format-ignore-file: NeverForceUnwrap

import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire
import Testing

private func seq(_ number: UInt64) -> SequenceNumber { SequenceNumber(rawValue: number) }
private let dapur = RoomName("dapur")!

@Suite("Members and rooms")
struct RoomTests {
    @Test("a new key becomes a member of the lobby, with its name or a free one, and stays it")
    func enrolment() {
        var stage = Stage()
        let ani = stage.arrive(1, "ani")
        let other = stage.arrive(2, "Ani")
        let nameless = stage.arrive(3)
        let server = stage.arrive(4, "Server")
        #expect(stage.welcome(ani)?.member.name == MemberName("ani"))
        #expect(stage.welcome(other)?.member.name == MemberName("Ani-2"))
        #expect(stage.welcome(nameless)?.member.name.text.hasPrefix("tamu-") == true)
        #expect(stage.welcome(server)?.member.name == MemberName("Server-2"))
        let number = stage.welcome(ani)?.member.id
        stage.restart()
        let again = stage.arrive(1)
        #expect(stage.welcome(again)?.member.id == number)
        #expect(stage.welcome(again)?.member.name == MemberName("ani"))
        #expect(stage.journal.snapshot.rooms[0].members.count == 4)
        #expect(stage.log().filter { $0.text == "ani joined lobby" }.count == 1)
    }

    @Test("who cannot have the name that was wished for hears it behind the welcome, each time")
    func refusedWish() {
        var stage = Stage()
        _ = stage.arrive(1, "ani")
        let refused = Reply.refused(RequestID(rawValue: 0), .nameTaken)
        let other = stage.arrive(2, "Ani")
        #expect(stage.replies(other).last == refused)
        let again = stage.arrive(2, "ani")
        #expect(stage.replies(again).last == refused)
        let content = stage.arrive(2, "Ani-2")
        #expect(!stage.replies(content).contains(refused))
        let renamed = stage.arrive(2, "budi")
        #expect(!stage.replies(renamed).contains(refused))
        #expect(stage.journal.snapshot.members[1].name == MemberName("budi"))
    }

    @Test("who comes and goes is told where some read along, and where many do it is not")
    func largeRoom() {
        var stage = Stage { $0.noticeAudience = 2 }
        let ani = stage.arrive(1, "ani")
        let budi = stage.arrive(2, "budi")
        stage.ask(.subscribe(stream: 2, room: .lobby, start: .last(0), until: nil), ani)
        stage.ask(.subscribe(stream: 2, room: .lobby, start: .last(0), until: nil), budi)
        let cici = stage.arrive(3, "cici")
        stage.ask(.subscribe(stream: 2, room: .lobby, start: .last(0), until: nil), cici)
        let dewi = stage.arrive(4, "dewi")
        // Somebody else may take a name that is free again.
        stage.ask(.rename(MemberName("ayu")!), ani)
        #expect(
            stage.log().map(\.text)
                == ["ani joined lobby", "budi joined lobby", "cici joined lobby", "ani is now ayu"]
        )
        // Nobody reads there yet.
        for member in [ani, budi, cici] { stage.ask(.join(dapur), member) }
        for member in [ani, budi, cici] {
            stage.ask(.subscribe(stream: 4, room: dapur, start: .last(0), until: nil), member)
        }
        stage.ask(.join(dapur), dewi)
        stage.ask(.leave(dapur), cici)
        stage.ask(.leave(dapur), budi)
        #expect(
            stage.log(dapur).map(\.text)
                == ["ayu joined dapur", "budi joined dapur", "cici joined dapur", "budi left dapur"]
        )
        // They are members all the same.
        #expect(stage.journal.snapshot.rooms.map(\.members.count) == [4, 2])
        stage.post(1, "halo", dewi)
        stage.turn()
        #expect(stage.said().last == "halo")
    }

    @Test("the other faces of a member hear that it joined a room, and no other member does")
    func facesJoin() {
        var stage = Stage()
        let ani = stage.arrive(1)
        let face = stage.arrive(1)
        let budi = stage.arrive(2)
        stage.ask(.join(dapur), ani)
        #expect(stage.replies(face).last == .joined(dapur))
        #expect(!stage.replies(ani).contains(.joined(dapur)))
        #expect(!stage.replies(budi).contains(.joined(dapur)))
    }

    @Test("a list of a huge room's members counts as many requests")
    func hugeList() {
        var stage = Stage {
            $0.requestsPerSecond = 10
            $0.requestBurst = 5
        }
        for number in 1...4_000 as ClosedRange<UInt64> {
            var key = [UInt8](repeating: 0xEE, count: PublicKey.size)
            key.replaceSubrange(0..<2, with: [UInt8(number >> 8), UInt8(number & 0xFF)])
            let id = MemberID(rawValue: number)
            let name = MemberName("m\(number)")!
            stage.journal.snapshot.members.append(
                Member(id: id, key: PublicKey(bytes: key)!, name: name)
            )
            stage.journal.snapshot.rooms[0].members.append(id)
        }
        stage.restart()
        let ani = stage.arrive(1)
        stage.ask(.listMembers(.lobby), ani)
        let members = stage.replies(ani).compactMap { reply in
            if case .members = reply { reply } else { nil }
        }
        #expect(members.count == 1)
        let tooMuch = Reply.refused(RequestID(rawValue: 2), .tooManyRequests)
        stage.ask(.listRooms, ani)
        #expect(stage.replies(ani).last == tooMuch)
        stage.now = stage.now.advanced(by: .milliseconds(200))
        stage.ask(.listRooms, ani)
        guard case .rooms? = stage.replies(ani).last else {
            Issue.record("the member waits longer than the list cost")
            return
        }
    }

    @Test("one address cannot make members without end; who is a member comes in always")
    func enrolmentRate() {
        var stage = Stage { $0.enrolments = Rate(oneIn: .seconds(10), burst: 2) }
        func arrive(_ key: UInt8, from place: UInt8) -> ConnectionHandle {
            let connection = stage.connect(key, from: place)
            let outbox = OutboxID(rawValue: UInt64(key))
            stage.ask(.hello(name: nil, outbox: outbox, agent: "test"), connection)
            return connection
        }
        for key in 1...2 as ClosedRange<UInt8> {
            let connection = arrive(key, from: 9)
            #expect(stage.welcome(connection) != nil)
        }
        let third = arrive(3, from: 9)
        #expect(stage.replies(third) == [.refused(RequestID(rawValue: 0), .tooManyRequests)])
        let elsewhere = arrive(4, from: 8)
        #expect(stage.welcome(elsewhere) != nil)
        let member = arrive(1, from: 9)
        #expect(stage.welcome(member) != nil)
        stage.now = stage.now.advanced(by: .seconds(10))
        stage.ask(.hello(name: nil, outbox: OutboxID(rawValue: 3), agent: "test"), third)
        #expect(stage.welcome(third) != nil)
        #expect(stage.journal.snapshot.members.count == 4)
    }

    @Test("two connections of a new key at once make one member")
    func oneMember() {
        var stage = Stage()
        let first = stage.connect(1)
        let second = stage.connect(1)
        stage.say(.hello(name: nil, outbox: OutboxID(rawValue: 1), agent: ""), first)
        stage.say(.hello(name: nil, outbox: OutboxID(rawValue: 1), agent: ""), second)
        stage.turn()
        #expect(stage.journal.snapshot.members.count == 1)
        #expect(stage.welcome(first) != nil)
        #expect(stage.welcome(first)?.member == stage.welcome(second)?.member)
    }

    @Test("an enrolment that cannot be kept is refused, and may be tried again")
    func enrolmentFails() {
        var stage = Stage()
        stage.fails = .full
        let ani = stage.arrive(1, "ani")
        #expect(stage.replies(ani) == [.refused(RequestID(rawValue: 0), .storageFailed)])
        stage.fails = nil
        stage.now = stage.now.advanced(by: .seconds(1))
        stage.ask(.hello(name: MemberName("ani"), outbox: OutboxID(rawValue: 1), agent: ""), ani)
        #expect(stage.welcome(ani)?.member.name == MemberName("ani"))
    }

    @Test("who joins and leaves while it is being kept is where it wished to be last")
    func lastWishCounts() {
        var stage = Stage()
        let ani = stage.arrive(1, "ani")
        let budi = stage.arrive(2, "budi")
        stage.ask(.join(dapur), budi)
        stage.holdsCommits = true
        stage.ask(.join(dapur), ani)
        stage.ask(.leave(dapur), ani)
        stage.ask(.join(dapur), ani)
        #expect(stage.replies(ani).count == 1)
        stage.answerCommit()
        stage.turn()
        // The joining is kept, the leaving and the joining behind it are not yet.
        stage.ask(.leave(dapur), ani)
        stage.ask(.join(dapur), ani)
        stage.post(1, "di sini", ani, room: dapur)
        stage.holdsCommits = false
        stage.turn()
        #expect(stage.journal.snapshot.rooms.last?.members.count == 2)
        #expect(stage.decisions(ani)[1] == .accepted(dapur, seq(7)))
        let told = stage.log(dapur).map(\.text)
        #expect(
            told == ["budi joined dapur"] + ["ani joined dapur"]
                + ["ani left dapur", "ani joined dapur", "ani left dapur", "ani joined dapur"]
                + ["di sini"]
        )

        stage.holdsCommits = true
        stage.ask(.leave(dapur), ani)
        stage.ask(.leave(dapur), ani)
        stage.ask(.join(dapur), budi)
        #expect(stage.replies(budi).last == .done(RequestID(rawValue: 2)))
        stage.holdsCommits = false
        stage.turn()
        #expect(stage.journal.snapshot.rooms.last?.members.count == 1)
        #expect(stage.log(dapur).count == 8)
        stage.post(2, "masih?", ani, room: dapur)
        stage.turn()
        #expect(stage.decisions(ani)[2] == .refused(.notInRoom))
    }

    @Test("rooms are made by joining, left, listed; leaving ends what was read of them")
    func joinAndLeave() {
        var stage = Stage()
        let ani = stage.arrive(1, "ani")
        let budi = stage.arrive(2, "budi")
        stage.ask(.subscribe(stream: 4, room: dapur, start: .after(.zero), until: nil), budi)
        #expect(stage.replies(budi).last == .refused(RequestID(rawValue: 1), .noSuchRoom))
        stage.ask(.join(dapur), ani)
        stage.ask(.subscribe(stream: 4, room: dapur, start: .after(.zero), until: nil), budi)
        #expect(stage.replies(budi).last == .refused(RequestID(rawValue: 2), .notInRoom))
        stage.ask(.join(dapur), budi)
        stage.ask(.subscribe(stream: 4, room: dapur, start: .after(.zero), until: nil), budi)
        stage.post(1, "panas", ani, room: dapur)
        stage.turn()
        #expect(
            stage.texts(4, budi, room: dapur) == ["ani joined dapur", "budi joined dapur", "panas"]
        )
        stage.ask(.leave(dapur), budi)
        stage.post(2, "pedas", ani, room: dapur)
        stage.turn()
        #expect(!stage.texts(4, budi, room: dapur).contains("pedas"))
        stage.post(1, "dengar?", budi, room: dapur)
        stage.turn()
        #expect(stage.decisions(budi)[1] == .refused(.notInRoom))
        stage.ask(.leave(.lobby), budi)
        #expect(stage.replies(budi).last == .refused(RequestID(rawValue: 6), .notAllowed))
        stage.ask(.listRooms, budi)
        guard case .rooms(_, let rooms)? = stage.replies(budi).last else {
            Issue.record("no list")
            return
        }
        #expect(rooms.map(\.name) == [.lobby, dapur])
        #expect(rooms.map(\.members) == [2, 1])
        #expect(rooms[1].last == seq(5))
    }

    @Test("joining and speaking in one breath works")
    func joinAndSpeak() {
        var stage = Stage()
        let ani = stage.arrive(1)
        stage.say(.join(dapur), ani)
        stage.post(1, "halo dapur", ani, room: dapur)
        stage.turn()
        #expect(stage.said(dapur) == ["halo dapur"])
    }

    @Test("a room's limits have a refusal each")
    func limits() {
        var stage = Stage {
            $0.limits.rooms = 2
            $0.limits.roomMembers = 1
            $0.limits.subscriptions = 2
        }
        let ani = stage.arrive(1)
        let budi = stage.arrive(2)
        stage.ask(.create(dapur), ani)
        stage.ask(.create(RoomName("kamar")!), ani)
        #expect(stage.replies(ani).last == .refused(RequestID(rawValue: 2), .tooManyRooms))
        stage.ask(.join(dapur), ani)
        stage.ask(.join(dapur), budi)
        #expect(stage.replies(budi).last == .refused(RequestID(rawValue: 1), .tooManyMembers))
        for stream in 2...4 as ClosedRange<UInt64> {
            stage.ask(.subscribe(stream: stream, room: .lobby, start: .last(0), until: nil), ani)
        }
        #expect(stage.replies(ani).last == .refused(RequestID(rawValue: 6), .tooManyRequests))
    }

    @Test("two who join at once do not share a room's last place")
    func lastPlace() {
        var stage = Stage { $0.limits.roomMembers = 1 }
        let ani = stage.arrive(1, "ani")
        let budi = stage.arrive(2, "budi")
        let lab = RoomName("lab")!
        stage.say(.join(lab), ani)
        stage.say(.join(lab), budi)
        stage.turn()
        #expect(stage.chat.load.roomMembers == 1)
        #expect(
            stage.clients[budi]?.replies.last == .refused(RequestID(rawValue: 1), .tooManyMembers)
        )
        stage.ask(.leave(lab), ani)
        stage.ask(.join(lab), budi)
        #expect(stage.clients[budi]?.replies.last == .done(RequestID(rawValue: 2)))
    }

    @Test("a subscription that is ended waits for no read")
    func endedWait() {
        var stage = Stage { $0.limits.tailEntries = 1 }
        let ani = stage.arrive(1, "ani")
        for number in 1...5 as ClosedRange<UInt64> {
            stage.post(number, "halo", ani)
            stage.turn()
        }
        let start = SubscriptionStart.after(.zero)
        stage.say(.subscribe(stream: 2, room: .lobby, start: start, until: nil), ani)
        stage.say(.subscribe(stream: 3, room: .lobby, start: start, until: nil), ani)
        _ = stage.chat.record(1, stream: 2, of: ani)
        _ = stage.chat.record(2, stream: 3, of: ani)
        #expect(stage.chat.load.shelfWaits == 2)
        stage.say(.unsubscribe(stream: 3), ani)
        #expect(stage.chat.load.shelfWaits == 1)
        #expect(stage.chat.load.strayWaits == 0)
    }

    @Test("what waits for the journal is bounded: requests and hellos are put off")
    func muchToKeep() {
        var stage = Stage { $0.gatheredBytes = 1_000 }
        let ani = stage.arrive(1, "ani")
        let budi = stage.connect(2)
        stage.holdsCommits = true
        stage.post(1, "halo", ani)
        stage.turn()
        // The first is being kept; what follows gathers behind it.
        for number in 2...6 as ClosedRange<UInt64> { stage.post(number, "halo", ani) }
        stage.say(.join(RoomName("lab")!), ani)
        stage.say(.hello(name: nil, outbox: OutboxID(rawValue: 2), agent: "test"), budi)
        stage.turn()
        #expect(stage.chat.load.gatheredBytes <= 1_000 + 260)
        #expect(
            stage.clients[ani]?.replies.contains(.refused(RequestID(rawValue: 1), .tooManyRequests))
                == true
        )
        #expect(
            stage.clients[budi]?.replies == [.refused(RequestID(rawValue: 0), .tooManyRequests)]
        )
    }

    @Test("a name has one bearer, also where one is asked for while another is being committed")
    func namesInFlight() {
        var stage = Stage()
        let budi = stage.arrive(1, "budi")
        let cici = stage.arrive(2, "cici")
        stage.holdsCommits = true
        stage.ask(.rename(MemberName("ani")!), budi)
        stage.ask(.rename(MemberName("BUDI")!), budi)
        #expect(stage.replies(budi).last == .refused(RequestID(rawValue: 2), .tooManyRequests))
        stage.answerCommit()
        stage.ask(.rename(MemberName("budi")!), cici)
        stage.holdsCommits = false
        stage.turn()
        #expect(stage.journal.snapshot.members.map(\.name.text) == ["ani", "budi"])
        // The one that waited may be asked for again, and is somebody else's now.
        stage.ask(.rename(MemberName("BUDI")!), budi)
        #expect(stage.replies(budi).last == .refused(RequestID(rawValue: 3), .nameTaken))
        stage.ask(.rename(MemberName("cici")!), budi)
        #expect(stage.journal.snapshot.members.map(\.name.text) == ["cici", "budi"])
    }

    @Test("a name belongs to one key; every face hears of a new one")
    func rename() {
        var stage = Stage()
        let ani = stage.arrive(1, "ani", outbox: 7)
        let face = stage.arrive(1, outbox: 7)
        let budi = stage.arrive(2, "budi")
        stage.ask(.rename(MemberName("BUDI")!), ani)
        #expect(stage.replies(ani).last == .refused(RequestID(rawValue: 1), .nameTaken))
        stage.ask(.rename(MemberName("Ani W")!), ani)
        #expect(stage.replies(ani).last == .done(RequestID(rawValue: 2)))
        #expect(stage.replies(face).last == .renamed(MemberName("Ani W")!))
        #expect(stage.log().last?.text == "ani is now Ani W")
        // The old name is free again.
        stage.ask(.rename(MemberName("ani")!), budi)
        #expect(stage.replies(budi).last == .done(RequestID(rawValue: 1)))
        stage.post(1, "halo", ani)
        stage.turn()
        guard case .member(_, let name)? = stage.log().last?.author else {
            Issue.record("no author")
            return
        }
        #expect(name == MemberName("Ani W"))
    }

    @Test(
        "a name that could deceive is not given, whatever a client asks for; who bears one may change it"
    )
    func deceivingNames() {
        var stage = Stage()
        func arrive(_ key: UInt8, _ name: String) -> Member? {
            let connection = stage.connect(key)
            let outbox = OutboxID(rawValue: UInt64(key))
            stage.ask(.hello(name: MemberName(kept: name), outbox: outbox, agent: ""), connection)
            return stage.welcome(connection)?.member
        }
        #expect(arrive(1, "✓ budi")?.name.text.hasPrefix("tamu-") == true)
        // One character that is as long as a name leaves no room for a number behind it.
        let long = "a" + String(repeating: "\u{301}", count: 31)
        #expect(arrive(2, long)?.name.text == long)
        #expect(arrive(3, long)?.name.text.hasPrefix("tamu-") == true)
        #expect(arrive(1, "a: b")?.name.text.hasPrefix("tamu-") == true)
        #expect(stage.journal.snapshot.members.allSatisfy { $0.name.isAllowed })
        let ani = stage.arrive(4, "ani")
        stage.ask(.rename(MemberName(kept: "ani: ya")!), ani)
        #expect(stage.replies(ani).last == .refused(RequestID(rawValue: 1), .nameNotAllowed))
        // Two of before whose names come out alike are two members, and each takes another name.
        for (seed, name) in [(5, "a:b"), (6, "a¦:b"), (7, "a:¦b")] as [(UInt8, String)] {
            let member = Member(
                id: MemberID(rawValue: 90 + UInt64(seed)),
                key: Stage.key(seed),
                name: MemberName(kept: name)!
            )
            _ = stage.journal.commit([.enrol(member), .join(.lobby, member.id)])
        }
        stage.restart()
        let old = [5, 6, 7].map { stage.arrive($0) }
        let names = old.compactMap { stage.welcome($0)?.member.name.text }
        #expect(names.prefix(2) == ["?a¦b", "?a¦¦b"])
        #expect(Set(names).count == 3)
        for (place, connection) in old.enumerated() {
            stage.ask(.rename(MemberName("baru \(place)")!), connection)
            #expect(stage.replies(connection).last == .done(RequestID(rawValue: 1)))
        }
    }

    @Test("requests are answered in order and once, though they come out of order and twice")
    func requestOrder() {
        var stage = Stage()
        let ani = stage.connect(1)
        let hello = Request.hello(name: nil, outbox: OutboxID(rawValue: 1), agent: "").bytes
        let join = Request.join(dapur).bytes
        stage.happen(.record(stream: 0, number: 2, bytes: [0xEE]), ani)
        stage.happen(.record(stream: 0, number: 1, bytes: join), ani)
        stage.turn()
        #expect(stage.replies(ani).isEmpty)
        stage.happen(.record(stream: 0, number: 0, bytes: hello), ani)
        stage.happen(.record(stream: 0, number: 0, bytes: hello), ani)
        stage.turn()
        #expect(stage.welcome(ani) != nil)
        #expect(stage.replies(ani).contains(.refused(RequestID(rawValue: 2), .malformed)))
        stage.happen(.record(stream: 0, number: 100_000, bytes: join), ani)
        stage.turn()
        #expect(stage.clients[ani]?.closed == .violation)
    }

    @Test("a key that comes back again and again takes the place of its own oldest connection")
    func manyConnections() {
        var stage = Stage { $0.connectionsPerMember = 3 }
        let all = (0..<5).map { _ in stage.arrive(1) }
        #expect(stage.welcome(all[4]) != nil)
        #expect(all.map { stage.clients[$0]?.closed } == [.replaced, .replaced, nil, nil, nil])
    }

    @Test("whoever says no hello for a minute is closed")
    func noHello() {
        var stage = Stage()
        let mute = stage.connect(1)
        let ani = stage.arrive(2)
        for second in stride(from: 10, through: 70, by: 10) {
            stage.now = Instant.start.advanced(by: .seconds(second))
            let now = stage.now
            stage.chat.sweep(at: now) { _ in now }
            stage.turn()
        }
        #expect(stage.clients[mute]?.closed == .done)
        #expect(stage.clients[ani]?.closed == nil)
    }

    @Test("before hello there is nothing to be had")
    func helloFirst() {
        var stage = Stage()
        let ani = stage.connect(1)
        stage.ask(.listRooms, ani)
        #expect(stage.replies(ani) == [.refused(RequestID(rawValue: 0), .notAllowed)])
    }

    @Test("what stands behind hello waits for its welcome, or is refused behind its refusal")
    func behindHello() {
        var stage = Stage()
        stage.holdsCommits = true
        let requests: [Request] = [
            .hello(name: nil, outbox: OutboxID(rawValue: 1), agent: ""), .join(.lobby),
            .subscribe(stream: 2, room: .lobby, start: .last(0), until: nil), .listRooms,
        ]
        func arrive(_ key: UInt8) -> ConnectionHandle {
            let connection = stage.connect(key)
            for request in requests { stage.say(request, connection) }
            stage.turn()
            return connection
        }
        let ani = arrive(1)
        #expect(stage.replies(ani).isEmpty)
        stage.answerCommit()
        stage.turn()
        #expect(stage.welcome(ani) != nil)
        #expect(stage.replies(ani).map(\.id) == [0, 1, 2, 3])
        #expect(!stage.replies(ani).contains { if case .refused = $0 { true } else { false } })
        // A hello that cannot be kept: what came with it is no request of a member.
        stage.fails = .full
        let budi = arrive(2)
        stage.answerCommit()
        stage.turn()
        let refusals = (0...3).map { number in
            Reply.refused(RequestID(rawValue: number), number == 0 ? .storageFailed : .notAllowed)
        }
        #expect(stage.replies(budi) == refusals)
        // As many as may come early are all answered, in one turn, too.
        stage.fails = nil
        stage.now = stage.now.advanced(by: .seconds(60))
        let dewi = stage.connect(4)
        stage.say(requests[0], dewi)
        for _ in 0..<255 { stage.say(.listRooms, dewi) }
        stage.turn()
        stage.answerCommit()
        stage.turn()
        #expect(stage.clients[dewi]?.closed == nil)
        #expect(stage.replies(dewi).count == 256)
        // Nobody waits with more than the requests that may come early.
        stage.fails = nil
        stage.now = stage.now.advanced(by: .seconds(60))
        let citra = arrive(3)
        for _ in 0..<252 { stage.say(.listRooms, citra) }
        #expect(stage.clients[citra]?.closed == nil)
        for _ in 0..<2 { stage.say(.listRooms, citra) }
        stage.turn()
        #expect(stage.clients[citra]?.closed == .violation)
    }
}

extension Reply {
    /// The request that is answered.
    fileprivate var id: UInt64? {
        switch self {
        case .welcome(let id, _, _, _, _), .done(let id), .refused(let id, _), .rooms(let id, _),
            .subscribed(let id, _, _, _, _):
            id.rawValue
        default: nil
        }
    }
}
