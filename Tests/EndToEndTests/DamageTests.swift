import Foundation
import KirimJournal
import KirimRooms
import KirimTestKit
import Testing

/// Files whose bytes are not what was written, and clocks that are not what they were.
@Suite("Damaged files", .serialized, .timeLimit(.minutes(60)))
struct DamageTests {
    /// Pages that are damaged, one after the other; 0 for all of them.
    private static let pages = Int(variable("KIRIM_DISK_PAGES") ?? 6)
    private static let pageSize = 4_096

    @Test(
        "of a server: nobody is shown what was not said, the operator hears, and a copy brings all back"
    )
    func damagedRooms() throws {
        let stage = try Stage()
        let ani = try stage.person("ani")
        #expect(ani.isIn())
        let texts = (1...400).map { "baris \($0) " + String(repeating: "kata ", count: 40) }
        for text in texts { ani.says(text.trimmingCharacters(in: .whitespaces)) }
        let said = texts.map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(ani.hears(said[399], within: .seconds(60)) != nil)
        ani.process.end()
        stage.stopServer(by: SIGTERM)
        let file = URL(fileURLWithPath: "\(stage.folder)/server/rooms.sqlite")
        let whole = try Data(contentsOf: file)
        var (refused, told, unharmed) = (0, 0, 0)
        for page in Self.chosen(of: whole.count / Self.pageSize) {
            try damage(whole, page, at: file)
            do { try stage.restartServer() } catch let unready as Stage.Unready {
                refused += 1
                #expect(
                    unready.said.contains {
                        $0.contains("rooms.sqlite is damaged: ")
                            && $0.contains("Move it away, or put a copy back, and start again.")
                    },
                    "page \(page): \(unready.said)"
                )
                continue
            }
            let name = "tamu\(page)"
            let reader = try stage.person(name, ["--history", "500"])
            let hasAll = reader.hears(said[399], within: .seconds(3)) != nil
            #expect(said.starts(with: reader.texts) || hasAll)
            #expect(Set(reader.texts).isSubset(of: said), "page \(page)")
            if hasAll { isWithoutGap(reader) }
            if hasAll, reader.texts.count == said.count {
                unharmed += 1
            } else {
                // Not read to the end: then somebody must have heard why.
                let line = stage.server.line(containing: "is damaged", within: .seconds(5))
                #expect(line != nil, "page \(page): \(stage.server.lines)")
                told += line == nil ? 0 : 1
            }
            reader.process.end()
            stage.stopServer(by: SIGKILL)
        }
        print(
            "damage: the server refused \(refused), told of \(told), did not need \(unharmed) pages"
        )
        for end in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: file.path + end)
        }
        try whole.write(to: file)
        try stage.restartServer()
        let again = try stage.person("ani", ["--history", "500"])
        again.says("semua kembali")
        #expect(again.hears("semua kembali") != nil)
        stage.stopServer(by: SIGTERM)
        #expect(try stage.texts() == said + ["semua kembali"])
    }

    @Test("of a person: they are told what to do, and with the file away everything is there again")
    func damagedHistory() throws {
        let stage = try Stage()
        let budi = try stage.person("budi")
        #expect(budi.isIn())
        var said = (1...300).map { "baris \($0) " + String(repeating: "k", count: 200) }
        for text in said { budi.says(text) }
        #expect(budi.hears(said[299], within: .seconds(60)) != nil)
        let ani = try stage.person("ani", ["--history", "500"])
        #expect(ani.hears(said[299], within: .seconds(60)) != nil)
        ani.process.kill(SIGKILL)
        _ = ani.process.exitCode()
        let file = URL(fileURLWithPath: stage.data(of: "ani") + "/client.sqlite")
        // Everything into the one file.
        try SQLiteClientJournal(path: file.path).close()
        let whole = try Data(contentsOf: file)
        var (refused, told, unharmed) = (0, 0, 0)
        for page in Self.chosen(of: whole.count / Self.pageSize) {
            try damage(whole, page, at: file)
            let chat = try stage.person("ani", ["--history", "500"])
            let text = "halaman \(page)"
            chat.says(text)
            let sentence = "The file with outbox and history is damaged"
            func says(_ sentences: String...) -> Bool {
                chat.process.lines.contains { line in sentences.allSatisfy(line.contains) }
            }
            let advice = "; move it away and start again."
            let end = ContinuousClock.now + .seconds(20)
            while !budi.texts.contains(text), !says(sentence, advice), .now < end { usleep(20_000) }
            if budi.texts.contains(text) {
                said.append(text)
                if says(sentence) { told += 1 } else { unharmed += 1 }
            } else {
                refused += 1
                #expect(says(sentence, advice), "page \(page): \(chat.process.lines)")
            }
            #expect(Set(chat.texts).isSubset(of: said), "page \(page)")
            chat.process.end()
        }
        print(
            "damage: a person was refused \(refused), told of \(told), did not need \(unharmed) pages"
        )
        // As the sentence says.
        for end in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: file.path + end)
        }
        let again = try stage.person("ani", ["--history", "500"])
        again.says("semua kembali")
        #expect(again.hears("semua kembali") != nil)
        stage.stopServer(by: SIGTERM)
        let log = try stage.texts()
        #expect(Set(log).count == log.count)
        #expect(log.last == "semua kembali")
        #expect(again.texts == Array(log.suffix(again.texts.count)))
    }

    @Test(
        "a server's log that was cut short is a beginning of what it was; people are told, and it goes on"
    )
    func cutRooms() throws {
        let stage = try Stage()
        let ani = try stage.person("ani")
        #expect(ani.isIn())
        let budi = try stage.person("budi")
        #expect(budi.isIn())
        for number in 1...200 {
            ani.says("baris \(number)")
            if number.isMultiple(of: 20) { #expect(ani.hears("baris \(number)") != nil) }
        }
        #expect(budi.hears("baris 200") != nil)
        stage.stopServer(by: SIGKILL)
        try cut("\(stage.folder)/server/rooms.sqlite-wal")
        try stage.restartServer()
        for person in [ani, budi] {
            #expect(person.process.line(containing: "\"set_back\"", within: .seconds(30)) != nil)
        }
        ani.says("sesudah")
        budi.says("juga sesudah")
        for person in [ani, budi] {
            #expect(person.process.line(containing: "\"sesudah\"", within: .seconds(30)) != nil)
        }
        usleep(500_000)
        stage.stopServer(by: SIGTERM)
        let log = try stage.texts()
        #expect(Set(log).count == log.count, "something is there twice")
        let old = log.filter { $0.hasPrefix("baris") }
        #expect(old == Array((1...200).map { "baris \($0)" }.prefix(old.count)))
        #expect(old.count < 200)
        #expect(Set(log).isSuperset(of: ["sesudah", "juga sesudah"]))
        print("damage: a log cut short kept \(old.count) of 200")
    }

    @Test("a person's file that was cut short costs no accepted message and repeats none")
    func cutHistory() throws {
        let stage = try Stage()
        let budi = try stage.person("budi")
        #expect(budi.isIn())
        var ani = try stage.person("ani")
        #expect(ani.isIn())
        var said = 0
        for round in 1...4 {
            for _ in 1...25 {
                said += 1
                ani.says("baris \(said)")
            }
            #expect(ani.hears("baris \(said)") != nil)
            ani.process.kill(SIGKILL)
            _ = ani.process.exitCode()
            try cut(stage.data(of: "ani") + "/client.sqlite-wal")
            ani = try stage.person("ani", ["--history", "500"])
            #expect(ani.isIn())
            ani.says("sesudah \(round)")
            #expect(ani.hears("sesudah \(round)") != nil)
            #expect(budi.hears("sesudah \(round)") != nil)
        }
        stage.stopServer(by: SIGTERM)
        let log = try stage.texts()
        #expect(Set(log).count == log.count, "something is there twice")
        #expect(log.filter { $0.hasPrefix("baris") } == (1...said).map { "baris \($0)" })
        #expect(log.filter { $0.hasPrefix("sesudah") } == (1...4).map { "sesudah \($0)" })
        #expect(budi.texts == log)
    }

    @Test("clocks that are set back or forward, of the server and of a person, lose nothing")
    func clocks() throws {
        let places = [
            "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib",
        ]
        let libraries = places.map { "\($0)/faketime/libfaketime.so.1" }
        guard !isSanitized else {
            print("SKIPPED: a sanitizer and libfaketime both want to be the first in a program.")
            return
        }
        guard let library = libraries.first(where: FileManager.default.fileExists(atPath:)) else {
            print("SKIPPED: there is no libfaketime here to set a clock back.")
            return
        }
        func clock(_ shift: String) -> [String: String] {
            [
                "LD_PRELOAD": library, "FAKETIME": shift, "DONT_FAKE_MONOTONIC": "1",
                "FAKETIME_DISABLE_SHM": "1",
            ]
        }
        let stage = try Stage()
        let budi = try stage.person("budi")
        #expect(budi.isIn())
        var said: [String] = []
        for (turn, shift) in ["-3d", "-4000d", "+30d", "+0"].enumerated() {
            stage.serverEnvironment = clock(shift)
            try stage.restartServer()
            let ani = try stage.person("ani", environment: clock(turn == 1 ? "+10d" : "-10d"))
            #expect(ani.isIn(), "\(shift)")
            for person in [ani, budi] {
                let text = "\(shift) \(said.count)"
                said.append(text)
                person.says(text)
                #expect(budi.hears(text) != nil, "\(shift)")
            }
            // The next one begins with the token that this clock has stamped.
            ani.process.kill(SIGTERM)
            #expect(ani.process.exitCode() != nil)
        }
        #expect(budi.texts == said)
        isWithoutGap(budi)
        stage.stopServer(by: SIGTERM)
        let log = try stage.log().filter { $0.kind == .text }
        #expect(log.map(\.text) == said)
        // The clocks were really other ones.
        let times = log.map(\.received.milliseconds)
        #expect(times != times.sorted())
    }

    /// Pages after the first, which is the header's and the schema's, spread over the file.
    private static func chosen(of count: Int) -> [Int] {
        guard pages > 0, pages < count - 1 else { return Array(1..<count) }
        return (0..<pages).map { 1 + $0 * (count - 2) / max(1, pages - 1) }
    }

    private func damage(_ whole: Data, _ page: Int, at file: URL) throws {
        for end in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file.path + end) }
        var bytes = whole
        let range = page * Self.pageSize..<(page + 1) * Self.pageSize
        bytes.replaceSubrange(range, with: repeatElement(UInt8(0xA5), count: Self.pageSize))
        try bytes.write(to: file)
    }

    /// Takes the last third of a file away, in the middle of a page.
    private func cut(_ path: String) throws {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        let size = try handle.seekToEnd()
        #expect(size > 0, "\(path) is empty")
        try handle.truncate(atOffset: size * 2 / 3 + 100)
        try handle.close()
    }
}
