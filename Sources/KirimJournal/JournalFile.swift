import Foundation
import GRDB
import KirimRooms

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What a kind of journal file looks like inside, and how older files become so.
struct JournalSchema {
    /// Stands in the header of the file, so that no other program's database is taken for ours.
    let applicationID: Int32
    /// Each step's SQL is frozen once it was released. The schema's number is how many were taken.
    let steps: [(name: String, sql: String)]

    var number: Int { steps.count }

    var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for (index, step) in steps.enumerated() {
            migrator.registerMigration(step.name) { [applicationID] db in
                try db.execute(sql: step.sql)
                try db.execute(sql: "PRAGMA application_id = \(applicationID)")
                try db.execute(sql: "PRAGMA user_version = \(index + 1)")
            }
        }
        return migrator
    }
}

/// Opens a SQLite file as a journal: looked at before the first write, durable after it.
struct JournalFile {
    let path: String
    let schema: JournalSchema
    /// The greatest size in pages of 4,096 bytes; `nil` for what the disk holds.
    var maximumPages: Int?

    /// Waits this long for another process that writes.
    static let patience = 5.0

    func connect() throws(JournalError) -> DatabasePool {
        do {
            try make()
            try inspect()
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { db in
                // GRDB sets NORMAL with WAL, which may lose the last commits with the power.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                // The write-ahead log shrinks to this after a burst.
                try db.execute(sql: "PRAGMA journal_size_limit = 67108864")
                if let maximumPages {
                    try db.execute(sql: "PRAGMA max_page_count = \(maximumPages)")
                }
            }
            try schema.migrator.migrate(pool)
            return pool
        } catch {
            throw JournalError(wrapping: error)
        }
    }

    /// Writes the log of pending writes into the file and lets go of it.
    static func letGo(of pool: DatabasePool) throws(JournalError) {
        do {
            // The writer must be the last to close: only it can empty the log into the file.
            pool.invalidateReadOnlyConnections()
            try pool.close()
        } catch {
            throw JournalError(wrapping: error)
        }
    }

    private var configuration: Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(Self.patience)
        configuration.maximumReaderCount = 2
        configuration.label = URL(fileURLWithPath: path).lastPathComponent
        return configuration
    }

    /// Makes an empty file that only its owner may read, where there is none. SQLite gives the files
    /// beside it the same mode.
    private func make() throws(JournalError) {
        // Only a file that was not there: to close a descriptor of one that is drops the locks that SQLite
        // holds on it in this process (POSIX), and another process would take it for unused.
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0, errno == EEXIST {
            var status = stat()
            if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
                throw JournalError(errno: EISDIR, "The file \(path) cannot be opened")
            }
            guard access(path, R_OK | W_OK) == 0 else {
                throw JournalError(errno: errno, "The file \(path) cannot be opened")
            }
            return
        }
        guard descriptor >= 0 else {
            throw JournalError(errno: errno, "The file \(path) cannot be opened")
        }
        close(descriptor)
    }

    /// Reads whose file this is and which schema it has, without a write.
    private func inspect() throws {
        var configuration = self.configuration
        configuration.readonly = true
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? queue.close() }
        try queue.read { db in
            let number = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            let owner = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
            let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
            if tables == 0 { return }
            guard owner == schema.applicationID else {
                throw JournalError.failed("The file \(path) is a database of another program.")
            }
            if number > schema.number { throw JournalError.newer(number) }
        }
    }
}
