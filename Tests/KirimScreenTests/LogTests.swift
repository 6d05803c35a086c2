import KirimRooms
import KirimScreen
import KirimWire
import Testing

@Suite("The rows of a room")
struct LogTests {
    private var scene = Scene.welcomed()

    @Test("say the day once, and the name once while the same author goes on")
    mutating func days() {
        scene.say(1, minute: 0)
        scene.say(2, minute: 1)
        scene.say(3, by: Scene.citra, minute: 2)
        scene.say(4, by: Scene.citra, minute: 60)
        scene.say(5, by: Scene.citra, minute: 24 * 60)
        let days = scene.rows().compactMap {
            if case .day(let day) = $0 { day.number } else { nil }
        }
        #expect(days == [0, 1])
        #expect(scene.entries().map(\.isContinued) == [false, true, false, false, false])
        guard case .day = scene.rows()[5] else {
            Issue.record("\(scene.rows()[5])")
            return
        }
    }

    @Test("put the day where the person lives, by the offset of that moment")
    func offset() {
        var scene = Scene.welcomed { $0.offset = { _ in 7 * 3_600 } }
        scene.say(1, minute: 16 * 60)
        scene.say(2, minute: 17 * 60)
        #expect(scene.rows().first == .day(CivilDay(number: 0)))
        #expect(scene.rows()[2] == .day(CivilDay(number: 1)))
    }

    @Test("know the calendar, also before 1970 and on leap days")
    func calendar() {
        func date(_ number: Int64) -> [Int] {
            let date = CivilDay(number: number).date
            return [date.year, date.month, date.day]
        }
        #expect(date(0) == [1970, 1, 1])
        #expect(date(-1) == [1969, 12, 31])
        #expect(date(11_016) == [2000, 2, 29])
        #expect(date(20_779) == [2026, 11, 22])
        #expect(CivilDay(WallTime(milliseconds: -1), offset: 0).number == -1)
        #expect(CivilDay(WallTime(milliseconds: .min), offset: -1).number < 0)
    }

    @Test(
        "show an edit in the edited entry, the last one whatever the order in which they are loaded"
    )
    mutating func edits() {
        scene.say(10, "satu")
        scene.say(11, "dua", kind: .edit, about: 10)
        #expect(scene.entries().map(\.text) == ["dua"])
        #expect(scene.entries()[0].isEdited)
        scene.say(12, "tiga", kind: .edit, about: 9)
        let old = [
            Scene.entry(8, "lama", kind: .edit, about: 7), Scene.entry(9, "nol"),
        ]
        scene.answer(.page(.lobby, before: nil, old))
        #expect(scene.entries().map(\.text) == ["tiga", "dua"])
    }

    @Test("show what was taken back as that, without its text")
    mutating func deletes() {
        scene.say(1, "rahasia")
        scene.say(2, "jawaban", kind: .reply, about: 1)
        scene.say(3, kind: .delete, about: 1)
        #expect(scene.entries()[0].isDeleted)
        #expect(scene.entries()[0].text.isEmpty)
        #expect(scene.entries()[1].quote?.text == "")
    }

    @Test("gather reactions under their entry, each person's once, until they are taken back")
    mutating func reactions() {
        scene.say(1)
        scene.say(2, "👍", by: Scene.citra, kind: .reaction, about: 1)
        scene.say(3, "👍", by: Scene.citra, kind: .reaction, about: 1)
        scene.say(4, "🎉", by: Scene.me, kind: .reaction, about: 1)
        scene.say(5, "👍", by: Scene.me, kind: .reaction, about: 1)
        #expect(scene.entries().count == 1)
        let shown = scene.entries()[0].reactions
        #expect(shown.map(\.text) == ["👍", "🎉"])
        #expect(shown.map(\.authors.count) == [2, 1])
        #expect(shown.map(\.isMine) == [true, true])
        scene.say(6, by: Scene.me, kind: .delete, about: 4)
        #expect(scene.entries()[0].reactions.map(\.text) == ["👍"])
    }

    @Test("bound the reactions of an entry, in number and in length")
    mutating func manyReactions() {
        scene.say(1)
        scene.say(2, String(repeating: "x", count: 65), kind: .reaction, about: 1)
        for number in UInt64(3)..<700 { scene.say(number, "\(number)", kind: .reaction, about: 1) }
        #expect(scene.entries()[0].reactions.count == 500)
    }

    @Test("quote what an entry answers, from the moment it is loaded")
    mutating func quotes() {
        scene.say(9, "ya", by: Scene.citra, kind: .reply, about: 8)
        #expect(scene.entries()[0].quote?.author == nil)
        scene.drain()
        scene.answer(.page(.lobby, before: nil, [Scene.entry(8, "apa kabar?")]))
        #expect(scene.entries()[1].quote?.text == "apa kabar?")
        #expect(scene.entries()[1].quote?.author == Scene.budi)
    }

    @Test("tell what names me or answers me, as a word and in any case")
    mutating func mentions() {
        let texts = ["halo Ani!", "@ani lihat", "berani", "animasi", "dan ani"]
        for (place, text) in texts.enumerated() { scene.say(UInt64(place + 1), text) }
        #expect(scene.entries().map(\.mentionsMe) == [true, true, false, false, true])
        scene.say(6, "aku", by: Scene.me)
        scene.say(7, "ya", kind: .reply, about: 6)
        #expect(scene.entries()[5].mentionsMe == false && scene.entries()[5].isMine)
        #expect(scene.entries()[6].mentionsMe)
    }

