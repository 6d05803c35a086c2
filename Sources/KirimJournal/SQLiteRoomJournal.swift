import Foundation
import GRDB
package import KirimRooms
import KirimWire
import Synchronization

/// A server's rooms in one SQLite file, which this process holds alone.
///
/// One transaction a commit, durable before it returns (WAL, synchronous = FULL). Readers do not
/// wait for the writer.
package final class SQLiteRoomJournal: RoomJournal {
    private let pool: DatabasePool
    private let lock: FileLock
    /// What the file says about rooms, kept beside it since nobody else writes it. Held through a
    /// commit, and replaced only when the commit is on the disk.
    private let rooms: Mutex<[RoomName: RoomState]>

    struct RoomState {
        let row: Int64
        var last: SequenceNumber
    }

    /// Opens the file, making it and its folder where they are missing.
    ///
    /// Throws `locked` where another server has it, `newer` where a later version of Kirim wrote it,
    /// both before anything is written.
    package convenience init(path: String) throws(JournalError) {
        try self.init(path: path, maximumPages: nil)
    }

    /// `maximumPages`: the file grows to so many pages of 4,096 bytes; after that commits throw `full`.
    package init(path: String, maximumPages: Int?) throws(JournalError) {
        try Folder.makeParent(of: path)
        lock = try FileLock(path + ".lock")
        let file = JournalFile(path: path, schema: .rooms, maximumPages: maximumPages)
        pool = try file.connect()
        rooms = Mutex(try Self.readRooms(pool))
    }

    /// Writes the log of pending writes into the file and lets go of it. Use nothing afterwards.
    package func close() throws(JournalError) {
        try JournalFile.letGo(of: pool)
        lock.release()
    }

    package func commit(_ writes: [JournalWrite]) throws(JournalError) -> [JournalOutcome] {
        do {
            return try rooms.withLock { rooms in
                let (outcomes, changed) = try perform(writes, in: rooms)
                rooms.merge(changed) { $1 }
                return outcomes
            }
        } catch {
            throw JournalError(wrapping: error)
        }
    }

    package func nextPost(
        of member: MemberID,
        in outbox: OutboxID
    ) throws(JournalError) -> PostNumber {
        try read { db in
            let last = try Int64.fetchOne(
                db.cachedStatement(
                    sql: "SELECT max(number) FROM decision WHERE member = ? AND outbox = ?"
                ),
                arguments: [member.column, outbox.column]
            )
            return last.map { PostNumber(column: $0).next } ?? .first
        }
    }

    package func entries(_ query: EntryQuery) throws(JournalError) -> [Entry] {
        guard query.entryLimit > 0 else { return [] }
        return try read { db in
            var entries: [Entry] = []
            var bytes = 0
            try db.eachRow(
                Self.entriesSQL,
                [query.room.identity, query.from.column, query.entryLimit]
            ) { columns in
                let entry = try EntryRow.entry(&columns, of: query.room)
                let expected = entries.last?.sequence.next ?? max(query.from, .zero.next)
                guard entry.sequence == expected else {
                    throw JournalError.corrupt(
                        "Entry \(expected.rawValue) of room \(query.room) is missing."
                    )
                }
                bytes += entry.text.utf8.count
                if !entries.isEmpty, bytes > query.byteLimit { return false }
                entries.append(entry)
                return true
            }
            return entries
        }
    }

    package func snapshot() throws(JournalError) -> JournalSnapshot {
        try read { db in
            var snapshot = JournalSnapshot()
            snapshot.members = try db.rows("SELECT id, key, name FROM member ORDER BY id") {
                columns in
                Member(
                    id: MemberID(column: try columns.integer()),
                    key: try columns.key(),
                    name: try columns.memberName()
                )
            }
            snapshot.rooms = try snapshotRooms(db)
            snapshot.bans = try db.rows("SELECT rule FROM ban ORDER BY id") { columns in
                try Ban(column: columns.bytes())
            }
            snapshot.invitations = try db.rows(
                "SELECT token, key FROM invitation ORDER BY id"
            ) { columns in
                JournalSnapshot.Invitation(id: try columns.bytes(), key: try columns.key())
            }
            return snapshot
        }
    }
}

extension SQLiteRoomJournal {
    /// What it was told about `rooms` is gone when it returns: nobody holds a second copy then, which a change would have
    /// to be kept from.
    private func perform(
        _ writes: [JournalWrite],
        in rooms: [RoomName: RoomState]
    ) throws -> ([JournalOutcome], changed: [RoomName: RoomState]) {
        var turn = RoomTurn(rooms: rooms)
        let outcomes = try pool.write { db in
            try writes.map { write in try turn.perform(write, in: db) }
        }
        return (outcomes, turn.changed)
    }

    private func read<T>(_ body: (Database) throws -> T) throws(JournalError) -> T {
        do { return try pool.read(body) } catch { throw JournalError(wrapping: error) }
    }

    private func snapshotRooms(_ db: Database) throws -> [JournalSnapshot.Room] {
        var members: [Int64: [MemberID]] = [:]
        let pairs = try db.rows(
            "SELECT room, member FROM membership ORDER BY room, member"
        ) { columns in
            (try columns.integer(), MemberID(column: try columns.integer()))
        }
        for (room, member) in pairs { members[room, default: []].append(member) }
        return try db.rows(Self.roomsSQL) { columns in
            let row = try columns.integer()
            return JournalSnapshot.Room(
                name: try columns.roomName(),
                last: SequenceNumber(column: try columns.integer()),
                members: members[row] ?? []
            )
        }
    }

    private static let entriesSQL = """
        SELECT \(EntryRow.columns) FROM entry
        WHERE room = (SELECT id FROM room WHERE identity = ?) AND sequence >= ?
        ORDER BY sequence LIMIT ?
        """

    private static let roomsSQL = """
        SELECT id, name, coalesce((SELECT max(sequence) FROM entry WHERE entry.room = room.id), 0)
        FROM room ORDER BY id
        """

    private static func readRooms(
        _ pool: DatabasePool
    ) throws(JournalError) -> [RoomName: RoomState] {
        do {
            return try pool.read { db in
                var rooms: [RoomName: RoomState] = [:]
                try db.eachRow(roomsSQL) { columns in
                    let id = try columns.integer()
                    let name = try columns.roomName()
                    let last = SequenceNumber(column: try columns.integer())
                    rooms[name] = RoomState(row: id, last: last)
                    return true
                }
                return rooms
            }
        } catch {
            throw JournalError(wrapping: error)
        }
    }
}
