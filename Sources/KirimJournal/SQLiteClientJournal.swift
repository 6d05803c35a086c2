import Foundation
import GRDB
package import KirimRooms
package import KirimWire

/// A person's servers, outbox and history in one SQLite file, which several processes use at once.
///
/// Each call is one immediate transaction, durable before it returns (WAL, synchronous = FULL); it
/// waits up to 5 s for another process that writes, then throws `locked`. Nothing is kept in memory
/// between calls, so that what another face wrote is always seen.
package final class SQLiteClientJournal: ClientJournal {
    private let pool: DatabasePool

    /// Opens the file, making it and its folder where they are missing. Throws `newer` where a later
    /// version of Kirim wrote it, before anything is written.
    package convenience init(path: String) throws(JournalError) {
        try self.init(path: path, maximumPages: nil)
    }

    /// `maximumPages`: the file grows to so many pages of 4,096 bytes; after that writes throw `full`.
    package init(path: String, maximumPages: Int?) throws(JournalError) {
        try Folder.makeParent(of: path)
        // One process at a time turns an empty file into a journal. SQLite itself would tell the
        // others to give up, where they only need to wait.
        let patience = Duration.seconds(JournalFile.patience)
        let opening = try FileLock(path + ".lock", patience: patience)
        defer { withExtendedLifetime(opening) {} }
        let file = JournalFile(path: path, schema: .client, maximumPages: maximumPages)
        pool = try file.connect()
    }

    /// Lets go of the file. Use nothing afterwards.
    package func close() throws(JournalError) {
        try JournalFile.letGo(of: pool)
    }

    func read<T>(_ body: (Database) throws -> T) throws(JournalError) -> T {
        do { return try pool.read(body) } catch { throw JournalError(wrapping: error) }
    }

    func write<T>(_ body: (Database) throws -> T) throws(JournalError) -> T {
        do { return try pool.write(body) } catch { throw JournalError(wrapping: error) }
    }
}

// MARK: Servers

extension SQLiteClientJournal {
    package func server(at address: String) throws(JournalError) -> KnownServer {
        try write { db in
            if let row = try ServerRow.find(at: address, db) { return try ServerRow.load(row, db) }
            let made = try ServerRow.make(nil, db)
            try ServerRow.lead(address, to: made, db)
            return try ServerRow.load(made, db)
        }
    }

    package func server(bearing key: PublicKey) throws(JournalError) -> KnownServer {
        try write { db in
            try ServerRow.load(ServerRow.bearing(key, db) ?? ServerRow.make(key, db), db)
        }
    }

    package func pin(
        _ server: KnownServer,
        key: PublicKey,
        at address: String?
    ) throws(JournalError) -> KnownServer {
        try write { db in
            let present = try ServerRow.load(server.row, db)
            guard present.key == nil || present.key == key else {
                throw JournalError.failed("Another key is pinned for this server.")
            }
            var holder = present.row
            if present.key == nil {
                if let other = try ServerRow.bearing(key, db) {
                    try ServerRow.merge(present, into: other, db)
                    holder = other
                } else {
                    try db.execute(
                        sql: "UPDATE server SET key = ? WHERE id = ?",
                        arguments: [key.bytes.column, present.row]
                    )
                }
            }
            if let address {
                if let led = try ServerRow.find(at: address, db) {
                    let other = try ServerRow.load(led, db)
                    if other.row != holder, other.key == nil {
                        try ServerRow.merge(other, into: holder, db)
                    }
                }
                try ServerRow.lead(address, to: holder, db)
            }
            return try ServerRow.load(holder, db)
        }
    }

    package func rooms(of server: KnownServer) throws(JournalError) -> [RoomName] {
        try read { db in try ServerRow.rooms(of: ServerRow.present(server.row, db), db) }
    }

    package func addRoom(_ room: RoomName, to server: KnownServer) throws(JournalError) {
        try write { db in
            try ServerRow.addRoom(room, to: ServerRow.present(server.row, db), db)
        }
    }

    package func removeRoom(_ room: RoomName, from server: KnownServer) throws(JournalError) {
        try write { db in
            try ServerRow.removeRoom(room, from: ServerRow.present(server.row, db), db)
        }
    }

    package func setName(_ name: MemberName, of server: KnownServer) throws(JournalError) {
        try write { db in
            try db.execute(
                sql: "UPDATE server SET name = ? WHERE id = ?",
                arguments: [name.text, try ServerRow.present(server.row, db)]
            )
        }
    }

    package func setToken(_ token: [UInt8]?, of server: KnownServer) throws(JournalError) {
        try write { db in
            try db.execute(
                sql: "UPDATE server SET token = ? WHERE id = ?",
                arguments: [token?.column, try ServerRow.present(server.row, db)]
            )
        }
    }

