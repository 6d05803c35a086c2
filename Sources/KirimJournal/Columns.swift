import Foundation
import GRDB
import GRDBSQLite
import KirimRooms
import KirimWire

/// Reads the columns of one row from left to right. What cannot be is `corrupt`, never a trap.
///
/// They are read where SQLite has them: a reader that catches up reads thousands, and GRDB's values took as long as the rest.
struct Columns: ~Copyable {
    private let statement: SQLiteStatement
    private let count: CInt
    private var index: CInt = 0

    /// A row of the statement is there, and stays until this is gone.
    fileprivate init(_ statement: SQLiteStatement) {
        self.statement = statement
        count = sqlite3_data_count(statement)
    }

    /// The place of the next column, if that has the type; `nil` for NULL.
    private mutating func next(
        _ type: CInt,
        or complaint: String
    ) throws(JournalError) -> CInt? {
        guard index < count else { throw .corrupt("A row is too short.") }
        defer { index += 1 }
        switch sqlite3_column_type(statement, index) {
        case type: return index
        case SQLITE_NULL: return nil
        default: throw .corrupt(complaint)
        }
    }

    private func contents(_ bytes: UnsafeRawPointer?, _ place: CInt) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, place)))
    }

    mutating func maybeInteger() throws(JournalError) -> Int64? {
        try next(SQLITE_INTEGER, or: "A column holds no integer.")
            .map { sqlite3_column_int64(statement, $0) }
    }

    mutating func integer() throws(JournalError) -> Int64 {
        guard let number = try maybeInteger() else { throw .corrupt("An integer is missing.") }
        return number
    }

    private mutating func maybeBlob() throws(JournalError) -> UnsafeRawBufferPointer? {
        try next(SQLITE_BLOB, or: "A column holds no bytes.")
            .map { contents(sqlite3_column_blob(statement, $0), $0) }
    }

    mutating func maybeBytes() throws(JournalError) -> [UInt8]? { try maybeBlob().map(Array.init) }

    mutating func bytes() throws(JournalError) -> [UInt8] {
        guard let bytes = try maybeBytes() else { throw .corrupt("Bytes are missing.") }
        return bytes
    }

    /// A message's text: kept as bytes, since SQLite ends its own texts at the first NUL.
    mutating func text() throws(JournalError) -> String {
        guard let blob = try maybeBlob() else { throw .corrupt("Bytes are missing.") }
        return try text(blob)
    }

    private func text(_ bytes: UnsafeRawBufferPointer) throws(JournalError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .corrupt("A text is not UTF-8.")
        }
        return text
    }

    private mutating func maybeLabel() throws(JournalError) -> String? {
        guard let place = try next(SQLITE_TEXT, or: "A column holds no name.") else { return nil }
        return try text(contents(sqlite3_column_text(statement, place), place))
    }

    mutating func maybeMemberName() throws(JournalError) -> MemberName? {
        guard let text = try maybeLabel() else { return nil }
        guard let name = MemberName(kept: text) else {
            throw .corrupt("A member's name breaks the rules.")
        }
        return name
    }

    mutating func memberName() throws(JournalError) -> MemberName {
        guard let name = try maybeMemberName() else { throw .corrupt("A name is missing.") }
        return name
    }

    mutating func maybeRoomName() throws(JournalError) -> RoomName? {
        guard let text = try maybeLabel() else { return nil }
        guard let name = RoomName(text) else { throw .corrupt("A room's name breaks the rules.") }
        return name
    }

    mutating func roomName() throws(JournalError) -> RoomName {
        guard let name = try maybeRoomName() else { throw .corrupt("A room's name is missing.") }
        return name
    }

    mutating func key() throws(JournalError) -> PublicKey {
        guard let key = PublicKey(bytes: try bytes()) else { throw .corrupt("A key is too short.") }
        return key
    }

    mutating func refusal() throws(JournalError) -> Refusal? {
        guard let number = try maybeInteger() else { return nil }
        guard let byte = UInt8(exactly: number), let refusal = Refusal(rawValue: byte) else {
            throw .corrupt("A refusal is unknown.")
        }
        return refusal
    }

    /// The columns room's name, sequence, refusal; `nil` where all three are NULL.
    mutating func decision() throws(JournalError) -> PostDecision? {
        let room = try maybeRoomName()
        let sequence = try maybeInteger()
        if let refusal = try refusal() { return .refused(refusal) }
        guard let room, let sequence else { return nil }
        return .accepted(room, SequenceNumber(column: sequence))
    }
}

