import Foundation
import GRDB
import KirimRooms
import KirimWire

/// A row of the table `server`, inside a transaction.
enum ServerRow {
    /// Where a handle leads: to itself, or to the row that it was merged into.
    static func present(_ row: Int64, _ db: Database) throws -> Int64 {
        var row = row
        // Rows are merged only into rows with a key, which are never merged: one step, in truth.
        for _ in 0..<8 {
            let found = try db.firstRow("SELECT merged FROM server WHERE id = ?", [row]) {
                try $0.maybeInteger()
            }
            guard let found else { throw JournalError.failed("This server is not known here.") }
            guard let next = found else { return row }
            row = next
        }
        throw JournalError.corrupt("A server's row leads in a circle.")
    }

    /// The row that an address leads to.
    static func find(at address: String, _ db: Database) throws -> Int64? {
        try Int64.fetchOne(
            db,
            sql: "SELECT server FROM address WHERE address = ?",
            arguments: [address]
        )
    }

    /// The row of a key.
    static func bearing(_ key: PublicKey, _ db: Database) throws -> Int64? {
        try Int64.fetchOne(
            db,
            sql: "SELECT id FROM server WHERE key = ?",
            arguments: [key.bytes.column]
        )
    }

    /// A new row, with an outbox of its own.
    static func make(_ key: PublicKey?, _ db: Database) throws -> Int64 {
        let outbox = OutboxID(rawValue: .random(in: 1 ... .max))
        try db.execute(
            sql: "INSERT INTO server (outbox, key) VALUES (?, ?)",
            arguments: [outbox.column, key?.bytes.column]
        )
        return db.lastInsertedRowID
    }

    static func lead(_ address: String, to row: Int64, _ db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO address (address, server) VALUES (?, ?)",
            arguments: [address, row]
        )
    }

    /// The row of a caller whose post numbers are those of the present outbox.
    static func outbox(of server: KnownServer, _ db: Database) throws -> Int64 {
        let row = try present(server.row, db)
        let outbox = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT outbox FROM server WHERE id = ?"),
            arguments: [row]
        )
        guard outbox == server.outbox.column else { throw JournalError.outboxMoved }
        return row
    }

    static func load(_ handle: Int64, _ db: Database) throws -> KnownServer {
        let row = try present(handle, db)
        let rooms = try rooms(of: row, db)
        let found = try db.firstRow(
            "SELECT key, outbox, name, token, invitation FROM server WHERE id = ?",
            [row]
        ) { columns in
            KnownServer(
                row: row,
                key: try columns.maybeBytes().flatMap { PublicKey(bytes: $0) },
                outbox: OutboxID(column: try columns.integer()),
                name: try columns.maybeMemberName(),
                token: try columns.maybeBytes(),
                invitation: try columns.maybeBytes(),
                rooms: rooms
            )
        }
        guard let found else { throw JournalError.failed("This server is not known here.") }
        return found
    }

    static func rooms(of row: Int64, _ db: Database) throws -> [RoomName] {
        try db.rows("SELECT name FROM open_room WHERE server = ? ORDER BY place", [row]) {
            try $0.roomName()
        }
    }

    static func addRoom(_ room: RoomName, to row: Int64, _ db: Database) throws {
        guard try !rooms(of: row, db).contains(room) else { return }
        try db.execute(
            sql: """
                INSERT INTO open_room (server, place, name)
                SELECT ?1, coalesce(max(place) + 1, 0), ?2 FROM open_room WHERE server = ?1
                """,
            arguments: [row, room.text]
        )
    }

    static func removeRoom(_ room: RoomName, from row: Int64, _ db: Database) throws {
        // Names that are the same need not have the same bytes.
        for kept in try rooms(of: row, db) where kept == room {
            try db.execute(
                sql: "DELETE FROM open_room WHERE server = ? AND name = ?",
                arguments: [row, kept.text]
            )
        }
    }

    /// Moves what waits to be sent, the addresses and the wishes of a row without a key to the row
    /// that has the key.
    static func merge(_ server: KnownServer, into holder: Int64, _ db: Database) throws {
        let waiting = try PostRow.undecided(of: server.row, db).map(\.post)
        try PostRow.append(waiting, to: holder, offered: false, db)
        let kept = try load(holder, db)
        for room in server.rooms { try addRoom(room, to: holder, db) }
        try db.execute(sql: "DELETE FROM open_room WHERE server = ?", arguments: [server.row])
        if kept.name == nil, let name = server.name {
            try db.execute(
                sql: "UPDATE server SET name = ? WHERE id = ?",
                arguments: [name.text, holder]
            )
        }
        if let invitation = server.invitation {
            try db.execute(
                sql: "UPDATE server SET invitation = ? WHERE id = ?",
                arguments: [invitation.column, holder]
            )
        }
        try db.execute(sql: "DELETE FROM post WHERE server = ?", arguments: [server.row])
        try db.execute(sql: "DELETE FROM entry WHERE server = ?", arguments: [server.row])
        try db.execute(
            sql: "UPDATE address SET server = ? WHERE server = ?",
            arguments: [holder, server.row]
        )
        try db.execute(
            sql: "UPDATE server SET merged = ? WHERE id = ?",
            arguments: [holder, server.row]
        )
    }
}

