#if GTK
/// A message's text with the addresses in it, so that they can be followed.
package nonisolated struct LinkText: Hashable, Sendable {
    package struct Piece: Hashable, Sendable {
        package var text: Substring
        package var isLink: Bool
    }

    /// In order; together they are the text.
    package private(set) var pieces: [Piece] = []

    /// What a link may begin with; nothing else is opened, whatever stands in a message.
    package static let schemes = ["https://", "http://", "kirim://"]

    package init(_ text: String) {
        var rest = text[...]
        while let start = Self.firstLink(in: rest) {
            let end = Self.end(of: rest[start...])
            if start > rest.startIndex {
                pieces.append(Piece(text: rest[..<start], isLink: false))
            }
            pieces.append(Piece(text: rest[start..<end], isLink: true))
            rest = rest[end...]
        }
        if !rest.isEmpty { pieces.append(Piece(text: rest, isLink: false)) }
    }

    package var hasLinks: Bool { pieces.contains { $0.isLink } }

    private static func firstLink(in text: Substring) -> Substring.Index? {
        var from = text.startIndex
        while let colon = text[from...].firstRange(of: "://") {
            for scheme in schemes {
                let length = scheme.count - 3
                guard
                    let start = text.index(
                        colon.lowerBound,
                        offsetBy: -length,
                        limitedBy: text.startIndex
                    ),
                    text[start..<colon.upperBound].lowercased() == scheme,
                    start == text.startIndex || !text[text.index(before: start)].isLetter,
                    end(of: text[start...]) > colon.upperBound
                else { continue }
                return start
            }
            from = colon.upperBound
        }
        return nil
    }

    /// Up to the next space; what ends a sentence around it does not belong to it.
    private static func end(of link: Substring) -> Substring.Index {
        var end =
            link.firstIndex { $0.isWhitespace || $0 == "<" || $0 == ">" || $0 == "\"" }
            ?? link.endIndex
        while end > link.startIndex {
            let last = link.index(before: end)
            let isClosing = link[last] == ")" && !link[..<last].contains("(")
            guard isClosing || ".,;:!?'*_]}…".contains(link[last]) else { break }
            end = last
        }
        return end
    }
}
#endif
