import KirimClientCore
import KirimRooms
import KirimSimulation
import KirimTransport
import KirimWire
import Testing

@Suite("Posting")
struct PostingTests {
    @Test("sends nothing before it is in the outbox")
    func durableFirst() throws {
        var scene = try Scene()
        scene.enter()
        scene.isDiskSlow = true
        scene.post("halo")
        #expect(scene.posts == [])
        #expect(!scene.events.contains { if case .queued = $0 { true } else { false } })
        scene.work()
        scene.run()
        #expect(scene.posts == [.first])
        #expect(scene.events.contains { if case .posted = $0 { true } else { false } })
    }

    @Test("one write takes everything that came while the disk was busy")
    func groupCommit() throws {
        var scene = try Scene()
        scene.isDiskSlow = true
        for text in ["a", "b", "c", "d"] { scene.post(text) }
        #expect(scene.waiting.count == 1)
        scene.work()
        scene.run()
        #expect(scene.waiting.count == 1)
        scene.work()
        scene.run()
        #expect(scene.chat.queued.map(\.post.text) == ["a", "b", "c", "d"])
    }

    @Test("is decided once, and told so after it was written down")
    func decided() throws {
        var scene = try Scene()
        scene.enter()
        scene.post("halo")
        scene.isDiskSlow = true
        scene.accept(1, at: 1)
        #expect(scene.decisions == [])
        scene.work()
        scene.run()
        scene.isDiskSlow = false
        scene.accept(1, at: 1)
        #expect(scene.decisions == [.accepted(.lobby, SequenceNumber(rawValue: 1))])
        #expect(scene.chat.queuedCount == 0)
        let server = try scene.journal.server(at: "test")
        #expect(try scene.journal.undecided(of: server) == [])
    }

    @Test("every refusal reaches the face", arguments: Refusal.allCases)
    func refused(_ refusal: Refusal) throws {
        var scene = try Scene()
        scene.enter()
        if refusal.isTransient {
            scene.post("halo")
            scene.say(.postponed(from: .first, refusal, retryAfterMilliseconds: 1_000))
            #expect(scene.events.last == .postponed(refusal, retryAfter: .seconds(1)))
        } else {
            scene.post("halo")
            scene.decide(1, .refused(refusal))
            #expect(scene.decisions == [.refused(refusal)])
        }
        let ticket = scene.ask(.join(RoomName("x") ?? .lobby))
        scene.say(.refused(scene.id { if case .join = $0 { true } else { false } }, refusal))
        #expect(scene.answer(ticket) == .refused(refusal))
    }

    @Test("keeps to the window of unaccepted posts, and moves it on as they are accepted")
    func window() throws {
        var scene = try Scene()
        scene.open()
        scene.welcome(
            limits: WireLimits(messageBytes: 65_536, postsInFlight: 3, postBytesInFlight: 10_000)
        )
        scene.post(["1", "2", "3", "4", "5"])
        #expect(scene.posts.map(\.rawValue) == [1, 2, 3])
        scene.accept(1, at: 1)
        #expect(scene.posts.map(\.rawValue) == [1, 2, 3, 4])
    }

    @Test("the first post fits the window however long it is")
    func firstFits() throws {
        var scene = try Scene()
        scene.open()
        scene.welcome(
            limits: WireLimits(messageBytes: 65_536, postsInFlight: 64, postBytesInFlight: 50)
        )
        scene.post([String(repeating: "x", count: 60_000), "y"])
        #expect(scene.posts.map(\.rawValue) == [1])
        scene.accept(1, at: 1)
        #expect(scene.posts.map(\.rawValue) == [1, 2])
    }

    @Test("offers undecided posts again on the next connection, from the first one")
    func again() throws {
        var scene = try Scene()
        scene.enter()
        scene.post(["1", "2", "3"])
        scene.accept(1, at: 1)
        scene.close()
        scene.post("4")
        scene.enter(nextPost: 2, first: 1, last: 1)
        #expect(scene.posts.map(\.rawValue) == [2, 3, 4])
    }

    @Test("sends what an earlier run left in the outbox")
    func earlierRun() throws {
        var scene = try Scene()
        scene.post("left behind")
        var later = try Scene(journal: scene.journal)
        #expect(later.chat.queued.map(\.post.text) == ["left behind"])
        later.enter()
        #expect(later.posts.map(\.rawValue) == [1])
    }

