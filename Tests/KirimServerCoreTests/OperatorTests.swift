// swift-format-ignore-file: NeverForceUnwrap

import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire
import Testing

@Suite("Presence, the operator, plain clients")
struct OperatorTests {
    @Test("a visit begins anew where the one before ended without a goodbye")
    func secondVisit() {
        var stage = Stage()
        _ = stage.arrive(1, "ani")
        let id = MemberID(rawValue: 1)
        #expect(stage.chat.visitBegan(id) == WallTime(milliseconds: 1_000))
        // Another window of the same person changes nothing.
        stage.wall = WallTime(milliseconds: 2_000)
        _ = stage.arrive(1, "ani")
        #expect(stage.chat.visitBegan(id) == WallTime(milliseconds: 1_000))
        let heard = stage.now
        stage.now = stage.now.advanced(by: .seconds(100))
        stage.chat.sweep(at: stage.now) { _ in heard }
        stage.wall = WallTime(milliseconds: 101_000)
        _ = stage.arrive(1, "ani")
        #expect(stage.chat.visitBegan(id) == WallTime(milliseconds: 101_000))
    }

    private func watch(_ stage: inout Stage, _ connection: ConnectionHandle) {
        stage.ask(.subscribe(stream: 2, room: .lobby, start: .last(0), until: nil), connection)
    }

    private func presences(_ stage: Stage, _ connection: ConnectionHandle) -> [Presence] {
        (stage.clients[connection]?.signals ?? []).compactMap {
            if case .presenceOf(.lobby, _, MemberName("budi"), let presence, _) = $0 {
                presence
            } else {
                nil
            }
        }
    }

