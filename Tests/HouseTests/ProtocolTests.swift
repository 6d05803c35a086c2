import Foundation
import Testing

/// What the protocol's text lists and the code defines.
@Suite("Lists of the protocol")
struct ProtocolTests {
    /// The lines from the first that begins so to the next empty one.
    private func block(from start: String, in text: String) throws -> String {
        let lines = text.components(separatedBy: "\n")
        let first = try #require(lines.firstIndex { $0.hasPrefix(start) }, "no line \(start)")
        return lines[first...].prefix { !$0.isEmpty }.joined(separator: "\n")
    }

    @Test("the table of refusals is the code's")
    func refusals() throws {
        let source = try Tree.file("Sources/KirimRooms/Refusal.swift").text
        var defined: [String: String] = [:]
        for match in try source.matches(of: #"^    case (\w+) = (\d+)$"#) {
            let words = match[1].map { $0.isUppercase ? " \($0.lowercased())" : String($0) }
            defined[match[2]] = words.joined()
        }
        let table = try block(
            from: "| Refusal | Name |",
            in: Tree.file("docs/PROTOCOL.md").text
        )
        var listed: [String: String] = [:]
        for match in try table.matches(of: #"^\| (\d+) \| ([a-z ]+?) \|"#) {
            listed[match[1]] = match[2]
        }
        #expect(defined.count > 10)
        #expect(listed == defined)
    }

    @Test("the ports that are never answered are the code's")
    func ports() throws {
        let source = try Tree.file("Sources/KirimWire/ReflectablePorts.swift").text
        let code = try block(from: "    package static let all", in: source)
            .components(separatedBy: "\n").dropFirst().prefix { !$0.hasPrefix("    ]") }
            .flatMap { line in
                try (line.components(separatedBy: "//").first ?? "").matches(of: #"\d+"#)
                    .map { $0[0] }
            }
        let sentence = try block(
            from: "Never answered are the source ports",
            in: Tree.file("docs/PROTOCOL.md").text
        )
        let text = try sentence.matches(of: #"\d+"#).map { $0[0] }
        #expect(code.count > 10)
        #expect(text == code)
    }
}
