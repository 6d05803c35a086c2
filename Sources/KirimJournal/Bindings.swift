import GRDB
import GRDBSQLite

/// The values for a statement's marks, from left to right.
///
/// For what is written with every message. GRDB's own arguments are boxed, checked and bound within one another, which was
/// half of what a post cost; it still runs the statement.
struct Bindings: ~Copyable {
    private let statement: SQLiteStatement
    private var count: CInt = 0
    /// The first of SQLite's codes that was no success.
    private var trouble = SQLITE_OK

    fileprivate init(_ statement: SQLiteStatement) { self.statement = statement }

    mutating func add(_ number: Int64?) {
        count += 1
        note(
            number.map { sqlite3_bind_int64(statement, count, $0) }
                ?? sqlite3_bind_null(statement, count)
        )
    }

    mutating func add(text: String?) {
        count += 1
        guard var text else { return note(sqlite3_bind_null(statement, count)) }
        // Without an address it would be NULL.
        guard !text.isEmpty else {
            return note(sqlite3_bind_text(statement, count, "", 0, Self.copied))
        }
        note(
            text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    sqlite3_bind_text(
                        statement,
                        count,
                        $0.baseAddress,
                        CInt($0.count),
                        Self.copied
                    )
                }
            }
        )
    }

    /// A text that is kept as bytes.
    mutating func add(utf8 text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    mutating func add(bytes: [UInt8]?) {
        guard let bytes else { return add(nil as Int64?) }
        bytes.withUnsafeBytes { add($0) }
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        count += 1
        // Nothing is not NULL.
        guard !bytes.isEmpty else { return note(sqlite3_bind_zeroblob(statement, count, 0)) }
        note(
            sqlite3_bind_blob(
                statement,
                count,
                bytes.baseAddress,
                CInt(bytes.count),
                Self.copied
            )
        )
    }

    private mutating func note(_ code: CInt) { if trouble == SQLITE_OK { trouble = code } }

    fileprivate func check() throws {
        guard trouble == SQLITE_OK else {
            throw DatabaseError(resultCode: ResultCode(rawValue: trouble))
        }
        precondition(
            count == sqlite3_bind_parameter_count(statement),
            "each mark has a value"
        )
    }

    /// SQLITE_TRANSIENT: SQLite makes a copy.
    private static var copied: sqlite3_destructor_type {
        unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }
}

extension Database {
    /// Runs a statement that returns no rows; `bind` gives each of its marks a value.
    func run(_ sql: String, binding bind: (inout Bindings) throws -> Void) throws {
        let statement = try cachedStatement(sql: sql)
        // GRDB is told that the values are not its business.
        statement.setUncheckedArguments(StatementArguments())
        var bindings = Bindings(statement.sqliteStatement)
        try bind(&bindings)
        try bindings.check()
        try statement.execute()
    }
}
