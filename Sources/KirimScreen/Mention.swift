import KirimRooms

/// Whether a text names somebody: the name as a word of its own, in any case, with or without `@`.
enum Mention {
    static func of(_ name: MemberName, in text: String) -> Bool {
        guard text.utf8.count >= name.text.utf8.count else { return false }
        let wanted = Array(name.text.lowercased().unicodeScalars)
        let scalars = Array(text.lowercased().unicodeScalars)
        guard let first = wanted.first, scalars.count >= wanted.count else { return false }
        for start in 0...(scalars.count - wanted.count) where scalars[start] == first {
            let end = start + wanted.count
            if start > 0, isLetter(scalars[start - 1]) { continue }
            if end < scalars.count, isLetter(scalars[end]) { continue }
            if scalars[start..<end].elementsEqual(wanted) { return true }
        }
        return false
    }

    /// Whether the text holds this one, in any case.
    static func has(_ wanted: String, in text: String) -> Bool {
        let wanted = Array(wanted.lowercased().utf8)
        let bytes = Array(text.lowercased().utf8)
        guard let first = wanted.first, bytes.count >= wanted.count else { return false }
        return (0...(bytes.count - wanted.count)).contains { start in
            bytes[start] == first && bytes[start..<start + wanted.count].elementsEqual(wanted)
        }
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        return properties.isAlphabetic || properties.numericType != nil || scalar == "_"
    }
}
