/// The line that is being typed: keys in, actions out. Knows no terminal.
///
/// A pasted text of several lines, or a long one, is one element of the line, shown folded, and sent as it is.
package struct LineEditor: Sendable {
    private var elements: [Element] = []
    /// Bytes of ``text``.
    private var size = 0
    /// 0 to `elements.count`.
    private var cursor = 0
    private var history: [String] = []
    /// Where in the history the line came from; `nil` for a new line.
    private var place: Int?
    private var draft: [Element] = []
    private var killed: [Element] = []
    private let words: Words

    private enum Element: Hashable, Sendable {
        case character(Character)
        case pasted(String)

        var text: String {
            switch self {
            case .character(let character): String(character)
            case .pasted(let text): text
            }
        }
    }

    /// What a key led to.
    package enum Action: Hashable, Sendable {
        case nothing
        case redraw
        case submit(String)
        /// Ctrl-C on an empty line.
        case interrupt
        /// Ctrl-D on an empty line.
        case endOfInput
        case clearScreen
        case suspend
    }

    /// Lines that are remembered.
    package static let historyLimit = 500
    /// A paste on one line that is longer is folded too.
    package static let foldLimit = 500
    /// Bytes of a line, twice what a message holds; more is not taken, but for one paste on an empty line. What is
    /// killed and given back again and again would double each time.
    package static let lengthLimit = 131_072

    /// `words`: what a folded paste is called.
    package init(words: Words = Words(.english)) { self.words = words }

    package mutating func press(_ key: Key) -> Action {
        switch key {
        case .scalar(let scalar): return insert(scalar)
        case .pasted(let text): return insert(pasted: text)
        case .enter: return submit()
        case .backspace: return delete(from: cursor - 1, to: cursor)
        case .delete: return delete(from: cursor, to: cursor + 1)
        case .tab: return .nothing
        case .left: return move(to: cursor - 1)
        case .right: return move(to: cursor + 1)
        case .home: return move(to: 0)
        case .end: return move(to: elements.count)
        case .wordLeft: return move(to: wordStart)
        case .wordRight: return move(to: wordEnd)
        case .up: return recall(older: true)
        case .down: return recall(older: false)
        case .control(let letter): return control(letter)
        }
    }

    /// The text as it would be sent.
    package var text: String { elements.map(\.text).joined() }

    /// What is shown of the line in so many columns, and the column of the cursor in it.
    package func view(columns: Int) -> (text: String, cursor: Int) {
        // One column stays free for the cursor behind the last character.
        let room = max(1, columns - 1)
        // The first element that is shown: as much before the cursor as fits.
        var first = cursor
        var offset = 0
        while first > 0 {
            let width = ColumnWidth.of(shown(elements[first - 1]))
            guard offset + width <= room else { break }
            offset += width
            first -= 1
        }
        var visible = ""
        var used = 0
        for element in elements[first...] {
            let text = shown(element)
            let width = ColumnWidth.of(text)
            guard used + width <= room else { break }
            visible += text
            used += width
        }
        if visible.isEmpty, first < elements.count {
            visible = ColumnWidth.fit(shown(elements[first]), columns: room)
        }
        return (visible, offset)
    }

    private func shown(_ element: Element) -> String {
        switch element {
        case .character(let character): return VisibleText.row(String(character))
        case .pasted(let text):
            let lines = text.utf8.count { $0 == 0x0A } + 1
            let bytes = Self.grouped(text.utf8.count)
            return lines == 1
                ? words(.pastedBytes, bytes) : words(.pastedLines, "\(lines)", bytes)
        }
    }

    /// 64000 as `64,000`.
    static func grouped(_ number: Int) -> String {
        var digits = Array(String(number))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        return String(digits)
    }
}

