import KirimTerminal
import Testing

/// A terminal small enough to be read: rows of characters, a cursor, and the sequences that ``Screen`` uses.
struct TinyTerminal {
    let width: Int
    private(set) var rows: [[Character]] = [[]]
    private var row = 0
    private var column = 0

    init(width: Int) { self.width = width }

    var lines: [String] { rows.map { String($0) } }
    var cursor: (row: Int, column: Int) { (row, column) }

    mutating func write(_ text: String) {
        var scalars = Substring(text)
        while let character = scalars.popFirst() {
            switch character {
            case "\r\n":
                column = 0
                down()
            case "\r": column = 0
            case "\n": down()
            case "\u{1B}": sequence(&scalars)
            default: put(character)
            }
        }
    }

    private mutating func down() {
        row += 1
        while rows.count <= row { rows.append([]) }
    }

    private mutating func put(_ character: Character) {
        let columns = ColumnWidth.of(character)
        if column + columns > width {
            column = 0
            down()
        }
        while rows[row].count < column { rows[row].append(" ") }
        if column < rows[row].count {
            rows[row][column] = character
        } else {
            rows[row].append(character)
        }
        column += 1
    }

    private mutating func sequence(_ rest: inout Substring) {
        guard rest.popFirst() == "[" else { return }
        var digits = ""
        while let next = rest.popFirst() {
            if next.isNumber || next == "?" {
                digits.append(next)
                continue
            }
            switch next {
            case "A": row = max(0, row - (Int(digits) ?? 1))
            case "D": column = max(0, column - (Int(digits) ?? 1))
            case "J" where digits.isEmpty:
                rows[row] = Array(rows[row].prefix(column))
                rows.removeLast(rows.count - row - 1)
            default: break
            }
            return
        }
    }
}

@Suite("The screen")
struct ScreenTests {
    private func editor(_ text: String) -> LineEditor {
        var editor = LineEditor()
        for scalar in text.unicodeScalars { _ = editor.press(.scalar(scalar)) }
        return editor
    }

    @Test("prints arriving lines above the line that is being typed, and never tears it")
    func untorn() {
        var terminal = TinyTerminal(width: 40)
        var screen = Screen(width: 40)
        var line = LineEditor()
        let typed = "halo semuanya, apa kabar hari ini di sana?"
        for (index, scalar) in typed.unicodeScalars.enumerated() {
            _ = line.press(.scalar(scalar))
            let foot = Screen.Foot(waiting: index > 20 ? ["… a", "… b"] : [], prompt: "#lobby> ")
            terminal.write(screen.show(["ani: line \(index)"], foot: foot, line: line))
            #expect(terminal.lines.prefix(index + 1) == (0...index).map { "ani: line \($0)" }[...])
            #expect(terminal.lines.last?.hasPrefix("#lobby> ") == true)
            #expect(terminal.lines.count == index + 2 + foot.waiting.count)
        }
        #expect(terminal.lines.last?.hasSuffix("di sana?") == true)
    }

    @Test("draws the cursor where the next character goes")
    func cursor() {
        var terminal = TinyTerminal(width: 40)
        var screen = Screen(width: 40)
        var line = editor("halo")
        _ = line.press(.left)
        terminal.write(screen.show(foot: Screen.Foot(waiting: [], prompt: "> "), line: line))
        #expect(terminal.cursor == (0, 5))
    }

    @Test("starts each row of a text of several lines at the left, though the terminal is raw")
    func lineEnds() {
        var screen = Screen(width: 40)
        let shown = screen.show(
            ["a\n    b"],
            foot: Screen.Foot(waiting: [], prompt: "> "),
            line: LineEditor()
        )
        #expect(shown == "a\r\n    b\r\n> ")
    }

    @Test("takes everything of the foot away when it leaves")
    func leave() {
        var terminal = TinyTerminal(width: 20)
        var screen = Screen(width: 20)
        let long = String(repeating: "x", count: 90)
        let foot = Screen.Foot(waiting: ["… \(long)", "… b"], prompt: "#lobby> ")
        terminal.write(screen.show(["first"], foot: foot, line: editor(long)))
        terminal.write(screen.leave())
        #expect(terminal.lines == ["first", ""])
        #expect(terminal.cursor == (1, 0))
    }
}
