import KirimClient
import KirimRooms
import KirimScreen
import KirimTerminal
import KirimWire
import Testing

@Suite("The line face")
struct LineFaceTests {
    private var face = LineFace(
        address: .local,
        room: .lobby,
        words: Words(.english),
        style: Style(isOn: false),
        clock: .none
    )

    private static let ani: Author = {
        guard let name = MemberName("ani") else { preconditionFailure("ani is a name") }
        return .member(MemberID(rawValue: 1), name)
    }()

    private static let key: PublicKey = {
        guard let key = PublicKey(bytes: [UInt8](repeating: 1, count: 32)) else {
            preconditionFailure("32 bytes are a key")
        }
        return key
    }()

    /// The room that the text is sent to, where that is all that is wished.
    private func sent(by effects: [LineFace.Effect], text: String = "halo") -> RoomName? {
        guard effects.count == 1, case .wish(.send(_, text, .text, let room, nil)) = effects[0]
        else { return nil }
        return room
    }

    private func post(_ number: UInt64, _ text: String) -> QueuedPost {
        QueuedPost(
            id: QueuedPost.ID(rawValue: number),
            post: Post(room: .lobby, authored: WallTime(milliseconds: 0), text: text)
        )
    }

    private func entry(
        _ sequence: UInt64,
        _ text: String,
        kind: EntryKind = .text,
        reference: UInt64? = nil,
        author: Author = LineFaceTests.ani
    ) -> Entry {
        Entry(
            sequence: SequenceNumber(rawValue: sequence),
            post: Post(
                room: .lobby,
                kind: kind,
                reference: reference.map { SequenceNumber(rawValue: $0) },
                authored: WallTime(milliseconds: 0),
                text: text
            ),
            author: author,
            id: nil,
            received: WallTime(milliseconds: 0)
        )
    }

    @Test(
        "shows a message of one's own as waiting, and prints it once, with its mark, when it is in the room"
    )
    mutating func own() {
        let mine = post(1, "halo")
        #expect(face.receive(.queued(mine)).isEmpty)
        #expect(face.foot.waiting == ["… halo"])
        let place = SequenceNumber(rawValue: 7)
        #expect(face.receive(.decided(mine, .accepted(.lobby, place))).isEmpty)
        #expect(face.foot.waiting == ["✓ halo"])
        #expect(face.receive(.entry(entry(7, "halo"), mine: mine.id)) == [.print("✓ ani: halo")])
        #expect(face.foot.waiting.isEmpty)
    }

    @Test("forgets a waiting message whose place was printed before its acceptance came")
    mutating func entryFirst() {
        let mine = post(1, "halo")
        _ = face.receive(.queued(mine))
        _ = face.receive(.entry(entry(7, "halo"), mine: mine.id))
        _ = face.receive(.queued(post(2, "apa")))
        _ = face.receive(.entry(entry(8, "apa"), mine: nil))
        #expect(face.foot.waiting == ["… apa"])
        _ = face.receive(.decided(post(2, "apa"), .accepted(.lobby, SequenceNumber(rawValue: 8))))
        #expect(face.foot.waiting.isEmpty)
    }

    @Test("says which message was refused, and why")
    mutating func refused() {
        _ = face.receive(.queued(post(1, "x")))
        let effects = face.receive(.decided(post(1, "x"), .refused(.notInRoom)))
        #expect(effects == [.note("-- ✗ not sent: x — \(Refusal.notInRoom.sentence)")])
        #expect(face.foot.waiting.isEmpty)
    }

    @Test("shows a few waiting messages, and the number of the others")
    mutating func many() {
        for number in 1...10 { _ = face.receive(.queued(post(UInt64(number), "m\(number)"))) }
        #expect(face.foot.waiting == ["… m1", "… m2", "… m3", "… m4", "… and 6 more are waiting"])
    }

    @Test("prints nothing that a terminal would obey, whoever wrote it")
    mutating func sanitised() {
        let text = "\u{1B}[2J\u{202E}x\nroot: hi"
        let effects = face.receive(.entry(entry(1, text), mine: nil))
        #expect(effects == [.print("ani: \\u{1B}[2J\\u{202E}x\n    root: hi")])
        _ = face.receive(.queued(post(1, text)))
        #expect(face.foot.waiting == ["… \\u{1B}[2J\\u{202E}x⏎root: hi"])
    }

