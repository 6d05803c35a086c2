import Foundation
import Testing

@Suite("Who may import whom")
struct ImportTests {
    /// The modules that decide and do no I/O.
    private static let cores = [
        "KirimWire", "KirimNoise", "KirimTransport", "KirimRooms", "KirimPlain", "KirimServerCore",
        "KirimClientCore", "KirimScreen",
    ]

    /// What comes with the toolchain, for those who may do I/O.
    private static let system: Set<String> = [
        "Foundation", "FoundationEssentials", "Glibc", "Musl", "Darwin", "Dispatch",
        "Synchronization",
        "Testing", "WinSDK", "Android",
    ]

    private func imports(of file: Tree.File) throws -> [String] {
        try file.text.matches(
            of:
                #"^\s*(?:@\w+(?:\(\w+\))?\s+)*(?:public |package |internal |private |fileprivate )?"#
                + #"import (?:struct |enum |class |func |protocol |var |let |typealias )?(\w+)"#
        )
        .map { $0[1] }
    }

    @Test(
        "a core imports what its line of the manifest names, and nothing of the system",
        arguments: cores
    )
    func coreImports(name: String) throws {
        let allowed = try #require(Manifest().targets[name], "no line in the manifest")
        let files = try Tree.files(in: "Sources/\(name)", "swift")
        #expect(!files.isEmpty)
        for file in files {
            for module in try imports(of: file) {
                #expect(allowed.contains(module), "\(file.path) imports \(module)")
            }
        }
    }

    @Test("every target imports what its line of the manifest names, or the system's own")
    func targets() throws {
        let manifest = try Manifest()
        #expect(manifest.targets.count > 20)
        for (name, allowed) in manifest.targets.sorted(by: { $0.key < $1.key }) {
            let directory = name.hasSuffix("Tests") ? "Tests/\(name)" : "Sources/\(name)"
            for file in try Tree.files(in: directory, "swift") {
                for module in try imports(of: file) {
                    #expect(
                        allowed.contains(module) || Self.system.contains(module),
                        "\(file.path) imports \(module)"
                    )
                }
            }
        }
    }

    @Test("a core has no clock, dice, lock, task or output of its own", arguments: cores)
    func ownsNothing(name: String) throws {
        let words =
            #"\b(SystemRandomNumberGenerator|ContinuousClock|SuspendingClock|Mutex|Task|AsyncStream|Thread|"#
            + #"print|debugPrint|readLine)\b[({.<]|\.(random\(in: [^,)]*\)|randomElement\(\)|shuffled\(\))"#
        for file in try Tree.files(in: "Sources/\(name)", "swift") {
            for line in file.lines where !line.trimmingCharacters(in: .whitespaces).hasPrefix("//")
            {
                let found = try line.matches(of: words).map { $0[0] }
                #expect(found.isEmpty, "\(file.path): \(line)")
            }
        }
    }

    @Test("nobody reaches past access control")
    func testable() throws {
        let word = "@" + "testable"
        for file in try Tree.sources() {
            #expect(!file.text.contains(word), "\(file.path)")
        }
    }
}
