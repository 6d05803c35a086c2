/// A grid of characters that obeys the escape codes a line editor needs, and no more.
///
/// Lines that scroll off the top are kept in ``scrolledOff``.
package struct TerminalScreen: Sendable {
    package let columns: Int
    package let rows: Int
    package private(set) var scrolledOff: [String] = []
    /// The place of the cursor, from 0.
    package private(set) var row = 0
    package private(set) var column = 0
    /// Escape codes that are not known here; a test may require that there are none.
    package private(set) var unknown: [String] = []
    /// One string for each cell; the second cell of a wide character is empty.
    private var grid: [[String]]
    /// Whether the last character filled the line; the next one begins another.
    private var isWrapPending = false

    package init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
        grid = Array(repeating: Self.blank(columns), count: rows)
    }

    private static func blank(_ columns: Int) -> [String] { Array(repeating: " ", count: columns) }

    /// The lines of the screen, without blanks at their ends.
    package var lines: [String] { grid.map(Self.text) }

    /// Everything that was ever left standing: what scrolled off, then the screen.
    package var text: String { (scrolledOff + lines).joined(separator: "\n") }

    package func contains(_ text: String) -> Bool { self.text.contains(text) }

    private static func text(_ cells: [String]) -> String {
        var text = cells.joined()
        while text.last == " " { text.removeLast() }
        return text
    }

    package mutating func obey(_ bytes: [UInt8]) {
        var rest = String(decoding: bytes, as: UTF8.self).unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\u{1B}": escape(&rest)
            case "\r":
                column = 0
                isWrapPending = false
            case "\n": lineFeed()
            case "\u{8}": column = max(0, column - 1)
            case "\t": column = min(columns - 1, (column / 8 + 1) * 8)
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: break
            default: put(scalar)
            }
        }
    }

    private mutating func lineFeed() {
        isWrapPending = false
        guard row == rows - 1 else {
            row += 1
            return
        }
        scrolledOff.append(Self.text(grid.removeFirst()))
        grid.append(Self.blank(columns))
    }

    private mutating func put(_ scalar: Unicode.Scalar) {
        let width = Self.width(scalar)
        if width == 0 {
            // It belongs to the character before the cursor.
            var cell = isWrapPending ? column : max(0, column - 1)
            while cell > 0, grid[row][cell].isEmpty { cell -= 1 }
            grid[row][cell].unicodeScalars.append(scalar)
            return
        }
        if isWrapPending || column + width > columns {
            column = 0
            lineFeed()
        }
        grid[row][column] = String(scalar)
        if width == 2 { grid[row][column + 1] = "" }
        column += width
        if column >= columns {
            column = columns - 1
            isWrapPending = true
        }
    }

    private static func width(_ scalar: Unicode.Scalar) -> Int {
        let category = scalar.properties.generalCategory
        if category == .nonspacingMark || category == .enclosingMark || category == .format {
            return 0
        }
        switch scalar.value {
        case 0xFE00...0xFE0F: return 0
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
            0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }

    private mutating func escape(_ rest: inout String.UnicodeScalarView.SubSequence) {
        guard let kind = rest.popFirst() else { return }
        switch kind {
        case "[": control(&rest)
        case "]", "P", "X", "^", "_":
            // A title or the like, up to its end: BEL or ESC \.
            while let scalar = rest.popFirst(), scalar != "\u{7}" {
                if scalar == "\u{1B}" {
                    _ = rest.popFirst()
                    break
                }
            }
        case "7", "8", "=", ">", "c": break
        default: unknown.append("ESC \(kind)")
        }
    }

    private mutating func control(_ rest: inout String.UnicodeScalarView.SubSequence) {
        var text = ""
        while let scalar = rest.popFirst() {
            guard (0x40...0x7E).contains(scalar.value) else {
                text.unicodeScalars.append(scalar)
                continue
            }
            obey(scalar, text)
            return
        }
    }

    private mutating func obey(_ final: Unicode.Scalar, _ parameters: String) {
        let numbers = parameters.split(separator: ";", omittingEmptySubsequences: false).map {
            Int($0) ?? 0
        }
        let first = numbers.first ?? 0
        let step = max(1, first)
        isWrapPending = false
        switch final {
        case "A": row = max(0, row - step)
        case "B": row = min(rows - 1, row + step)
        case "C": column = min(columns - 1, column + step)
        case "D": column = max(0, column - step)
        case "E":
            row = min(rows - 1, row + step)
            column = 0
        case "F":
            row = max(0, row - step)
            column = 0
        case "G": column = min(columns, step) - 1
        case "H", "f":
            row = min(rows, step) - 1
            column = min(columns, max(1, numbers.count > 1 ? numbers[1] : 1)) - 1
        case "K": eraseInLine(first)
        case "J": eraseInScreen(first)
        case "m", "h", "l", "n", "r", "q", "t": break
        default: unknown.append("CSI \(parameters)\(final)")
        }
    }

    private mutating func eraseInLine(_ mode: Int) {
        let range =
            switch mode {
            case 0: column..<columns
            case 1: 0..<column + 1
            default: 0..<columns
            }
        for cell in range { grid[row][cell] = " " }
    }

    private mutating func eraseInScreen(_ mode: Int) {
        switch mode {
        case 0:
            eraseInLine(0)
            for below in row + 1..<max(row + 1, rows) { grid[below] = Self.blank(columns) }
        case 1:
            eraseInLine(1)
            for above in 0..<row { grid[above] = Self.blank(columns) }
        default: for line in 0..<rows { grid[line] = Self.blank(columns) }
        }
    }
}
