package import KirimRooms
import KirimWire
import Synchronization

/// A server's rooms in memory, under the same rules as the file (one suite tests both).
///
/// It stands for the disk of a simulated server: what was committed survives the server's crash,
/// because the next server is given this same journal or a ``copyForCrash()`` of it; whatever else
/// the server held does not exist any more.
package final class MemoryRoomJournal: RoomJournal {
    private let disk: Mutex<Disk>

    package init() { disk = Mutex(Disk()) }
    private init(_ disk: Disk) { self.disk = Mutex(disk) }

    /// The disk as a crash at this moment leaves it; later commits to either do not touch the other.
    package func copyForCrash() -> MemoryRoomJournal { MemoryRoomJournal(disk.withLock { $0 }) }

    /// The next calls of ``commit(_:)`` throw this and change nothing, until it is `nil` again.
    package func failCommits(with error: JournalError?) { disk.withLock { $0.fault = error } }

    package func snapshot() throws(JournalError) -> JournalSnapshot {
        disk.withLock { $0.snapshot }
    }

    package func commit(_ writes: [JournalWrite]) throws(JournalError) -> [JournalOutcome] {
        try disk.withLock { disk throws(JournalError) in
            if let fault = disk.fault { throw fault }
            // First what can fail, on a copy that is small; then what cannot, in place.
            var roster = disk.roster
            for write in writes { try roster.perform(write) }
            disk.roster = roster
            return writes.map { disk.log($0) }
        }
    }

    package func entries(_ query: EntryQuery) throws(JournalError) -> [Entry] {
        disk.withLock { $0.entries(query) }
    }

    package func nextPost(
        of member: MemberID,
        in outbox: OutboxID
    ) throws(JournalError) -> PostNumber {
        disk.withLock { $0.lastPost[Outbox(member: member, id: outbox)]?.next ?? .first }
    }

    // Questions for checkers.

    /// The whole log of a room, the first entry first.
    package func log(of room: RoomName) -> [Entry] { disk.withLock { $0.logs[room] ?? [] } }

    /// What was decided about a post; `nil` where nothing was yet.
    package func decision(about id: PostID) -> PostDecision? {
        disk.withLock { $0.decisions[id] }
    }
}

extension MemoryRoomJournal {
    private struct Outbox: Hashable {
        let member: MemberID
        let id: OutboxID
    }

    /// Everything that is small: who and which rooms there are.
    private struct Roster {
        var members: [Member] = []
        var rooms: [RoomName] = [.lobby]
        var memberships: [RoomName: Set<MemberID>] = [.lobby: []]
        var bans: [Ban] = []
        var invitations: [JournalSnapshot.Invitation] = []

        mutating func perform(_ write: JournalWrite) throws(JournalError) {
            switch write {
            case .append(let draft): try require(draft.post.room)
            case .refuse: break
            case .enrol(let member): try enrol(member)
            case .rename(let member, let name):
                guard let index = members.firstIndex(where: { $0.id == member }) else {
                    throw .failed("There is no member \(member.rawValue).")
                }
                members[index].name = name
            case .create(let room):
                guard memberships[room] == nil else { break }
                rooms.append(room)
                memberships[room] = []
            case .join(let room, let member):
                try require(room)
                guard members.contains(where: { $0.id == member }) else {
                    throw .failed("There is no member \(member.rawValue).")
                }
                memberships[room]?.insert(member)
            case .leave(let room, let member):
                try require(room)
                memberships[room]?.remove(member)
            case .ban(let ban): if !bans.contains(ban) { bans.append(ban) }
            case .unban(let ban): bans.removeAll { $0 == ban }
            case .redeem(let id, let key):
                guard !invitations.contains(where: { $0.id == id }) else { break }
                invitations.append(.init(id: id, key: key))
            }
        }

        private mutating func enrol(_ member: Member) throws(JournalError) {
            if let index = members.firstIndex(where: { $0.id == member.id }) {
                guard members[index].key == member.key else {
                    throw .failed("Member \(member.id.rawValue) has another key already.")
                }
                members[index].name = member.name
            } else {
                guard !members.contains(where: { $0.key == member.key }) else {
                    throw .failed("The key has another member number already.")
                }
                members.append(member)
            }
        }

        private func require(_ room: RoomName) throws(JournalError) {
            guard memberships[room] != nil else { throw .failed("There is no room \(room).") }
        }
    }

    private struct Disk {
        var roster = Roster()
        var logs: [RoomName: [Entry]] = [:]
        var decisions: [PostID: PostDecision] = [:]
        var lastPost: [Outbox: PostNumber] = [:]
        var fault: JournalError?

        var snapshot: JournalSnapshot {
            var snapshot = JournalSnapshot()
            snapshot.members = roster.members.sorted { $0.id < $1.id }
            snapshot.rooms = roster.rooms.map { room in
                JournalSnapshot.Room(
                    name: room,
                    last: logs[room]?.last?.sequence ?? .zero,
                    members: (roster.memberships[room] ?? []).sorted()
                )
            }
            snapshot.bans = roster.bans
            snapshot.invitations = roster.invitations
            return snapshot
        }

        /// The part of a write that concerns posts; the rest of it was done in the roster.
        mutating func log(_ write: JournalWrite) -> JournalOutcome {
            switch write {
            case .append(let draft):
                if let id = draft.id, let decision = decisions[id] { return .repeated(decision) }
                let room = draft.post.room
                let sequence = (logs[room]?.last?.sequence ?? .zero).next
                logs[room, default: []].append(Entry(draft, at: sequence))
                if let id = draft.id { decide(id, .accepted(room, sequence)) }
                return .appended(sequence)
            case .refuse(let id, let refusal):
                if let decision = decisions[id] { return .repeated(decision) }
                decide(id, .refused(refusal))
                return .done
            case .enrol, .rename, .create, .join, .leave, .ban, .unban, .redeem: return .done
            }
        }

        private mutating func decide(_ id: PostID, _ decision: PostDecision) {
            decisions[id] = decision
            let outbox = Outbox(member: id.member, id: id.outbox)
            lastPost[outbox] = max(lastPost[outbox] ?? id.number, id.number)
        }

        func entries(_ query: EntryQuery) -> [Entry] {
            guard query.entryLimit > 0, let log = logs[query.room] else { return [] }
            let first = max(query.from, .zero.next).rawValue
            guard first <= UInt64(log.count) else { return [] }
            var bytes = 0
            var found: [Entry] = []
            for entry in log[Int(first - 1)...].prefix(query.entryLimit) {
                bytes += entry.text.utf8.count
                if !found.isEmpty, bytes > query.byteLimit { break }
                found.append(entry)
            }
            return found
        }
    }
}
