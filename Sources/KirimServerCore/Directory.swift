import KirimRooms
import KirimTransport
import KirimWire

/// Everybody the server knows: by number, by key, by name.
struct Directory {
    /// A member, and what is known while the server runs.
    struct Resident {
        var member: Member
        /// In the order of joining; the lobby first.
        var rooms: [RoomName] = []
        /// Joinings and leavings that are being committed, in order.
        private(set) var changes: [Change] = []
        var connections: [ConnectionHandle] = []
        var presence: Presence = .offline
        /// When the present visit began.
        var since: WallTime?
        var posts: Pace
        /// Of what it says of its presence.
        var signals = Pace(Rate(oneIn: .seconds(2), burst: 4))
        /// The name that is being committed. There is one at most, so that each name has one bearer.
        var naming: MemberName?
    }

    /// A joining, or a leaving.
    struct Change: Hashable {
        var room: RoomName
        var isJoining: Bool
    }

    private var residents: [MemberID: Resident] = [:]
    private var byKey: [PublicKey: MemberID] = [:]
    /// Folded names, of members and of those whose naming is being committed.
    private var names: Set<String> = ["server"]
    private var lastID: UInt64 = 0
    private let limits: ChatLimits

    init(_ members: [Member], limits: ChatLimits) {
        self.limits = limits
        for var member in members {
            // Two may come out alike where names were mended (`MemberName.init(kept:)`).
            if !isFree(member.name) { member.name = freeName(wished: nil, key: member.key) }
            insert(member)
        }
    }

    var count: Int { residents.count }
    /// Names that are kept for somebody, beside those that are borne, and the server's.
    var reservedNames: Int { names.count - residents.count - 1 }

    subscript(id: MemberID) -> Resident? {
        get { residents[id] }
        _modify { yield &residents[id] }
    }

    func member(with key: PublicKey) -> Member? { byKey[key].flatMap { residents[$0]?.member } }

    func member(named name: MemberName) -> Member? {
        residents.values.first { $0.member.name.folded == name.folded }?.member
    }

    func keys(withFingerprint text: String) -> [PublicKey] {
        byKey.keys.filter { $0.fingerprint == text }.sorted()
    }

    /// Those with a connection, in the order of their numbers.
    var present: [Resident] {
        residents.values.filter { !$0.connections.isEmpty }
            .sorted { $0.member.id < $1.member.id }
    }

    mutating func insert(_ member: Member) {
        let posts = Pace(
            Rate(perSecond: limits.postsPerSecond, burst: limits.postBurst)
        )
        residents[member.id] = Resident(member: member, posts: posts)
        byKey[member.key] = member.id
        names.insert(member.name.folded)
        lastID = max(lastID, member.id.rawValue)
    }

    /// A number that nobody has; numbers of enrolments that fail are left out.
    mutating func nextID() -> MemberID {
        lastID += 1
        return MemberID(rawValue: lastID)
    }

    func isFree(_ name: MemberName) -> Bool { !names.contains(name.folded) }

    /// For a newcomer, until it is inserted or released.
    mutating func reserve(_ name: MemberName) { names.insert(name.folded) }
    mutating func release(_ name: MemberName) { names.remove(name.folded) }

    /// Leads to ``endNaming(_:isKept:)``; meanwhile nobody else gets the name.
    mutating func beginNaming(_ id: MemberID, _ name: MemberName) {
        names.insert(name.folded)
        residents[id]?.naming = name
    }

    /// The naming is committed, or has failed. Returns the name before.
    mutating func endNaming(_ id: MemberID, isKept: Bool) -> MemberName? {
        guard let old = residents[id]?.member.name, let new = residents[id]?.naming else {
            return nil
        }
        residents[id]?.naming = nil
        if isKept { residents[id]?.member.name = new }
        if old.folded != new.folded { names.remove(isKept ? old.folded : new.folded) }
        return old
    }

    /// The wished name, or the nearest free one: `ani-2`; without a wish, `tamu-` and four letters of
    /// the key (*tamu*: guest).
    func freeName(wished: MemberName?, key: PublicKey) -> MemberName {
        let guest = "tamu-" + key.description.prefix(4)
        // A wish that breaks the rule for new names is none.
        let wish = wished.flatMap { MemberName($0.text) }?.text ?? guest
        if let name = MemberName(wish), isFree(name) { return name }
        var number = 2
        while true {
            let suffix = "-\(number)"
            var stem = wish
            while !stem.isEmpty, MemberName(stem + suffix) == nil { stem.removeLast() }
            // A single character may be as long as a whole name.
            if stem.isEmpty { stem = guest }
            if let name = MemberName(stem + suffix), isFree(name) { return name }
            number += 1
        }
    }
}

extension Directory.Resident {
    func isChanging(_ room: RoomName) -> Bool { changes.contains { $0.room == room } }

    /// Whether the member is in a room once everything that it asked for is committed.
    func willBe(in room: RoomName) -> Bool {
        changes.last { $0.room == room }?.isJoining ?? rooms.contains(room)
    }

    mutating func begin(_ change: Directory.Change) { changes.append(change) }

    /// It is committed, or has failed: in the order in which they began.
    mutating func end(_ change: Directory.Change) {
        guard let place = changes.firstIndex(of: change) else { return }
        changes.remove(at: place)
        // Of many members most change nothing any more.
        if changes.isEmpty { changes = [] }
    }
}
