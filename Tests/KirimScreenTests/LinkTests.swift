import KirimRooms
import KirimScreen
import KirimWire
import Testing

@Suite("The link")
struct LinkTests {
    private var scene = Scene()

    @Test("counts the seconds of silence, and wants to be woken for each")
    mutating func silence() {
        scene.tell(.phase(.connected))
        #expect(scene.screen.deadline == nil)
        scene.now = Instant.start.advanced(by: .seconds(100))
        scene.tell(.phase(.silent(.seconds(5))))
        #expect(scene.screen.link.state == .silent(seconds: 5))
        scene.drain()
        let next = Instant.start.advanced(by: .seconds(101))
        #expect(scene.screen.deadline == next)
        scene.screen.timePassed(to: next)
        #expect(scene.screen.link.state == .silent(seconds: 6))
        #expect(scene.drain() == [.link])
        scene.screen.timePassed(to: next.advanced(by: .milliseconds(10)))
        #expect(scene.drain().isEmpty)
        scene.tell(.phase(.connected))
        #expect(scene.screen.deadline == nil)
    }

    @Test("is offline after a silence as long as that after which a server calls a client gone")
    mutating func longSilence() {
        scene.tell(.phase(.silent(.seconds(5))))
        scene.screen.timePassed(to: .start.advanced(by: .seconds(84)))
        #expect(scene.screen.link.state == .silent(seconds: 89))
        let end = Instant.start.advanced(by: .seconds(85))
        #expect(scene.screen.deadline == end)
        scene.drain()
        scene.screen.timePassed(to: end)
        #expect(scene.screen.link.state == .offline)
        #expect(scene.screen.deadline == nil)
        #expect(scene.drain() == [.link])
        scene.tell(.phase(.connected))
        #expect(scene.screen.link.state == .connected)
    }

    @Test("says offline, roaming and connected as they are, with what waits")
    mutating func states() {
        scene.queue("x")
        #expect(scene.screen.link == .init(state: .connecting, waiting: 1))
        scene.tell(.phase(.unreachable))
        #expect(scene.screen.link.state == .offline)
        scene.tell(.phase(.connected))
        var status = LinkStatus(phase: .connected)
        status.isRoaming = true
        scene.answer(.link(status))
        #expect(scene.screen.link.state == .roaming)
        status.isRoaming = false
        scene.answer(.link(status))
        #expect(scene.screen.link.state == .connected)
    }

    @Test("knows that who is here is old news while the server is not heard")
    mutating func stale() {
        #expect(scene.screen.isPresenceStale)
        scene.tell(.phase(.connected))
        #expect(!scene.screen.isPresenceStale)
        scene.tell(.phase(.silent(.seconds(6))))
        #expect(scene.screen.isPresenceStale)
    }

    @Test("tells trouble once, and its end once")
    mutating func trouble() {
        scene.tell(.welcomed(Scene.ani, server: ""))
        scene.effects = []
        scene.tell(.phase(.unreachable))
        scene.tell(.phase(.unreachable))
        scene.tell(.phase(.connected))
        scene.tell(.phase(.connected))
        #expect(scene.news == [.unreachable, .connectedAgain])
    }

    @Test("tells of a name that cannot be looked up, until it can")
    mutating func unknownHost() {
        scene.tell(.unknownHost("ruang.example", reason: "no such name"))
        #expect(scene.screen.link.state == .offline)
        #expect(scene.screen.banners == [.unknownHost("ruang.example", reason: "no such name")])
        scene.tell(.phase(.connecting))
        #expect(scene.screen.link.state == .connecting)
        #expect(scene.screen.banners.isEmpty)
        scene.tell(.phase(.connected))
        #expect(scene.news == [.unknownHost("ruang.example", reason: "no such name")])
    }

    @Test("raises the gravest banner first, and one of each kind")
    mutating func banners() {
        let key = Scene.ani.key
        scene.tell(.firstContact(key))
        scene.tell(.storageFailed(.full))
        scene.tell(.storageFailed(.full))
        scene.tell(.stopped(.serverKeyChanged(key)))
        #expect(
            scene.screen.banners == [
                .stopped(.serverKeyChanged(key)), .storage(.full), .firstContact(key),
            ]
        )
        scene.wish(.dismiss(.firstContact(key)))
        #expect(scene.screen.banners.count == 2)
    }

    @Test("forgets the log of a server whose place another one has taken")
    mutating func otherServer() {
        scene.say(1)
        let key = Scene.ani.key
        scene.tell(.firstContact(known(PublicKey(bytes: [UInt8](repeating: 9, count: 32)))))
        scene.tell(.postponed(.tooFast, retryAfter: .seconds(1)))
        scene.tell(.stopped(.serverKeyChanged(key)))
        scene.wish(.answer(.trust(key)))
        scene.reconnect()
        #expect(scene.rows().isEmpty)
        #expect(scene.screen.banners.isEmpty)
        scene.say(1, "lain")
        #expect(scene.entries().map(\.text) == ["lain"])
    }

    @Test("is to a server where nobody is in any room yet, and no number means anything")
    mutating func otherServersRooms() throws {
        scene = .welcomed()
        scene.tell(.joined(Scene.kelas))
        scene.wish(.open(Scene.kelas))
        for number in UInt64(1)...3 { scene.say(number, by: Scene.me, in: Scene.kelas) }
        let kinds: [EntryKind] = [.reply, .edit, .delete, .reaction]
        for kind in kinds {
            let post = scene.queue("\(kind)", kind: kind, about: 1, in: Scene.kelas)
            scene.tell(.decided(post, .refused(.noSuchEntry)))
        }
        scene.wish(.type("belum selesai"), .edit(SequenceNumber(rawValue: 2)))
        scene.tell(.stopped(.serverKeyChanged(Scene.ani.key)))
        scene.wish(.answer(.trust(Scene.ani.key)))
        scene.drain()
        scene.reconnect()
        // What was pushed aside comes back.
        #expect(scene.screen.composer.mode == .plain)
        #expect(scene.screen.composer.text == "belum selesai")
        #expect(Set(scene.drain()).isSuperset(of: [.composer, .composerText, .members]))
        #expect(scene.mirror[Scene.kelas] == scene.rows(Scene.kelas))
        // What was written stays, as a message that answers nothing.
        #expect(scene.own(Scene.kelas).map(\.kind) == [.text, .text])
        #expect(scene.own(Scene.kelas).allSatisfy { $0.reference == nil && $0.quote == nil })
        scene.tell(.joined(.lobby))
        #expect(scene.screen.isOutside)
        scene.effects = []
        scene.wish(.join(Scene.kelas))
        #expect(scene.effects.contains(.join(Scene.kelas)))
        scene.tell(.joined(Scene.kelas))
        #expect(!scene.screen.isOutside)
    }
}
