import Foundation

/// The constants of the sources, found by reading them: `Type.name` and the number behind it.
///
/// Reads no Swift, only the form in which this house writes constants: `let` or `var` within a
/// type, `=`, and arithmetic on numbers, on other constants and on durations.
struct Constants {
    /// The path through the types, `ServerEndpoint.Configuration.connectionLimit`, and its expression.
    private(set) var expressions: [String: String] = [:]

    init() throws {
        for file in try Tree.files(in: "Sources", "swift") { try read(file) }
    }

    private mutating func read(_ file: Tree.File) throws {
        var types: [(name: String, depth: Int)] = []
        var depth = 0
        for line in file.lines where !line.trimmingCharacters(in: .whitespaces).hasPrefix("//") {
            if let type = try line.matches(
                of: #"\b(?:struct|enum|class|actor|extension) ([A-Z][\w.]*)[^"]*\{ *$"#
            ).first {
                types.append((type[1], depth))
            } else if depth == (types.last?.depth ?? 0) + 1,
                let match = try line.matches(
                    of: #"\b(?:let|var) (\w+)(?:: [\w.]+)? = ([^{]+?) *$"#
                ).first
            {
                let path = types.map(\.name).joined(separator: ".")
                expressions["\(path).\(match[1])"] = match[2]
            }
            depth += line.count { $0 == "{" } - line.count { $0 == "}" }
            while let last = types.last, depth <= last.depth { types.removeLast() }
        }
    }

    /// The names that end in `suffix`, which says as much of the path as is needed.
    func names(endingIn suffix: String) -> [String] {
        expressions.keys.filter { $0 == suffix || $0.hasSuffix("." + suffix) }.sorted()
    }

    /// The number, durations in nanoseconds; `nil` where it cannot be told.
    func value(of name: String) -> Double? { value(of: name, depth: 0) }

    /// A constant that leads back to itself has no value.
    private func value(of name: String, depth: Int) -> Double? {
        guard depth < 16 else { return nil }
        let type = name.split(separator: ".").dropLast().joined(separator: ".")
        return expressions[name].flatMap { evaluate($0, within: type, depth: depth) }
    }

    private func evaluate(_ expression: String, within type: String, depth: Int) -> Double? {
        var text = expression.replacingOccurrences(of: "_", with: "")
        let units = ["nanoseconds": 1, "microseconds": 1e3, "milliseconds": 1e6, "seconds": 1e9]
        for (unit, scale) in units {
            let prefix = ".\(unit)("
            guard text.hasPrefix(prefix), text.hasSuffix(")") else { continue }
            let inner = String(text.dropFirst(prefix.count).dropLast())
            return evaluate(inner, within: type, depth: depth).map { $0 * scale }
        }
        if text.hasPrefix("0x") { return UInt64(text.dropFirst(2), radix: 16).map(Double.init) }
        text = text.trimmingCharacters(in: .whitespaces)
        for (sign, combine) in Self.operators {
            guard let place = text.range(of: " \(sign) ", options: .backwards) else { continue }
            guard
                let left = evaluate(String(text[..<place.lowerBound]), within: type, depth: depth),
                let right = evaluate(String(text[place.upperBound...]), within: type, depth: depth)
            else { return nil }
            return combine(left, right)
        }
        if let shift = text.range(of: " << ") {
            guard
                let base = evaluate(String(text[..<shift.lowerBound]), within: type, depth: depth),
                let places = evaluate(String(text[shift.upperBound...]), within: type, depth: depth)
            else { return nil }
            return base * pow(2, places)
        }
        if let number = Double(text) { return number }
        let local = names(endingIn: "\(type).\(text)")
        let found = local.isEmpty ? names(endingIn: text) : local
        return found.count == 1 ? value(of: found[0], depth: depth + 1) : nil
    }

    /// Those that bind loosest come first, and each splits at its last place.
    private static let operators: [(String, @Sendable (Double, Double) -> Double)] = [
        ("+", { $0 + $1 }), ("-", { $0 - $1 }), ("*", { $0 * $1 }), ("/", { $0 / $1 }),
    ]

    /// What a document's cell says: `65,536`, `25 ms`, `30 min`, `1.25`; words after the unit are free.
    static func quoted(_ cell: String) throws -> Double? {
        let scales = [
            "ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9, "h": 3600e9, "days": 86_400e9,
            "KiB": 1024, "MiB": 1_048_576,
        ]
        guard
            let match = try cell.matches(of: #"^([0-9][0-9,]*(?:\.[0-9]+)?)(?: (\S+))?"#).first,
            let number = Double(match[1].replacingOccurrences(of: ",", with: ""))
        else { return nil }
        return number * (scales[match[2]] ?? 1)
    }
}
