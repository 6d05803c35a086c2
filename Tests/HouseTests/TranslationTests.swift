import Foundation
import Testing

/// The windows' sentences stand in English in the code, and in each language in `po/`.
@Suite("Translations")
struct TranslationTests {
    private struct Message: Hashable {
        var id: String
        var plural: String?
    }

    /// Every sentence that the windows, the desktop or a software centre may show.
    private func said() throws -> Set<Message> {
        var all: Set<Message> = []
        let literal = #""((?:[^"\\]|\\.)*)""#
        for file in try Tree.files(in: "Sources/KirimWindow", "swift") {
            for match in try file.text.matches(of: #"\btr\(\s*"# + literal) {
                all.insert(Message(id: match[1]))
            }
            let counted = #"\btr\(\s*one:\s*"# + literal + #",\s*many:\s*"# + literal
            for match in try file.text.matches(of: counted) {
                all.insert(Message(id: match[1], plural: match[2]))
            }
            let calls = try file.text.matches(of: #"\btr\("#).count
            let read = try file.text.matches(of: #"\btr\(\s*(?:one:\s*)?""#).count
            let given = try file.text.matches(of: #"\btr\(refusal\.sentence\)"#).count
            #expect(calls == read + given, "\(file.path): tr takes sentences as they stand there")
        }
        for file in try Tree.files(in: "Sources/KirimWindow/Resources", "ui") {
            for match in try file.text.matches(of: #"translatable="yes"[^>]*>([^<]*)<"#) {
                all.insert(Message(id: match[1]))
            }
        }
        let sentences = try Tree.file("Sources/KirimClient/KirimError+Sentences.swift").text
        let refusals = sentences.components(separatedBy: "extension JournalError")[0]
        for match in try refusals.matches(of: #"case \.\w+:\s*"# + literal) {
            all.insert(Message(id: match[1]))
        }
        for file in try Tree.files(in: "share", "desktop", "xml") {
            let pattern =
                #"^(?:GenericName|Comment|Keywords)=(.+)$|<(?:summary|p)>([^<]*)</(?:summary|p)>"#
            for match in try file.text.matches(of: pattern) {
                all.insert(Message(id: match[1] + match[2]))
            }
        }
        return all
    }

    /// The entries of a catalogue. A text stands on one line in ours.
    private func catalogue(_ path: String) throws -> [Message: [String]] {
        var all: [Message: [String]] = [:]
        for entry in try Tree.file(path).text.components(separatedBy: "\n\n") {
            func texts(_ keyword: String) throws -> [String] {
                try entry.matches(of: "^" + keyword + #"(?:\[\d\])? "(.*)"$"#).map {
                    $0[1].replacingOccurrences(of: "\\\"", with: "\"")
                }
            }
            guard let id = try texts("msgid").first, !id.isEmpty else { continue }
            let message = Message(id: id, plural: try texts("msgid_plural").first)
            #expect(all[message] == nil, "\(path): twice: \(id)")
            all[message] = try texts("msgstr")
        }
        return all
    }

    private func holes(in text: String) throws -> Set<String> {
        Set(try text.matches(of: #"%\d"#).map { $0[0] })
    }

    @Test("every sentence of the windows is there, and no other", arguments: ["en", "id"])
    func complete(language: String) throws {
        let path = "po/\(language).po"
        let said = try said()
        let catalogue = try catalogue(path)
        #expect(said.count > 150)
        for message in said.subtracting(catalogue.keys) {
            Issue.record("\(path) lacks: \(message.id)")
        }
        for message in Set(catalogue.keys).subtracting(said) {
            Issue.record("\(path) has what nothing says: \(message.id)")
        }
    }

    @Test(
        "every counter of a server has words in its operator's window",
        arguments: [
            ("Sources/KirimTransport/ServerEndpoint.swift", ""),
            ("Sources/KirimPlain/PlainServer.swift", "plain "),
        ]
    )
    func counters(path: String, prefix: String) throws {
        let words = try Tree.file("Sources/KirimWindow/OperatorWords.swift").text
        let text = try Tree.file(path).text.components(separatedBy: "struct Counters")
        let fields = try #require(text.last).components(separatedBy: "package init")[0]
        let names = try fields.matches(of: #"package (?:internal\(set\) )?var (\w+)"#).map { $0[1] }
        #expect(names.count > 8)
        for name in names {
            #expect(words.contains("case \"\(prefix)\(name)\": tr("), "\(prefix)\(name)")
        }
    }

    @Test("so has every counter of the server's shell")
    func shellCounters() throws {
        let words = try Tree.file("Sources/KirimWindow/OperatorWords.swift").text
        let shell = try Tree.file("Sources/KirimServer/Engine+Status.swift").text
        let names = try shell.matches(of: #"\.init\(name: "([^"]+)""#).map { $0[1] }
        #expect(names.count > 1)
        for name in names { #expect(words.contains("case \"\(name)\": tr("), "\(name)") }
    }

    @Test("every translation fits its sentence", arguments: [("en", 2), ("id", 1)])
    func fitting(language: String, forms: Int) throws {
        for (message, texts) in try catalogue("po/\(language).po") {
            #expect(texts.count == (message.plural == nil ? 1 : forms), "\(message.id)")
            for text in texts {
                #expect(!text.isEmpty, "\(message.id)")
                #expect(try holes(in: text) == holes(in: message.id), "\(message.id)")
                // The key that chooses it in a menu.
                #expect(
                    text.filter { $0 == "_" }.count == message.id.filter { $0 == "_" }.count,
                    "\(message.id)"
                )
            }
        }
    }
}
