// swift-format-ignore-file: NeverForceUnwrap

import KirimRooms
import KirimTestKit
import KirimWire
import Testing

private let ani = MemberName("Ani")!
private let kelas = RoomName("kelas-7b")!
private let key = PublicKey(bytes: (0..<32).map { UInt8($0) })!
private let member = Member(id: MemberID(rawValue: 7), key: key, name: ani)
private let emoji = "halo 👩‍👩‍👧‍👦 ½ שלום 你好\n\u{0}\u{1B}[31m"

private func sequence(_ number: UInt64) -> SequenceNumber { SequenceNumber(rawValue: number) }

private let requests: [Request] = [
    .hello(name: nil, outbox: OutboxID(rawValue: .max), agent: ""),
    .hello(name: ani, outbox: OutboxID(rawValue: 1), agent: "kirim/1"),
    .join(kelas), .leave(kelas), .create(kelas), .listRooms, .listMembers(kelas),
    .subscribe(stream: 2, room: kelas, start: .after(.zero), until: nil),
    .subscribe(stream: 3, room: .lobby, start: .after(sequence(70_000)), until: sequence(70_100)),
    .subscribe(stream: 1 << 40, room: .lobby, start: .last(100), until: .zero),
    .unsubscribe(stream: 9), .rename(ani),
]

private let id = RequestID(rawValue: 300)
private let summary = RoomSummary(name: kelas, members: 3, last: sequence(1 << 33))
private let status = MemberStatus(member: member, presence: .away)

private let replies: [Reply] = [
    .welcome(
        id,
        member: member,
        nextPost: PostNumber(rawValue: 12),
        server: "Kelas 7B",
        limits: WireLimits(.standard)
    ),
    .done(id), .refused(id, .nameTaken), .rooms(id, []), .rooms(id, [summary, summary]),
    .roomsPart(id, [summary]), .members(id, kelas, [status, status]), .membersPart(id, kelas, []),
    .subscribed(id, stream: 5, room: kelas, first: sequence(1), last: .zero),
    .decided([
        PostNumber(rawValue: 3): .accepted(kelas, sequence(9)),
        PostNumber(rawValue: 1 << 20): .refused(.messageTooLong),
    ]),
    .postponed(from: .first, .tooFast, retryAfterMilliseconds: 1_500), .renamed(ani),
    .removed(kelas, .banned),
]

private let signals: [Signal] = [
    .presence(.away), .presenceOf(kelas, member.id, ani, .online, online: 4),
]

private let authors: [(Author, PostID?)] = [
    (.server, nil),
    (.member(member.id, ani), nil),
    (
        .member(member.id, ani),
        PostID(member: member.id, outbox: OutboxID(rawValue: 1 << 63), number: .first)
    ),
    (.plain(Address(ip: .loopback, port: 50_001)), nil),
    (.plain(Address(ip: .v6(0xFE80 << 48, 1, zone: 3), port: 9)), nil),
]

private let posts: [Post] = EntryKind.allCases.map { kind in
    Post(
        room: kelas,
        kind: kind,
        reference: kind.needsReference ? sequence(77) : nil,
        authored: WallTime(milliseconds: -5),
        text: emoji
    )
}

private let entries: [Entry] = posts.flatMap { post in
    authors.map { author, id in
        Entry(
            sequence: sequence(78),
            post: post,
            author: author,
            id: id,
            received: WallTime(milliseconds: 1_800_000_000_000)
        )
    }
}

@Suite("The chat's messages on the wire")
struct CodingTests {
    @Test("what is written is read again", arguments: requests)
    func request(_ request: Request) throws {
        try check(request, request.bytes) { bytes throws(WireError) in try Request(parsing: bytes) }
    }

    @Test("a reply is read as it was written", arguments: replies)
    func reply(_ reply: Reply) throws {
        try check(reply, reply.bytes) { bytes throws(WireError) in try Reply(parsing: bytes) }
    }

    @Test("a signal is read as it was written", arguments: signals)
    func signal(_ signal: Signal) throws {
        try check(signal, signal.bytes) { bytes throws(WireError) in try Signal(parsing: bytes) }
    }

