import Foundation
import GRDB
import KirimRooms
import KirimWire

/// The writes of one commit, inside its transaction.
///
/// What it learns about rooms counts only once the transaction is on the disk; before that the
/// journal drops it together with the transaction.
struct RoomTurn {
    private let rooms: [RoomName: SQLiteRoomJournal.RoomState]
    /// What has come to be otherwise than in `rooms`.
    private(set) var changed: [RoomName: SQLiteRoomJournal.RoomState] = [:]

    init(rooms: [RoomName: SQLiteRoomJournal.RoomState]) { self.rooms = rooms }

    mutating func perform(_ write: JournalWrite, in db: Database) throws -> JournalOutcome {
        switch write {
        case .append(let draft): return try append(draft, db)
        case .refuse(let id, let refusal): return try refuse(id, refusal, db)
        case .enrol(let member): try enrol(member, db)
        case .rename(let member, let name): try rename(member, to: name, db)
        case .create(let room): try create(room, db)
        case .join(let room, let member):
            try run(
                db,
                "INSERT INTO membership (room, member) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [try state(of: room).row, member.column]
            )
        case .leave(let room, let member):
            try run(
                db,
                "DELETE FROM membership WHERE room = ? AND member = ?",
                [try state(of: room).row, member.column]
            )
        case .ban(let ban):
            try run(db, "INSERT INTO ban (rule) VALUES (?) ON CONFLICT DO NOTHING", [ban.column])
        case .unban(let ban): try run(db, "DELETE FROM ban WHERE rule = ?", [ban.column])
        case .redeem(let invitation, let key):
            try run(
                db,
                "INSERT INTO invitation (token, key) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [invitation.column, key.bytes.column]
            )
        }
        return .done
    }

    private mutating func append(_ draft: EntryDraft, _ db: Database) throws -> JournalOutcome {
        var room = try state(of: draft.post.room)
        let sequence = room.last.next
        if let id = draft.id {
            let isNew = try decide(id, room: room.row, sequence: sequence, refusal: nil, db)
            guard isNew else { return .repeated(try decision(about: id, db)) }
        }
        try db.run(Self.insertion) { bindings in
            bindings.add(room.row)
            EntryRow.bind(draft, at: sequence, to: &bindings)
        }
        room.last = sequence
        changed[draft.post.room] = room
        return .appended(sequence)
    }

    private static let insertion =
        "INSERT INTO entry (room, \(EntryRow.columns)) VALUES (?, \(EntryRow.marks))"

    private func refuse(_ id: PostID, _ refusal: Refusal, _ db: Database) throws -> JournalOutcome {
        let isNew = try decide(id, room: nil, sequence: nil, refusal: refusal, db)
        return isNew ? .done : .repeated(try decision(about: id, db))
    }

    /// Uses the number up; false where it was used before.
    private func decide(
        _ id: PostID,
        room: Int64?,
        sequence: SequenceNumber?,
        refusal: Refusal?,
        _ db: Database
    ) throws -> Bool {
        try db.run(Self.decision) { bindings in
            bindings.add(id.member.column)
            bindings.add(id.outbox.column)
            bindings.add(id.number.column)
            bindings.add(room)
            bindings.add(sequence?.column)
            bindings.add(refusal.map { Int64($0.rawValue) })
        }
        return db.changesCount == 1
    }

    private static let decision = """
        INSERT INTO decision (member, outbox, number, room, sequence, refusal)
        VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
        """

    private func decision(about id: PostID, _ db: Database) throws -> PostDecision {
        let decision = try db.firstRow(
            """
            SELECT room.name, decision.sequence, decision.refusal
            FROM decision LEFT JOIN room ON room.id = decision.room
            WHERE member = ? AND outbox = ? AND number = ?
            """,
            [id.member.column, id.outbox.column, id.number.column]
        ) { columns in
            guard let decision = try columns.decision() else {
                throw JournalError.corrupt("A decision decides nothing.")
            }
            return decision
        }
        guard let decision else { throw JournalError.corrupt("A decision is missing.") }
        return decision
    }

    private func enrol(_ member: Member, _ db: Database) throws {
        try run(
            db,
            """
            INSERT INTO member (id, key, name) VALUES (?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE key = excluded.key
            """,
            [member.id.column, member.key.bytes.column, member.name.text]
        )
        guard db.changesCount == 1 else {
            throw JournalError.failed("Member \(member.id.rawValue) has another key already.")
        }
    }

    private func rename(_ member: MemberID, to name: MemberName, _ db: Database) throws {
        try run(db, "UPDATE member SET name = ? WHERE id = ?", [name.text, member.column])
        guard db.changesCount == 1 else {
            throw JournalError.failed("There is no member \(member.rawValue).")
        }
    }

    private mutating func create(_ room: RoomName, _ db: Database) throws {
        guard changed[room] == nil, rooms[room] == nil else { return }
        try run(db, "INSERT INTO room (name, identity) VALUES (?, ?)", [room.text, room.identity])
        changed[room] = .init(row: db.lastInsertedRowID, last: .zero)
    }

    private func state(of room: RoomName) throws -> SQLiteRoomJournal.RoomState {
        guard let state = changed[room] ?? rooms[room] else {
            throw JournalError.failed("There is no room \(room).")
        }
        return state
    }

    private func run(_ db: Database, _ sql: String, _ arguments: StatementArguments) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
