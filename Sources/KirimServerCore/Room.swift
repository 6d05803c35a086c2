import DequeModule
import KirimRooms
import KirimTransport
import KirimWire

/// One room: its members, its readers, and the end of its log. An object, so that readers hold it and looking at
/// a part of it copies nothing.
final class Room {
    let name: RoomName
    /// In the order of joining: a list that people read must not jump.
    private(set) var members: [MemberID]
    private var isMember: Set<MemberID>
    /// Members that are online or away.
    var online = 0
    /// The last committed entry.
    private(set) var last: SequenceNumber
    var readers = Readers()
    /// Whether entries came that the readers have not been offered.
    var isDirty = false

    private var tail: Deque<TailEntry> = []
    private(set) var tailBytes = 0
    var tailCount: Int { tail.count }
    /// The number of the oldest entry in the tail; one more than the last where it is empty.
    var firstInTail: UInt64 { last.rawValue + 1 - UInt64(tail.count) }

    /// An entry as it goes on the wire, encoded once for all readers.
    struct TailEntry {
        var bytes: [UInt8]
        var subject: Subject
    }

    init(_ kept: JournalSnapshot.Room) {
        name = kept.name
        last = kept.last
        members = kept.members
        isMember = Set(kept.members)
    }

    convenience init(_ name: RoomName) { self.init(.init(name: name, last: .zero, members: [])) }

    func has(_ member: MemberID) -> Bool { isMember.contains(member) }

    func join(_ member: MemberID) {
        if isMember.insert(member).inserted { members.append(member) }
    }

    func leave(_ member: MemberID) {
        if isMember.remove(member) != nil { members.removeAll { $0 == member } }
    }

    /// Takes a committed entry into the tail.
    func append(_ entry: Entry, limits: ChatLimits) {
        precondition(entry.sequence == last.next, "a journal numbers a room's entries densely")
        last = entry.sequence
        isDirty = true
        let bytes = entry.bytes
        tail.append(TailEntry(bytes: bytes, subject: Subject(entry)))
        tailBytes += bytes.count
        while tail.count > limits.tailEntries || tailBytes > limits.tailBytes && tail.count > 1 {
            tailBytes -= tail.removeFirst().bytes.count
        }
    }

    /// The entry, if the tail reaches back to it.
    func recent(_ sequence: UInt64) -> TailEntry? {
        guard sequence <= last.rawValue else { return nil }
        let fromEnd = last.rawValue - sequence
        guard fromEnd < UInt64(tail.count) else { return nil }
        return tail[tail.count - 1 - Int(fromEnd)]
    }
}

/// What an edit or a deletion must know about the entry that it refers to.
struct Subject: Hashable, Sendable {
    var author: MemberID?
    var kind: EntryKind

    init(_ entry: Entry) {
        kind = entry.kind
        if case .member(let id, _) = entry.author { author = id }
    }

    /// Whether its author may give it another text.
    var isEditable: Bool {
        switch kind {
        case .text, .action, .reply: true
        case .notice, .edit, .delete, .reaction, .broadcast: false
        }
    }
}