    @Test(
        "readers of a room learn who comes, is away and goes; the first and last connection count"
    )
    func presence() {
        var stage = Stage()
        let ani = stage.arrive(1, "ani")
        watch(&stage, ani)
        let budi = stage.arrive(2, "budi")
        let second = stage.arrive(2)
        #expect(presences(stage, ani) == [.online])
        stage.happen(.datagram(Signal.presence(.away).bytes), budi)
        stage.turn()
        #expect(presences(stage, ani) == [.online])
        stage.happen(.datagram(Signal.presence(.away).bytes), second)
        stage.turn()
        #expect(presences(stage, ani) == [.online, .away])
        stage.happen(.closed(.idle), budi)
        stage.happen(.closed(.reset), second)
        stage.turn()
        #expect(presences(stage, ani) == [.online, .away, .offline])
        #expect(
            stage.notes.filter { $0 == .departed(MemberName("budi")!, Stage.address(2)) }.count == 1
        )
    }

    @Test("whoever is silent for 90 s is shown as gone, and as here when heard again")
    func silence() {
        var stage = Stage()
        let ani = stage.arrive(1, "ani")
        watch(&stage, ani)
        let budi = stage.arrive(2, "budi")
        let start = stage.now
        var heard = start
        for second in stride(from: 10, through: 120, by: 10) {
            stage.now = start.advanced(by: .seconds(second))
            if second == 120 { heard = stage.now }
            let now = stage.now
            stage.chat.sweep(at: stage.now) { $0 == budi ? heard : now }
            stage.turn()
            if second == 80 { #expect(presences(stage, ani) == [.online]) }
            if second == 90 { #expect(presences(stage, ani) == [.online, .offline]) }
        }
        #expect(presences(stage, ani) == [.online, .offline, .online])
    }

    @Test("nobody who is here can say to be gone")
    func presenceIsSeen() {
        var stage = Stage()
        let ani = stage.arrive(1)
        watch(&stage, ani)
        let budi = stage.arrive(2, "budi")
        for presence in [Presence.away, .offline] {
            stage.happen(.datagram(Signal.presence(presence).bytes), budi)
            stage.turn()
        }
        #expect(presences(stage, ani) == [.online, .away])
    }

    @Test(
        "a member that toggles its presence is told of once a turn and at its pace, the last word surely"
    )
    func presenceFlood() {
        var stage = Stage()
        let ani = stage.arrive(1)
        watch(&stage, ani)
        let budi = stage.arrive(2, "budi")
        let before = presences(stage, ani).count
        for _ in 0..<10 {
            for number in 0..<287 {
                let word = Signal.presence(number.isMultiple(of: 2) ? .away : .online)
                stage.happen(.datagram(word.bytes), budi)
            }
            stage.happen(.datagram(Signal.presence(.away).bytes), budi)
            stage.turn()
            stage.happen(.datagram(Signal.presence(.online).bytes), budi)
            stage.turn()
        }
        #expect(presences(stage, ani).count - before == 4)
        stage.happen(.datagram(Signal.presence(.away).bytes), budi)
        stage.turn()
        #expect(presences(stage, ani).last == .online)
        while let deadline = stage.chat.deadline, deadline < stage.now.advanced(by: .seconds(5)) {
            stage.now = deadline
            stage.turn()
        }
        #expect(presences(stage, ani).last == .away)
        #expect(presences(stage, ani).count - before == 5)
    }

    @Test("the operator is told of a member's moves, not of each packet from by turns two places")
    func moves() {
        var stage = Stage()
        let budi = stage.arrive(2, "budi")
        for number in 0..<100 as Range<UInt8> {
            let place = Stage.address(10 + number % 2)
            stage.happen(.moved(Path(socket: SocketID(rawValue: 1), remote: place)), budi)
        }
        stage.turn()
        let told = stage.notes.count { if case .moved = $0 { true } else { false } }
        #expect((1...3).contains(told))
    }

    @Test("the operator's line is an entry for everybody, and goes to plain clients")
    func broadcast() {
        var stage = Stage()
        let ani = stage.arrive(1)
        watch(&stage, ani)
        stage.chat.broadcast("halo clients!", at: stage.now, wall: stage.wall)
        stage.turn()
        #expect(stage.texts(2, ani) == ["halo clients!"])
        #expect(stage.relayed.last?.kind == .broadcast)
        #expect(stage.notes.last == .broadcast("halo clients!"))
        stage.fails = .full
        stage.chat.broadcast("lost", at: stage.now, wall: stage.wall)
        stage.turn()
        #expect(stage.notes.last == .broadcastFailed("lost"))
    }

    @Test("what a plain client says is an entry of the lobby, marked as plain")
    func plain() {
        var stage = Stage()
        let ani = stage.arrive(1)
        watch(&stage, ani)
        let address = Address(ip: .loopback, port: 50_001)
        stage.chat.plainSaid("halo server!", by: address, at: stage.now, wall: stage.wall)
        stage.turn()
        #expect(stage.log().last?.author == .plain(address))
        #expect(stage.texts(2, ani) == ["halo server!"])
        #expect(
            stage.notes.last
                == .said(
                    name: nil,
                    address: address,
                    room: .lobby,
                    kind: .text,
                    text: "halo server!"
                )
        )
    }

    @Test("whoever is put out is out, and stays out for a minute")
    func kick() {
        var stage = Stage()
        let budi = stage.arrive(2, "budi")
        let knowsNobody = stage.chat.kick(Stage.key(9), at: stage.now, wall: stage.wall)
        #expect(!knowsNobody)
        let isOut = stage.chat.kick(Stage.key(2), at: stage.now, wall: stage.wall)
        #expect(isOut)
        stage.turn()
        #expect(stage.clients[budi]?.closed == .kicked)
        #expect(stage.log().last?.text == "budi was put out by the operator")
        let early = stage.connect(2)
        #expect(stage.clients[early]?.closed == .kicked)
        stage.now = stage.now.advanced(by: .seconds(60))
        let late = stage.arrive(2)
        #expect(stage.welcome(late) != nil)
    }

    @Test("a key is put out or banned also before its hello, and while its enrolment is kept")
    func outBeforeHello() {
        var stage = Stage()
        let early = stage.connect(2)
        let isOut = stage.chat.kick(Stage.key(2), at: stage.now, wall: stage.wall)
        #expect(isOut)
        stage.turn()
        #expect(stage.clients[early]?.closed == .kicked)

        let silent = stage.connect(3)
        let isBanned = stage.chat.ban(.key(Stage.key(3)), wall: stage.wall)
        #expect(isBanned)
        stage.turn()
        #expect(stage.clients[silent]?.closed == .banned)

        stage.holdsCommits = true
        let enrolling = stage.arrive(4, "dodi")
        let isBannedToo = stage.chat.ban(.key(Stage.key(4)), wall: stage.wall)
        #expect(isBannedToo)
        stage.holdsCommits = false
        stage.turn()
        #expect(stage.clients[enrolling]?.closed == .banned)
        #expect(stage.welcome(enrolling) == nil)
        let hasArrived = stage.notes.contains {
            if case .arrived = $0 { true } else { false }
        }
        #expect(!hasArrived)
    }

    @Test("a ban by key or by prefix holds after a restart, until it is lifted")
    func ban() {
        var stage = Stage()
        let budi = stage.arrive(2, "budi")
        let cici = stage.arrive(3, "cici")
        let prefix = Ban.prefix(.v4(0x0A00_0003), bits: 32)
        let isBanned = stage.chat.ban(.key(Stage.key(2)), wall: stage.wall)
        #expect(isBanned)
        let isBannedAgain = stage.chat.ban(.key(Stage.key(2)), wall: stage.wall)
        #expect(!isBannedAgain)
        let isPrefixBanned = stage.chat.ban(prefix, wall: stage.wall)
        #expect(isPrefixBanned)
        stage.turn()
        #expect(stage.clients[budi]?.closed == .banned)
        #expect(stage.clients[cici]?.closed == .banned)
        stage.restart()
        for seed in [2, 3] as [UInt8] {
            let again = stage.connect(seed)
            #expect(stage.clients[again]?.closed == .banned)
        }
        let friend = stage.arrive(4)
        #expect(stage.welcome(friend) != nil)
        stage.happen(
            .moved(Path(socket: SocketID(rawValue: 1), remote: Stage.address(3))),
            friend
        )
        stage.turn()
        #expect(stage.clients[friend]?.closed == .banned)
        let isLifted = stage.chat.unban(prefix)
        #expect(isLifted)
        let isLiftedAgain = stage.chat.unban(prefix)
        #expect(!isLiftedAgain)
        stage.turn()
        stage.restart()
        let free = stage.arrive(3)
        #expect(stage.welcome(free) != nil)
    }

    @Test("a ban that could not be kept is tried again until it is")
    func banOnFullDisk() {
        var stage = Stage()
        let budi = stage.arrive(2, "budi")
        stage.fails = .full
        let isBanned = stage.chat.ban(.key(Stage.key(2)), wall: stage.wall)
        #expect(isBanned)
        let isPrefixBanned = stage.chat.ban(.prefix(.v4(0x0A00_0003), bits: 32), wall: stage.wall)
        #expect(isPrefixBanned)
        stage.turn()
        #expect(stage.clients[budi]?.closed == .banned)
        for _ in 1...2 {
            let due = stage.now.advanced(by: .seconds(1))
            #expect(stage.chat.deadline == due)
            stage.now = due
            stage.turn()
            #expect(stage.journal.snapshot.bans.isEmpty)
        }
        let failures = stage.notes.filter { $0 == .storageFailed(.full) }
        #expect(failures.count == 1)
        stage.fails = nil
        stage.now = stage.now.advanced(by: .seconds(1))
        stage.turn()
        #expect(stage.journal.snapshot.bans.count == 2)
        stage.restart()
        let again = stage.connect(2)
        #expect(stage.clients[again]?.closed == .banned)
    }

    @Test("the operator hears once of each reason for which older messages cannot be read")
    func unreadable() {
        var stage = Stage()
        let ani = stage.arrive(1, "ani")
        stage.post(1, "halo", ani)
        stage.turn()
        stage.restart()
        let budi = stage.arrive(2, "budi")
        let reads = stage.reads
        for (stream, reason) in [(4, JournalError.corrupt("page 7")), (5, .failed("cable"))] {
            stage.fails = reason
            let start = SubscriptionStart.after(.zero)
            stage.ask(
                .subscribe(stream: UInt64(stream), room: .lobby, start: start, until: nil),
                budi
            )
            for _ in 1...3 {
                stage.now = stage.now.advanced(by: .seconds(2))
                stage.turn()
            }
            #expect(stage.notes.filter { $0 == .readingFailed(reason) }.count == 1)
        }
        #expect(stage.reads > reads + 2)
    }

    @Test("random records and datagrams never end the server")
    func garbage() {
        var stage = Stage()
        let ani = stage.arrive(1)
        var dice = SystemRandomNumberGenerator()
        for number in 1..<2_000 as Range<UInt64> {
            let bytes = (0..<Int.random(in: 0...30, using: &dice)).map { _ in
                UInt8.random(in: 0...255, using: &dice)
            }
            stage.happen(.record(stream: 0, number: number, bytes: bytes), ani)
            stage.happen(.record(stream: 1, number: number, bytes: bytes), ani)
            stage.happen(.datagram(bytes), ani)
            stage.turn()
            stage.now = stage.now.advanced(by: .milliseconds(50))
        }
        stage.happen(.record(stream: 1, number: .max >> 2, bytes: []), ani)
        stage.happen(.acknowledged(stream: 77, below: .max), ani)
        stage.turn()
        #expect(stage.clients[ani]?.closed == nil)
        #expect(stage.said().isEmpty)
    }
}
