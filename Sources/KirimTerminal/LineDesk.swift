/// The terminal with the line that is typed at its foot: what the chats with a prompt share.
package struct LineDesk {
    private let terminal: Terminal
    private var reader = KeyReader()
    private var editor: LineEditor
    private var screen: Screen
    /// The foot as it was drawn last.
    private var drawn: Screen.Foot?

    /// What came of the keys.
    package enum Wish: Hashable, Sendable {
        case submit(String)
        case interrupt
        case leave
    }

    package init(terminal: Terminal, words: Words) {
        self.terminal = terminal
        editor = LineEditor(words: words)
        screen = Screen(width: terminal.width)
    }

    /// Takes in what the terminal told; the foot is drawn again where that changed it.
    package mutating func take(_ event: Terminal.Event, foot: Screen.Foot) -> [Wish] {
        switch event {
        case .bytes(let bytes): return press(reader.read(bytes), foot)
        case .rest:
            reader.rest()
            return []
        case .resized:
            screen.resize(width: terminal.width)
            draw(foot: foot)
            return []
        case .ended: return [.leave]
        }
    }

    /// Prints lines above the foot, and the foot, where that changes anything.
    package mutating func show(_ lines: [String] = [], foot: Screen.Foot) {
        if !lines.isEmpty || foot != drawn { draw(lines, foot: foot) }
    }

    private mutating func draw(_ lines: [String] = [], foot: Screen.Foot) {
        drawn = foot
        terminal.write(screen.show(lines, foot: foot, line: editor))
    }

    /// Takes the foot away; nothing is drawn after it.
    package mutating func leave(_ lines: [String] = []) {
        let last = lines.map { $0.replacing("\n", with: "\r\n") + "\r\n" }.joined()
        terminal.write(screen.leave() + last)
        terminal.stop()
    }

    private mutating func press(_ keys: [Key], _ foot: Screen.Foot) -> [Wish] {
        var wishes: [Wish] = []
        var isChanged = false
        for key in keys {
            switch editor.press(key) {
            case .nothing: break
            case .redraw: isChanged = true
            case .submit(let text):
                wishes.append(.submit(text))
                isChanged = true
            case .interrupt: wishes.append(.interrupt)
            case .endOfInput: wishes.append(.leave)
            case .clearScreen:
                terminal.write(screen.clear())
                isChanged = true
            case .suspend:
                terminal.write(screen.leave())
                terminal.suspend()
                isChanged = true
            }
        }
        // One drawing for all keys of a read; a submitted line is drawn with what came of it.
        if isChanged { draw(foot: foot) }
        return wishes
    }
}
