import Foundation
import KirimJournal
import KirimRooms
import Testing

@Suite("A key file")
struct KeyFileTests {
    private let folder: TemporaryFolder
    private let path: String
    private let key = (0..<32).map { UInt8($0) }

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("a/b/key")
    }

    @Test("is made once, for its owner only, and read ever after")
    func making() throws {
        #expect(try KeyFile.load(from: path) == nil)
        #expect(try KeyFile.loadOrCreate(at: path) { key } == key)
        let other = [UInt8](repeating: 9, count: 32)
        #expect(try KeyFile.loadOrCreate(at: path) { other } == key)
        #expect(try KeyFile.load(from: path) == key)
        let manager = FileManager.default
        for (file, expected) in [("a", 0o700), ("a/b", 0o700), ("a/b/key", 0o600)] {
            let attributes = try manager.attributesOfItem(atPath: folder.file(file))
            #expect(attributes[.posixPermissions] as? Int == expected, "\(file)")
        }
        #expect(try manager.contentsOfDirectory(atPath: folder.file("a/b")) == ["key"])
    }

    @Test("is the same for all who race to make it")
    func race() async throws {
        let path = path
        let keys = await withTaskGroup(of: [UInt8]?.self) { group in
            for byte in 1...8 as ClosedRange<UInt8> {
                group.addTask {
                    try? KeyFile.loadOrCreate(at: path) { [UInt8](repeating: byte, count: 32) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(keys.count == 8)
        #expect(Set(keys).count == 1)
        #expect(keys.first == (try KeyFile.load(from: path)))
    }

    @Test("of another size is corrupt", arguments: [0, 31, 33, 64])
    func wrongSize(_ size: Int) throws {
        _ = try KeyFile.loadOrCreate(at: path) { key }
        try Data(repeating: 1, count: size).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        let error = #expect(throws: JournalError.self) {
            _ = try KeyFile.loadOrCreate(at: path) { key }
        }
        guard case .corrupt = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("that others may read is refused with what to type")
    func loosePermissions() throws {
        _ = try KeyFile.loadOrCreate(at: path) { key }
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        let error = #expect(throws: JournalError.self) { _ = try KeyFile.load(from: path) }
        guard case .denied(let sentence) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(sentence.contains("chmod 600 \(path)"))
    }

    @Test("that is a folder is refused")
    func folderInTheWay() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        #expect(throws: JournalError.self) { _ = try KeyFile.loadOrCreate(at: path) { key } }
    }
}