    @Test("mark names that are new, plain, or somebody else's than before")
    mutating func standings() {
        scene.say(1, by: .plain(Address(ip: .loopback, port: 50_001)))
        scene.say(2, by: .server)
        scene.say(3, by: Scene.budi)
        scene.say(4, by: .member(MemberID(rawValue: 9), MemberName("Budi")!))
        #expect(scene.entries().map(\.standing) == [.plain, .server, .changed, .changed])
        var again = Scene.welcomed { $0.memory = scene.screen.memory }
        again.say(5, by: Scene.citra)
        #expect(again.entries()[0].standing == .new)
    }

    @Test(
        "load earlier entries above, once asked, until there are none, and may be asked again after a failure"
    )
    mutating func earlier() {
        for number in UInt64(201)...205 { scene.say(number) }
        #expect(scene.rows()[0] == .earlier(.more))
        scene.wish(.loadEarlier, .loadEarlier)
        let page = ChatScreen.Effect.page(
            .lobby,
            before: SequenceNumber(rawValue: 201),
            limit: 200
        )
        #expect(scene.takeEffects() == [page])
        #expect(scene.rows()[0] == .earlier(.loading))
        scene.answer(.failed(page, .noAnswer("")))
        #expect(scene.rows()[0] == .earlier(.failed(.noAnswer(""))))
        scene.wish(.loadEarlier)
        scene.answer(
            .page(.lobby, before: nil, (UInt64(1)...200).map { Scene.entry($0) })
        )
        #expect(scene.entries().map(\.sequence.rawValue) == Array(1...205))
        guard case .day = scene.rows()[0] else {
            Issue.record("\(scene.rows()[0])")
            return
        }
    }

    @Test("go to an answered entry that is not loaded, page after page")
    mutating func reveal() {
        for number in UInt64(1_000)...1_010 { scene.say(number) }
        scene.drain()
        scene.wish(.reveal(SequenceNumber(rawValue: 700)))
        #expect(scene.takeEffects().count == 1)
        scene.answer(.page(.lobby, before: nil, (UInt64(800)...999).map { Scene.entry($0) }))
        #expect(scene.takeEffects().count == 1)
        scene.answer(.page(.lobby, before: nil, (UInt64(600)...799).map { Scene.entry($0) }))
        #expect(scene.takeEffects().isEmpty)
        let index = scene.screen.index(of: SequenceNumber(rawValue: 700), in: .lobby)
        #expect(scene.drain().last == .reveal(.lobby, at: try! #require(index)))
    }

    @Test("do not load a whole room to go to its first entry, and say so")
    mutating func farBack() {
        for number in UInt64(20_000)...20_010 { scene.say(number) }
        scene.drain()
        let first = SequenceNumber(rawValue: 9_999)
        scene.wish(.reveal(first))
        #expect(scene.takeEffects() == [.tell(.tooFarBack(first))])
        scene.wish(.reveal(SequenceNumber(rawValue: 10_000)))
        #expect(scene.takeEffects().count == 1)
    }

    @Test("begin anew where the server was set back")
    mutating func setBack() {
        for number in UInt64(1)...5 { scene.say(number) }
        scene.tell(.setBack(.lobby))
        #expect(scene.rows().isEmpty)
        scene.say(3, "lain")
        #expect(scene.entries().map(\.text) == ["lain"])
    }

    @Test("pass over an entry that was told before")
    mutating func repeated() {
        scene.say(1)
        scene.say(1)
        #expect(scene.entries().count == 1)
    }

    @Test("let the oldest go where there are too many, but not under the reader's eyes")
    func bounded() {
        var scene = Scene.welcomed { $0.entries = 1_000 }
        scene.wish(.scroll(atEnd: false))
        for number in UInt64(1)...1_900 { scene.say(number) }
        #expect(scene.entries().count == 1_900)
        scene.wish(.scroll(atEnd: true))
        #expect(scene.entries().count == 1_000)
        #expect(scene.rows()[0] == .earlier(.more))
        for number in UInt64(1_901)...20_000 { scene.say(number) }
        #expect(scene.entries().count <= 1_125)
        scene.wish(.scroll(atEnd: false))
        for number in UInt64(20_001)...30_000 { scene.say(number) }
        #expect(scene.entries().count <= 2_000)
    }

    @Test("cost as much for the hundred thousandth entry as for the first")
    mutating func costs() {
        for number in UInt64(1_000_001)...1_100_000 { scene.say(number, minute: 0) }
        let appended = scene.screen.effort
        // An entry and its row; one day for all of them.
        #expect(appended <= 2 * 100_000 + 10)
        scene.drain()
        for page in 0..<50 {
            let end = UInt64(1_000_000 - page * 200)
            scene.answer(
                .page(.lobby, before: nil, (end - 199...end).map { Scene.entry($0, minute: 0) })
            )
        }
        #expect(scene.screen.effort - appended <= 50 * (2 * 200 + 4))
        #expect(scene.drain().filter { if case .rows = $0 { true } else { false } }.count == 1)
        scene.say(1_100_001, "diubah", kind: .edit, about: 1_000_500)
        let changed = scene.drain().filter { if case .rowChanged = $0 { true } else { false } }
        #expect(changed.count == 1)
        #expect(scene.screen.effort - appended <= 50 * (2 * 200 + 4) + 1)
    }
}
