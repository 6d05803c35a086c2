import KirimRooms
import KirimTransport
import KirimWire

/// What really happened, kept beside the system: what people posted, what the journal took, what faces showed.
///
/// Every fact of the run is compared with it at once, so a run stops at the step that broke a promise.
package struct Ledger: Sendable {
    /// The one log of each room, as the server's journal took it.
    private(set) var rooms: [RoomName: [Entry]] = [:]
    private var decisions: [PostID: PostDecision] = [:]
    private var nextNumber: [Author: UInt64] = [:]
    private var members: [MemberID: PublicKey] = [:]
    /// Posts that are durable in somebody's outbox.
    private var outboxes: [Outbox: [PostNumber: Row]] = [:]
    /// Who may not come in, and who came with which invitation.
    private var outsiders: Set<PublicKey> = []
    private var invited: [PublicKey: InvitationID] = [:]
    private var admitted: [InvitationID: PublicKey] = [:]
    /// The bans that the server's journal keeps.
    private(set) var bans: Set<Ban> = []
    private var plainSaid: [Address: [String]] = [:]
    private var broadcasts: [String] = []
    /// What each face has shown of each room, up to which entry.
    private var views: [View: SequenceNumber] = [:]
    package private(set) var accepted = 0
    package private(set) var shown = 0

    private struct Author: Hashable, Sendable {
        var member: MemberID
        var outbox: OutboxID
    }

    private struct Outbox: Hashable, Sendable {
        var key: PublicKey
        var id: OutboxID
    }

    /// What a number stands for.
    private struct Row: Sendable {
        var post: Post
        /// The journal that gave out the number is lost: it may be given out again.
        var isLost = false
        /// What it stood for before.
        var former: [Post] = []
    }

    private struct View: Hashable, Sendable {
        var face: Int
        var room: RoomName
    }

    package init() {}
}

// MARK: - What people did

extension Ledger {
    /// The outbox has these rows, durably.
    mutating func kept(
        _ rows: [OutboxRow],
        in outbox: OutboxID,
        of key: PublicKey
    ) throws(Violation) {
        let box = Outbox(key: key, id: outbox)
        for row in rows {
            guard var before = outboxes[box]?[row.number] else {
                outboxes[box, default: [:]][row.number] = Row(post: row.post)
                continue
            }
            guard before.post != row.post else { continue }
            guard before.isLost else {
                throw Violation(
                    .acceptedMeansKept,
                    "post \(row.number.rawValue) of an outbox was given out twice."
                )
            }
            before.former.append(before.post)
            before.post = row.post
            before.isLost = false
            outboxes[box]?[row.number] = before
        }
    }

    /// A person's journal is gone, or one from earlier is in its place, which knows an outbox up to `last`.
    mutating func lostJournal(of key: PublicKey, keeping kept: OutboxID?, upTo last: PostNumber?) {
        for box in outboxes.keys where box.key == key {
            for number in outboxes[box]?.keys.sorted() ?? []
            where box.id != kept || last.map({ number > $0 }) ?? true {
                outboxes[box]?[number]?.isLost = true
            }
        }
    }

    mutating func keepOut(_ key: PublicKey) { outsiders.insert(key) }
    mutating func invite(_ key: PublicKey, _ invitation: InvitationID) { invited[key] = invitation }

    /// Whether somebody else has come in with this person's invitation.
    func isInvitationTaken(from key: PublicKey) -> Bool {
        guard let invitation = invited[key], let holder = admitted[invitation] else { return false }
        return holder != key
    }

    func key(of member: MemberID) -> PublicKey? { members[member] }

    mutating func plainSaid(_ text: String, from address: Address) {
        plainSaid[address, default: []].append(text)
    }

    mutating func operatorSaid(_ text: String) { broadcasts.append(text) }
}

// MARK: - What the server's journal took

extension Ledger {
    mutating func committed(
        _ writes: [JournalWrite],
        _ outcomes: [JournalOutcome]
    ) throws(Violation) {
        guard writes.count == outcomes.count else {
            throw Violation(.acceptedMeansKept, "a commit has not one outcome for each write.")
        }
        for (write, outcome) in zip(writes, outcomes) {
            switch (write, outcome) {
            case (.enrol(let member), _):
                try admit(member.key)
                members[member.id] = member.key
            case (.ban(let ban), _): bans.insert(ban)
            case (.unban(let ban), _): bans.remove(ban)
            case (.append(let draft), .appended(let sequence)):
                try append(Entry(draft, at: sequence))
            case (.append(let draft), .repeated(let decision)):
                guard let id = draft.id, decisions[id] == decision else {
                    throw Violation(.acceptedMeansKept, "a repeat was answered as never decided.")
                }
            case (.refuse(let id, let refusal), .done): try decide(id, .refused(refusal))
            default: break
            }
        }
    }

    private mutating func admit(_ key: PublicKey) throws(Violation) {
        guard !outsiders.contains(key) else {
            throw Violation(.closedDoor, "somebody became a member without a right to.")
        }
        guard let invitation = invited[key] else { return }
        guard admitted[invitation] ?? key == key else {
            throw Violation(.closedDoor, "two people became members by one invitation.")
        }
        admitted[invitation] = key
    }

