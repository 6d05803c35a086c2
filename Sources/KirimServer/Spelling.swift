/// Guesses what somebody who mistyped a word meant.
package enum Spelling {
    /// What was probably meant, at most so many letters away; case, dashes and underlines do not count.
    package static func nearest(to key: String, of all: [String], within reach: Int = 2) -> String?
    {
        let bare = plain(key)
        let near = all.map { (name: $0, distance: distance(bare, plain($0))) }
            .min { $0.distance < $1.distance }
        return near.flatMap { $0.distance <= reach ? $0.name : nil }
    }

    private static func plain(_ key: String) -> [Character] {
        key.lowercased().filter { $0 != "-" && $0 != "_" }
    }

    /// Letters to put in, take out or change (Levenshtein).
    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        // Nothing that long was meant as one of these.
        guard a.count <= 40 else { return a.count }
        var row = Array(0...b.count)
        for (i, letter) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let changed = diagonal + (letter == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(changed, diagonal + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
