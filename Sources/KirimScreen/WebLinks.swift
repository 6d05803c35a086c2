/// Where a text has addresses of the web, or of a chat, that a face may open.
package enum WebLinks {
    private static let schemes = ["https://", "http://", "kirim://"]

    /// Ranges of `https://`, `http://` and `kirim://` addresses, in order. Punctuation that ends a sentence is left out.
    package static func ranges(in text: String) -> [Range<String.Index>] {
        guard text.utf8.contains(UInt8(ascii: ":")) else { return [] }
        var ranges: [Range<String.Index>] = []
        var start = text.startIndex
        while start < text.endIndex {
            guard let scheme = schemes.first(where: { text[start...].hasPrefix($0) }) else {
                start = text.index(after: start)
                continue
            }
            var end = text[start...].firstIndex(where: endsLink) ?? text.endIndex
            let body = text.index(start, offsetBy: scheme.count)
            while end > body, isPunctuation(text[text.index(before: end)]) {
                end = text.index(before: end)
            }
            if end > body { ranges.append(start..<end) }
            start = max(end, body)
        }
        return ranges
    }

    /// Whom an address leads to, with the port: what stands before an @ there is a name for that host, and none itself.
    package static func host(of address: String) -> Substring {
        let scheme = schemes.first { address.hasPrefix($0) } ?? ""
        let authority = address.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        return authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] }
            ?? authority
    }

    private static func endsLink(_ character: Character) -> Bool {
        character.isWhitespace || "<>\"`{}|\\^".contains(character)
            || character.unicodeScalars.contains {
                switch $0.properties.generalCategory {
                case .control, .format: true
                default: false
                }
            }
    }

    private static func isPunctuation(_ character: Character) -> Bool {
        ".,;:!?'\")]".contains(character)
    }
}
