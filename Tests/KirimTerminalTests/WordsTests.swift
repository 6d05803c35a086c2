import KirimClient
import KirimRooms
import KirimScreen
import KirimTerminal
import KirimWire
import Testing

@Suite("Words")
struct WordsTests {
    @Test(
        "has every sentence in both languages, with the same places for values",
        arguments: Phrase.allCases
    )
    func complete(phrase: Phrase) {
        func places(_ text: String) -> Set<Substring> {
            Set(text.matches(of: /%\d/).map(\.output))
        }
        let forms = phrase.forms
        #expect(!forms.english.isEmpty && !forms.indonesian.isEmpty)
        #expect(places(forms.english) == places(forms.indonesian))
    }

    @Test("says every refusal in Indonesian too", arguments: Refusal.allCases)
    func refusals(refusal: Refusal) {
        #expect(Words(.indonesian).refusal(refusal) != Words(.english).refusal(refusal))
    }

    @Test("takes the language from the first variable that is set")
    func language() {
        #expect(Words(environment: [:]).language == .english)
        #expect(Words(environment: ["LANG": "id_ID.UTF-8"]).language == .indonesian)
        #expect(Words(environment: ["LANG": "id_ID.UTF-8", "LC_ALL": "C"]).language == .english)
        #expect(Words(environment: ["LANG": "en_GB", "LC_MESSAGES": "id"]).language == .indonesian)
        #expect(Words(environment: ["LC_ALL": "", "LANG": "id_ID"]).language == .indonesian)
        #expect(Words(environment: ["LANG": "idaho"]).language == .english)
    }

    @Test("puts values where they belong")
    func values() {
        #expect(Words(.english)(.room, "a", "7", "9") == "#a (members: 7, entries: 9)")
        #expect(Words(.indonesian)(.room, "a", "7", "9") == "#a (anggota: 7, catatan: 9)")
    }

    @Test("honours NO_COLOR, a dumb terminal, and a pipe")
    func style() {
        #expect(Style(environment: ["TERM": "xterm"], isTerminal: true).isOn)
        #expect(!Style(environment: ["TERM": "xterm", "NO_COLOR": "1"], isTerminal: true).isOn)
        #expect(Style(environment: ["TERM": "xterm", "NO_COLOR": ""], isTerminal: true).isOn)
        #expect(!Style(environment: ["TERM": "dumb"], isTerminal: true).isOn)
        #expect(!Style(environment: ["TERM": "xterm"], isTerminal: false).isOn)
        #expect(Style(isOn: false).faint("a") + Style(isOn: false).bold("b") == "ab")
    }
}

@Suite("Lines of JSON")
struct JSONLineTests {
    @Test("keeps text byte for byte, behind the escapes of RFC 8259")
    func quoting() {
        #expect(JSONLine.quoted("a\"b\\c\n\t\r") == #""a\"b\\c\n\t\r""#)
        #expect(JSONLine.quoted("\u{1B}[1m\u{0}\u{85}") == #""\u001b[1m\u0000\u0085""#)
        #expect(JSONLine.quoted("漢👨‍👩‍👧‍👦\u{202E}") == "\"漢👨‍👩‍👧‍👦\u{202E}\"")
    }

    @Test("shows an entry with its fields")
    func entry() {
        let entry = Entry(
            sequence: SequenceNumber(rawValue: 7),
            post: Post(room: .lobby, authored: WallTime(milliseconds: 5), text: "hi"),
            author: .member(MemberID(rawValue: 2), MemberName("ani")!),
            id: nil,
            received: WallTime(milliseconds: 6)
        )
        #expect(
            JSONLine(.entry(entry, mine: QueuedPost.ID(rawValue: 3))).line
                == #"{"event":"entry","room":"lobby","seq":7,"kind":"text","author":"ani","#
                + #""author_type":"member","member":2,"text":"hi","authored_ms":5,"received_ms":6,"#
                + #""post":3,"mine":true}"#
        )
    }

    @Test("shows decisions, phases and stops")
    func others() {
        let post = QueuedPost(
            id: QueuedPost.ID(rawValue: 1),
            post: Post(room: .lobby, authored: WallTime(milliseconds: 0), text: "x")
        )
        let place = SequenceNumber(rawValue: 4)
        #expect(
            JSONLine(.decided(post, .accepted(.lobby, place))).line
                == #"{"event":"decided","post":1,"accepted":true,"room":"lobby","seq":4}"#
        )
        #expect(
            JSONLine(.decided(post, .refused(.empty))).line.hasPrefix(
                #"{"event":"decided","post":1,"accepted":false,"room":"lobby","refusal":"empty","message":"#
            )
        )
        #expect(
            JSONLine(.phase(.silent(.seconds(3)))).line
                == #"{"event":"phase","phase":"silent","silent_ms":3000}"#
        )
        #expect(
            JSONLine(.stopped(.secretRefused)).line
                == #"{"event":"stopped","reason":"secret_refused"}"#
        )
    }
}

@Suite("Lines of input")
struct InputLinesTests {
    private func lines(_ pieces: [[UInt8]], limit: Int = 10) throws -> [String] {
        var input = InputLines(limit: limit)
        var lines: [String] = []
        for piece in pieces { try input.take(piece, into: &lines) }
        try input.finish(into: &lines)
        return lines
    }

    @Test("cuts at line ends, however the bytes come, and passes over empty lines")
    func cuts() throws {
        let bytes = Array("é\r\n\nab\n\r\nc".utf8)
        for cut in 0...bytes.count {
            #expect(try lines([Array(bytes[..<cut]), Array(bytes[cut...])]) == ["é", "ab", "c"])
        }
    }

    @Test("names the line that is too long, and keeps those before it")
    func tooLong() {
        var input = InputLines(limit: 4)
        var lines: [String] = []
        #expect(throws: InputLines.Fault.tooLong(line: 3, limit: 4)) {
            try input.take(Array("abcd\nabcd\r\nabcde\nx".utf8), into: &lines)
        }
        #expect(lines == ["abcd", "abcd"])
    }

    @Test("does not wait for the end of a line that is too long already")
    func endless() {
        var input = InputLines(limit: 4)
        var lines: [String] = []
        #expect(throws: InputLines.Fault.tooLong(line: 1, limit: 4)) {
            try input.take([UInt8](repeating: 0x61, count: 6), into: &lines)
        }
    }

    @Test("names the line that is not UTF-8")
    func notUTF8() {
        #expect(throws: InputLines.Fault.notUTF8(line: 2)) {
            _ = try lines([Array("a\n".utf8), [0xC3], [0x0A]])
        }
    }

    @Test(
        "what is put into a sentence is not searched for places",
        arguments: Words.Language.allCases
    )
    func literalValues(_ language: Words.Language) {
        let shown = Words(language)(.saidRenamed, "%2", "x%1")
        #expect(shown.hasPrefix("%2 ") && shown.hasSuffix(" x%1"))
        #expect("%1 % %% %3 %0 %".filled(with: ["a"]) == "a % %% %3 %0 %")
    }

    @Test("help fits a terminal of 80 columns", arguments: Words.Language.allCases)
    func helpFits(_ language: Words.Language) {
        for line in Words(language)(.help).split(separator: "\n") {
            #expect(ColumnWidth.of(String(line)) <= 77, "\(line)")
        }
    }
}