    @Test("shows every kind of entry as itself, and marks who speaks plain text")
    mutating func kinds() {
        func shown(_ entry: Entry) -> String { EntryText(entry, words: Words(.english)).text }
        let plain = Author.plain(Address(ip: .loopback, port: 50_001))
        #expect(shown(entry(1, "waves", kind: .action)) == "* ani waves")
        #expect(shown(entry(1, "budi joined", kind: .notice, author: .server)) == "-- budi joined")
        #expect(shown(entry(1, "halo", kind: .broadcast, author: .server)) == "Server: halo")
        #expect(shown(entry(1, "b", kind: .edit, reference: 3)) == "ani changes #3: b")
        #expect(shown(entry(1, "", kind: .delete, reference: 3)) == "ani takes back #3")
        #expect(shown(entry(1, "👍", kind: .reaction, reference: 3)) == "ani reacts to #3: 👍")
        #expect(shown(entry(1, "ya", kind: .reply, reference: 3)) == "ani (to #3): ya")
        #expect(shown(entry(1, "hi", author: plain)) == "127.0.0.1:50001 (plain): hi")
    }

    @Test("tells in the prompt, in words, how things stand")
    mutating func prompt() {
        #expect(face.foot.prompt == "#lobby (connecting)> ")
        _ = face.receive(.phase(.connected))
        #expect(face.foot.prompt == "#lobby> ")
        _ = face.receive(.phase(.silent(.seconds(12))))
        #expect(face.foot.prompt == "#lobby (silent for 12 s)> ")
        #expect(face.receive(.phase(.unreachable)).count == 1)
        #expect(face.receive(.phase(.unreachable)).isEmpty)
        #expect(face.foot.prompt == "#lobby (offline)> ")
    }

    @Test("counts the seconds of a silence: each in the first minute, then each ten")
    mutating func silence() {
        let begun = Instant.start.advanced(by: .seconds(100))
        _ = face.timePassed(to: begun)
        #expect(face.deadline == nil)
        _ = face.receive(.phase(.silent(.seconds(6))))
        #expect(face.foot.prompt == "#lobby (silent for 6 s)> ")
        #expect(face.deadline == begun.advanced(by: .seconds(1)))
        _ = face.timePassed(to: begun.advanced(by: .seconds(1)))
        #expect(face.foot.prompt == "#lobby (silent for 7 s)> ")
        _ = face.timePassed(to: begun.advanced(by: .seconds(54)))
        #expect(face.foot.prompt == "#lobby (silent for 60 s)> ")
        #expect(face.deadline == begun.advanced(by: .seconds(64)))
        _ = face.receive(.phase(.connected))
        #expect(face.deadline == nil)
    }

    @Test("says after three seconds that nobody has answered, once, and not where somebody has")
    mutating func noAnswerYet() {
        let due = Instant.start.advanced(by: .seconds(3))
        var heard = face
        #expect(face.deadline == due)
        #expect(face.timePassed(to: due.advanced(by: .milliseconds(-1))).isEmpty)
        #expect(face.timePassed(to: due).count == 1)
        #expect(face.timePassed(to: due.advanced(by: .seconds(3))).isEmpty)
        _ = heard.receive(.phase(.connected))
        #expect(heard.deadline == nil)
        #expect(heard.timePassed(to: due).isEmpty)
    }

    @Test("says that the server is asked later, where it is not heard")
    mutating func askedLater() {
        let later = LineFace.Effect.note(
            "-- The server is not heard now; the name is wished for as soon as it is."
        )
        #expect(face.submit("/name budi").contains(later))
        #expect(!face.submit("/rooms").contains(later))
        _ = face.receive(.phase(.connected))
        #expect(!face.submit("/name budi").contains(later))
        #expect(!face.submit("halo").contains(later))
    }

    @Test("a day that is not today stands above its first line, and so does the next one")
    func days() {
        var face = LineFace(
            address: .local,
            room: .lobby,
            words: Words(.english),
            style: Style(isOn: false),
            clock: LineFace.Clock(
                time: { _ in "12:00" },
                day: { "day \($0.milliseconds / 10)" },
                today: { "day 3" }
            )
        )
        var printed: [String] = []
        for (number, time) in [(1, 11), (2, 12), (3, 31), (4, 32)] as [(UInt64, Int64)] {
            let post = Post(room: .lobby, authored: WallTime(milliseconds: time), text: "x")
            let entry = Entry(
                sequence: SequenceNumber(rawValue: number),
                post: post,
                author: Self.ani,
                id: nil,
                received: WallTime(milliseconds: time)
            )
            for case .print(let line) in face.receive(.entry(entry, mine: nil)) {
                printed.append(line)
            }
        }
        let line = "12:00 ani: x"
        #expect(printed == ["-- day 1", line, line, "-- day 3", line, line])
    }

