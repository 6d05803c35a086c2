import Foundation
import GRDB
import KirimJournal
import KirimRooms
import KirimWire
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// What a bad disk does to the files. Each fault is a clear error, and what was kept before stays.
@Suite("A journal file")
struct JournalFaultTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("rooms.sqlite")
    }

    private let long = String(repeating: "x", count: 60_000)

    @Test("that may not grow says that it is full, loses nothing, and goes on when there is room")
    func fullFile() throws {
        let journal = try SQLiteRoomJournal(path: path, maximumPages: 100)
        var kept = 0
        #expect(throws: JournalError.full) {
            for _ in 0..<100 {
                _ = try journal.commit([.append(draft(long, id: postID(UInt64(kept) + 1)))])
                kept += 1
            }
        }
        #expect(kept > 0)
        #expect(try journal.texts().count == min(kept, 1 << 20 / long.utf8.count))
        let author = MemberID(rawValue: 1)
        let next = number(UInt64(kept) + 1)
        #expect(try journal.nextPost(of: author, in: OutboxID(rawValue: 7)) == next)
    }

    @Test("that was full takes the same post after there is room again")
    func roomAgain() throws {
        var journal: SQLiteRoomJournal? = try SQLiteRoomJournal(path: path, maximumPages: 30)
        #expect(throws: JournalError.full) {
            _ = try journal?.commit([
                .append(draft(long)), .append(draft(long)), .append(draft(long)),
            ])
        }
        try journal?.close()
        journal = nil
        let wider = try SQLiteRoomJournal(path: path)
        #expect(try wider.commit([.append(draft(long))]) == [.appended(sequence(1))])
    }

    @Test("of a person that may not grow keeps the outbox as it was")
    func fullOutbox() throws {
        let journal = try SQLiteClientJournal(path: path, maximumPages: 30)
        let server = try journal.server(at: "a:1")
        _ = try journal.enqueue([post("kept")], to: server, after: nil, offering: true)
        #expect(throws: JournalError.full) {
            _ = try journal.enqueue(
                [post(long), post(long), post(long)],
                to: server,
                after: nil,
                offering: true
            )
        }
        #expect(try journal.undecided(of: server).map(\.post.text) == ["kept"])
    }

    @Test("on a disk without space says that it is full and loses nothing")
    func fullDisk() throws {
        let disk = folder.file("disk")
        guard mountTiny(at: disk, options: "size=1m") else { return }
        defer { umount2(disk, Int32(MNT_DETACH)) }
        let journal = try SQLiteRoomJournal(path: "\(disk)/rooms.sqlite")
        var kept = 0
        #expect(throws: JournalError.full) {
            for _ in 0..<100 {
                _ = try journal.commit([.append(draft(long))])
                kept += 1
            }
        }
        #expect(kept > 0)
        let rest = try journal.texts(from: UInt64(kept))
        #expect(rest == [long])
    }

    @Test("on a disk that is read-only says that it may not be written")
    func readOnlyDisk() throws {
        let disk = folder.file("disk")
        guard mountTiny(at: disk, options: "size=1m,ro") else { return }
        defer { umount2(disk, Int32(MNT_DETACH)) }
        #expect(isDenied { _ = try SQLiteRoomJournal(path: "\(disk)/rooms.sqlite") })
        #expect(isDenied { _ = try SQLiteClientJournal(path: "\(disk)/deeper/person.sqlite") })
        #expect(isDenied { _ = try KeyFile.loadOrCreate(at: "\(disk)/key") { newKey } })
    }

    @Test("where a folder has the name says so")
    func folderInTheWay() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        #expect(isDenied { _ = try SQLiteRoomJournal(path: path) })
    }

    @Test("of a server is refused to a second server, and free after the first ended")
    func lockedFile() throws {
        var first: SQLiteRoomJournal? = try SQLiteRoomJournal(path: path)
        _ = try first?.commit([.append(draft("kept"))])
        #expect(throws: JournalError.locked) { _ = try SQLiteRoomJournal(path: path) }
        #expect(try first?.texts() == ["kept"])
        first = nil
        #expect(try SQLiteRoomJournal(path: path).texts() == ["kept"])
    }

    @Test(
        "stays held against other processes when this one opens it once more and lets go of that",
        arguments: ["", "-shm"]
    )
    func openedTwice(suffix: String) throws {
        let person = folder.file("person.sqlite")
        let first = try SQLiteClientJournal(path: person)
        let server = try first.server(at: "a:1")
        // Kept open to the end: to close it would drop the very locks that are looked for.
        let witness = open(person + suffix, O_RDWR | O_CLOEXEC)
        try #require(witness >= 0)
        try #require(isHeld(witness))
        for turn in 1...3 {
            let second = try SQLiteClientJournal(path: person)
            _ = try second.enqueue([post("\(turn)")], to: server, after: nil, offering: true)
            try second.close()
            #expect(isHeld(witness), "after \(turn)")
        }
        #expect(try first.undecided(of: server).count == 3)
        try first.close()
        #expect(!isHeld(witness))
        close(witness)

        let rooms = try SQLiteRoomJournal(path: path)
        let guardian = open(path + suffix, O_RDWR | O_CLOEXEC)
        try #require(guardian >= 0)
        #expect(throws: JournalError.locked) { _ = try SQLiteRoomJournal(path: path) }
        #expect(isHeld(guardian))
        try rooms.close()
        close(guardian)
    }

    @Test("of a later version is left untouched")
    func newerSchema() throws {
        try SQLiteRoomJournal(path: path).close()
        try change { try $0.execute(sql: "PRAGMA user_version = 7") }
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(throws: JournalError.newer(7)) { _ = try SQLiteRoomJournal(path: path) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)

        let person = folder.file("person.sqlite")
        try SQLiteClientJournal(path: person).close()
        try change(person) { try $0.execute(sql: "PRAGMA user_version = 8") }
        #expect(throws: JournalError.newer(8)) { _ = try SQLiteClientJournal(path: person) }
    }

    @Test("of an earlier version may have sent everything that it holds")
    func olderSchema() throws {
        let journal = try SQLiteClientJournal(path: path)
        let server = try journal.server(at: "a:1")
        _ = try journal.enqueue([post("a"), post("b")], to: server, after: nil, offering: false)
        try journal.close()
        try change {
            try $0.execute(
                sql: """
                    ALTER TABLE post DROP COLUMN offered;
                    DELETE FROM grdb_migrations WHERE identifier LIKE '2 %';
                    PRAGMA user_version = 1;
                    """
            )
        }
        let newer = try SQLiteClientJournal(path: path)
        #expect(try newer.undecided(of: server).map(\.post.text) == ["a", "b"])
        #expect(try newer.offered(of: server) == number(2))
        _ = try newer.enqueue([post("c")], to: server, after: number(2), offering: false)
        #expect(try newer.offered(of: server) == number(2))
    }

    @Test("of another program, or of the other kind, is left untouched")
    func foreignFile() throws {
        try change { try $0.execute(sql: "CREATE TABLE recipe (cake TEXT)") }
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(throws: JournalError.self) { _ = try SQLiteRoomJournal(path: path) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)

        let person = folder.file("person.sqlite")
        try SQLiteClientJournal(path: person).close()
        #expect(throws: JournalError.self) { _ = try SQLiteRoomJournal(path: person) }
    }

    @Test("that is not a database is corrupt and left untouched")
    func garbage() throws {
        let garbage = Data("This is a letter to my mother, not a database.\n".utf8)
        try garbage.write(to: URL(fileURLWithPath: path))
        #expect(isCorrupt { _ = try SQLiteRoomJournal(path: path) })
        #expect(isCorrupt { _ = try SQLiteClientJournal(path: path) })
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == garbage)
    }

    @Test("with overwritten pages is corrupt, never a trap")
    func overwrittenPages() throws {
        let journal = try SQLiteRoomJournal(path: path)
        for turn in 0..<40 as Range<UInt64> {
            let texts = (0..<25 as Range<UInt64>).map { "message \(turn * 25 + $0)" }
            _ = try journal.commit(texts.map { .append(draft($0)) })
        }
        try journal.close()
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let pages = whole.count / 4_096
        try #require(pages > 20)
        var caught = 0
        // The first page is the header's and the schema's; each of the others in turn is scribbled over.
        for page in 1..<pages {
            let copy = folder.file("copy-\(page).sqlite")
            var bytes = whole
            let range = page * 4_096..<(page + 1) * 4_096
            bytes.replaceSubrange(range, with: repeatElement(UInt8(0xA5), count: 4_096))
            try bytes.write(to: URL(fileURLWithPath: copy))
            do throws(JournalError) {
                let journal = try SQLiteRoomJournal(path: copy)
                _ = try journal.snapshot()
                let query = EntryQuery(
                    room: .lobby,
                    from: .zero,
                    entryLimit: .max,
                    byteLimit: .max
                )
                #expect(try journal.entries(query).count == 1_000, "page \(page)")
            } catch {
                guard case .corrupt = error else {
                    Issue.record("page \(page): \(error)")
                    continue
                }
                caught += 1
            }
        }
        #expect(caught > pages / 2)
    }

    @Test("whose columns hold what they were never given is corrupt, never a trap")
    func otherTypes() throws {
        let journal = try SQLiteRoomJournal(path: path)
        let post: [JournalWrite] = [.append(draft("halo", id: postID(1)))]
        _ = try journal.commit([.enrol(member(1)), .join(.lobby, MemberID(rawValue: 1))] + post)
        try journal.close()
        let damages = [
            ("member", "key", "'text'"), ("member", "name", "x'00FF'"), ("room", "name", "x'00FF'"),
            ("entry", "kind", "'text'"), ("entry", "sequence", "'text'"),
            ("entry", "author", "'text'"),
            ("entry", "author_name", "x'00FF'"), ("entry", "author_address", "7"),
            ("entry", "outbox", "'text'"), ("entry", "received", "1.5"), ("entry", "text", "7"),
            ("decision", "sequence", "'text'"), ("decision", "refusal", "'text'"),
        ]
        for (table, column, value) in damages {
            let copy = folder.file("\(table)-\(column).sqlite")
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            // SQLite itself would not write that into a STRICT table; a damaged page may have it.
            var schema: [String: String] = [:]
            try change(copy) { db in
                for row in try Row.fetchAll(
                    db,
                    sql: "SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL"
                ) {
                    schema[row[0]] = row[1]
                }
            }
            try changeSchema(copy) { name in
                schema[name]?.replacingOccurrences(of: ") STRICT, WITHOUT", with: ") WITHOUT")
                    .replacingOccurrences(of: ") STRICT", with: ")")
            }
            try change(copy) { try $0.execute(sql: "UPDATE \(table) SET \(column) = \(value)") }
            try changeSchema(copy) { schema[$0] }
            #expect(
                isCorrupt {
                    let damaged = try SQLiteRoomJournal(path: copy)
                    _ = try damaged.snapshot()
                    _ = try damaged.texts()
                    _ = try damaged.commit(post)
                },
                "\(table).\(column)"
            )
        }
    }

    private func changeSchema(_ file: String, _ sql: (String) -> String?) throws {
        try change(file) { db in
            try db.execute(sql: "PRAGMA writable_schema = ON")
            let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT NULL"
            for name in try String.fetchAll(db, sql: tables) {
                try db.execute(
                    sql: "UPDATE sqlite_schema SET sql = ? WHERE name = ?",
                    arguments: [sql(name), name]
                )
            }
        }
    }

    @Test("with an entry cut out is corrupt: a gap is never shown")
    func gap() throws {
        let journal = try SQLiteRoomJournal(path: path)
        _ = try journal.commit((0..<5).map { .append(draft("\($0)")) })
        try journal.close()
        try change { try $0.execute(sql: "DELETE FROM entry WHERE sequence = 3") }
        let copy = folder.file("copy.sqlite")
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        let reopened = try SQLiteRoomJournal(path: copy)
        #expect(isCorrupt { _ = try reopened.texts() })
        #expect(isCorrupt { _ = try reopened.texts(from: 3) })
        #expect(try reopened.texts(from: 4) == ["3", "4"])
    }

    @Test("may be read by its owner only")
    func permissions() throws {
        let deep = folder.file("a/b/rooms.sqlite")
        let journal = try SQLiteRoomJournal(path: deep)
        _ = try journal.commit([.append(draft("secret"))])
        for file in ["a", "a/b", "a/b/rooms.sqlite", "a/b/rooms.sqlite-wal"] {
            #expect(try mode(of: folder.file(file)) & 0o077 == 0, "\(file)")
        }
    }

    @Test("of a person is used by four faces at once without a lost or doubled number")
    func faces() async throws {
        let path = folder.file("person.sqlite")
        // They also race to make the file.
        await withThrowingTaskGroup(of: Void.self) { group in
            for face in 0..<4 {
                group.addTask {
                    let journal = try SQLiteClientJournal(path: path)
                    let server = try journal.server(at: "a:1")
                    for turn in 0..<25 {
                        _ = try journal.enqueue(
                            [post("\(face) \(turn)")],
                            to: server,
                            after: nil,
                            offering: true
                        )
                    }
                }
            }
            while let result = await group.nextResult() {
                if case .failure(let error) = result { Issue.record(error) }
            }
        }
        let journal = try SQLiteClientJournal(path: path)
        let rows = try journal.undecided(of: journal.server(at: "a:1"))
        #expect(rows.map(\.number.rawValue) == Array(1...100))
        for face in 0..<4 {
            let own = rows.map(\.post.text).filter { $0.hasPrefix("\(face) ") }
            #expect(own == (0..<25).map { "\(face) \($0)" })
        }
    }

    @Test(
        "names that are not allowed any more are read so that they deceive nobody, and lose nobody"
    )
    func oldNames() throws {
        let first = try SQLiteRoomJournal(path: path)
        let ani = Member(id: MemberID(rawValue: 1), key: key(1), name: name("ani"))
        _ = try first.commit([.enrol(ani), .append(draft("halo"))])
        try first.close()
        try change { db in
            try db.execute(sql: "UPDATE member SET name = '✓ budi'")
            try db.execute(sql: "UPDATE entry SET author_name = 'budi: ya'")
        }
        let second = try SQLiteRoomJournal(path: path)
        #expect(try second.snapshot().members.map(\.name.text) == ["?✓ budi"])
        let query = EntryQuery(
            room: .lobby,
            from: .zero.next,
            entryLimit: 10,
            byteLimit: 1_000
        )
        guard case .member(_, let author)? = try second.entries(query).first?.author else {
            Issue.record("no author")
            return
        }
        #expect(author.text == "?budi¦ ya")
        try second.close()
    }

    // MARK: Tools

    /// Whether somebody holds a POSIX lock on the file, this process included: a lock of the other
    /// kind, which belongs to the descriptor, would be in its way (fcntl(2), F_OFD_GETLK).
    private func isHeld(_ descriptor: Int32) -> Bool {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        let whoHolds: Int32 = 36
        guard fcntl(descriptor, whoHolds, &lock) == 0 else {
            Issue.record("fcntl: \(String(cString: strerror(errno)))")
            return false
        }
        return lock.l_type != Int16(F_UNLCK)
    }

    private func change(_ file: String? = nil, _ body: (Database) throws -> Void) throws {
        let queue = try DatabaseQueue(path: file ?? path)
        try queue.write(body)
        try queue.close()
    }

    private func isDenied(_ body: () throws -> Void) -> Bool {
        do { try body() } catch JournalError.denied { return true } catch { Issue.record(error) }
        return false
    }

    private func isCorrupt(_ body: () throws -> Void) -> Bool {
        do { try body() } catch JournalError.corrupt { return true } catch { Issue.record(error) }
        return false
    }

    private var newKey: [UInt8] { [UInt8](repeating: 1, count: 32) }

    private func mode(of file: String) throws -> mode_t {
        var status = stat()
        try #require(stat(file, &status) == 0)
        return status.st_mode & 0o777
    }

    /// A small disk of its own; says why where that cannot be.
    private func mountTiny(at path: String, options: String) -> Bool {
        mkdir(path, 0o700)
        if mount("tmpfs", path, "tmpfs", options.contains("ro") ? UInt(MS_RDONLY) : 0, "size=1m")
            == 0
        {
            return true
        }
        print(
            "SKIPPED: a tiny disk cannot be mounted (\(String(cString: strerror(errno)))); needs root."
        )
        return false
    }
}
