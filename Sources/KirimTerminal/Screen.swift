/// What goes to the terminal so that arriving lines never tear the line that is being typed.
///
/// Below everything that was printed stands the *foot*: a few rows for what is not decided yet, and the prompt. It is
/// erased before lines are printed and drawn again after them, in one write. Each row of it is cut to
/// the width, so that it is known how far up its first row is.
package struct Screen: Sendable {
    /// Columns of the terminal.
    private var width: Int
    /// Columns of each row of the foot, as it was drawn.
    private var drawn: [Int] = []

    /// The last rows: the prompt, before it what waits.
    package struct Foot: Hashable, Sendable {
        package var waiting: [String]
        package var prompt: String

        package init(waiting: [String], prompt: String) {
            self.waiting = waiting
            self.prompt = prompt
        }
    }

    package init(width: Int) { self.width = max(width, 8) }

    /// The window has another size: rows that were drawn wider are broken over several now.
    package mutating func resize(width: Int) { self.width = max(width, 8) }

    /// The bytes that print these lines above the foot, and the foot with the line in it.
    package mutating func show(
        _ lines: [String] = [],
        foot: Foot,
        line: LineEditor
    ) -> String {
        var output = erase()
        for line in lines { output += line + "\r\n" }
        // Line feeds within a printed text need their carriage return: the terminal is raw.
        output = output.replacing("\n", with: "\r\n").replacing("\r\r\n", with: "\r\n")
        let rows = foot.waiting.map { ColumnWidth.fit($0, columns: width - 1) }
        for row in rows { output += row + "\r\n" }
        let prompt = ColumnWidth.fit(foot.prompt, columns: width / 2)
        let promptWidth = ColumnWidth.of(prompt)
        let view = line.view(columns: width - promptWidth)
        output += prompt + view.text
        let back = ColumnWidth.of(view.text) - view.cursor
        if back > 0 { output += "\u{1B}[\(back)D" }
        drawn = rows.map { ColumnWidth.of($0) } + [promptWidth + view.cursor]
        return output
    }

    /// The bytes that take the foot away, before the program ends or stops.
    package mutating func leave() -> String { erase() }

    /// The bytes that clear the whole window; the foot is to be shown again.
    package mutating func clear() -> String {
        drawn = []
        return "\u{1B}[H\u{1B}[2J"
    }

    private mutating func erase() -> String {
        guard !drawn.isEmpty else { return "" }
        let above = drawn.dropLast().reduce(0) { $0 + max(1, ($1 + width - 1) / width) }
        let within = (drawn.last ?? 0) / width
        drawn = []
        let up = above + within
        return "\r" + (up > 0 ? "\u{1B}[\(up)A" : "") + "\u{1B}[J"
    }
}