    @Test("says why a room cannot be left, and which command was refused")
    mutating func commandsThatFail() {
        let stay = "-- Nobody leaves the lobby; /quit ends the chat."
        #expect(face.submit("/leave") == [.note(stay)])
        #expect(face.submit("/leave lobby") == [.note(stay)])
        #expect(
            face.submit("/leave nowhere")
                == [.note("-- You are not in #nowhere; /join nowhere goes there.")]
        )
        let long = face.submit("/name " + String(repeating: "a", count: 33))
        #expect(
            long == [.note("-- That did not work: \(Refusal.nameNotAllowed.sentence)")]
        )
        let sent = face.submit("/delete 7").compactMap { effect in
            if case .wish(let wish) = effect { wish } else { nil }
        }
        let effects = face.take(.failed(sent[0], .refused(.notAllowed)), identity: Self.key)
        #expect(
            effects == [.note("-- ✗ not sent: /delete 7 — \(Refusal.notAllowed.sentence)")]
        )
    }

    @Test("says which name cannot be looked up, and why, without what would command a terminal")
    mutating func unknownHost() {
        let effects = face.receive(.unknownHost("ruang.example", reason: "no\u{1B}[2J such name"))
        guard case .note(let line)? = effects.first, effects.count == 1 else {
            Issue.record("\(effects)")
            return
        }
        #expect(line.contains("ruang.example"))
        #expect(line.contains("such name"))
        #expect(!line.contains("\u{1B}"))
        #expect(face.foot.prompt == "#lobby (offline)> ")
    }

    @Test("greets once, however often the server is found again")
    mutating func welcome() {
        let key = PublicKey(bytes: [UInt8](repeating: 1, count: 32))!
        let me = Member(id: MemberID(rawValue: 1), key: key, name: MemberName("ani")!)
        #expect(face.receive(.welcomed(me, server: "kelas")).count == 1)
        #expect(face.receive(.welcomed(me, server: "kelas")).isEmpty)
    }

    @Test("stops hard at a changed key, and says what to compare and what to type")
    mutating func changedKey() {
        let key = PublicKey(bytes: [UInt8](repeating: 9, count: 32))!
        let effects = face.receive(.stopped(.serverKeyChanged(key)))
        guard effects.count == 2, case .note(let text) = effects[0] else {
            Issue.record("\(effects)")
            return
        }
        #expect(effects[1] == .stop(.serverKeyChanged(key)))
        #expect(text.contains(key.fingerprint))
        #expect(text.contains("kirim chat 127.0.0.1:12345 --trust \(key)"))
    }

    @Test(
        "shows what was typed at once, also before it is in the outbox, and says so when it never gets there"
    )
    mutating func drafts() {
        let sent = (face.submit("satu") + face.submit("dua")).compactMap { effect in
            if case .wish(let wish) = effect { wish } else { nil }
        }
        #expect(face.foot.waiting == ["… satu", "… dua"])
        _ = face.receive(.queued(post(1, "satu")))
        #expect(face.foot.waiting == ["… satu", "… dua"])
        #expect(face.farewell(waiting: 1, isTyped: false).count == 2)
        #expect(face.farewell(waiting: 1, isTyped: true).count == 1)
        let effects = face.take(
            .failed(sent[1], .refused(.notInRoom)),
            identity: Self.key
        )
        #expect(effects == [.note("-- ✗ not sent: dua — \(Refusal.notInRoom.sentence)")])
        #expect(face.foot.waiting == ["… satu"])
        #expect(face.farewell(waiting: 0, isTyped: true).isEmpty)
    }

    @Test("goes to a room before it writes there, and back to the lobby where that fails")
    mutating func rooms() {
        let room = RoomName("kelas")!
        #expect(face.submit("/join #Kelas").last == .wish(.join(room)))
        #expect(sent(by: face.submit("halo")) == room)
        let failed = ChatScreen.Answer.failed(.join(room), .other("no"))
        #expect(face.take(failed, identity: Self.key) == [.note("-- That did not work: no")])
        #expect(sent(by: face.submit("halo")) == .lobby)
        _ = face.receive(.joined(room))
        #expect(face.submit("/join kelas").allSatisfy { $0 != .wish(.join(room)) })
    }

    @Test("never sends a command that it does not know, and sends what begins with two slashes")
    mutating func unknown() {
        let effects = face.submit("/nmae ani")
        guard case .note(let text) = effects.first, effects.count == 1 else {
            Issue.record("\(effects)")
            return
        }
        #expect(text.contains("/nmae"))
        #expect(sent(by: face.submit("//etc/passwd"), text: "/etc/passwd") == .lobby)
    }

    @Test("refuses a text that is too long with both numbers, and sends one that just fits")
    mutating func tooLong() {
        let fits = String(repeating: "x", count: 65_536)
        #expect(sent(by: face.submit(fits), text: fits) == .lobby)
        guard case .note(let text) = face.submit(fits + "y").first else {
            Issue.record("nothing was said")
            return
        }
        #expect(text.contains("65,537") && text.contains("65,536"))
    }
}