    @Test("stops offering when told to wait, and begins again in time")
    func postponed() throws {
        var scene = try Scene()
        scene.enter()
        scene.post(["1", "2"])
        scene.say(.postponed(from: .first, .storageFailed, retryAfterMilliseconds: 3_000))
        scene.post("3")
        #expect(scene.posts.map(\.rawValue) == [1, 2])
        #expect(try #require(scene.chat.deadline) <= scene.now.advanced(by: .seconds(3)))
        scene.pass(.seconds(3))
        #expect(scene.posts.map(\.rawValue) == [1, 2, 1, 2, 3])
    }

    @Test("offers again what arrived and was never decided")
    func forgotten() throws {
        var scene = try Scene()
        scene.enter()
        scene.post("1")
        scene.arrived(postsBelow: 2)
        scene.pass(.seconds(21))
        #expect(scene.posts.map(\.rawValue) == [1, 1])
    }

    @Test("sends the posts that another face appended, too")
    func otherFace() throws {
        var scene = try Scene()
        scene.enter()
        var other = try Scene(journal: scene.journal)
        other.post("theirs")
        scene.post("mine")
        #expect(scene.posts.map(\.rawValue) == [1, 2])
        let posted = scene.events.compactMap {
            if case .posted(_, let ids) = $0 { ids } else { nil }
        }
        #expect(posted == [[LocalPostID(rawValue: 2)]])
    }

    @Test("believes a number that another face has used, and asks the journal first")
    func numbersOfOthers() throws {
        var scene = try Scene()
        var other = try Scene(journal: scene.journal)
        other.enter()
        other.post(["1", "2"])
        scene.enter(nextPost: 3)
        scene.post("3")
        #expect(scene.reconnects == 0)
        #expect(scene.posts.map(\.rawValue).last == 3)
    }

    @Test("renews an outbox that is older than what the server has of it")
    func renewed() throws {
        var scene = try Scene()
        scene.post(["1", "2"])
        let ids = scene.chat.queued.map(\.id)
        scene.open()
        scene.welcome(nextPost: 9)
        scene.subscribed(first: 1, last: 0)
        #expect(scene.reconnects == 1)
        #expect(scene.posts == [])
        scene.open()
        guard case .hello(_, let outbox, _) = scene.requests[0] else {
            Issue.record("no hello")
            return
        }
        #expect(outbox.rawValue == 92)
        scene.welcome(nextPost: 1)
        #expect(scene.posts.map(\.rawValue) == [1, 2])
        #expect(scene.chat.queued.map(\.id) == ids)
    }

    @Test("renews an outbox whose posts the server has forgotten")
    func serverForgot() throws {
        var scene = try Scene()
        scene.enter()
        scene.post(["1", "2"])
        scene.accept(1, at: 1)
        scene.close()
        scene.open()
        scene.welcome(nextPost: 1)
        #expect(scene.reconnects == 1)
        scene.open()
        scene.welcome(nextPost: 1)
        #expect(scene.chat.queued.map(\.number.rawValue) == [1])
        #expect(scene.posts.map(\.rawValue) == [1])
    }

    @Test("one write keeps a post and notes that it is sent; it is sent after that")
    func offeredWithTheWrite() throws {
        var scene = try Scene()
        scene.enter()
        scene.isDiskSlow = true
        scene.post("a")
        #expect(scene.waiting.count == 1)
        #expect(scene.posts == [])
        scene.work()
        scene.run()
        #expect(scene.waiting.isEmpty)
        #expect(scene.posts == [.first])
        #expect(try scene.journal.offered(of: scene.chat.knownServer) == .first)
    }

    @Test("what was written without a connection is noted as sent before it is")
    func offeredLater() throws {
        var scene = try Scene()
        scene.post("a", "b")
        #expect(try scene.journal.offered(of: scene.chat.knownServer) == nil)
        scene.open()
        scene.isDiskSlow = true
        scene.journal.failWrites(with: .full)
        scene.welcome()
        scene.work()
        scene.run()
        #expect(scene.posts == [])
        #expect(scene.events.contains(.storageFailed(.full)))
        scene.journal.failWrites(with: nil)
        scene.pass(.seconds(5))
        #expect(scene.posts == [])
        scene.work()
        scene.run()
        #expect(scene.posts.map(\.rawValue) == [1, 2])
        #expect(try scene.journal.offered(of: scene.chat.knownServer)?.rawValue == 2)
    }

