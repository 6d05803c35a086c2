import KirimTerminal
import Testing

@Suite("The line editor")
struct LineEditorTests {
    private var editor = LineEditor()

    private mutating func type(_ text: String) {
        var reader = KeyReader()
        for key in reader.read(Array(text.utf8)) { _ = editor.press(key) }
    }

    @Test("inserts, moves and erases by characters as people see them")
    mutating func characters() {
        type("ae\u{301}👩‍👧x")
        #expect(editor.text == "ae\u{301}👩‍👧x")
        type("\u{1B}[D\u{7F}")
        #expect(editor.text == "ae\u{301}x")
        type("\u{7F}")
        #expect(editor.text == "ax")
        type("\u{1}b\u{5}c\u{1B}[H\u{1B}[3~")
        #expect(editor.text == "axc")
    }

    @Test("a line that is killed and given back twice, again and again, stops growing")
    mutating func doubling() {
        type("halo")
        for _ in 0..<40 { type("\u{15}\u{19}\u{19}") }
        #expect(editor.text.utf8.count > LineEditor.lengthLimit / 4)
        #expect(editor.text.utf8.count <= LineEditor.lengthLimit)
        let full = editor.text
        type("\u{15}")
        type(String(repeating: "a", count: LineEditor.lengthLimit + 1))
        #expect(editor.text.utf8.count == LineEditor.lengthLimit)
        type("\u{15}\u{1B}[200~" + full + full + full + full + "\u{1B}[201~")
        #expect(editor.text == full + full + full + full)
    }

    @Test("kills to both ends and a word, and gives back what it killed")
    mutating func kills() {
        type("satu dua tiga")
        type("\u{17}")
        #expect(editor.text == "satu dua ")
        type("\u{1B}b\u{B}")
        #expect(editor.text == "satu ")
        type("\u{15}")
        #expect(editor.text == "")
        type("\u{19}\u{19}")
        #expect(editor.text == "satu satu ")
    }

    @Test("remembers lines, and the one that was not sent yet")
    mutating func history() {
        type("one\rtwo\rtwo\rthr")
        type("\u{1B}[A")
        #expect(editor.text == "two")
        type("\u{10}")
        #expect(editor.text == "one")
        #expect(editor.press(.up) == .nothing)
        type("\u{1B}[B\u{1B}[B")
        #expect(editor.text == "thr")
        #expect(editor.press(.down) == .nothing)
    }

    @Test("submits a line, and nothing for an empty one")
    mutating func submit() {
        #expect(editor.press(.enter) == .redraw)
        type("halo")
        #expect(editor.press(.enter) == .submit("halo"))
        #expect(editor.text == "")
    }

    @Test("leaves on Ctrl-D and Ctrl-C only when the line is empty")
    mutating func leaving() {
        type("ab\u{1}\u{4}")
        #expect(editor.text == "b")
        #expect(editor.press(.control("c")) == .redraw)
        #expect(editor.text == "")
        #expect(editor.press(.control("c")) == .interrupt)
        #expect(editor.press(.control("d")) == .endOfInput)
        #expect(editor.press(.control("l")) == .clearScreen)
    }

    @Test("folds a paste of several lines, sends it as it is, and erases it as one")
    mutating func paste() {
        let text = String(repeating: "baris é\n", count: 119) + "akhir"
        _ = editor.press(.pasted(text))
        #expect(editor.view(columns: 80).text == "[pasted 120 lines, 1,076 bytes]")
        type("!")
        #expect(editor.press(.enter) == .submit(text + "!"))
        type("\u{1B}[A\u{7F}\u{7F}")
        #expect(editor.text == "")
        _ = editor.press(.pasted("short"))
        #expect(editor.view(columns: 80).text == "short")
    }

    @Test("never shows more columns than there are, and always the cursor", arguments: 4..<40)
    mutating func view(columns: Int) {
        type("漢字e\u{301}abc👩‍👧 kata 漢字漢字 lagi")
        for _ in 0..<30 {
            let view = editor.view(columns: columns)
            #expect(ColumnWidth.of(view.text) < columns)
            #expect(view.cursor >= 0 && view.cursor <= ColumnWidth.of(view.text))
            _ = editor.press(.left)
        }
        #expect(editor.view(columns: columns).cursor == 0)
    }

    @Test("shows a control character that came with a paste, and does not obey it")
    mutating func control() {
        _ = editor.press(.pasted("a\u{1B}[2Jb"))
        #expect(editor.view(columns: 80).text == "a\\u{1B}[2Jb")
        #expect(editor.press(.enter) == .submit("a\u{1B}[2Jb"))
    }
}

@Suite("Widths and visible text")
struct TextTests {
    @Test(
        "counts columns as terminals do",
        arguments: [
            ("a", 1), ("é", 1), ("e\u{301}", 1), ("漢", 2), ("한", 2), ("ｱ", 1), ("Ａ", 2), ("😀", 2),
            ("👨‍👩‍👧‍👦", 2), ("🇮🇩", 2), ("❤️", 2), ("❤", 1), ("\u{200B}", 0), ("م", 1), ("กำ", 2),
            ("👍🏽", 2), ("", 0),
        ]
    )
    func widths(text: String, columns: Int) {
        #expect(ColumnWidth.of(text) == columns)
    }

    @Test("cuts to a width, never through a wide character")
    func fit() {
        #expect(ColumnWidth.fit("halo", columns: 4) == "halo")
        #expect(ColumnWidth.fit("halo!", columns: 4) == "hal…")
        #expect(ColumnWidth.fit("漢字漢字", columns: 4) == "漢…")
        #expect(ColumnWidth.fit("halo", columns: 0) == "")
    }

    @Test("makes visible what a terminal would obey or hide")
    func visible() {
        #expect(VisibleText.row("a\u{1B}]0;x\u{7}") == "a\\u{1B}]0;x\\u{7}")
        #expect(VisibleText.row("\u{9B}31m") == "\\u{9B}31m")
        #expect(VisibleText.row("txt.\u{202E}exe") == "txt.\\u{202E}exe")
        #expect(
            VisibleText.row("\u{2066}a\u{2069}\u{200F}\u{FEFF}")
                == "\\u{2066}a\\u{2069}\\u{200F}\\u{FEFF}"
        )
        #expect(VisibleText.row("a\r\nb\tc") == "a⏎b    c")
        #expect(VisibleText.block("a\nb\u{2028}c") == "a\n    b\\u{2028}c")
    }

    @Test("leaves letters, emoji and their joiners alone")
    func harmless() {
        for text in ["halo", "👨‍👩‍👧‍👦 ❤️ 🏴󠁧󠁢󠁷󠁬󠁳󠁿", "می‌خواهم", "e\u{301}", "नमस्ते"] {
            #expect(VisibleText.row(text) == text)
        }
    }

    @Test("lets no scalar through that moves the cursor")
    func exhaustive() {
        for value in UInt32(0)...0x2FFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let shown = VisibleText.row(String(Character(scalar)))
            #expect(
                shown.unicodeScalars.allSatisfy {
                    $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value)
                }
            )
        }
    }
}