extension Database {
    /// Reads the rows of a query until `body` has had enough. That must not run the same query, nor go on after one that
    /// failed.
    func eachRow(
        _ sql: String,
        _ arguments: StatementArguments = StatementArguments(),
        _ body: (inout Columns) throws -> Bool
    ) throws {
        let statement = try cachedStatement(sql: sql)
        try statement.setArguments(arguments)
        let rows = statement.sqliteStatement
        try withExtendedLifetime(statement) {
            // A statement that is not at its end keeps the transaction.
            defer { sqlite3_reset(rows) }
            while true {
                switch sqlite3_step(rows) {
                case SQLITE_ROW:
                    var columns = Columns(rows)
                    guard try body(&columns) else { return }
                case SQLITE_DONE: return
                case let code: throw fault(code)
                }
            }
        }
    }

    private func fault(_ code: CInt) -> DatabaseError {
        let fault = DatabaseError(resultCode: ResultCode(rawValue: code), message: lastErrorMessage)
        // Where SQLite has ended the transaction by itself GRDB shall hear of it, which a statement of its own tells it.
        if !isInsideTransaction { try? execute(sql: "ROLLBACK") }
        return fault
    }

    /// All rows of a query.
    func rows<T>(
        _ sql: String,
        _ arguments: StatementArguments = StatementArguments(),
        _ value: (inout Columns) throws -> T
    ) throws -> [T] {
        var values: [T] = []
        try eachRow(sql, arguments) {
            values.append(try value(&$0))
            return true
        }
        return values
    }

    /// The first row of a query, if it has one.
    func firstRow<T>(
        _ sql: String,
        _ arguments: StatementArguments = StatementArguments(),
        _ value: (inout Columns) throws -> T
    ) throws -> T? {
        var found: T?
        try eachRow(sql, arguments) {
            found = try value(&$0)
            return false
        }
        return found
    }
}

extension Array where Element == UInt8 {
    var column: Data { Data(self) }
}

extension String {
    /// For a BLOB column, byte for byte. GRDB binds empty bytes as NULL: write `coalesce(?, x'')`.
    var column: Data { Data(utf8) }
}

extension RoomName {
    /// The same text for all names that are equal: Swift compares by canonical equivalence, SQLite by
    /// bytes. Only to find rows by; the name itself stands in a column of its own.
    var identity: String { text.precomposedStringWithCanonicalMapping }
}

// The numbers fit: an entry or a post more each nanosecond would take 292 years to 2^63, and what
// comes from the wire is at most 2^62. Random ones are kept by their bits.
extension SequenceNumber {
    var column: Int64 { Int64(clamping: rawValue) }
    init(column: Int64) { self.init(rawValue: UInt64(clamping: column)) }
}

extension PostNumber {
    var column: Int64 { Int64(clamping: rawValue) }
    init(column: Int64) { self.init(rawValue: UInt64(clamping: column)) }
}

extension MemberID {
    var column: Int64 { Int64(bitPattern: rawValue) }
    init(column: Int64) { self.init(rawValue: UInt64(bitPattern: column)) }
}

extension OutboxID {
    var column: Int64 { Int64(bitPattern: rawValue) }
    init(column: Int64) { self.init(rawValue: UInt64(bitPattern: column)) }
}

extension IPAddress {
    /// A version byte, then the address; the form never changes.
    var column: Data {
        var writer = ByteWriter(capacity: 21)
        switch self {
        case .v4(let bits):
            writer.byte(4)
            writer.integer(bits)
        case .v6(let high, let low, let zone):
            writer.byte(6)
            writer.integer(high)
            writer.integer(low)
            writer.integer(zone)
        }
        return Data(writer.bytes)
    }

    init(reading reader: inout ByteReader) throws(WireError) {
        switch try reader.byte() {
        case 4: self = .v4(try reader.integer())
        case 6:
            self = .v6(try reader.integer(), try reader.integer(), zone: try reader.integer())
        case let version: throw .unknownKind(version)
        }
    }
}

extension Address {
    var column: Data {
        var writer = ByteWriter(capacity: 2)
        writer.integer(port)
        return ip.column + Data(writer.bytes)
    }

    init(column: [UInt8]) throws(JournalError) {
        do throws(WireError) {
            var reader = ByteReader(column)
            let ip = try IPAddress(reading: &reader)
            self.init(ip: ip, port: try reader.integer())
            try reader.finish()
        } catch {
            throw .corrupt("An address makes no sense.")
        }
    }
}

extension Ban {
    /// A kind byte, then the key, or the address and the count of bits; the form never changes.
    var column: Data {
        switch self {
        case .key(let key): Data([0] + key.bytes)
        case .prefix(let ip, let bits): Data([1]) + ip.column + Data([bits])
        }
    }

    init(column: [UInt8]) throws(JournalError) {
        do throws(WireError) {
            var reader = ByteReader(column)
            switch try reader.byte() {
            case 0:
                guard let key = PublicKey(bytes: reader.rest()) else { throw .truncated }
                self = .key(key)
            case 1:
                let ip = try IPAddress(reading: &reader)
                self = .prefix(ip, bits: try reader.byte())
                try reader.finish()
            case let kind: throw .unknownKind(kind)
            }
        } catch {
            throw .corrupt("A ban makes no sense.")
        }
    }
}