    /// An outbox with the first post offered and two more written without a connection, and a server that
    /// has posts up to the third from another copy of it.
    private func olderCopy() throws -> Scene {
        let journal = MemoryClientJournal(dice: Dice(seed: 1))
        var original = try Scene(journal: journal)
        original.enter()
        original.post("sent")
        var scene = try Scene(journal: journal.copyForCrash())
        scene.post("b", "c")
        scene.open()
        scene.welcome(nextPost: 4)
        return scene
    }

    @Test("an older copy's new posts are not taken for those that the server has")
    func decisionsOfAnotherCopy() throws {
        var scene = try olderCopy()
        // The number that was offered means the same post; the others do not.
        #expect(scene.posts == [.first])
        scene.accept(2, at: 4)
        #expect(scene.decisions == [])
        scene.accept(1, at: 3)
        #expect(scene.decisions == [.accepted(.lobby, SequenceNumber(rawValue: 3))])
        // Whether the other copy has sent them is to be read in the room.
        #expect(scene.reconnects == 0)
        scene.subscribed(first: 1, last: 0)
        #expect(scene.reconnects == 1)
        #expect(scene.chat.queued.map(\.post.text) == ["b", "c"])
        scene.open()
        scene.welcome(nextPost: 1)
        #expect(scene.posts.map(\.rawValue) == [1, 2])
        #expect(scene.chat.knownServer.outbox == OutboxID(rawValue: 92))
        scene.post("d")
        #expect(scene.posts.map(\.rawValue) == [1, 2, 3])
    }

