extension String {
    /// A sentence with values in place of its `%1` to `%9`. A value is put in as it is: what looks like another
    /// place in it, as names may, is none.
    package func filled(with values: [String]) -> String {
        var filled = ""
        var rest = self[...]
        while let sign = rest.firstIndex(of: "%") {
            filled += rest[..<sign]
            rest = rest[sign...]
            let digit = rest.dropFirst().first.flatMap { $0.isASCII ? $0.wholeNumberValue : nil }
            if let place = digit, place > 0, place <= values.count {
                filled += values[place - 1]
                rest = rest.dropFirst(2)
            } else {
                filled += "%"
                rest = rest.dropFirst()
            }
        }
        return filled + rest
    }
}
