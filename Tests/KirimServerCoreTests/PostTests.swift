// swift-format-ignore-file: NeverForceUnwrap

import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire
import Testing

private func seq(_ number: UInt64) -> SequenceNumber { SequenceNumber(rawValue: number) }

@Suite("Posts")
struct PostTests {
    @Test(
        "a post is accepted only when it is durable, and then its author and the readers learn of it"
    )
    func accepted() {
        var stage = Stage()
        let ani = stage.arrive(1, "ani")
        let budi = stage.arrive(2, "budi")
        stage.ask(.subscribe(stream: 2, room: .lobby, start: .after(.zero), until: nil), budi)
        stage.holdsCommits = true
        stage.post(1, "halo", ani)
        stage.turn()
        #expect(stage.commits.count == 1)
        #expect(stage.decisions(ani).isEmpty)
        #expect(stage.texts(2, budi) == ["ani joined lobby", "budi joined lobby"])
        stage.holdsCommits = false
        stage.turn()
        #expect(stage.decisions(ani) == [1: .accepted(.lobby, seq(3))])
        #expect(stage.texts(2, budi).last == "halo")
        #expect(
            stage.notes.last
                == .said(
                    name: MemberName("ani"),
                    address: Stage.address(1),
                    room: .lobby,
                    kind: .text,
                    text: "halo"
                )
        )
    }

    @Test("everything that came in a turn is one commit; what comes during it is the next one")
    func groupCommit() {
        var stage = Stage()
        let ani = stage.arrive(1)
        let budi = stage.arrive(2)
        stage.holdsCommits = true
        for number in 1...5 as ClosedRange<UInt64> {
            stage.post(number, "a\(number)", ani)
            stage.post(number, "b\(number)", budi)
        }
        stage.turn()
        #expect(stage.commits.map(\.writes.count) == [10])
        stage.post(6, "a6", ani)
        stage.turn()
        stage.post(6, "b6", budi)
        stage.turn()
        #expect(stage.commits.count == 1)
        stage.answerCommit()
        stage.turn()
        #expect(stage.commits.map(\.writes.count) == [2])
        stage.holdsCommits = false
        stage.turn()
        #expect(stage.said().count == 12)
    }

    @Test("posts of one outbox are kept in the order of their numbers, however they come")
    func order() {
        var stage = Stage()
        let ani = stage.arrive(1)
        for number in [3, 5, 2, 4] as [UInt64] {
            stage.post(number, "\(number)", ani)
            stage.turn()
        }
        #expect(stage.said().isEmpty)
        stage.post(1, "1", ani)
        stage.turn()
        #expect(stage.said() == ["1", "2", "3", "4", "5"])
        #expect(stage.decisions(ani).count == 5)
    }

    @Test("early posts beyond the limit are put off, not held")
    func tooEarly() {
        var stage = Stage { $0.limits.postsInFlight = 4 }
        let ani = stage.arrive(1)
        stage.post(4, "4", ani)
        stage.post(5, "5", ani)
        stage.turn()
        let late = stage.replies(ani).last
        guard case .postponed(let from, .tooManyRequests, _)? = late else {
            Issue.record("\(String(describing: late))")
            return
        }
        #expect(from == PostNumber(rawValue: 5))
        for number in 1...3 as ClosedRange<UInt64> { stage.post(number, "\(number)", ani) }
        stage.turn()
        #expect(stage.said() == ["1", "2", "3", "4"])
    }

    @Test("a post that comes again is answered with what was decided, and is in the log once")
    func repeated() {
        var stage = Stage()
        let ani = stage.arrive(1)
        stage.post(1, "satu", ani)
        stage.post(1, "satu", ani)
        stage.turn()
        stage.post(1, "satu", ani)
        stage.turn()
        #expect(stage.said() == ["satu"])
        // After a restart memory knows nothing, and the journal answers.
        stage.restart()
        let again = stage.arrive(1)
        #expect(stage.welcome(again)?.next == PostNumber(rawValue: 2))
        stage.post(1, "satu", again)
        stage.turn()
        #expect(stage.decisions(again) == [1: .accepted(.lobby, seq(2))])
        #expect(stage.said() == ["satu"])
    }

    @Test("two faces share an outbox: both learn of every decision, and nothing is there twice")
    func twoFaces() {
        var stage = Stage()
        let terminal = stage.arrive(1, outbox: 9)
        let window = stage.arrive(1, outbox: 9)
        stage.post(1, "satu", terminal)
        stage.post(1, "satu", window)
        stage.post(2, "dua", window)
        stage.turn()
        #expect(stage.said() == ["satu", "dua"])
        #expect(stage.decisions(terminal).count == 2)
        #expect(stage.decisions(window).count == 2)
    }

    @Test("early posts of an older connection do not stand where a new one may put others")
    func earlyPostsOfAnother() {
        var stage = Stage()
        let before = stage.arrive(1, outbox: 9)
        for number in [2, 3] as [UInt64] { stage.post(number, "old \(number)", before) }
        stage.turn()
        let after = stage.arrive(1, outbox: 9)
        #expect(stage.welcome(after)?.next == .first)
        for number in 1...3 as ClosedRange<UInt64> { stage.post(number, "new \(number)", after) }
        stage.turn()
        #expect(stage.said() == ["new 1", "new 2", "new 3"])
        // Another face that lives is asked for them once more.
        guard
            case .postponed(let from, _, _)? = stage.replies(before).first(where: {
                if case .postponed = $0 { true } else { false }
            })
        else {
            Issue.record("nothing was asked for again")
            return
        }
        #expect(from == .first)
    }

    @Test("a welcome speaks of posts that are being kept, too")
    func welcomeDuringCommit() {
        var stage = Stage()
        let before = stage.arrive(1, outbox: 9)
        stage.holdsCommits = true
        stage.post(1, "satu", before)
        stage.post(2, "dua", before)
        stage.turn()
        let after = stage.arrive(1, outbox: 9)
        #expect(stage.welcome(after)?.next == PostNumber(rawValue: 3))
    }

    @Test("a final refusal uses up the number, so that what follows is not held up")
    func finalRefusal() {
        var stage = Stage { $0.limits.messageBytes = 8 }
        let ani = stage.arrive(1)
        stage.post(1, "far too long", ani)
        stage.post(2, "", ani)
        stage.post(3, "hm", ani, room: RoomName("dapur")!)
        stage.post(4, "notice", ani, kind: .notice)
        stage.post(5, "reply", ani, kind: .reply, reference: 99)
        stage.happen(.record(stream: ChatStream.posts, number: 6, bytes: [0xFF]), ani)
        stage.post(7, "fine", ani)
        stage.turn()
        #expect(
            stage.decisions(ani) == [
                1: .refused(.messageTooLong), 2: .refused(.empty), 3: .refused(.noSuchRoom),
                4: .refused(.notAllowed), 5: .refused(.noSuchEntry), 6: .refused(.malformed),
                7: .accepted(.lobby, seq(2)),
            ]
        )
        #expect(stage.journal.decided.count == 7)
    }

    @Test("a member that is too fast is told when to go on, and goes on where it was")
    func tooFast() {
        var stage = Stage {
            $0.limits.postsPerSecond = 1
            $0.limits.postBurst = 2
        }
        let ani = stage.arrive(1)
        for number in 1...4 as ClosedRange<UInt64> { stage.post(number, "\(number)", ani) }
        stage.turn()
        #expect(stage.said() == ["1", "2"])
        var waits: [UInt64] = []
        for case .postponed(let from, .tooFast, let wait) in stage.replies(ani) {
            #expect(from == PostNumber(rawValue: 3))
            waits.append(wait)
        }
        #expect(waits == [1_001])
        stage.now = stage.now.advanced(by: .milliseconds(1_001))
        stage.post(3, "3", ani)
        stage.turn()
        #expect(stage.said() == ["1", "2", "3"])
    }

    @Test("refused posts and old ones that come again count as much as those that are taken")
    func refusedTooFast() {
        var stage = Stage {
            $0.limits.postsPerSecond = 1
            $0.limits.postBurst = 2
        }
        let ani = stage.arrive(1)
        for number in 1...4 as ClosedRange<UInt64> { stage.post(number, "", ani) }
        stage.turn()
        #expect(stage.decisions(ani) == [1: .refused(.empty), 2: .refused(.empty)])
        func putOff(_ stage: Stage, _ connection: ConnectionHandle) -> [PostNumber] {
            stage.replies(connection).compactMap {
                if case .postponed(let from, .tooFast, _) = $0 { from } else { nil }
            }
        }
        #expect(putOff(stage, ani) == [PostNumber(rawValue: 3)])

        // After a restart the journal is asked about old posts: that is a write as well.
        stage.restart()
        let again = stage.arrive(1)
        for _ in 1...4 { stage.post(1, "", again) }
        stage.turn()
        #expect(stage.decisions(again) == [1: .refused(.empty)])
        #expect(putOff(stage, again) == [.first, .first])
    }

    @Test("posts without a text count while they wait for the journal")
    func gatheredRefusals() {
        var stage = Stage { $0.gatheredBytes = 1_000 }
        let ani = stage.arrive(1)
        stage.holdsCommits = true
        stage.post(1, "halo", ani)
        stage.turn()
        for number in 2...10 as ClosedRange<UInt64> { stage.post(number, "", ani) }
        stage.turn()
        let isPutOff = stage.replies(ani).contains {
            if case .postponed(_, .tooFast, _) = $0 { true } else { false }
        }
        #expect(isPutOff)
    }

    @Test("a member that is a little too fast is slowed down, and needs to do nothing")
    func slowedDown() {
        var stage = Stage {
            $0.limits.postsPerSecond = 100
            $0.limits.postBurst = 2
        }
        let ani = stage.arrive(1)
        for number in 1...6 as ClosedRange<UInt64> { stage.post(number, "\(number)", ani) }
        stage.turn()
        #expect(stage.said() == ["1", "2"])
        for round in 3...6 {
            #expect(stage.chat.deadline == stage.now.advanced(by: .milliseconds(10)))
            stage.now = stage.now.advanced(by: .milliseconds(10))
            stage.chat.takeThrottled(at: stage.now, wall: stage.wall)
            stage.turn()
            #expect(stage.said().count == round)
        }
        #expect(stage.said() == ["1", "2", "3", "4", "5", "6"])
        #expect(stage.decisions(ani).count == 6)
    }

    @Test(
        "a journal that fails keeps nothing, says so once, and what is offered again is kept once"
    )
    func storageFails() {
        var stage = Stage()
        let ani = stage.arrive(1)
        let before = stage.notes.count
        stage.fails = .full
        stage.post(1, "1", ani)
        stage.turn()
        stage.post(1, "1", ani)
        stage.post(2, "2", ani)
        stage.turn()
        stage.now = stage.now.advanced(by: .seconds(1))
        stage.post(1, "1", ani)
        stage.post(2, "2", ani)
        stage.turn()
        #expect(stage.notes.dropFirst(before) == [.storageFailed(.full)])
        #expect(stage.decisions(ani).isEmpty)
        let isPutOff = stage.replies(ani).contains {
            if case .postponed(.first, .storageFailed, _) = $0 { true } else { false }
        }
        #expect(isPutOff)
        stage.fails = nil
        stage.now = stage.now.advanced(by: .seconds(1))
        stage.post(1, "1", ani)
        stage.post(2, "2", ani)
        stage.turn()
        #expect(stage.said() == ["1", "2"])
        #expect(stage.notes.contains(.storageWorks))
        #expect(stage.decisions(ani).count == 2)
    }

    @Test("what was gathered behind a failed commit does not overtake it")
    func failureKeepsOrder() {
        var stage = Stage()
        let ani = stage.arrive(1)
        stage.holdsCommits = true
        stage.post(1, "1", ani)
        stage.turn()
        stage.post(2, "2", ani)
        stage.turn()
        stage.fails = .failed("disk")
        stage.answerCommit()
        stage.fails = nil
        stage.holdsCommits = false
        stage.now = stage.now.advanced(by: .seconds(2))
        stage.turn()
        #expect(stage.said().isEmpty)
        stage.post(1, "1", ani)
        stage.post(2, "2", ani)
        stage.turn()
        #expect(stage.said() == ["1", "2"])
    }

    @Test("only the author edits or takes back an entry; the journal is asked about an old one")
    func edits() {
        var stage = Stage { $0.limits.tailEntries = 2 }
        let ani = stage.arrive(1, "ani")
        let budi = stage.arrive(2, "budi")
        stage.post(1, "typo", ani)
        stage.turn()
        #expect(stage.log().last?.sequence == seq(3))
        for number in 2...6 as ClosedRange<UInt64> { stage.post(number, "x", ani) }
        stage.turn()
        stage.post(1, "mine now", budi, kind: .edit, reference: 3)
        stage.post(2, "👍", budi, kind: .reaction, reference: 3)
        stage.post(7, "fixed", ani, kind: .edit, reference: 3)
        stage.post(8, "", ani, kind: .delete, reference: 3)
        stage.post(9, "after", ani)
        stage.post(10, "notice?", ani, kind: .edit, reference: 1)
        stage.turn()
        #expect(stage.reads > 0)
        #expect(stage.decisions(budi)[1] == .refused(.notAllowed))
        #expect(stage.decisions(ani)[10] == .refused(.notAllowed))
        let own = stage.log().suffix(4).map(\.kind)
        #expect(Set(own) == [.reaction, .edit, .delete, .text])
        #expect(stage.said().contains("fixed"))
        #expect(!stage.said().contains("mine now"))
    }

    @Test("posts that come before the welcome wait for it")
    func earlyPosts() {
        var stage = Stage()
        let ani = stage.connect(1)
        stage.post(2, "2", ani)
        stage.post(1, "1", ani)
        stage.turn()
        #expect(stage.said().isEmpty)
        stage.ask(.hello(name: nil, outbox: OutboxID(rawValue: 5), agent: ""), ani)
        #expect(stage.said() == ["1", "2"])
    }
}