    private mutating func append(_ entry: Entry) throws(Violation) {
        let last = rooms[entry.room, default: []].count
        guard entry.sequence.rawValue == UInt64(last) + 1 else {
            throw Violation(
                .oneOrder,
                "\(entry.room) has \(last) entries, the next became \(entry.sequence.rawValue)."
            )
        }
        switch entry.author {
        case .member(let id, _): try checkMember(entry, id)
        case .plain(let address):
            // The journal keeps the text; the plain machine may have cut a line's end.
            guard let index = plainSaid[address]?.firstIndex(where: { $0.hasPrefix(entry.text) })
            else {
                throw Violation(.authentic, "nobody at \(address) said what the log says.")
            }
            plainSaid[address]?.remove(at: index)
        case .server where entry.kind == .broadcast:
            guard broadcasts.contains(entry.text) else {
                throw Violation(.authentic, "the operator never said \(entry.text).")
            }
        case .server: break
        }
        rooms[entry.room, default: []].append(entry)
        accepted += 1
    }

    private mutating func checkMember(_ entry: Entry, _ member: MemberID) throws(Violation) {
        guard let id = entry.id, id.member == member, let key = members[member] else {
            throw Violation(.authentic, "an entry of \(entry.room) has an author without a post.")
        }
        guard let post = outboxes[Outbox(key: key, id: id.outbox)]?[id.number] else {
            throw Violation(
                .authentic,
                "post \(id.number.rawValue) of member \(member.rawValue) was never in its outbox."
            )
        }
        guard post.post == entry.post || post.former.contains(entry.post) else {
            throw Violation(
                .authentic,
                "post \(id.number.rawValue) of member \(member.rawValue) was changed on its way."
            )
        }
        try decide(id, .accepted(entry.room, entry.sequence))
    }

    private mutating func decide(_ id: PostID, _ decision: PostDecision) throws(Violation) {
        if let before = decisions[id] {
            throw Violation(
                .acceptedMeansKept,
                "post \(id.number.rawValue) of member \(id.member.rawValue) was decided twice: "
                    + "\(before), then \(decision)."
            )
        }
        let author = Author(member: id.member, outbox: id.outbox)
        let expected = nextNumber[author] ?? 1
        guard id.number.rawValue == expected else {
            throw Violation(
                .acceptedMeansKept,
                "member \(id.member.rawValue)'s post \(id.number.rawValue) was decided "
                    + "when \(expected) was next."
            )
        }
        nextNumber[author] = expected + 1
        decisions[id] = decision
    }
}

// MARK: - What faces showed

extension Ledger {
    /// A client process began; it has shown nothing. What its journal holds of a room ends at `cursor`.
    mutating func opened(face: Int, room: RoomName, cursor: SequenceNumber?) {
        views[View(face: face, room: room)] = cursor
    }

    /// A face left a room, or forgot it: its next piece may begin anywhere.
    mutating func forgot(face: Int, room: RoomName?) {
        guard let room else {
            views = views.filter { $0.key.face != face }
            return
        }
        views[View(face: face, room: room)] = nil
    }

    /// A face shows the next entry of a room.
    mutating func showed(_ entry: Entry, face: Int) throws(Violation) {
        try checkReal(entry, "face \(face) shows")
        let view = View(face: face, room: entry.room)
        if let last = views[view], entry.sequence != last.next {
            throw Violation(
                .oneOrder,
                "face \(face) shows \(entry.sequence.rawValue) of \(entry.room) after \(last.rawValue)."
            )
        }
        views[view] = entry.sequence
        shown += 1
    }

    /// A face was given a page of a room: a piece without a gap.
    mutating func paged(_ entries: [Entry], face: Int) throws(Violation) {
        for (entry, next) in zip(entries, entries.dropFirst())
        where next.sequence != entry.sequence.next {
            throw Violation(.oneOrder, "a page for face \(face) has a gap.")
        }
        for entry in entries { try checkReal(entry, "face \(face) pages back to") }
    }

    /// A face was told what became of a post.
    func told(
        _ decision: PostDecision,
        of number: PostNumber,
        post: Post,
        face: Int
    ) throws(Violation) {
        guard case .accepted(let room, let sequence) = decision else { return }
        guard let entry = entry(sequence, of: room) else {
            throw Violation(
                .acceptedMeansKept,
                "face \(face) was told that post \(number.rawValue) is \(sequence.rawValue) of "
                    + "\(room), which does not exist."
            )
        }
        guard entry.post == post else {
            throw Violation(
                .acceptedMeansKept,
                "face \(face) was told that its post \(number.rawValue) is \(sequence.rawValue) of "
                    + "\(room), which is something else."
            )
        }
    }

    /// The client's journal and the one log agree on the piece that it holds.
    func check(history entries: [Entry], span: HistorySpan, room: RoomName) throws(Violation) {
        guard entries.count == Int(span.last.rawValue - span.first.rawValue) + 1 else {
            throw Violation(.oneOrder, "a client's journal has a gap in \(room).")
        }
        for entry in entries { try checkReal(entry, "a client's journal has") }
    }

    private func checkReal(_ entry: Entry, _ who: String) throws(Violation) {
        guard let real = self.entry(entry.sequence, of: entry.room) else {
            throw Violation(
                .authentic,
                "\(who) \(entry.sequence.rawValue) of \(entry.room), which does not exist."
            )
        }
        guard real == entry else {
            throw Violation(
                .authentic,
                "\(who) \(entry.sequence.rawValue) of \(entry.room), not as it was accepted."
            )
        }
    }

    func entry(_ sequence: SequenceNumber, of room: RoomName) -> Entry? {
        guard let log = rooms[room], sequence.rawValue >= 1,
            sequence.rawValue <= UInt64(log.count)
        else { return nil }
        return log[Int(sequence.rawValue) - 1]
    }

    func last(of room: RoomName) -> SequenceNumber {
        SequenceNumber(rawValue: UInt64(rooms[room]?.count ?? 0))
    }
}
