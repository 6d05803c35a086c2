import KirimRooms
import KirimWire

/// One room that is read: a cursor into its log, and what came before its turn.
///
///     unknown --span looked up--> idle --subscribe--> asking --subscribed--> reading
///                                  ^                    |                      |
///                                  +--- gap, connection lost, told to wait ----+
struct RoomReader {
    let name: RoomName
    private(set) var stage: Stage
    /// Whether the server has said that we are a member. The lobby has everybody.
    var isMember: Bool
    /// The last entry that was told; `nil` until a first subscription said where it begins.
    private(set) var cursor: SequenceNumber?
    /// The piece of the log that the journal holds.
    private(set) var span: HistorySpan?
    /// The cursor when we asked.
    private var asked: SequenceNumber?
    /// Where the log ended when we asked; `nil` once everything up to there was told.
    private var target: SequenceNumber?
    private var early: [SequenceNumber: Entry] = [:]
    private(set) var earlyBytes = 0
    private var progress = Instant.start
    private var patience: Duration
    private let firstPatience: Duration

    /// Told, and not yet given to the journal.
    private(set) var unstored: [Entry] = []
    private var unstoredBytes = 0
    /// With the journal now.
    private(set) var storing: [Entry] = []
    /// Off for the rest of the run once a write failed: the span must have no gap, and the next run reads
    /// from its end.
    private(set) var stores = true
    /// The journal is to let go of entries that are not in the log any more.
    private var isForgetting = false

    enum Stage: Hashable {
        /// The journal is asked what it holds. Leads to `idle`.
        case unknown
        /// Wants to be read, not before then. Leads to `checking`, `asking`.
        case idle(until: Instant?)
        /// The journal is asked whether another face has left it. Leads to `joining`, `idle`.
        case checking
        /// The server is asked to make us a member again. Leads to `idle`.
        case joining
        /// Leads to `reading`, `idle`.
        case asking(stream: UInt64)
        /// Leads to `idle`.
        case reading(stream: UInt64)
    }

    /// What came of an entry.
    enum Arrival {
        /// To be told now, in this order; `caughtUp`: they reach what was asked for.
        case told([Entry], caughtUp: Bool)
        case ignored
        /// Too much came early: ask again from the cursor.
        case overflow
    }

    /// Entries that may wait for an earlier one, and their bytes: above what the transport's window can
    /// bring while one packet is repaired.
    static let earlyLimit = 4_096
    static let earlyByteLimit = 524_288
    /// Told entries that may wait for the journal before reading pauses.
    static let unstoredLimit = 4_096
    static let unstoredByteLimit = 4_194_304
    /// Longest wait before a stuck subscription is asked for again.
    static let patienceLimit: Duration = .seconds(300)

    init(name: RoomName, isMember: Bool, span: HistorySpan?, patience: Duration) {
        self.name = name
        self.isMember = isMember
        self.span = span
        self.patience = patience
        firstPatience = patience
        cursor = span?.last
        stage = .idle(until: nil)
    }

    /// A room whose span the journal is asked for first.
    init(joined name: RoomName, patience: Duration) {
        self.init(name: name, isMember: true, span: nil, patience: patience)
        stage = .unknown
    }

    /// A room that we wish to be in. The journal is asked for its span first.
    init(wished name: RoomName, patience: Duration) {
        self.init(name: name, isMember: false, span: nil, patience: patience)
        stage = .unknown
    }

    var earlyCount: Int { early.count }

    var stream: UInt64? {
        switch stage {
        case .asking(let stream), .reading(let stream): stream
        case .unknown, .idle, .checking, .joining: nil
        }
    }

    var isIdle: Bool { if case .idle = stage { true } else { false } }

    /// Whether the journal is so far behind that nothing more should come.
    var isFull: Bool {
        unstored.count > Self.unstoredLimit || unstoredBytes > Self.unstoredByteLimit
    }

    /// When something is due here.
    var deadline: Instant? {
        switch stage {
        case .unknown, .checking, .joining: nil
        case .idle(let until): until
        case .asking, .reading: isWaiting ? progress.advanced(by: patience) : nil
        }
    }

    /// Whether everything was told that the log held when we asked.
    var isCaughtUp: Bool { if case .reading = stage { target == nil } else { false } }

    private var isWaiting: Bool {
        if case .asking = stage { return true }
        return target != nil || !early.isEmpty
    }
}

extension RoomReader {
    mutating func found(_ span: HistorySpan?) {
        guard stage == .unknown else { return }
        self.span = span
        cursor = span?.last
        stage = .idle(until: nil)
    }