    @Test("a post is read as it was written", arguments: posts)
    func post(_ post: Post) throws {
        try check(post, post.bytes) { bytes throws(WireError) in try Post(parsing: bytes) }
    }

    @Test("an entry is read as it was written", arguments: entries)
    func entry(_ entry: Entry) throws {
        try check(entry, entry.bytes) { bytes throws(WireError) in
            try Entry(parsing: bytes, room: kelas, sequence: sequence(78))
        }
    }

    /// Round trip, every proper prefix refused, unknown extensions skipped, a torn extension refused.
    private func check<T: Equatable>(
        _ value: T,
        _ bytes: [UInt8],
        _ read: ([UInt8]) throws(WireError) -> T
    ) throws {
        #expect(try read(bytes) == value)
        for count in 0..<bytes.count {
            #expect(throws: WireError.self) { try read(Array(bytes[..<count])) }
        }
        #expect(try read(bytes + [0x3F, 2, 1, 2, 0x05, 0]) == value)
        #expect(throws: WireError.truncated) { try read(bytes + [0x3F, 2, 1]) }
        #expect(throws: WireError.truncated) { try read(bytes + [0x3F]) }
    }

    @Test("random bytes, and random bytes behind a good start, are read or refused, never a trap")
    func randomBytes() {
        var dice = SeededDice(seed: 7)
        let good =
            requests.map(\.bytes) + replies.map(\.bytes) + signals.map(\.bytes)
            + [posts[0].bytes, entries[0].bytes, entries[4].bytes]
        var readable = 0
        for _ in 0..<20_000 {
            var bytes = good.randomElement(using: &dice)!
            if Bool.random(using: &dice) {
                bytes = (0..<Int.random(in: 0...40, using: &dice)).map { _ in
                    UInt8.random(in: 0...255, using: &dice)
                }
            } else {
                for _ in 0..<Int.random(in: 1...3, using: &dice) {
                    let place = bytes.indices.randomElement(using: &dice)!
                    bytes[place] = UInt8.random(in: 0...255, using: &dice)
                }
            }
            if (try? Request(parsing: bytes)) != nil { readable += 1 }
            if let reply = try? Reply(parsing: bytes) {
                #expect((try? Reply(parsing: reply.bytes)) == reply)
                readable += 1
            }
            if (try? Signal(parsing: bytes)) != nil { readable += 1 }
            if let post = try? Post(parsing: bytes) {
                #expect((try? Post(parsing: post.bytes)) == post)
                readable += 1
            }
            _ = try? Entry(parsing: bytes, room: kelas, sequence: .zero)
        }
        #expect(readable > 1_000)
    }

    @Test("64 KiB of text come back byte for byte, and the entry still fits one record")
    func longText() throws {
        var text = ""
        while text.utf8.count + emoji.utf8.count <= ChatLimits.standard.messageBytes {
            text += emoji
        }
        text += String(repeating: "e\u{301}", count: 30).prefix(10)
        while text.utf8.count < ChatLimits.standard.messageBytes { text += "." }
        let longest = Address(ip: .v6(.max, .max, zone: .max), port: .max)
        let name = MemberName(String(repeating: "\u{1F600}", count: 16))!
        let owner = MemberID(rawValue: ByteWriter.largestVarint)
        let number = PostNumber(rawValue: ByteWriter.largestVarint)
        let id = PostID(member: owner, outbox: OutboxID(rawValue: .max), number: number)
        for (author, id): (Author, PostID?) in [(.plain(longest), nil), (.member(owner, name), id)]
        {
            let post = Post(
                room: kelas,
                kind: .reply,
                reference: sequence(ByteWriter.largestVarint - 2),
                authored: WallTime(milliseconds: .min),
                text: text
            )
            let entry = Entry(
                sequence: sequence(ByteWriter.largestVarint),
                post: post,
                author: author,
                id: id,
                received: WallTime(milliseconds: .max)
            )
            #expect(entry.bytes.count <= RecordFrame.recordLimit)
            #expect(post.bytes.count <= RecordFrame.recordLimit)
            let again = try Entry(parsing: entry.bytes, room: kelas, sequence: entry.sequence)
            #expect(again.text.utf8.elementsEqual(text.utf8))
        }
    }

