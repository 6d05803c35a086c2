import Foundation
import Testing

/// The files of the package, as a reader sees them.
enum Tree {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A text file; its path is relative to the package.
    struct File: Sendable, CustomTestStringConvertible {
        var path: String
        var text: String

        var lines: [String] { text.components(separatedBy: "\n") }
        var testDescription: String { path }
    }

    static func file(_ path: String) throws -> File {
        let url = root.appending(path: path)
        return File(path: path, text: try String(contentsOf: url, encoding: .utf8))
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }

    /// All files below a directory that end in one of the extensions, in the order of their paths.
    static func files(in directory: String, _ extensions: String...) throws -> [File] {
        let base = root.appending(path: directory).path
        guard let walker = FileManager.default.enumerator(atPath: base) else { return [] }
        let names = walker.compactMap { $0 as? String }.sorted()
        return try names.filter { name in
            extensions.contains { name.hasSuffix(".\($0)") }
        }
        .map { try file("\(directory)/\($0)") }
    }

    static func sources() throws -> [File] {
        try files(in: "Sources", "swift") + files(in: "Tests", "swift") + [file("Package.swift")]
    }

    /// What `make` and continuous integration call.
    static func scripts() throws -> [File] {
        try ["scripts", ".ci"].flatMap { directory in
            let path = root.appending(path: directory).path
            return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
                .map { try file("\(directory)/\($0)") }
        }
    }

    static func documents() throws -> [File] {
        try files(in: "docs", "md") + (exists("README.md") ? [file("README.md")] : [])
    }
}

extension String {
    /// What the groups of a pattern caught, for every match; the whole match comes first.
    func matches(of pattern: String) throws -> [[String]] {
        let expression = try NSRegularExpression(pattern: pattern, options: .anchorsMatchLines)
        let whole = NSRange(startIndex..., in: self)
        return expression.matches(in: self, range: whole).map { match in
            (0..<match.numberOfRanges).map { group in
                Range(match.range(at: group), in: self).map { String(self[$0]) } ?? ""
            }
        }
    }
}