/// Rows of the table `post`, inside a transaction.
enum PostRow {
    static func last(in server: Int64, _ db: Database) throws -> Int64 {
        try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT max(number) FROM post WHERE server = ?"),
            arguments: [server]
        ) ?? 0
    }

    /// The highest number that may have been sent. Those above it, the rows that are looked at, were written
    /// without a connection.
    static func offered(in server: Int64, _ db: Database) throws -> Int64 {
        try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT number FROM post WHERE server = ? AND offered = 1
                    ORDER BY number DESC LIMIT 1
                    """
            ),
            arguments: [server]
        ) ?? 0
    }

    static func offerAll(in server: Int64, _ db: Database) throws {
        try db.cachedStatement(
            sql: "UPDATE post SET offered = 1 WHERE server = ? AND number > ?"
        ).execute(arguments: [server, try offered(in: server, db)])
    }

    static func append(
        _ posts: [Post],
        to server: Int64,
        offered: Bool,
        _ db: Database
    ) throws {
        var number = try last(in: server, db)
        for post in posts {
            number += 1
            try db.cachedStatement(
                sql: """
                    INSERT INTO post
                        (server, number, room, kind, reference, authored, text, offered)
                    VALUES (?, ?, ?, ?, ?, ?, coalesce(?, x''), ?)
                    """
            ).execute(
                arguments: [
                    server, number, post.room.text, Int64(post.kind.rawValue),
                    post.reference?.column, post.authored.milliseconds, post.text.column,
                    offered ? 1 : 0,
                ]
            )
        }
    }

    /// The first decision stays; a repeat changes nothing.
    static func decide(
        _ number: PostNumber,
        _ decision: PostDecision,
        in server: Int64,
        _ db: Database
    ) throws {
        let values: StatementArguments =
            switch decision {
            case .accepted(let room, let sequence): [room.text, sequence.column, nil]
            case .refused(let refusal): [nil, nil, Int64(refusal.rawValue)]
            }
        try db.cachedStatement(
            sql: """
                UPDATE post SET decided_room = ?, decided_sequence = ?, refusal = ?
                WHERE server = ? AND number = ? AND decided_sequence IS NULL AND refusal IS NULL
                """
        ).execute(arguments: values + [server, number.column])
    }

    static func undecided(of server: Int64, _ db: Database) throws -> [OutboxRow] {
        try fetch(db, "decided_sequence IS NULL AND refusal IS NULL", [server])
    }

    static func decided(of server: Int64, limit: Int, _ db: Database) throws -> [OutboxRow] {
        try fetch(
            db,
            """
            number IN (
                SELECT number FROM post
                WHERE server = ?1 AND (decided_sequence IS NOT NULL OR refusal IS NOT NULL)
                ORDER BY number DESC LIMIT ?2
            )
            """,
            [server, limit]
        )
    }

    /// The rows of one server, the first argument, for which the condition holds, in order.
    static func fetch(
        _ db: Database,
        _ condition: String,
        _ arguments: StatementArguments
    ) throws -> [OutboxRow] {
        try db.rows(
            """
            SELECT number, room, kind, reference, authored, text,
                decided_room, decided_sequence, refusal
            FROM post WHERE server = ?1 AND \(condition) ORDER BY number
            """,
            arguments
        ) { try outboxRow(&$0) }
    }

    private static func outboxRow(_ columns: inout Columns) throws(JournalError) -> OutboxRow {
        let number = PostNumber(column: try columns.integer())
        let room = try columns.roomName()
        let kind = try EntryRow.entryKind(columns.integer())
        let reference = try columns.maybeInteger().map(SequenceNumber.init(column:))
        let authored = WallTime(milliseconds: try columns.integer())
        let text = try columns.text()
        return OutboxRow(
            number: number,
            post: Post(
                room: room,
                kind: kind,
                reference: reference,
                authored: authored,
                text: text
            ),
            decision: try columns.decision()
        )
    }
}

/// Rows of the table `entry`, inside a transaction.
enum HistoryRow {
    static func span(of room: RoomName, from server: Int64, _ db: Database) throws -> HistorySpan? {
        // One subquery for each end: each is one step into the index, both in one would read it all.
        let span = try db.firstRow(
            """
            SELECT (SELECT min(sequence) FROM entry WHERE server = ?1 AND room = ?2),
                (SELECT max(sequence) FROM entry WHERE server = ?1 AND room = ?2)
            """,
            [server, room.identity]
        ) { (try $0.maybeInteger(), try $0.maybeInteger()) }
        guard case (let first?, let last?)? = span else { return nil }
        return HistorySpan(first: SequenceNumber(column: first), last: SequenceNumber(column: last))
    }

    static func insert(
        _ entry: Entry,
        of room: RoomName,
        from server: Int64,
        _ db: Database
    ) throws {
        let draft = EntryDraft(
            post: entry.post,
            author: entry.author,
            id: entry.id,
            received: entry.received
        )
        try db.run(insertion) { bindings in
            bindings.add(server)
            bindings.add(text: room.identity)
            EntryRow.bind(draft, at: entry.sequence, to: &bindings)
        }
    }

    private static let insertion = """
        INSERT INTO entry (server, room, \(EntryRow.columns)) VALUES (?, ?, \(EntryRow.marks))
        """

    static func fetch(
        _ room: RoomName,
        from server: Int64,
        before: SequenceNumber?,
        limit: Int,
        _ db: Database
    ) throws -> [Entry] {
        let newestFirst = try db.rows(
            """
            SELECT \(EntryRow.columns) FROM entry
            WHERE server = ? AND room = ? AND sequence < ?
            ORDER BY sequence DESC LIMIT ?
            """,
            [server, room.identity, before?.column ?? .max, limit]
        ) { try EntryRow.entry(&$0, of: room) }
        return newestFirst.reversed()
    }
}
