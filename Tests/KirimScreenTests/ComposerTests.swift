import KirimRooms
import KirimScreen
import KirimWire
import Testing

@Suite("The composer")
struct ComposerTests {
    private var scene = Scene.welcomed()
    private let limit = ChatScreen.Composer.limit

    @Test("keeps a draft for each room")
    mutating func drafts() {
        scene.tell(.joined(Scene.kelas))
        scene.wish(.type("satu"), .open(Scene.kelas))
        #expect(scene.screen.composer.text.isEmpty)
        #expect(scene.screen.room(.lobby)?.hasDraft == true)
        #expect(scene.drain().contains(.composerText))
        scene.wish(.type("dua"), .open(.lobby))
        #expect(scene.screen.composer.text == "satu")
    }

    @Test("says while one types that a text is too long, and does not send it")
    mutating func tooLong() {
        scene.wish(.type(String(repeating: "x", count: limit)))
        #expect(scene.screen.composer.canSend)
        scene.wish(.type(String(repeating: "x", count: limit + 1)))
        #expect(scene.screen.composer.isTooLong)
        #expect(scene.drain().contains(.composer))
        scene.wish(.send)
        #expect(scene.takeEffects() == [.tell(.tooLong(limit + 1))])
        #expect(scene.screen.composer.bytes == limit + 1)
    }

    @Test("answers with a quote, and goes back to nothing when it was sent")
    mutating func reply() {
        scene.say(1, "apa kabar?")
        scene.wish(.reply(SequenceNumber(rawValue: 1)))
        guard case .reply(let quote) = scene.screen.composer.mode else {
            Issue.record("\(scene.screen.composer.mode)")
            return
        }
        #expect(quote.text == "apa kabar?")
        // A slash means nothing in an answer.
        scene.wish(.type("/baik"), .send)
        guard
            case .send(_, "/baik", .reply, .lobby, SequenceNumber(rawValue: 1))? =
                scene.takeEffects().first
        else {
            Issue.record("nothing is sent")
            return
        }
        #expect(scene.own().first?.quote?.text == "apa kabar?")
        #expect(scene.screen.composer.text.isEmpty && scene.screen.composer.mode == .plain)
    }

    @Test("changes one's own last entry, and gives back the draft that it pushed aside")
    mutating func edit() {
        scene.say(1, "satu", by: Scene.me)
        scene.say(2, "dua")
        scene.wish(.type("belum selesai"), .editLast)
        #expect(scene.screen.composer.text == "satu")
        scene.wish(.cancel)
        #expect(scene.screen.composer.text == "belum selesai")
        scene.wish(.edit(SequenceNumber(rawValue: 1)), .type("satu!"), .send)
        guard
            case .send(_, "satu!", .edit, .lobby, SequenceNumber(rawValue: 1))? =
                scene.takeEffects().first
        else {
            Issue.record("nothing is sent")
            return
        }
        #expect(scene.screen.composer.text == "belum selesai")
        scene.wish(.edit(SequenceNumber(rawValue: 2)))
        #expect(scene.screen.composer.mode == .plain, "others' entries are not changed")
        scene.wish(.edit(SequenceNumber(rawValue: 1)), .send)
        #expect(scene.takeEffects().isEmpty, "an edit that changes nothing is none")
    }

    @Test("obeys commands, and keeps the text of one that it does not understand")
    mutating func commands() {
        scene.wish(.type("/me melambai"), .send)
        guard case .send(_, "melambai", .action, .lobby, nil)? = scene.takeEffects().first else {
            Issue.record("nothing is sent")
            return
        }
        scene.wish(.type("/nmae ani"), .send)
        #expect(scene.takeEffects() == [.tell(.unknownCommand("/nmae"))])
        #expect(scene.screen.composer.text == "/nmae ani")
        scene.wish(.type("/rooms"), .send)
        #expect(scene.takeEffects() == [.tell(.wanted(.rooms))])
        #expect(scene.screen.composer.text.isEmpty)
    }

    @Test("keeps several lines one message")
    mutating func lines() {
        scene.wish(.type("satu\ndua"), .send)
        #expect(scene.own().map(\.text) == ["satu\ndua"])
    }

    @Test("takes one's own reaction back where it is given again")
    mutating func toggle() {
        scene.say(1)
        scene.say(2, "👍", by: Scene.me, kind: .reaction, about: 1)
        scene.wish(.react(SequenceNumber(rawValue: 1), "👍"))
        guard
            case .send(_, "", .delete, .lobby, SequenceNumber(rawValue: 2))? = scene.takeEffects()
                .first
        else {
            Issue.record("nothing is sent")
            return
        }
    }

    @Test("remembers drafts, modes and read positions for the next start")
    mutating func memory() {
        scene.say(1)
        scene.wish(.type("draf"), .mode(.lobby, .all))
        let memory = scene.screen.memory
        var next = Scene.welcomed { $0.memory = memory }
        #expect(next.screen.composer.text == "draf")
        #expect(next.screen.room(.lobby)?.mode == .all)
        next.wish(.focus(false))
        next.say(1)
        #expect(next.screen.room(.lobby)?.unread == 0)
        next.say(2)
        #expect(next.screen.room(.lobby)?.unread == 1)
    }
}
