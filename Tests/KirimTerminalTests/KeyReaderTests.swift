import KirimTerminal
import Testing

@Suite("The key reader")
struct KeyReaderTests {
    private func keys(_ bytes: [UInt8]) -> [Key] {
        var reader = KeyReader()
        return reader.read(bytes)
    }

    private func keys(_ text: String) -> [Key] { keys(Array(text.utf8)) }

    @Test("reads the same keys however the bytes are cut")
    func cuts() {
        let text = "é漢👩‍👧\u{1B}[D\u{1B}[1;5C\u{1B}OH\u{1B}[200~a\rb\u{1B}[31m\u{1B}[201~x\r"
        let bytes = Array(text.utf8)
        let whole = keys(bytes)
        for cut in 0...bytes.count {
            var reader = KeyReader()
            let parts = reader.read(Array(bytes[..<cut])) + reader.read(Array(bytes[cut...]))
            #expect(parts == whole)
        }
        var single = KeyReader()
        #expect(bytes.flatMap { single.read([$0]) } == whole)
        #expect(whole.contains(.pasted("a\nb\u{1B}[31m")))
        #expect(whole.suffix(2) == [.scalar("x"), .enter])
    }

    @Test("knows the keys that move and erase")
    func editing() {
        #expect(keys("\u{1B}[A\u{1B}[B\u{1B}[C\u{1B}[D") == [.up, .down, .right, .left])
        #expect(
            keys("\u{1B}[H\u{1B}[F\u{1B}[1~\u{1B}[4~\u{1B}OF") == [.home, .end, .home, .end, .end]
        )
        #expect(keys("\u{7F}\u{8}\u{1B}[3~\t") == [.backspace, .backspace, .delete, .tab])
        #expect(keys("\u{1}\u{3}\u{17}") == [.control("a"), .control("c"), .control("w")])
        #expect(keys("\u{1B}b\u{1B}f\u{1B}[1;5D") == [.wordLeft, .wordRight, .wordLeft])
    }

    @Test(
        "swallows a sequence that it does not know, whole",
        arguments: [
            "\u{1B}[?1;2c", "\u{1B}[15~", "\u{1B}[<0;10;5M", "\u{1B}]0;title\u{7}",
            "\u{1B}]8;;x\u{1B}\\",
            "\u{1B}P1$r0m\u{1B}\\", "\u{1B}OP", "\u{1B}z", "\u{1B}[>0;276;0c", "\u{0}", "\u{9B}",
        ]
    )
    func unknown(sequence: String) {
        #expect(keys(sequence + "a") == [.scalar("a")])
    }

    @Test("takes a lone ESC for no part of the next key")
    func loneEscape() {
        var reader = KeyReader()
        #expect(reader.read([0x1B]).isEmpty)
        #expect(reader.isInEscape)
        reader.rest()
        #expect(reader.read(Array("[A".utf8)) == [.scalar("["), .scalar("A")])
    }

    @Test("shows where bytes were not UTF-8, and goes on behind them")
    func notUTF8() {
        #expect(keys([0xC3, 0x41]) == [.scalar("\u{FFFD}"), .scalar("A")])
        #expect(keys([0xFF, 0x41]) == [.scalar("\u{FFFD}"), .scalar("A")])
        #expect(keys([0xED, 0xA0, 0x80, 0x41]) == [.scalar("\u{FFFD}"), .scalar("A")])
        #expect(keys([0xE2, 0x82, 0xE2, 0x82, 0xAC]) == [.scalar("\u{FFFD}"), .scalar("€")])
    }

    @Test("keeps 64 KiB of mixed scripts in one paste, and no more than its limit")
    func longPaste() {
        let line = "halo 漢字 👨‍👩‍👧‍👦 مرحبا é\r\n"
        let text = String(repeating: line, count: 65_536 / line.utf8.count)
        let wanted = text.replacing("\r\n", with: "\n")
        #expect(keys("\u{1B}[200~\(text)\u{1B}[201~") == [.pasted(wanted)])
        var reader = KeyReader()
        let flood = [UInt8](repeating: 0x61, count: KeyReader.pasteLimit + 100)
        let keys = reader.read(Array("\u{1B}[200~".utf8) + flood + Array("\u{1B}[201~".utf8))
        guard case .pasted(let kept) = keys.first else {
            Issue.record("the paste never ended")
            return
        }
        #expect(kept.utf8.count <= KeyReader.pasteLimit + 8)
    }
}
