import KirimJournal
import KirimRooms
import KirimWire
import Testing

/// What any journal of a server must keep.
@Suite("Every room journal")
struct RoomJournalContract {
    @Test("begins with an empty lobby and nothing else", arguments: Store.allCases)
    func beginning(_ store: Store) throws {
        let bench = try RoomBench(store)
        for _ in 0..<2 {
            let snapshot = try bench.journal.snapshot()
            #expect(snapshot.rooms == [.init(name: .lobby, last: .zero, members: [])])
            #expect(snapshot.members.isEmpty)
            #expect(snapshot.bans.isEmpty)
            #expect(snapshot.invitations.isEmpty)
            #expect(try bench.journal.texts().isEmpty)
            try bench.reopen()
        }
    }

    @Test(
        "numbers each room's entries from 1 without a gap, across reopening",
        arguments: Store.allCases
    )
    func density(_ store: Store) throws {
        let bench = try RoomBench(store)
        let other = room("dapur")
        _ = try bench.journal.commit([.create(other)])
        for turn in 0..<3 as Range<UInt64> {
            let outcomes = try bench.journal.commit([
                .append(draft("a")), .append(draft("b", in: other)), .append(draft("c")),
            ])
            #expect(
                outcomes == [
                    .appended(sequence(2 * turn + 1)), .appended(sequence(turn + 1)),
                    .appended(sequence(2 * turn + 2)),
                ]
            )
            try bench.reopen()
        }
        #expect(try bench.journal.texts() == ["a", "c", "a", "c", "a", "c"])
        #expect(try bench.journal.texts(of: other) == ["b", "b", "b"])
    }

    @Test("keeps all of a commit or nothing of it", arguments: Store.allCases)
    func atomicity(_ store: Store) throws {
        let bench = try RoomBench(store)
        _ = try bench.journal.commit([.enrol(member(1)), .append(draft("before"))])
        let before = try bench.journal.snapshot()
        #expect(throws: JournalError.self) {
            _ = try bench.journal.commit([
                .append(draft("lost", id: postID(1))), .refuse(postID(2), .empty),
                .enrol(member(2, "budi")), .rename(MemberID(rawValue: 1), name("ana")),
                .create(room("dapur")), .join(.lobby, MemberID(rawValue: 1)), .ban(.key(key(9))),
                .redeem([1, 2, 3], key(1)),
                .append(draft("no such room", in: room("gudang"))),
            ])
        }
        for _ in 0..<2 {
            #expect(try bench.journal.snapshot() == before)
            #expect(try bench.journal.texts() == ["before"])
            #expect(
                try bench.journal.nextPost(of: MemberID(rawValue: 1), in: OutboxID(rawValue: 7))
                    == .first
            )
            try bench.reopen()
        }
        // The number that the failed commit had given is given again.
        #expect(
            try bench.journal.commit([.append(draft("after", id: postID(1)))])
                == [.appended(sequence(2))]
        )
        #expect(try bench.journal.commit([.create(room("dapur"))]) == [.done])
        #expect(
            try bench.journal.commit([.append(draft("first", in: room("dapur")))])
                == [.appended(sequence(1))]
        )
    }

    @Test(
        "keeps a post once for ever and answers its repeats with what was decided",
        arguments: Store.allCases
    )
    func uniqueness(_ store: Store) throws {
        let bench = try RoomBench(store)
        let other = room("dapur")
        _ = try bench.journal.commit([.create(other), .append(draft("first", id: postID(1)))])
        let accepted = JournalOutcome.repeated(.accepted(.lobby, sequence(1)))
        for _ in 0..<2 {
            // The same post in one commit twice, also for another room or with another text.
            #expect(
                try bench.journal.commit([
                    .append(draft("again", id: postID(1))),
                    .append(draft("elsewhere", in: other, id: postID(1))),
                    .refuse(postID(1), .empty),
                ]) == [accepted, accepted, accepted]
            )
            try bench.reopen()
        }
        #expect(
            try bench.journal.commit([
                .append(draft("second", id: postID(2))), .append(draft("second", id: postID(2))),
            ]) == [.appended(sequence(2)), .repeated(.accepted(.lobby, sequence(2)))]
        )
        #expect(try bench.journal.texts() == ["first", "second"])
        #expect(try bench.journal.texts(of: other).isEmpty)
    }

    @Test("tells posts of other members and other outboxes apart", arguments: Store.allCases)
    func identity(_ store: Store) throws {
        let bench = try RoomBench(store)
        let highest = OutboxID(rawValue: .max)
        let outcomes = try bench.journal.commit([
            .append(draft("a", id: postID(1))), .append(draft("b", id: postID(1, outbox: 8))),
            .append(draft("c", id: postID(1, member: 2))),
            .append(draft("d", id: postID(1, outbox: .max))),
        ])
        #expect(outcomes == (1...4).map { .appended(sequence($0)) })
        try bench.reopen()
        #expect(try bench.journal.nextPost(of: MemberID(rawValue: 1), in: highest) == number(2))
        #expect(
            try bench.journal.entries(
                EntryQuery(room: .lobby, from: sequence(4), entryLimit: 1, byteLimit: 1)
            ).first?.id == postID(1, outbox: .max)
        )
    }

    @Test("uses up a refused post's number, whatever comes later", arguments: Store.allCases)
    func refusals(_ store: Store) throws {
        let bench = try RoomBench(store)
        #expect(try bench.journal.commit([.refuse(postID(1), .noSuchRoom)]) == [.done])
        try bench.reopen()
        let refused = JournalOutcome.repeated(.refused(.noSuchRoom))
        #expect(
            try bench.journal.commit([
                .append(draft("late", id: postID(1))), .refuse(postID(1), .empty),
            ]) == [refused, refused]
        )
        #expect(try bench.journal.texts().isEmpty)
        let author = MemberID(rawValue: 1)
        #expect(try bench.journal.nextPost(of: author, in: OutboxID(rawValue: 7)) == number(2))
    }

    @Test("knows the next post of each outbox", arguments: Store.allCases)
    func nextPosts(_ store: Store) throws {
        let bench = try RoomBench(store)
        let author = MemberID(rawValue: 1)
        let outbox = OutboxID(rawValue: 7)
        #expect(try bench.journal.nextPost(of: author, in: outbox) == .first)
        _ = try bench.journal.commit([
            .append(draft("a", id: postID(1))), .refuse(postID(2), .empty),
            .append(draft("b", id: postID(3))),
        ])
        try bench.reopen()
        #expect(try bench.journal.nextPost(of: author, in: outbox) == number(4))
        #expect(try bench.journal.nextPost(of: author, in: OutboxID(rawValue: 8)) == .first)
        #expect(try bench.journal.nextPost(of: MemberID(rawValue: 2), in: outbox) == .first)
    }

    @Test(
        "reads from a cursor, as much as was asked for and at least one entry",
        arguments: Store.allCases
    )
    func queries(_ store: Store) throws {
        let journal = try RoomBench(store).journal
        _ = try journal.commit(["one", "two", "three", "four"].map { .append(draft($0)) })
        #expect(try journal.texts(from: 2) == ["two", "three", "four"])
        #expect(try journal.texts(from: 2, entryLimit: 2) == ["two", "three"])
        #expect(try journal.texts(from: 1, byteLimit: 6) == ["one", "two"])
        #expect(try journal.texts(from: 1, byteLimit: 10) == ["one", "two"])
        #expect(try journal.texts(from: 1, byteLimit: 11) == ["one", "two", "three"])
        #expect(try journal.texts(from: 3, byteLimit: 0) == ["three"])
        #expect(try journal.texts(from: 5).isEmpty)
        #expect(try journal.texts(from: .max).isEmpty)
        #expect(try journal.texts(from: 0, entryLimit: 1) == ["one"])
        #expect(try journal.texts(from: 1, entryLimit: 0).isEmpty)
        #expect(try journal.texts(of: room("gudang")).isEmpty)
    }

    @Test("gives back every field of an entry as it was", arguments: Store.allCases)
    func fields(_ store: Store) throws {
        let bench = try RoomBench(store)
        let authors: [Author] = [
            .server, .member(MemberID(rawValue: 5), name("Ñ 👩‍🚀")),
            .plain(Address(ip: .v4(0x7F00_0001), port: 50_001)),
            .plain(Address(ip: .v6(1, .max, zone: 3), port: 0)),
        ]
        var drafts: [EntryDraft] = []
        for (index, kind) in EntryKind.allCases.enumerated() {
            let post = Post(
                room: .lobby,
                kind: kind,
                reference: kind.needsReference ? sequence(UInt64(index)) : nil,
                authored: WallTime(milliseconds: .min + Int64(index)),
                text: "\(kind)"
            )
            let draft = EntryDraft(
                post: post,
                author: authors[index % authors.count],
                id: index.isMultiple(of: 2) ? nil : postID(UInt64(index)),
                received: WallTime(milliseconds: .max)
            )
            drafts.append(draft)
        }
        _ = try bench.journal.commit(drafts.map { .append($0) })
        let expected = drafts.enumerated().map { Entry($1, at: sequence(UInt64($0) + 1)) }
        try bench.reopen()
        let query = EntryQuery(room: .lobby, from: .zero, entryLimit: 100, byteLimit: 1 << 20)
        #expect(try bench.journal.entries(query) == expected)
    }

    @Test("keeps every text byte for byte", arguments: Store.allCases)
    func texts(_ store: Store) throws {
        let bench = try RoomBench(store)
        let long = String(repeating: "Grüße, 世界 👩‍👩‍👧‍👦 \u{0}\r\n", count: 3_000)
        let texts = [
            "", "\u{0}", "a\u{0}b", "\u{FEFF}e\u{301}", "é", "'; DROP TABLE entry; --",
            String(decoding: Array(long.utf8).prefix(65_000), as: UTF8.self),
        ]
        _ = try bench.journal.commit(texts.map { .append(draft($0)) })
        try bench.reopen()
        #expect(try bench.journal.texts().map { Array($0.utf8) } == texts.map { Array($0.utf8) })
    }

    @Test("gives the same snapshot after reopening", arguments: Store.allCases)
    func snapshots(_ store: Store) throws {
        let bench = try RoomBench(store)
        let (ani, budi) = (member(1), member(2, "budi"))
        let (dapur, aula) = (room("dapur"), room("aula"))
        let bans: [Ban] = [
            .prefix(.v6(0x2001_0DB8 << 32, 0, zone: 0), bits: 32), .key(key(9)),
            .prefix(.v4(0x0A00_0000), bits: 8),
        ]
        _ = try bench.journal.commit(
            [
                .enrol(budi), .enrol(ani), .create(dapur), .create(aula), .create(dapur),
                .join(dapur, budi.id), .join(dapur, ani.id), .join(dapur, ani.id),
                .join(.lobby, ani.id), .leave(.lobby, ani.id), .leave(.lobby, budi.id),
                .rename(budi.id, name("Budi")), .redeem([3, 1], ani.key), .redeem([2], budi.key),
                .redeem([3, 1], budi.key), .append(draft("hi", in: dapur)), .unban(.key(key(8))),
            ] + bans.map { .ban($0) } + [.ban(bans[0]), .unban(bans[1])]
        )
        var expected = JournalSnapshot()
        expected.members = [ani, member(2, "Budi")]
        expected.rooms = [
            .init(name: .lobby, last: .zero, members: []),
            .init(name: dapur, last: sequence(1), members: [ani.id, budi.id]),
            .init(name: aula, last: .zero, members: []),
        ]
        expected.bans = [bans[0], bans[2]]
        expected.invitations = [.init(id: [3, 1], key: ani.key), .init(id: [2], key: budi.key)]
        for _ in 0..<3 {
            #expect(try bench.journal.snapshot() == expected)
            try bench.reopen()
        }
    }

    @Test(
        "takes names that look the same for the same room, as Swift does",
        arguments: Store.allCases
    )
    func roomNames(_ store: Store) throws {
        let bench = try RoomBench(store)
        let (composed, decomposed) = (room("caf\u{E9}"), room("cafe\u{301}"))
        _ = try bench.journal.commit([.create(composed), .create(decomposed)])
        try bench.reopen()
        #expect(
            try bench.journal.commit([
                .append(draft("a", in: decomposed)), .append(draft("b", in: composed)),
            ]) == [.appended(sequence(1)), .appended(sequence(2))]
        )
        #expect(try bench.journal.texts(of: decomposed) == ["a", "b"])
        #expect(try bench.journal.snapshot().rooms.count == 2)
    }

    @Test("binds a member number and a key to each other for ever", arguments: Store.allCases)
    func enrolment(_ store: Store) throws {
        let journal = try RoomBench(store).journal
        #expect(
            try journal.commit([.enrol(member(1)), .enrol(member(1, "ana"))]) == [.done, .done]
        )
        let sameNumber = Member(id: MemberID(rawValue: 1), key: key(2), name: name("eve"))
        let sameKey = Member(id: MemberID(rawValue: 2), key: key(1), name: name("eve"))
        #expect(throws: JournalError.self) { _ = try journal.commit([.enrol(sameNumber)]) }
        #expect(throws: JournalError.self) { _ = try journal.commit([.enrol(sameKey)]) }
        #expect(throws: JournalError.self) {
            _ = try journal.commit([.rename(MemberID(rawValue: 9), name("eve"))])
        }
        #expect(throws: JournalError.self) {
            _ = try journal.commit([.join(.lobby, MemberID(rawValue: 9))])
        }
        #expect(try journal.snapshot().members == [member(1, "ana")])
    }
}