    @Test(
        "a place beyond every log is sent as the last one there could be",
        arguments: [ByteWriter.largestVarint - 1, ByteWriter.largestVarint, .max]
    )
    func farPlaces(_ number: UInt64) throws {
        let last = sequence(ByteWriter.largestVarint - 1)
        let post = Post(
            room: kelas,
            kind: .reply,
            reference: sequence(number),
            authored: WallTime(milliseconds: 0),
            text: "hi"
        )
        #expect(try Post(parsing: post.bytes).reference == last)
        let far = min(number, ByteWriter.largestVarint)
        let after = Request.subscribe(
            stream: 2,
            room: kelas,
            start: .after(sequence(number)),
            until: sequence(number)
        )
        #expect(
            try Request(parsing: after.bytes)
                == .subscribe(stream: 2, room: kelas, start: .after(sequence(far)), until: last)
        )
        let newest = Request.subscribe(stream: 2, room: kelas, start: .last(number), until: nil)
        #expect(
            try Request(parsing: newest.bytes)
                == .subscribe(stream: 2, room: kelas, start: .last(far), until: nil)
        )
    }

    @Test("a full part of a list fits one record")
    func listParts() {
        let long = RoomSummary(
            name: RoomName(String(repeating: "r", count: RoomName.limit))!,
            members: Int(ByteWriter.largestVarint),
            last: sequence(ByteWriter.largestVarint)
        )
        let rooms = Array(repeating: long, count: Reply.listPart)
        #expect(Reply.rooms(id, rooms).bytes.count <= RecordFrame.recordLimit)
        let name = MemberName(String(repeating: "\u{1F600}", count: 16))!
        let owner = Member(id: MemberID(rawValue: ByteWriter.largestVarint), key: key, name: name)
        let line = MemberStatus(member: owner, presence: .online)
        let members = Array(repeating: line, count: Reply.listPart)
        #expect(Reply.members(id, kelas, members).bytes.count <= RecordFrame.recordLimit)
    }

    @Test("a count that lies is refused before anything is made room for")
    func lyingCount() {
        var writer = ByteWriter()
        writer.byte(0x44)
        writer.varint(1)
        writer.varint(ByteWriter.largestVarint)
        #expect(throws: WireError.truncated) { try Reply(parsing: writer.bytes) }
    }

    @Test("text that is not UTF-8 is refused")
    func brokenText() {
        var bytes = posts[0].bytes
        bytes[bytes.count - 1] = 0xFF
        #expect(throws: WireError.malformed) { try Post(parsing: bytes) }
    }
}

@Suite("Names")
struct NameTests {
    @Test(
        "a name that could hide, reorder or steer is refused",
        arguments: [
            "", "   ", "a\u{0}b", "a\nb", "a\tb", "\u{1B}[2J", "a\u{7F}", "a\u{85}",
            "\u{202E}ina", "a\u{2066}b", "a\u{200B}ni", "a\u{200D}ni", "ani\u{200D}", "a\u{FEFF}",
            "a\u{2060}", "a\u{AD}ni", "a\u{2028}b", "a\u{A0}b", "a\u{3000}b", "\u{3164}",
            "a\u{34F}",
            "a\u{FE0F}", "\u{2800}", "\u{E000}", "/ani", "#ani", "a\u{E0041}",
            String(repeating: "a", count: 33), String(repeating: "\u{1F600}", count: 17),
        ]
    )
    func refused(_ text: String) {
        #expect(MemberName(text) == nil)
    }

    @Test(
        "a name that could be taken for a mark, a notice or another's words is refused",
        arguments: [
            "✓ budi", "✔️ budi", "✅ budi", "✗ x", "❌ x", "… x", "• x", "→ x", "➡️ x", "-- x",
            "* budi",
            "_x", "(x)", "?x", "Server: tutup", "budi: ya setuju", "budi：ya", "budi∶ ya", "budi:",
            "127.0.0.1:5 (plain)", "a  b", "\u{301}a", "“x”", "+1", "$x", "❓",
        ]
    )
    func forging(_ text: String) {
        #expect(MemberName(text) == nil)
    }

