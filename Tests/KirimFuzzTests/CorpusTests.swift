import Foundation
import KirimFuzzing
import Testing

/// Inputs that `make fuzz` found: the fewest that reach what all of them reached, and those that broke something.
@Suite("Inputs of the fuzzer")
struct CorpusTests {
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().appending(path: "Corpus")

    private static func files(of target: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: folder.appending(path: target),
            includingPropertiesForKeys: nil
        ).sorted { $0.path < $1.path }
    }

    @Test("every target lives through all of its inputs", arguments: FuzzTarget.all.map(\.name))
    func replay(name: String) throws {
        let target = try #require(FuzzTarget(named: name))
        let files = try Self.files(of: name)
        #expect(files.count >= 10, "the corpus of \(name) is missing: make corpus")
        for file in files { target.run([UInt8](try Data(contentsOf: file))) }
    }

    @Test("every target lives through nothing at all", arguments: FuzzTarget.all.map(\.name))
    func empty(name: String) throws {
        try #require(FuzzTarget(named: name)).run([])
    }

    @Test("no corpus is left behind by a target that has gone")
    func orphans() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
    }

    @Test("all inputs together stay small enough to be kept with the sources")
    func size() throws {
        var bytes = 0
        for target in FuzzTarget.all {
            for file in try Self.files(of: target.name) {
                bytes += try Data(contentsOf: file).count
            }
        }
        #expect(bytes < 600_000)
    }
}
