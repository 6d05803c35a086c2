import KirimRooms
import KirimScreen
import KirimWire
import Testing

@Suite("What is mine on its way")
struct OwnPostTests {
    private var scene = Scene.welcomed()

    @Test("is a row from the moment of typing until it stands in the log, and is never there twice")
    mutating func life() {
        scene.wish(.type("halo"), .send)
        guard case .send(_, "halo", .text, .lobby, nil)? = scene.takeEffects().first else {
            Issue.record("nothing is sent")
            return
        }
        #expect(scene.own().map(\.state) == [.typed])
        let post = scene.queue("halo")
        #expect(scene.own().map(\.state) == [.waiting])
        let place = SequenceNumber(rawValue: 7)
        scene.tell(.decided(post, .accepted(.lobby, place)))
        #expect(scene.own().map(\.state) == [.accepted(place)])
        #expect(scene.screen.link.waiting == 0)
        scene.drain()
        scene.say(7, "halo", by: Scene.me, mine: post.id)
        #expect(scene.own().isEmpty && scene.entries().map(\.isMine) == [true])
        // The waiting row becomes the entry's in one splice.
        let splices = scene.drain().filter { if case .rows = $0 { true } else { false } }
        #expect(splices.count == 1)
        #expect(scene.mirror[.lobby] == scene.rows())
    }