    @Test("a name of before that would be refused now is kept, and deceives nobody")
    func kept() {
        let mended = [
            "✓ budi": "?✓ budi", "-- x": "?-- x", "budi: ya": "?budi\u{A6} ya", "a  b": "?a b",
            "?x": "?x", "a: ": "?a\u{A6}",
        ]
        for (text, shown) in mended {
            let name = MemberName(kept: text)
            #expect(name?.text == shown)
            #expect(name?.isAllowed == false)
            // Whoever is told it next reads the same.
            #expect(MemberName(kept: shown) == name)
        }
        #expect(MemberName(kept: "Ani B")?.text == "Ani B")
        #expect(MemberName(kept: "Ani B")?.isAllowed == true)
        #expect(MemberName(kept: "\u{1B}[2J") == nil)
        let long = MemberName(kept: "✓" + String(repeating: "é", count: 30))?.text
        #expect(long?.hasPrefix("?✓é") == true)
        #expect(long?.utf8.count == 64)
    }

    @Test(
        "a mended name reads the same wherever it is told next, also where it was cut",
        arguments: [
            "\u{300}x", "?\u{300}x", ":" + String(repeating: "a", count: 29) + " b",
            "✓" + String(repeating: "a", count: 29) + "👍\u{200D}🇦",
        ]
    )
    func settled(_ text: String) throws {
        let name = try #require(MemberName(kept: text))
        #expect(MemberName(kept: name.text) == name)
        let request = Request.rename(name)
        #expect(try Request(parsing: request.bytes) == request)
    }

    @Test(
        "people's names are taken as they are",
        arguments: [
            "ani", "Ani Wijaya", "ᮃᮔᮤ", "安妮", "Аня", "أني", "👩‍🚀", "❤️", "a-b_c.d", "O'Neil", "7B",
            "🇮🇩 ani", "ani ✓",
            "e\u{301}",
        ]
    )
    func allowed(_ text: String) {
        #expect(MemberName(text)?.text == text)
    }

    @Test("space at both ends is dropped, letters are compared folded")
    func folding() {
        #expect(MemberName("  Ani ")?.text == "Ani")
        #expect(MemberName("ANI")?.folded == MemberName("ani")?.folded)
        #expect(MemberName("É")?.folded == MemberName("e\u{301}")?.folded)
        #expect(RoomName("#Kelas-7B")?.text == "kelas-7b")
        #expect(RoomName("kelas 7b") == nil)
        #expect(RoomName("a\u{202E}b") == nil)
    }

    @Test(
        "a hello with a name that nobody may take asks for none",
        arguments: [
            "", " ", " ani", "ani ", "a: b", "✓ budi", "\u{1B}[2J",
            String(repeating: "a", count: 33), String(repeating: "a", count: 100),
            String(repeating: "\u{1F600}", count: 16) + "a",
        ]
    )
    func noWish(_ name: String) throws {
        func hello(_ name: String) -> [UInt8] {
            var writer = ByteWriter()
            writer.byte(0x01)
            writer.byte(1)
            writer.text(name)
            writer.integer(7 as UInt64)
            writer.text("second/1")
            return writer.bytes
        }
        let outbox = OutboxID(rawValue: 7)
        let nameless = Request.hello(name: nil, outbox: outbox, agent: "second/1")
        #expect(try Request(parsing: hello(name)) == nameless)
        #expect(
            try Request(parsing: hello("ani"))
                == .hello(name: MemberName("ani"), outbox: outbox, agent: "second/1")
        )
    }

    @Test("a name on the wire that is not in its one form is refused")
    func oneForm() {
        func join(_ name: String) -> [UInt8] {
            var writer = ByteWriter()
            writer.byte(0x02)
            writer.text(name)
            return writer.bytes
        }
        #expect((try? Request(parsing: join("lobby"))) == .join(.lobby))
        for name in ["Lobby", "#lobby", "lob by", "", "lobby\u{200B}"] {
            #expect(throws: WireError.malformed) { try Request(parsing: join(name)) }
        }
    }
}