    @Test(
        "an older copy finds its posts in the log that another copy has sent, and sends them no more"
    )
    func postsOfAnotherCopy() throws {
        var scene = try olderCopy()
        scene.accept(1, at: 1)
        scene.subscribed(first: 1, last: 3)
        func id(_ number: UInt64) -> PostID {
            PostID(
                member: Scene.me.id,
                outbox: scene.chat.knownServer.outbox,
                number: PostNumber(rawValue: number)
            )
        }
        scene.entry(1, "sent", authored: 1, id: id(1))
        scene.entry(2, "b", authored: 1, id: id(2))
        scene.entry(3, "something else", authored: 1, id: id(3))
        let mine = scene.events.compactMap {
            if case .entry(_, let mine) = $0 { mine?.rawValue } else { nil }
        }
        #expect(mine == [1, 2])
        #expect(
            scene.decisions
                == [1, 2].map { .accepted(.lobby, SequenceNumber(rawValue: $0)) }
        )
        #expect(scene.reconnects == 1)
        #expect(scene.chat.queued.map(\.post.text) == ["c"])
        let rows = try scene.journal.undecided(of: scene.chat.knownServer)
        #expect(rows.map(\.post.text) == ["c"])
        #expect(rows.map(\.number) == [.first])
    }

    @Test("posts that are written while an outbox is left go into the next one")
    func postWhileChecking() throws {
        var scene = try olderCopy()
        scene.post("d")
        #expect(scene.posts == [.first])
        scene.accept(1, at: 1)
        scene.subscribed(first: 1, last: 0)
        #expect(scene.chat.queued.map(\.post.text) == ["b", "c", "d"])
        scene.open()
        scene.welcome(nextPost: 1)
        #expect(scene.posts.map(\.rawValue) == [1, 2, 3])
    }

    @Test("decisions that overtake the welcome do not make the server seem forgetful")
    func decisionsBeforeWelcome() throws {
        var scene = try Scene()
        scene.enter()
        scene.post("a", "b", "c")
        scene.open()
        // Another face has sent them; the welcome that was written before is lost for a moment.
        let decided = Reply.decided([
            .first: .accepted(.lobby, SequenceNumber(rawValue: 1)),
            PostNumber(rawValue: 2): .accepted(.lobby, SequenceNumber(rawValue: 2)),
        ])
        scene.bring(decided.bytes, stream: ChatStream.control, number: 1)
        scene.welcome(nextPost: 1)
        #expect(scene.reconnects == 0)
        #expect(scene.decisions.count == 2)
        #expect(scene.chat.queued.map(\.number.rawValue) == [3])
    }

    @Test(
        "a decision that comes while the outbox is renumbered is written down under the new number"
    )
    func decidedWhileRenumbering() throws {
        let journal = MemoryClientJournal(dice: Dice(seed: 1))
        var scene = try Scene(journal: journal)
        scene.enter()
        scene.post("a", "b", "c")
        scene.accept(1, at: 1)
        scene.open()
        scene.isDiskSlow = true
        // The server has forgotten the first: the outbox is to be renewed.
        scene.welcome(nextPost: 1)
        #expect(scene.waiting.count == 1)
        // It decides about the others all the same, before the journal has answered.
        scene.accept(2, at: 2)
        scene.isDiskSlow = false
        scene.work()
        scene.run()
        #expect(scene.chat.queued.map(\.post.text) == ["c"])
        #expect(scene.decisions == [1, 2].map { .accepted(.lobby, SequenceNumber(rawValue: $0)) })
        let rows = try journal.decided(of: scene.chat.knownServer, limit: 10)
        #expect(rows.map(\.post.text) == ["b"])
        #expect(rows.map(\.decision) == [.accepted(.lobby, SequenceNumber(rawValue: 2))])
    }

    @Test("goes on with the outbox that another face renewed")
    func otherFaceRenewed() throws {
        var scene = try Scene()
        scene.enter()
        let server = try scene.journal.server(at: "test")
        _ = try scene.journal.renewOutbox(of: server, to: OutboxID(rawValue: 50))
        scene.post("late")
        #expect(scene.reconnects == 1)
        #expect(scene.chat.knownServer.outbox == OutboxID(rawValue: 50))
        #expect(scene.chat.queued.map(\.post.text) == ["late"])
    }

    @Test("hears of posts that another face sent for it at the first contact")
    func firstContactOfTwo() throws {
        var scene = try Scene(isFirstContact: true)
        var other = try Scene(journal: scene.journal, isFirstContact: true)
        scene.post("a")
        other.post("b")
        scene.open()
        scene.welcome()
        #expect(scene.posts.map(\.rawValue) == [1, 2])
        scene.accept(1, at: 1)
        scene.decide(2, .refused(.tooManyRequests))
        other.open()
        #expect(other.chat.queuedCount == 0)
        let decided = other.events.compactMap { event -> String? in
            guard case .decided(let post, let decision) = event else { return nil }
            return "\(post.id.rawValue) \(post.post.text) \(decision == .refused(.tooManyRequests))"
        }
        #expect(decided == ["1 a false", "2 b true"])
    }

    @Test("hears of posts that were decided in another outbox, and knows their entries")
    func firstContactMerged() throws {
        var scene = try Scene()
        scene.enter()
        scene.post("earlier")
        scene.accept(1, at: 1)
        var slow = try Scene(journal: scene.journal, address: "alias", isFirstContact: true)
        slow.post(["x", "x", "y"])
        var quick = try Scene(journal: scene.journal, address: "alias", isFirstContact: true)
        quick.open()
        quick.welcome(nextPost: 2)
        #expect(quick.posts.map(\.rawValue) == [2, 3, 4])
        quick.accept(2, at: 2)
        quick.accept(3, at: 3)
        slow.open()
        let places: [UInt64] = [2, 3]
        let expected = places.map {
            PostDecision.accepted(.lobby, SequenceNumber(rawValue: $0))
        }
        #expect(slow.decisions == expected)
        #expect(slow.chat.queued.map(\.id.rawValue) == [3])
        slow.welcome(nextPost: 4)
        slow.subscribed(first: 2, last: 2)
        let id = PostID(
            member: Scene.me.id,
            outbox: slow.chat.knownServer.outbox,
            number: PostNumber(rawValue: 2)
        )
        slow.entry(2, "x", id: id)
        let mine = slow.events.compactMap {
            if case .entry(_, let mine) = $0 { mine?.rawValue } else { nil }
        }
        #expect(mine == [1])
    }

    @Test("wishes for its name until the server knows it, and takes on what it is called then")
    func nameWishedOnce() throws {
        let journal = MemoryClientJournal(dice: Dice(seed: 1))
        try journal.setName(Scene.me.name, of: try journal.server(at: "test"))
        var scene = try Scene(journal: journal)
        func wish() -> [MemberName?] {
            scene.requests.compactMap {
                if case .hello(let name, _, _) = $0 { .some(name) } else { nil }
            }
        }
        scene.open()
        #expect(wish() == [Scene.me.name])
        // Nobody has answered: the wish still stands.
        scene.open()
        #expect(wish() == [Scene.me.name])
        scene.welcome()
        scene.open()
        #expect(wish() == [nil])
    }

    @Test("says what is wrong with a post that no server would take")
    func refusedHere() throws {
        var scene = try Scene()
        scene.post("")
        scene.post(String(repeating: "x", count: 65_537))
        let failures = scene.events.compactMap {
            if case .postFailed(_, let failure) = $0 { failure } else { nil }
        }
        #expect(failures == [.refused(.empty), .refused(.messageTooLong)])
    }

    @Test(
        "a reference that no log reaches is refused before it gets a row",
        arguments: [ByteWriter.largestVarint, 9_999_999_999_999_999_999, .max]
    )
    func referenceTooFar(_ number: UInt64) throws {
        var scene = try Scene()
        scene.enter()
        let post = Post(
            room: .lobby,
            kind: .reply,
            reference: SequenceNumber(rawValue: number),
            authored: WallTime(milliseconds: 1),
            text: "hi"
        )
        scene.chat.post([post], ticket: Ticket(rawValue: 1), at: scene.now)
        scene.run()
        #expect(scene.events.last == .postFailed(Ticket(rawValue: 1), .refused(.noSuchEntry)))
        #expect(scene.chat.queuedCount == 0)
    }

    @Test("a row with such a reference, left by an earlier version, is sent and decided")
    func referenceTooFarStored() throws {
        var scene = try Scene()
        let post = Post(
            room: .lobby,
            kind: .reply,
            reference: SequenceNumber(rawValue: .max),
            authored: WallTime(milliseconds: 1),
            text: "hi"
        )
        _ = try scene.journal.enqueue(
            [post],
            to: scene.chat.knownServer,
            after: nil,
            offering: true
        )
        scene = try Scene(journal: scene.journal)
        scene.enter()
        #expect(scene.posts == [.first])
        scene.decide(1, .refused(.noSuchEntry))
        #expect(scene.decisions == [.refused(.noSuchEntry)])
    }

    @Test("a full disk fails the wish, and nothing is sent")
    func fullDisk() throws {
        var scene = try Scene()
        scene.enter()
        scene.journal.failWrites(with: .full)
        scene.post("halo")
        #expect(scene.posts == [])
        #expect(scene.events.last == .postFailed(Ticket(rawValue: 1), .notStored(.full)))
        scene.journal.failWrites(with: nil)
        scene.post("halo")
        #expect(scene.posts.map(\.rawValue) == [1])
    }

    @Test("a decision that cannot be written down is told, and written down later")
    func decisionNotStored() throws {
        var scene = try Scene()
        scene.enter()
        scene.post("halo")
        scene.journal.failWrites(with: .full)
        scene.accept(1, at: 1)
        #expect(scene.decisions.count == 1)
        scene.journal.failWrites(with: nil)
        scene.pass(.seconds(6))
        let server = try scene.journal.server(at: "test")
        #expect(try scene.journal.undecided(of: server) == [])
        #expect(scene.decisions.count == 1)
    }

    @Test("decisions that cannot be written down take room from further posts")
    func keptDecisions() throws {
        var configuration = ChatClient.Configuration()
        configuration.outboxLimit = 2
        var scene = try Scene(configuration: configuration)
        scene.enter()
        scene.post(["a", "b"])
        let full = PostFailure.refused(.tooManyRequests)
        scene.isDiskSlow = true
        scene.decide(1, .refused(.noSuchRoom))
        scene.decide(2, .refused(.noSuchRoom))
        scene.post("while they are written")
        #expect(scene.events.last == .postFailed(Ticket(rawValue: 2), full))
        scene.journal.failWrites(with: .full)
        scene.isDiskSlow = false
        scene.work()
        scene.run()
        scene.post("while they wait")
        #expect(scene.events.last == .postFailed(Ticket(rawValue: 3), full))
        scene.journal.failWrites(with: nil)
        scene.pass(.seconds(6))
        scene.post("afterwards")
        #expect(scene.posts.map(\.rawValue) == [1, 2, 3])
    }

    @Test("knows its own entry, whether it comes before or after the decision")
    func mine() throws {
        var scene = try Scene()
        scene.enter()
        scene.post(["1", "2"])
        let outbox = scene.chat.knownServer.outbox
        func id(_ number: UInt64) -> PostID {
            PostID(member: Scene.me.id, outbox: outbox, number: PostNumber(rawValue: number))
        }
        scene.accept(1, at: 1)
        scene.entry(1, "1", id: id(1))
        scene.entry(2, "2", id: id(2))
        let mine = scene.events.compactMap {
            if case .entry(_, let mine) = $0 { mine?.rawValue } else { nil }
        }
        #expect(mine == [1, 2])
    }
}