    @Test("stays as refused after a restart, with its text")
    mutating func refusedBefore() throws {
        scene.wish(.type("x"), .send)
        let post = scene.queue("x")
        scene.drain()
        scene.tell(.decided(post, .refused(.notInRoom)))
        #expect(scene.drain().contains(.memory))
        scene.wish(.type("y"), .send)
        guard case .send(let id, _, _, _, _)? = scene.takeEffects().last else { return }
        let failed = ChatScreen.Effect.send(id, text: "y", .text, .lobby, nil)
        scene.answer(.failed(failed, .storage(.full)))
        let memory = scene.screen.memory
        var later = Scene { $0.memory = memory }
        #expect(later.own().map(\.text) == ["x", "y"])
        #expect(later.own().map(\.state) == [.refused(.notInRoom), .failed(.interrupted)])
        later.drain()
        later.wish(.tryAgain(try #require(later.own().first?.id)))
        #expect(later.screen.memory.rooms.first?.refused.map(\.text) == ["y"])
        #expect(later.drain().contains(.memory))
    }

    @Test("is mine also while the server is away, as whoever this was the last time")
    mutating func away() throws {
        scene.say(1, "halo", by: Scene.me)
        let memory = scene.screen.memory
        var later = Scene { $0.memory = memory }
        later.say(1, "halo", by: Scene.me)
        #expect(later.entries().map(\.isMine) == [true])
        #expect(later.screen.myName == Scene.ani.name)
        later.wish(.editLast)
        #expect(later.screen.composer.text == "halo")
        // Another server knows nobody.
        later.wish(.cancel, .answer(.trust(Scene.ani.key)))
        later.reconnect()
        #expect(later.screen.myName == nil && later.screen.memory.me == nil)
    }

    @Test("goes when its entry comes before its acceptance")
    mutating func entryFirst() {
        let post = scene.queue("halo")
        scene.say(7, "halo", by: Scene.me, mine: post.id)
        #expect(scene.own().isEmpty)
        scene.tell(.decided(post, .accepted(.lobby, SequenceNumber(rawValue: 7))))
        #expect(scene.own().isEmpty)
        // Another face's acceptance that names only the place.
        let other = scene.queue("apa")
        scene.say(8, "apa", by: Scene.me)
        scene.tell(.decided(other, .accepted(.lobby, SequenceNumber(rawValue: 8))))
        #expect(scene.own().isEmpty)
    }

    @Test("stays as refused, with the reason, until it is tried again or discarded")
    mutating func refused() throws {
        scene.wish(.type("x"), .send)
        let post = scene.queue("x")
        scene.tell(.decided(post, .refused(.notInRoom)))
        let refused = try #require(scene.own().first)
        #expect(refused.state == .refused(.notInRoom))
        #expect(scene.news.contains(.refused(refused)))
        #expect(scene.screen.room(.lobby)?.refused == 1)
        scene.effects = []
        scene.wish(.tryAgain(refused.id))
        #expect(scene.own().map(\.state) == [.typed])
        #expect(scene.effects.count == 1)
        scene.tell(.decided(scene.queue("x"), .refused(.notInRoom)))
        scene.wish(.discard(try #require(scene.own().first).id))
        #expect(scene.own().isEmpty)
        #expect(scene.screen.room(.lobby)?.refused == 0)
    }

    @Test("says when it did not get into the outbox")
    mutating func failed() throws {
        scene.wish(.type("x"), .send)
        let effect = try #require(scene.takeEffects().first)
        scene.answer(.failed(effect, .storage(.full)))
        #expect(scene.own().map(\.state) == [.failed(.storage(.full))])
        #expect(scene.screen.waitingCount == 0)
    }

    @Test("that an earlier run left comes once, though it is told twice")
    mutating func earlierRun() {
        let post = scene.queue("lama")
        scene.tell(.queued(post))
        #expect(scene.own().count == 1)
        #expect(scene.screen.link.waiting == 1)
    }

    @Test("has no row as a reaction or an edit, unless it is refused")
    mutating func quiet() {
        scene.say(1, by: Scene.me)
        scene.wish(.react(SequenceNumber(rawValue: 1), "👍"))
        #expect(scene.own().isEmpty && scene.screen.link.waiting == 1)
        let post = scene.queue("👍", kind: .reaction, about: 1)
        #expect(scene.own().isEmpty && scene.screen.link.waiting == 1)
        scene.tell(.decided(post, .refused(.tooManyRooms)))
        #expect(scene.own().count == 1 && scene.screen.link.waiting == 0)
        scene.drain()
        #expect(scene.mirror[.lobby] == scene.rows())
    }

    @Test("goes out in the order of the outbox, over all rooms, what is only typed last")
    mutating func order() {
        scene.tell(.joined(Scene.kelas))
        scene.wish(.type("ketik"), .send)
        scene.queue("satu", in: Scene.kelas)
        scene.queue("dua")
        #expect(scene.screen.waiting(limit: 9).map(\.text) == ["satu", "dua", "ketik"])
        #expect(scene.screen.waiting(limit: 1).map(\.text) == ["satu"])
        #expect(scene.screen.waitingCount == 3)
    }

    @Test("ends what is said about a server that takes nothing for now")
    mutating func postponed() {
        let post = scene.queue("satu")
        scene.tell(.postponed(.tooFast, retryAfter: .seconds(1)))
        scene.tell(.postponed(.tooFast, retryAfter: .seconds(2)))
        #expect(scene.news == [.postponed(.tooFast, retryAfter: .seconds(1))])
        #expect(scene.screen.banners == [.postponed(.tooFast)])
        scene.say(1, "satu", by: Scene.me, mine: post.id)
        #expect(scene.screen.banners.isEmpty)
    }

    @Test("is told again by the client that takes the place of one that stopped")
    mutating func reconnecting() throws {
        scene.queue("satu")
        scene.tell(.stopped(.passwordNeeded))
        #expect(scene.screen.banners == [.stopped(.passwordNeeded)])
        scene.effects = []
        scene.wish(.answer(.password("rahasia")))
        #expect(scene.takeEffects() == [.reconnect(.password("rahasia"))])
        scene.reconnect()
        #expect(scene.own().isEmpty && scene.screen.banners.isEmpty)
        scene.queue("satu")
        #expect(scene.own().count == 1)
    }

    @Test("that was refused is not taken for what the next client sends, whose numbers begin anew")
    mutating func refusedBeforeReconnecting() {
        scene.tell(.decided(scene.queue("ditolak"), .refused(.notInRoom)))
        scene.tell(.stopped(.kicked("")))
        scene.wish(.answer(.again))
        scene.reconnect()
        let post = scene.queue("diterima")
        scene.tell(.decided(post, .accepted(.lobby, SequenceNumber(rawValue: 1))))
        scene.say(1, "diterima", by: Scene.me, mine: post.id)
        #expect(scene.own().map(\.text) == ["ditolak"])
        #expect(scene.own().map(\.state) == [.refused(.notInRoom)])
        #expect(scene.screen.link.waiting == 0)
        #expect(scene.screen.memory.rooms.first?.refused.map(\.text) == ["ditolak"])
        scene.drain()
        #expect(scene.mirror[.lobby] == scene.rows())
    }
}
