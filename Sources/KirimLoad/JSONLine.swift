/// One line of JSON, its fields in the order in which they are given.
struct JSONLine {
    private(set) var text = "{"

    private mutating func name(_ name: String) {
        if text.last != "{" { text += "," }
        text += "\"\(name)\":"
    }

    mutating func add(_ field: String, _ value: some BinaryInteger) {
        name(field)
        text += "\(value)"
    }

    mutating func add(_ field: String, _ value: Double, digits: Int = 3) {
        name(field)
        guard value.isFinite else { return text += "0" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        text += "\((value * scale).rounded() / scale)"
    }

    mutating func add(_ field: String, _ value: String) {
        name(field)
        text += "\""
        for character in value.unicodeScalars {
            switch character {
            case "\"", "\\": text += "\\\(character)"
            case _ where character.value < 32: text += " "
            default: text.unicodeScalars.append(character)
            }
        }
        text += "\""
    }

    mutating func add(_ field: String, _ value: JSONLine) {
        name(field)
        text += value.closed
    }

    var closed: String { text + "}" }
}
