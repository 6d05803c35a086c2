import Foundation
import Testing

@Suite("Documents")
struct DocumentTests {
    @Test(
        "all documents that the house needs are there",
        arguments: [
            "README.md", "LICENSE", "docs/ARCHITECTURE.md", "docs/PROTOCOL.md", "docs/THREATS.md",
            "docs/GLOSSARY.md", "docs/STYLE.md", "docs/HACKING.md", "docs/LIMITS.md",
        ]
    )
    func present(path: String) {
        #expect(Tree.exists(path))
    }

    /// A heading's anchor, as the common renderers make it.
    private func anchors(of file: Tree.File) throws -> Set<String> {
        Set(
            try file.text.matches(of: #"^#+ +(.+?) *$"#).map { match in
                let kept = match[1].lowercased().filter {
                    $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_"
                }
                return kept.replacingOccurrences(of: " ", with: "-")
            }
        )
    }

    @Test("every link leads somewhere")
    func links() throws {
        var count = 0
        for document in try Tree.documents() {
            let folder = Tree.root.appending(path: document.path).deletingLastPathComponent()
            for match in try document.text.matches(of: #"\]\(([^)\s]+)\)"#) {
                let link = match[1]
                if link.hasPrefix("http://") || link.hasPrefix("https://") { continue }
                count += 1
                let parts = link.split(separator: "#", omittingEmptySubsequences: false).map(
                    String.init
                )
                let target =
                    parts[0].isEmpty
                    ? Tree.root.appending(path: document.path)
                    : folder.appending(path: parts[0]).standardizedFileURL
                guard FileManager.default.fileExists(atPath: target.path) else {
                    Issue.record("\(document.path): \(link) leads nowhere")
                    continue
                }
                guard parts.count > 1 else { continue }
                let text = try String(contentsOf: target, encoding: .utf8)
                let known = try anchors(of: Tree.File(path: parts[0], text: text))
                #expect(known.contains(parts[1]), "\(document.path): no heading for \(link)")
            }
        }
        #expect(count > 5)
    }

    @Test("every path that a document names is there")
    func paths() throws {
        for document in try Tree.documents() {
            let pattern = #"`((?:Sources|Tests|docs|scripts|\.ci|Examples|Snippets)/[\w./+-]+)`"#
            for match in try document.text.matches(of: pattern) {
                #expect(Tree.exists(match[1]), "\(document.path): no \(match[1])")
            }
        }
    }

    @Test("every test that THREATS names is there")
    func namedTests() throws {
        let tests = try Tree.files(in: "Tests", "swift")
        let text = try Tree.file("docs/THREATS.md").text
        let pattern = #"`(\w+Tests)`((?:,?\s+"[^"]+")*)"#
        let matches = try text.matches(of: pattern)
        #expect(matches.count > 40)
        for match in matches {
            let files = tests.filter {
                $0.path.contains("/\(match[1])/") || $0.text.contains("struct \(match[1])")
                    || $0.text.contains("class \(match[1])")
            }
            #expect(!files.isEmpty, "there are no \(match[1])")
            for name in try match[2].matches(of: #""([^"]+)""#).map({ $0[1] }) {
                let words = name.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                #expect(
                    files.contains { $0.text.contains(words) },
                    "\(match[1]) has no test \"\(words)\""
                )
            }
        }
    }

    @Test("every section of the protocol that the code cites is there")
    func citations() throws {
        guard Tree.exists("docs/PROTOCOL.md") else { return }
        let headings = try Tree.file("docs/PROTOCOL.md").text
            .matches(of: #"^#+ (?:§ ?)?([0-9]+(?:\.[0-9]+)*)[. ]"#).map { $0[1] }
        for file in try Tree.sources() {
            for match in try file.text.matches(of: #"PROTOCOL(?:\.md)? §([0-9]+(?:\.[0-9]+)*)"#) {
                #expect(headings.contains(match[1]), "\(file.path) cites §\(match[1])")
            }
        }
    }

    @Test("every dependency has its line of reason in ARCHITECTURE")
    func dependencies() throws {
        let lines = try Tree.file("docs/ARCHITECTURE.md").lines
        let packages = try Manifest().packages
        #expect(packages.count > 5)
        for package in packages {
            let found = lines.contains { $0.contains(package) && $0.count > package.count + 20 }
            #expect(found, "\(package)")
        }
    }

    @Test(
        "every target of the Makefile says what it is for, and every one that a document names exists"
    )
    func makefile() throws {
        let makefile = try Tree.file("Makefile")
        let rules = try makefile.text.matches(of: #"^([a-z][a-z-]*):(?!=)(.*)$"#)
        let names = Set(rules.map { $0[1] })
        #expect(
            names.isSuperset(of: [
                "help", "run", "test", "check", "build", "sim", "format", "install", "clean",
            ])
        )
        for rule in rules {
            #expect(try rule[2].matches(of: #"## \w.{10,}"#).count == 1, "\(rule[1])")
        }
        for document in try Tree.documents() {
            for match in try document.text.matches(of: #"(?:^    |`|\$ )make ([a-z]+)"#) {
                #expect(names.contains(match[1]), "\(document.path): make \(match[1])")
            }
        }
    }
}
