extension String {
    /// As much of it as fits into so many bytes of UTF-8. Cut between scalars and not between characters: one character
    /// may be as long as a whole text, of a letter and all that somebody put above it.
    package func beginning(bytes: Int) -> Substring {
        guard var end = utf8.index(startIndex, offsetBy: bytes, limitedBy: endIndex) else {
            return self[...]
        }
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return self[..<end]
    }
}
