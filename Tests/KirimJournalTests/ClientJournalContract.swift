import KirimJournal
import KirimRooms
import KirimWire
import Testing

/// What any journal of a person must keep. Each test has two faces (processes) on one disk.
@Suite("Every client journal")
struct ClientJournalContract {
    private let home = "localhost:12345"

    @Test("knows a server again by its address, from every face", arguments: Store.allCases)
    func servers(_ store: Store) throws {
        let bench = try ClientBench(store)
        let (one, two) = (try bench.face(), try bench.face())
        let first = try one.server(at: home)
        #expect(first.key == nil && first.name == nil && first.token == nil && first.rooms.isEmpty)
        #expect(first.outbox.rawValue != 0)
        #expect(try two.server(at: home) == first)
        let other = try two.server(at: "elsewhere:1")
        #expect(other.row != first.row)
        #expect(other.outbox != first.outbox)
    }

    @Test("keeps name, rooms and token", arguments: Store.allCases)
    func wishes(_ store: Store) throws {
        let bench = try ClientBench(store)
        let (one, two) = (try bench.face(), try bench.face())
        let server = try one.server(at: home)
        let rooms = [room("dapur"), .lobby, room("aula")]
        try one.setName(name("Ani"), of: server)
        for room in rooms { try one.addRoom(room, to: server) }
        try one.setToken([0, 1, 255], of: server)
        var expected = server
        expected.name = name("Ani")
        expected.rooms = rooms
        expected.token = [0, 1, 255]
        #expect(try two.server(at: home) == expected)
        try two.removeRoom(room("dapur"), from: server)
        try two.removeRoom(room("aula"), from: server)
        try two.setToken(nil, of: server)
        expected.rooms = [.lobby]
        expected.token = nil
        #expect(try one.server(at: home) == expected)
    }

    @Test("keeps the rooms of all faces, each once, as they were joined", arguments: Store.allCases)
    func rooms(_ store: Store) throws {
        let bench = try ClientBench(store)
        let (one, two) = (try bench.face(), try bench.face())
        let server = try one.server(at: home)
        #expect(try two.rooms(of: server) == [])
        try one.addRoom(room("caf\u{E9}"), to: server)
        try two.addRoom(room("aula"), to: server)
        try one.addRoom(room("dapur"), to: server)
        try two.addRoom(room("cafe\u{301}"), to: server)
        #expect(try one.rooms(of: server) == [room("caf\u{E9}"), room("aula"), room("dapur")])
        try one.removeRoom(room("aula"), from: server)
        try one.removeRoom(room("aula"), from: server)
        try two.removeRoom(room("cafe\u{301}"), from: server)
        try two.addRoom(room("aula"), to: server)
        #expect(try two.rooms(of: server) == [room("dapur"), room("aula")])
        #expect(try one.server(at: home).rooms == [room("dapur"), room("aula")])
        #expect(try one.rooms(of: one.server(at: "elsewhere:1")) == [])
    }

    @Test("numbers posts densely from 1, whichever face asks", arguments: Store.allCases)
    func numbers(_ store: Store) throws {
        let bench = try ClientBench(store)
        let (one, two) = (try bench.face(), try bench.face())
        let server = try one.server(at: home)
        #expect(try one.lastPost(of: server) == nil)
        let first = try one.enqueue([post("a"), post("b")], to: server, after: nil, offering: true)
        #expect(first.map(\.number) == [number(1), number(2)])
        let second = try two.enqueue([post("c")], to: server, after: nil, offering: true)
        #expect(second.map(\.post.text) == ["a", "b", "c"])
        #expect(second.map(\.number.rawValue) == [1, 2, 3])
        let third = try one.enqueue([post("d")], to: server, after: number(2), offering: true)
        #expect(third.map(\.post.text) == ["c", "d"])
        #expect(third.map(\.number.rawValue) == [3, 4])
        #expect(try one.enqueue([], to: server, after: number(4), offering: true).isEmpty)
        #expect(try two.lastPost(of: server) == number(4))
        #expect(try two.undecided(of: server).map(\.post.text) == ["a", "b", "c", "d"])
    }

    @Test("knows up to which post an outbox may have been sent", arguments: Store.allCases)
    func offered(_ store: Store) throws {
        let bench = try ClientBench(store)
        let (one, two) = (try bench.face(), try bench.face())
        let server = try one.server(at: home)
        #expect(try one.offered(of: server) == nil)
        _ = try one.enqueue([post("a"), post("b")], to: server, after: nil, offering: false)
        #expect(try two.offered(of: server) == nil)
        // What one face sends covers what the other wrote without a connection.
        _ = try two.enqueue([post("c")], to: server, after: nil, offering: true)
        #expect(try one.offered(of: server) == number(3))
        _ = try one.enqueue([post("d"), post("e")], to: server, after: number(3), offering: false)
        #expect(try two.offered(of: server) == number(3))
        #expect(try one.enqueue([], to: server, after: number(5), offering: true).isEmpty)
        #expect(try two.offered(of: server) == number(5))
        try one.decide([number(5): .refused(.empty)], of: server)
        #expect(try two.offered(of: server) == number(5))
        let renewed = try one.renewOutbox(of: server, to: OutboxID(rawValue: 3))
        #expect(try one.offered(of: renewed) == nil)
        #expect(throws: JournalError.outboxMoved) { _ = try two.offered(of: server) }
    }