    package func setInvitation(
        _ invitation: [UInt8],
        of server: KnownServer
    ) throws(JournalError) {
        try write { db in
            try db.execute(
                sql: "UPDATE server SET invitation = ? WHERE id = ?",
                arguments: [invitation.column, try ServerRow.present(server.row, db)]
            )
        }
    }
}

// MARK: Outbox

extension SQLiteClientJournal {
    package func enqueue(
        _ posts: [Post],
        to server: KnownServer,
        after known: PostNumber?,
        offering: Bool
    ) throws(JournalError) -> [OutboxRow] {
        try write { db in
            let row = try ServerRow.outbox(of: server, db)
            if offering { try PostRow.offerAll(in: row, db) }
            try PostRow.append(posts, to: row, offered: offering, db)
            return try PostRow.fetch(db, "number > ?2", [row, known?.column ?? 0])
        }
    }

    package func offered(of server: KnownServer) throws(JournalError) -> PostNumber? {
        try read { db in
            let offered = try PostRow.offered(in: ServerRow.outbox(of: server, db), db)
            return offered == 0 ? nil : PostNumber(column: offered)
        }
    }

    package func undecided(of server: KnownServer) throws(JournalError) -> [OutboxRow] {
        try read { db in try PostRow.undecided(of: ServerRow.outbox(of: server, db), db) }
    }

    package func decided(
        of server: KnownServer,
        limit: Int
    ) throws(JournalError) -> [OutboxRow] {
        guard limit > 0 else { return [] }
        return try read { db in
            try PostRow.decided(of: ServerRow.outbox(of: server, db), limit: limit, db)
        }
    }

    package func lastPost(of server: KnownServer) throws(JournalError) -> PostNumber? {
        try read { db in
            let last = try PostRow.last(in: ServerRow.outbox(of: server, db), db)
            return last == 0 ? nil : PostNumber(column: last)
        }
    }

    package func decide(
        _ decisions: [PostNumber: PostDecision],
        of server: KnownServer
    ) throws(JournalError) {
        try write { db in
            let row = try ServerRow.outbox(of: server, db)
            for (number, decision) in decisions {
                try PostRow.decide(number, decision, in: row, db)
            }
        }
    }

    package func renewOutbox(
        of server: KnownServer,
        to outbox: OutboxID
    ) throws(JournalError) -> KnownServer {
        try write { db in
            let present = try ServerRow.load(server.row, db)
            // Another face was first: its new outbox serves this one as well.
            guard present.outbox == server.outbox else { return present }
            let waiting = try PostRow.undecided(of: present.row, db).map(\.post)
            try db.execute(sql: "DELETE FROM post WHERE server = ?", arguments: [present.row])
            try db.execute(
                sql: "UPDATE server SET outbox = ? WHERE id = ?",
                arguments: [outbox.column, present.row]
            )
            try PostRow.append(waiting, to: present.row, offered: false, db)
            return try ServerRow.load(present.row, db)
        }
    }
}

// MARK: History

extension SQLiteClientJournal {
    package func apply(
        _ entries: [Entry],
        of room: RoomName,
        from server: KnownServer
    ) throws(JournalError) {
        try write { db in
            let row = try ServerRow.present(server.row, db)
            var span = try HistoryRow.span(of: room, from: row, db)
            for entry in HistorySpan.inOrderOfJoining(entries, to: span)
            where try HistorySpan.join(entry.sequence, to: &span) {
                try HistoryRow.insert(entry, of: room, from: row, db)
            }
        }
    }

    package func forget(
        _ room: RoomName,
        beyond last: SequenceNumber,
        from server: KnownServer
    ) throws(JournalError) {
        try write { db in
            try db.execute(
                sql: "DELETE FROM entry WHERE server = ? AND room = ? AND sequence > ?",
                arguments: [
                    try ServerRow.present(server.row, db), room.identity, last.column,
                ]
            )
        }
    }

    package func span(
        of room: RoomName,
        from server: KnownServer
    ) throws(JournalError) -> HistorySpan? {
        try read { db in
            try HistoryRow.span(of: room, from: ServerRow.present(server.row, db), db)
        }
    }

    package func history(
        of room: RoomName,
        from server: KnownServer,
        before: SequenceNumber?,
        limit: Int
    ) throws(JournalError) -> [Entry] {
        guard limit > 0 else { return [] }
        return try read { db in
            let row = try ServerRow.present(server.row, db)
            return try HistoryRow.fetch(room, from: row, before: before, limit: limit, db)
        }
    }
}
