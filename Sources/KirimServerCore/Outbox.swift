import DequeModule
import KirimRooms

/// Whose posts, and from which outbox.
struct OutboxKey: Hashable, Comparable, Sendable {
    var member: MemberID
    var outbox: OutboxID

    static func < (a: OutboxKey, b: OutboxKey) -> Bool {
        (a.member, a.outbox.rawValue) < (b.member, b.outbox.rawValue)
    }
}

/// The server's side of an outbox: puts posts in the order of their numbers.
struct Outbox {
    /// The number that is taken next. Those from `undecided` to here are being committed.
    private(set) var next: PostNumber
    /// Everything below is decided and durable.
    private(set) var undecided: PostNumber
    private var held: [PostNumber: [UInt8]] = [:]
    private(set) var heldBytes = 0
    private var recent: Deque<(number: PostNumber, decision: PostDecision)> = []
    /// The entry whose author is being read from the journal; nothing is taken meanwhile.
    var isChecking = false
    /// What that reading found, for the post that is next.
    var found: Found?

    /// Seldom there: an outbox is small without.
    final class Found: Sendable {
        let room: RoomName
        let sequence: SequenceNumber
        let subject: Subject?

        init(room: RoomName, sequence: SequenceNumber, subject: Subject?) {
            self.room = room
            self.sequence = sequence
            self.subject = subject
        }
    }

    /// Decisions that are answered from memory when a post comes again.
    static let memory = 128

    init(next: PostNumber) {
        self.next = next
        undecided = next
    }

    var heldCount: Int { held.count }
    var rememberedCount: Int { recent.count }
    var isIdle: Bool { undecided == next && !isChecking }

    enum Arrival {
        case held
        case decided(PostDecision)
        /// Decided too long ago to be remembered here: the journal knows.
        case old
        /// It is being committed, or it is here already.
        case known
        /// More early posts than allowed.
        case tooMany
    }

    mutating func insert(_ number: PostNumber, _ bytes: [UInt8], limits: ChatLimits) -> Arrival {
        if number < undecided {
            if let past = recent.last(where: { $0.number == number }) {
                return .decided(past.decision)
            }
            return .old
        }
        guard number >= next, held[number] == nil else { return .known }
        guard number.rawValue - undecided.rawValue < UInt64(limits.postsInFlight),
            number == next || held.isEmpty
                || heldBytes + bytes.count <= limits.postBytesInFlight
        else { return .tooMany }
        held[number] = bytes
        heldBytes += bytes.count
        return .held
    }

    /// The bytes of the post that is next, if it is here.
    var first: [UInt8]? { isChecking ? nil : held[next] }

    /// The first post is on its way to the journal.
    mutating func advance() {
        if let bytes = held.removeValue(forKey: next) { heldBytes -= bytes.count }
        found = nil
        next = next.next
    }

    /// The journal decided about a post.
    mutating func decided(_ number: PostNumber, _ decision: PostDecision) {
        if number >= undecided { undecided = number.next }
        recent.append((number, decision))
        if recent.count > Self.memory { recent.removeFirst() }
    }

    /// Forgets what is here and not being committed: the client offers it again.
    mutating func rewindHeld() {
        held.removeAll()
        heldBytes = 0
        found = nil
    }

    /// Forgets what is not decided, after a commit failed: the client offers it again.
    mutating func rewind() {
        next = undecided
        rewindHeld()
    }
}
