import Foundation
import Testing

@Suite("What every file keeps to")
struct TextTests {
    @Test("no source file is longer than 600 lines")
    func length() throws {
        for file in try Tree.sources() {
            #expect(file.lines.count <= 601, "\(file.path) has \(file.lines.count - 1) lines")
        }
    }

    @Test("nothing is left for later in a comment")
    func leftovers() throws {
        let pattern = #"\b(TO"# + #"DO|FIX"# + #"ME|X"# + #"XX|HA"# + #"CK)\b"#
        let others = try Tree.scripts() + [Tree.file("Makefile")]
        for file in try Tree.sources() + Tree.documents() + others {
            for line in file.lines {
                #expect(try line.matches(of: pattern).isEmpty, "\(file.path): \(line)")
            }
        }
    }

    @Test("no type is called manager, helper or util")
    func names() throws {
        let pattern =
            #"\b(?:class|struct|enum|actor|protocol) (\w*(?:Manager|Helper|Util|Utils|Utility))\b"#
        for file in try Tree.sources() {
            let found = try file.text.matches(of: pattern).map { $0[1] }
            #expect(found.isEmpty, "\(file.path): \(found)")
        }
    }

    @Test("a test's name is a sentence")
    func testNames() throws {
        for file in try Tree.files(in: "Tests", "swift") {
            let bare = try file.text.matches(of: #"@Test(?!\(\s*")[^\n]*"#).map { $0[0] }
            let quoted = bare.filter { !$0.contains("(\"") && !$0.contains("`") }
            #expect(
                quoted.isEmpty || file.path.hasSuffix("HouseTests/TextTests.swift"),
                "\(file.path): \(quoted)"
            )
        }
    }

    @Test("every script says what runs it, and may be run")
    func scripts() throws {
        let scripts = try Tree.scripts()
        #expect(scripts.count > 2)
        for script in scripts {
            let path = script.path
            #expect(script.text.hasPrefix("#!/usr/bin/env "), "\(path) does not say what runs it")
            #expect(
                FileManager.default.isExecutableFile(atPath: Tree.root.appending(path: path).path),
                "\(path) may not be executed"
            )
        }
    }
}
