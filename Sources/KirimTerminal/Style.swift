/// Weight of print on a terminal that has it. It only repeats what the text says already.
package struct Style: Hashable, Sendable {
    package var isOn: Bool

    package init(isOn: Bool) { self.isOn = isOn }

    /// On, unless `NO_COLOR` is set to anything (no-color.org) or the terminal is a dumb one.
    package init(environment: [String: String], isTerminal: Bool) {
        let isRefused = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        isOn = isTerminal && !isRefused && environment["TERM"] != "dumb"
    }

    package func faint(_ text: String) -> String { isOn ? "\u{1B}[2m\(text)\u{1B}[22m" : text }
    package func bold(_ text: String) -> String { isOn ? "\u{1B}[1m\(text)\u{1B}[22m" : text }
}