    mutating func check() { stage = .checking }
    mutating func join() { stage = .joining }

    /// A subscription goes out on this stream; returns from where.
    mutating func ask(on stream: UInt64, newest: UInt64, at now: Instant) -> SubscriptionStart {
        stage = .asking(stream: stream)
        progress = now
        target = nil
        asked = cursor
        forgetEarly()
        return cursor.map { .after($0) } ?? .last(newest)
    }

    /// The subscription is gone, or never was.
    mutating func pause(until: Instant? = nil) {
        guard stage != .unknown else { return }
        stage = .idle(until: until)
        target = nil
        forgetEarly()
    }

    /// Nothing came for too long: waits longer the next time.
    mutating func gaveUp() {
        pause()
        patience = min(patience * 2, Self.patienceLimit)
    }

    /// The server said where the subscription begins, and where the log ends.
    mutating func subscribed(
        first: SequenceNumber,
        last: SequenceNumber,
        at now: Instant
    ) -> Subscribed {
        guard case .asking(let stream) = stage else { return .going(.ignored) }
        // Entries may have come before this reply, and some of them may be younger than it.
        if let asked, last < asked {
            // The server's log was set back. What we hold beyond its end is not in it any more: the journal
            // lets go of that before anything else is kept.
            cursor = last
            isForgetting = stores
            span = span?.cut(after: last)
            storing = []
            unstored = []
            unstoredBytes = 0
            pause()
            return .setBack
        }
        stage = .reading(stream: stream)
        progress = now
        if cursor == nil {
            cursor = SequenceNumber(rawValue: max(first.rawValue, 1) - 1)
        }
        target = last
        return .going(drain())
    }

    enum Subscribed {
        case going(Arrival)
        case setBack
    }

    mutating func receive(_ entry: Entry, at now: Instant) -> Arrival {
        guard entry.sequence > cursor ?? .zero, early[entry.sequence] == nil else {
            return .ignored
        }
        progress = now
        patience = firstPatience
        // What is next shrinks what waits; only what is early can be too much.
        let isNext = cursor.map { $0.next == entry.sequence } ?? false
        let size = entry.text.utf8.count
        guard isNext || early.count < Self.earlyLimit && earlyBytes + size <= Self.earlyByteLimit
        else { return .overflow }
        early[entry.sequence] = entry
        earlyBytes += size
        return isNext ? drain() : .ignored
    }

    /// Takes what is next out of what came early.
    private mutating func drain() -> Arrival {
        guard var position = cursor else { return .ignored }
        var told: [Entry] = []
        while let entry = early.removeValue(forKey: position.next) {
            position = position.next
            earlyBytes -= entry.text.utf8.count
            told.append(entry)
        }
        cursor = position
        if stores {
            unstored.append(contentsOf: told)
            for entry in told { unstoredBytes += entry.text.utf8.count }
        }
        var caughtUp = false
        if let end = target, end <= position {
            target = nil
            caughtUp = true
        }
        return told.isEmpty && !caughtUp ? .ignored : .told(told, caughtUp: caughtUp)
    }

    private mutating func forgetEarly() {
        early = [:]
        earlyBytes = 0
    }
}

// MARK: - Keeping

extension RoomReader {
    /// What the journal is to keep next; `nil` while it is busy or there is nothing.
    mutating func store() -> [Entry]? {
        guard !isForgetting, storing.isEmpty, !unstored.isEmpty else { return nil }
        storing = unstored
        unstored = []
        unstoredBytes = 0
        return storing
    }

    mutating func stored() {
        defer { storing = [] }
        guard let first = storing.first?.sequence, let last = storing.last?.sequence else { return }
        join(HistorySpan(first: first, last: last))
    }

    /// The journal has let go of what was set back.
    mutating func forgot() { isForgetting = false }

    mutating func storeFailed() {
        isForgetting = false
        storing = []
        unstored = []
        unstoredBytes = 0
        stores = false
    }

    /// An entry came that this version cannot read, so it cannot be kept: the next run, which may be a
    /// later version, reads from here.
    mutating func stopStoring() { stores = false }

    /// Other entries of the room were kept too: a page of older ones.
    mutating func join(_ piece: HistorySpan) {
        guard let old = span else {
            span = piece
            return
        }
        guard piece.first <= old.last.next, old.first <= piece.last.next else { return }
        span = HistorySpan(first: min(old.first, piece.first), last: max(old.last, piece.last))
    }
}
