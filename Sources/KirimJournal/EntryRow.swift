import Foundation
import GRDB
import KirimRooms
import KirimWire

/// The columns in which both journals keep an entry, without the room.
enum EntryRow {
    static let columns = """
        sequence, kind, reference, author, author_name, author_address, \
        post_member, outbox, number, authored, received, text
        """
    /// One mark for each column.
    static let marks = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"

    /// The values of ``columns``.
    static func bind(
        _ draft: EntryDraft,
        at sequence: SequenceNumber,
        to bindings: inout Bindings
    ) {
        bindings.add(sequence.column)
        bindings.add(Int64(draft.post.kind.rawValue))
        bindings.add(draft.post.reference?.column)
        let (member, name, address): (MemberID?, MemberName?, Address?) =
            switch draft.author {
            case .server: (.server, nil, nil)
            case .member(let member, let name): (member, name, nil)
            case .plain(let address): (nil, nil, address)
            }
        bindings.add(member?.column)
        bindings.add(text: name?.text)
        bindings.add(bytes: address.map { Array($0.column) })
        bindings.add(draft.id?.member.column)
        bindings.add(draft.id?.outbox.column)
        bindings.add(draft.id?.number.column)
        bindings.add(draft.post.authored.milliseconds)
        bindings.add(draft.received.milliseconds)
        bindings.add(utf8: draft.post.text)
    }

    /// Reads a row that consists of ``columns``.
    static func entry(
        _ columns: inout Columns,
        of room: RoomName
    ) throws(JournalError) -> Entry {
        let sequence = SequenceNumber(column: try columns.integer())
        let kind = try entryKind(columns.integer())
        let reference = try columns.maybeInteger().map(SequenceNumber.init(column:))
        let author = try author(&columns)
        let postMember = try columns.maybeInteger()
        let outbox = try columns.maybeInteger()
        let number = try columns.maybeInteger()
        let authored = WallTime(milliseconds: try columns.integer())
        let received = WallTime(milliseconds: try columns.integer())
        let text = try columns.text()
        var id: PostID?
        if let postMember, let outbox, let number {
            id = PostID(
                member: MemberID(column: postMember),
                outbox: OutboxID(column: outbox),
                number: PostNumber(column: number)
            )
        }
        return Entry(
            sequence: sequence,
            post: Post(
                room: room,
                kind: kind,
                reference: reference,
                authored: authored,
                text: text
            ),
            author: author,
            id: id,
            received: received
        )
    }

    static func entryKind(_ number: Int64) throws(JournalError) -> EntryKind {
        guard let byte = UInt8(exactly: number), let kind = EntryKind(rawValue: byte) else {
            throw .corrupt("An entry's kind is unknown.")
        }
        return kind
    }

    private static func author(_ columns: inout Columns) throws(JournalError) -> Author {
        let member = try columns.maybeInteger().map(MemberID.init(column:))
        let name = try columns.maybeMemberName()
        let address = try columns.maybeBytes()
        switch (member, name, address) {
        case (nil, nil, let address?): return .plain(try Address(column: address))
        case (let member?, let name?, nil): return .member(member, name)
        case (MemberID.server?, nil, nil): return .server
        default: throw .corrupt("An entry has no author.")
        }
    }
}