    @Test("posts that move to another row are not offered there yet", arguments: Store.allCases)
    func offeredMerged(_ store: Store) throws {
        let face = try ClientBench(store).face()
        let known = try face.pin(face.server(at: home), key: key(1))
        _ = try face.enqueue([post("old")], to: known, after: nil, offering: true)
        let alias = try face.server(at: "127.0.0.1:12345")
        _ = try face.enqueue([post("a")], to: alias, after: nil, offering: false)
        let merged = try face.pin(alias, key: key(1))
        #expect(try face.lastPost(of: merged) == number(2))
        #expect(try face.offered(of: merged) == .first)
    }

    @Test("counts each server's posts by themselves", arguments: Store.allCases)
    func separation(_ store: Store) throws {
        let face = try ClientBench(store).face()
        let (here, there) = (try face.server(at: home), try face.server(at: "there:1"))
        _ = try face.enqueue([post("a")], to: here, after: nil, offering: true)
        #expect(
            try face.enqueue([post("b")], to: there, after: nil, offering: true).map(\.number) == [
                .first
            ]
        )
        #expect(try face.undecided(of: here).map(\.post.text) == ["a"])
    }

    @Test("keeps every field and byte of a post", arguments: Store.allCases)
    func fields(_ store: Store) throws {
        let bench = try ClientBench(store)
        let server = try bench.face().server(at: home)
        let posts =
            EntryKind.allCases.map { kind in
                Post(
                    room: room("dapur"),
                    kind: kind,
                    reference: kind.needsReference ? sequence(9) : nil,
                    authored: WallTime(milliseconds: -1),
                    text: "\u{0}e\u{301} \(kind)" + String(repeating: "界", count: 21_000)
                )
            } + [post("")]
        _ = try bench.face().enqueue(posts, to: server, after: nil, offering: true)
        let kept = try bench.face().undecided(of: server)
        #expect(kept.map(\.post) == posts)
        #expect(kept.map { Array($0.post.text.utf8) } == posts.map { Array($0.text.utf8) })
    }

    @Test("keeps the first decision about a post", arguments: Store.allCases)
    func decisions(_ store: Store) throws {
        let bench = try ClientBench(store)
        let (one, two) = (try bench.face(), try bench.face())
        let server = try one.server(at: home)
        _ = try one.enqueue(
            [post("a"), post("b"), post("c")],
            to: server,
            after: nil,
            offering: true
        )
        let accepted = PostDecision.accepted(.lobby, sequence(5))
        try two.decide([number(1): accepted, number(3): .refused(.empty)], of: server)
        try one.decide(
            [number(1): .refused(.banned), number(3): accepted, number(99): accepted],
            of: server
        )
        #expect(try one.undecided(of: server).map(\.number) == [number(2)])
        let all = try one.enqueue([], to: server, after: nil, offering: true)
        #expect(all.map(\.decision) == [accepted, nil, .refused(.empty)])
        #expect(try two.decided(of: server, limit: 9) == [all[0], all[2]])
        #expect(try two.decided(of: server, limit: 1) == [all[2]])
        #expect(try two.decided(of: server, limit: 0) == [])
        #expect(try one.lastPost(of: server) == number(3))
    }

    @Test(
        "gives undecided posts new numbers from 1 when the outbox is renewed",
        arguments: Store.allCases
    )
    func renewal(_ store: Store) throws {
        let bench = try ClientBench(store)
        let (one, two) = (try bench.face(), try bench.face())
        let server = try one.server(at: home)
        _ = try one.enqueue(
            [post("a"), post("b"), post("c")],
            to: server,
            after: nil,
            offering: true
        )
        try one.decide([number(2): .refused(.empty)], of: server)
        let renewed = try one.renewOutbox(of: server, to: OutboxID(rawValue: .max))
        #expect(renewed.outbox == OutboxID(rawValue: .max))
        #expect(try one.undecided(of: renewed).map(\.post.text) == ["a", "c"])
        #expect(try one.undecided(of: renewed).map(\.number.rawValue) == [1, 2])
        #expect(try one.lastPost(of: renewed) == number(2))

        // The other face holds numbers that mean other posts now: nothing is done by them.
        let decision = [number(1): PostDecision.refused(.banned)]
        #expect(throws: JournalError.outboxMoved) { try two.decide(decision, of: server) }
        #expect(throws: JournalError.outboxMoved) {
            _ = try two.enqueue([post("d")], to: server, after: number(3), offering: true)
        }
        #expect(throws: JournalError.outboxMoved) { _ = try two.undecided(of: server) }
        #expect(throws: JournalError.outboxMoved) { _ = try two.decided(of: server, limit: 1) }
        // It starts again from what the first face made; a second renewal would do harm.
        #expect(try two.renewOutbox(of: server, to: OutboxID(rawValue: 3)) == renewed)
        #expect(try two.server(at: home) == renewed)
        #expect(try two.undecided(of: renewed).count == 2)
    }

    @Test("pins the key that proved itself, and no other over it", arguments: Store.allCases)
    func pinning(_ store: Store) throws {
        let bench = try ClientBench(store)
        let (one, two) = (try bench.face(), try bench.face())
        let server = try one.server(at: home)
        let pinned = try one.pin(server, key: key(1))
        #expect(pinned.key == key(1))
        #expect(pinned.row == server.row)
        #expect(try two.pin(server, key: key(1)) == pinned)
        #expect(throws: JournalError.self) { _ = try two.pin(server, key: key(2)) }
        #expect(try two.server(at: home) == pinned)
    }

    @Test("moves what waits to the row that has the key already", arguments: Store.allCases)
    func merging(_ store: Store) throws {
        let bench = try ClientBench(store)
        let (one, two) = (try bench.face(), try bench.face())
        let known = try one.pin(one.server(at: home), key: key(1))
        _ = try one.enqueue([post("old")], to: known, after: nil, offering: true)
        try one.addRoom(.lobby, to: known)
        let alias = try one.server(at: "127.0.0.1:12345")
        _ = try one.enqueue([post("a"), post("b")], to: alias, after: nil, offering: true)
        try one.addRoom(room("dapur"), to: alias)
        try one.addRoom(.lobby, to: alias)
        try one.setName(name("Ani"), of: alias)
        #expect(try two.server(at: "127.0.0.1:12345").row == alias.row)

        let merged = try one.pin(alias, key: key(1))
        #expect(merged.row == known.row)
        #expect(merged.outbox == known.outbox)
        #expect(merged.rooms == [.lobby, room("dapur")])
        #expect(merged.name == name("Ani"))
        #expect(try one.undecided(of: merged).map(\.post.text) == ["old", "a", "b"])
        #expect(try one.undecided(of: merged).map(\.number.rawValue) == [1, 2, 3])
        #expect(try two.server(at: "127.0.0.1:12345") == merged)

        // The other face still holds the row that is gone.
        #expect(throws: JournalError.outboxMoved) {
            _ = try two.enqueue([post("c")], to: alias, after: number(2), offering: true)
        }
        #expect(try two.pin(alias, key: key(1)) == merged)
        #expect(try two.rooms(of: alias) == merged.rooms)
        try two.addRoom(room("aula"), to: alias)
        #expect(try one.rooms(of: known) == [.lobby, room("dapur"), room("aula")])
        try two.setName(name("Ana"), of: alias)
        #expect(try one.server(at: home).name == name("Ana"))
    }

    @Test(
        "an address leads to another key when that has proved itself, and posts stay with theirs",
        arguments: Store.allCases
    )
    func vouchedKey(_ store: Store) throws {
        let bench = try ClientBench(store)
        let (face, other) = (try bench.face(), try bench.face())
        let old = try face.pin(face.server(at: home), key: key(1))
        try face.apply([entry(1)], of: .lobby, from: old)
        _ = try face.enqueue([post("for one")], to: old, after: nil, offering: true)
        let vouched = try face.server(bearing: key(2))
        #expect(vouched.key == key(2))
        #expect(vouched.row != old.row)
        #expect(try other.server(bearing: key(2)) == vouched)
        #expect(try face.server(bearing: key(1)) == old)
        _ = try face.enqueue([post("for two")], to: vouched, after: nil, offering: false)
        // Nothing was proved: the address still means the first one.
        #expect(try other.server(at: home) == old)
        #expect(throws: JournalError.self) {
            _ = try face.pin(vouched, key: key(3), at: home)
        }
        #expect(try other.server(at: home) == old)

        #expect(try face.pin(vouched, key: key(2), at: home) == vouched)
        #expect(try other.server(at: home) == vouched)
        #expect(try face.undecided(of: vouched).map(\.post.text) == ["for two"])
        #expect(try face.undecided(of: old).map(\.post.text) == ["for one"])
        #expect(try face.history(of: .lobby, from: old, before: nil, limit: 9) == [entry(1)])
    }

    @Test(
        "what waits at an address without a key goes to the one that proves itself there",
        arguments: Store.allCases
    )
    func vouchedAtFirstContact(_ store: Store) throws {
        let face = try ClientBench(store).face()
        let first = try face.server(at: home)
        _ = try face.enqueue([post("a")], to: first, after: nil, offering: false)
        let vouched = try face.server(bearing: key(1))
        #expect(try face.undecided(of: vouched).isEmpty)
        let led = try face.pin(vouched, key: key(1), at: home)
        #expect(led.row == vouched.row)
        #expect(try face.undecided(of: led).map(\.post.text) == ["a"])
        #expect(try face.server(at: home) == led)
    }

    @Test("lets go of what a server that was set back has no more", arguments: Store.allCases)
    func setBack(_ store: Store) throws {
        let bench = try ClientBench(store)
        let (one, two) = (try bench.face(), try bench.face())
        let server = try one.server(at: home)
        try one.apply((5...20).map { entry($0) }, of: .lobby, from: server)
        try one.apply([entry(1)], of: room("dapur"), from: server)
        try two.forget(.lobby, beyond: sequence(12), from: server)
        let span = HistorySpan(first: sequence(5), last: sequence(12))
        #expect(try one.span(of: .lobby, from: server) == span)
        try one.apply([entry(13, "another")], of: .lobby, from: server)
        let kept = try one.history(of: .lobby, from: server, before: nil, limit: 2)
        #expect(kept == [entry(12), entry(13, "another")])
        try one.forget(.lobby, beyond: sequence(20), from: server)
        #expect(try one.span(of: .lobby, from: server)?.last == sequence(13))
        try one.forget(.lobby, beyond: sequence(4), from: server)
        #expect(try one.span(of: .lobby, from: server) == nil)
        #expect(try one.history(of: .lobby, from: server, before: nil, limit: 9) == [])
        #expect(try one.span(of: room("dapur"), from: server)?.last == sequence(1))
    }

    @Test("keeps one piece of each room's log, which grows at both ends", arguments: Store.allCases)
    func spans(_ store: Store) throws {
        let bench = try ClientBench(store)
        let (one, two) = (try bench.face(), try bench.face())
        let server = try one.server(at: home)
        #expect(try one.span(of: .lobby, from: server) == nil)
        try one.apply([entry(51), entry(50), entry(52)], of: .lobby, from: server)
        try two.apply([entry(51), entry(52), entry(53)], of: .lobby, from: server)
        try one.apply((40..<50).map { entry($0) }, of: .lobby, from: server)
        try one.apply([], of: .lobby, from: server)
        let span = HistorySpan(first: sequence(40), last: sequence(53))
        #expect(try two.span(of: .lobby, from: server) == span)
        #expect(throws: JournalError.self) {
            try one.apply([entry(54), entry(56)], of: .lobby, from: server)
        }
        #expect(throws: JournalError.self) {
            try one.apply([entry(38)], of: .lobby, from: server)
        }
        #expect(try one.span(of: .lobby, from: server) == span)
        #expect(try one.span(of: room("dapur"), from: server) == nil)
        let kept = try two.history(of: .lobby, from: server, before: nil, limit: 100)
        #expect(kept == (40...53).map { entry($0) })
    }

    @Test("changes nothing when an entry is applied twice", arguments: Store.allCases)
    func repetition(_ store: Store) throws {
        let face = try ClientBench(store).face()
        let server = try face.server(at: home)
        try face.apply([entry(1, "first")], of: .lobby, from: server)
        try face.apply([entry(1, "forged"), entry(2), entry(2)], of: .lobby, from: server)
        let kept = try face.history(of: .lobby, from: server, before: nil, limit: 100)
        #expect(kept == [entry(1, "first"), entry(2)])
    }

    @Test("pages back, the oldest of a page first", arguments: Store.allCases)
    func paging(_ store: Store) throws {
        let bench = try ClientBench(store)
        let server = try bench.face().server(at: home)
        try bench.face().apply((5...20).map { entry($0) }, of: .lobby, from: server)
        let face = try bench.face()
        func page(before: UInt64?, limit: Int) throws -> [UInt64] {
            try face.history(
                of: .lobby,
                from: server,
                before: before.map { sequence($0) },
                limit: limit
            ).map(\.sequence.rawValue)
        }
        #expect(try page(before: nil, limit: 3) == [18, 19, 20])
        #expect(try page(before: 18, limit: 3) == [15, 16, 17])
        #expect(try page(before: 7, limit: 3) == [5, 6])
        #expect(try page(before: 5, limit: 3).isEmpty)
        #expect(try page(before: 1, limit: 3).isEmpty)
        #expect(try page(before: .max, limit: 1) == [20])
        #expect(try page(before: nil, limit: 0).isEmpty)
    }
}