extension LineEditor {
    private mutating func control(_ letter: Character) -> Action {
        switch letter {
        case "a": return move(to: 0)
        case "b": return move(to: cursor - 1)
        case "c":
            guard !elements.isEmpty else { return .interrupt }
            replace(with: [])
            return .redraw
        case "d": return elements.isEmpty ? .endOfInput : delete(from: cursor, to: cursor + 1)
        case "e": return move(to: elements.count)
        case "f": return move(to: cursor + 1)
        case "k": return kill(from: cursor, to: elements.count)
        case "l": return .clearScreen
        case "n": return recall(older: false)
        case "p": return recall(older: true)
        case "u": return kill(from: 0, to: cursor)
        case "w": return kill(from: wordStart, to: cursor)
        case "y": return insert(killed)
        case "z": return .suspend
        default: return .nothing
        }
    }

    private mutating func insert(_ scalar: Unicode.Scalar) -> Action {
        let width = UTF8.width(scalar)
        guard size + width <= Self.lengthLimit else { return .nothing }
        size += width
        if cursor > 0, case .character(let before) = elements[cursor - 1] {
            var joined = String(before)
            joined.unicodeScalars.append(scalar)
            // An accent, or the rest of an emoji, belongs to the character before it.
            if joined.count == 1, let character = joined.first {
                elements[cursor - 1] = .character(character)
                return .redraw
            }
        }
        elements.insert(.character(Character(scalar)), at: cursor)
        cursor += 1
        return .redraw
    }

    private mutating func insert(pasted text: String) -> Action {
        guard !text.isEmpty else { return .nothing }
        return insert(Self.elements(of: text))
    }

    private mutating func insert(_ new: [Element]) -> Action {
        let more = Self.size(of: new)
        guard elements.isEmpty || size + more <= Self.lengthLimit else { return .nothing }
        size += more
        elements.insert(contentsOf: new, at: cursor)
        cursor += new.count
        return .redraw
    }

    private static func size(of elements: some Sequence<Element>) -> Int {
        elements.reduce(0) { $0 + $1.text.utf8.count }
    }

    private static func elements(of text: String) -> [Element] {
        if text.utf8.contains(0x0A) || text.utf8.count > foldLimit { return [.pasted(text)] }
        return text.map { .character($0) }
    }

    private mutating func submit() -> Action {
        let text = text
        guard !text.isEmpty else { return .redraw }
        if history.last != text { history.append(text) }
        if history.count > Self.historyLimit { history.removeFirst() }
        replace(with: [])
        place = nil
        return .submit(text)
    }

    private mutating func move(to place: Int) -> Action {
        let bounded = min(max(place, 0), elements.count)
        guard bounded != cursor else { return .nothing }
        cursor = bounded
        return .redraw
    }

    private mutating func delete(from start: Int, to end: Int) -> Action {
        guard start >= 0, end <= elements.count, start < end else { return .nothing }
        size -= Self.size(of: elements[start..<end])
        elements.removeSubrange(start..<end)
        cursor = start
        return .redraw
    }

    private mutating func kill(from start: Int, to end: Int) -> Action {
        guard start < end else { return .nothing }
        killed = Array(elements[start..<end])
        return delete(from: start, to: end)
    }

    private mutating func replace(with new: [Element]) {
        elements = new
        size = Self.size(of: new)
        cursor = new.count
    }

    private var wordStart: Int {
        var place = cursor
        while place > 0, isSpace(place - 1) { place -= 1 }
        while place > 0, !isSpace(place - 1) { place -= 1 }
        return place
    }

    private var wordEnd: Int {
        var place = cursor
        while place < elements.count, isSpace(place) { place += 1 }
        while place < elements.count, !isSpace(place) { place += 1 }
        return place
    }

    private func isSpace(_ place: Int) -> Bool { elements[place] == .character(" ") }

    private mutating func recall(older: Bool) -> Action {
        let next: Int
        switch (place, older) {
        case (nil, true): next = history.count - 1
        case (nil, false): return .nothing
        case (let place?, true): next = place - 1
        case (let place?, false): next = place + 1
        }
        guard next >= 0 else { return .nothing }
        if place == nil { draft = elements }
        if next >= history.count {
            place = nil
            replace(with: draft)
        } else {
            place = next
            replace(with: Self.elements(of: history[next]))
        }
        return .redraw
    }
}
