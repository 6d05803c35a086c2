import KirimRooms
import KirimTransport
import KirimWire

/// What waits to be kept, and what is being kept: one commit at a time, the next gathers meanwhile.
///
///     working --failed--> failing --(retry time)--> trying --succeeded--> working
///                            ^-----------failed--------+
struct Ledger {
    /// Writes that belong together, and what to do when they are durable, or are not.
    struct Item {
        var writes: [JournalWrite]
        var purpose: Purpose
    }

    enum Purpose {
        case post(OutboxKey, PostNumber, from: Address?)
        /// The writes ask what was decided about an old post.
        case old(OutboxKey, PostNumber)
        case enrol(Member, Chat.Greeting)
        case rename(ConnectionHandle, RequestID, MemberID, MemberName)
        /// A name wished for in a hello, which was answered already.
        case adopt(MemberID, MemberName, Chat.Greeting)
        case join(ConnectionHandle, RequestID, MemberID, RoomName)
        case leave(ConnectionHandle, RequestID, MemberID, RoomName)
        case create(ConnectionHandle, RequestID, RoomName)
        case plain(Address)
        case broadcast(String)
        /// Nobody waits for it.
        case housekeeping
    }

    private(set) var gathered: [Item] = []
    /// Bytes of it: of its texts, and what each write costs beside.
    private(set) var gatheredBytes = 0
    /// About the memory that a write takes without its text.
    private static let bytesPerWrite = 256
    private var underWay: (id: CommitID, items: [Item], bytes: Int)?
    private var nextID: UInt64 = 1
    private var state: State = .working

    private enum State {
        case working
        /// Nothing is tried before this instant.
        case failing(until: Instant)
        case trying
    }

    mutating func add(_ writes: [JournalWrite], _ purpose: Purpose) {
        gathered.append(Item(writes: writes, purpose: purpose))
        gatheredBytes += writes.count * Self.bytesPerWrite
        for case .append(let draft) in writes { gatheredBytes += draft.post.text.utf8.count }
    }

    /// Writes that failed, and that nobody will ask for again: they come first in the next commit.
    mutating func keepTrying(_ writes: [JournalWrite]) {
        if !writes.isEmpty { add(writes, .housekeeping) }
    }

    /// How long the journal has to be left alone; `nil` where it may be used.
    func pause(at now: Instant) -> Duration? {
        guard case .failing(let until) = state, now < until else { return nil }
        return now.duration(to: until)
    }

    /// Everything gathered, as one commit, unless another is under way or the journal is left alone.
    mutating func begin(at now: Instant) -> (CommitID, [JournalWrite])? {
        guard underWay == nil, !gathered.isEmpty, pause(at: now) == nil else { return nil }
        if case .failing = state { state = .trying }
        let id = CommitID(rawValue: nextID)
        nextID += 1
        underWay = (id, gathered, gatheredBytes)
        gathered = []
        gatheredBytes = 0
        return (id, underWay?.items.flatMap(\.writes) ?? [])
    }

    /// The items of the commit; `nil` for one that is not under way. `hasRecovered`: the one before failed.
    mutating func succeeded(_ id: CommitID) -> (items: [Item], hasRecovered: Bool)? {
        guard let items = finish(id) else { return nil }
        defer { state = .working }
        if case .working = state { return (items, false) }
        return (items, true)
    }

    /// All items that are lost: those of the commit, and those gathered behind it, which may build on
    /// them. `isFirst`: the one before succeeded.
    mutating func failed(
        _ id: CommitID,
        retry: Duration,
        at now: Instant
    ) -> (items: [Item], isFirst: Bool)? {
        guard let items = finish(id) else { return nil }
        defer {
            state = .failing(until: now.advanced(by: retry))
            gathered = []
            gatheredBytes = 0
        }
        if case .working = state { return (items + gathered, true) }
        return (items + gathered, false)
    }

    private mutating func finish(_ id: CommitID) -> [Item]? {
        guard let commit = underWay, commit.id == id else { return nil }
        underWay = nil
        return commit.items
    }

    /// Bytes of the commit under way.
    var committingBytes: Int { underWay?.bytes ?? 0 }

    /// Whether something is not kept yet.
    var isBusy: Bool { underWay != nil || !gathered.isEmpty }

    /// When what was gathered may be tried.
    var deadline: Instant? {
        guard underWay == nil, !gathered.isEmpty, case .failing(let until) = state else {
            return nil
        }
        return until
    }
}
