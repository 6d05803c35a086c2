import KirimRooms
import KirimWire

/// What is loaded of one room's log, as rows.
///
/// Entries are kept by their sequence numbers, which have no gaps; rows stand in a list of their own, in the same order,
/// each with the number that it belongs to. Edits, deletions and reactions have no row: they change how the row of
/// another entry reads. So an entry is found at constant cost, its row by halving, and nothing is ever rebuilt.
struct RoomLog: Sendable {
    /// A row: what stands there is made when it is asked for.
    enum Slot: Hashable, Sendable {
        /// Before the entry with this number.
        case day(CivilDay, UInt64)
        case newMessages(UInt64)
        case entry(UInt64)

        /// Rows stand in the order of these.
        var key: (UInt64, Int) {
            switch self {
            case .day(_, let number): (number, 0)
            case .newMessages(let number): (number, 1)
            case .entry(let number): (number, 2)
            }
        }
    }

    private(set) var entries = TwoEnded<Entry>()
    private var slots = TwoEnded<Slot>()
    /// The number of the first entry that is loaded.
    private(set) var first: UInt64 = 0
    /// The number of the newest entry that was told, loaded or not.
    private(set) var last: UInt64 = 0
    /// The row at the top, while there is more above it.
    private(set) var earlier: Row.Earlier?
    private var amendments: [UInt64: Amendments] = [:]
    /// Before which entry the mark stands.
    private(set) var mark: UInt64?
    private var firstDay: CivilDay?
    private var lastDay: CivilDay?
    private let day: @Sendable (WallTime) -> CivilDay

    /// What happened to the rows, those of one's own posts below the log included, since it was told last.
    var splices = SpliceList()
    /// Entries whose rows read differently since then.
    var changed: Set<UInt64> = []

    init(day: @escaping @Sendable (WallTime) -> CivilDay) { self.day = day }

    var isEmpty: Bool { entries.isEmpty }
    var rowCount: Int { slots.count + top }
    var effort: Int { entries.effort + slots.effort }
    /// Rows above the slots.
    private var top: Int { earlier == nil ? 0 : 1 }

    subscript(_ number: UInt64) -> Entry? {
        guard number >= first, number - first < UInt64(entries.count) else { return nil }
        return entries[Int(number - first)]
    }

    static func hasRow(_ kind: EntryKind) -> Bool {
        switch kind {
        case .text, .action, .notice, .reply, .broadcast: true
        case .edit, .delete, .reaction: false
        }
    }
}

// MARK: - What comes

extension RoomLog {
    /// The entry after the last one, or the first at all. Older ones change nothing. Unless it `keeps` the entry, only
    /// the number is remembered.
    mutating func append(_ entry: Entry, keeps: Bool = true) {
        let number = entry.sequence.rawValue
        guard number > last else { return }
        // Left and joined again: what lies between was never told, and is loaded from here upwards.
        if !entries.isEmpty, number - last > 1 { clear() }
        last = number
        guard keeps else { return }
        if entries.isEmpty {
            first = number
            if number > 1 {
                earlier = .more
                splices.splice(at: 0, removed: 0, added: 1)
            }
        }
        entries.append(entry)
        note(entry)
        guard Self.hasRow(entry.kind) else { return }
        let place = rowCount
        let day = day(entry.received)
        if day != lastDay { slots.append(.day(day, number)) }
        lastDay = day
        if firstDay == nil { firstDay = day }
        slots.append(.entry(number))
        splices.splice(at: place, removed: 0, added: rowCount - place)
    }

    /// Entries that end before the first one here; what does not join it is passed over. None: there are none.
    mutating func prepend(_ page: [Entry]) {
        guard !entries.isEmpty else { return page.forEach { append($0) } }
        var joining = page.count
        var expected = first
        while joining > 0 {
            let number = page[joining - 1].sequence.rawValue
            if number < expected {
                guard number == expected - 1 else { break }
                expected = number
            }
            joining -= 1
        }
        let older = page[joining...].filter { $0.sequence.rawValue < first }
        if let oldest = older.first { first = oldest.sequence.rawValue }
        let (rows, newest) = rows(of: older)
        join(rows, newest: newest)
        entries.prepend(older)
        for entry in older {
            note(entry)
            // Those below that answer it can quote it now.
            changed.formUnion(amendments[entry.sequence.rawValue]?.replies ?? [])
        }
        setEarlier(page.isEmpty || first <= 1 ? nil : .more)
    }

    private func rows(of older: [Entry]) -> (rows: [Slot], newest: CivilDay?) {
        var rows: [Slot] = []
        var before: CivilDay?
        for entry in older where Self.hasRow(entry.kind) {
            let day = day(entry.received)
            if day != before { rows.append(.day(day, entry.sequence.rawValue)) }
            before = day
            rows.append(.entry(entry.sequence.rawValue))
        }
        return (rows, before)
    }

    private mutating func join(_ rows: [Slot], newest: CivilDay?) {
        guard let newest else { return }
        var removed = 0
        if newest == firstDay, case .day? = slots.first {
            slots.removeFirst(1)
            removed = 1
        }
        if case .entry(let below)? = slots.first { changed.insert(below) }
        slots.prepend(rows)
        splices.splice(at: top, removed: removed, added: rows.count)
        if case .day(let day, _)? = rows.first { firstDay = day }
        if lastDay == nil { lastDay = newest }
    }

    mutating func setEarlier(_ state: Row.Earlier?) {
        guard earlier != state else { return }
        splices.splice(at: 0, removed: top, added: state == nil ? 0 : 1)
        earlier = state
    }

    /// Lets the oldest entries go, down to so many.
    mutating func trim(to count: Int) {
        guard entries.count > count, count > 0 else { return }
        let number = entries.count - count
        for gone in first..<first + UInt64(number) {
            // Those below that answer it cannot quote it any more.
            changed.formUnion(amendments[gone]?.replies ?? [])
        }
        entries.removeFirst(number)
        first += UInt64(number)
        let gone = place(of: (first, 0))
        let before = rowCount
        slots.removeFirst(gone)
        if let mark, mark < first { self.mark = nil }
        var added = 0
        firstDay = nil
        if let top = slots.first?.key, top.1 > 0, let entry = self[top.0] {
            slots.prepend([.day(day(entry.received), top.0)])
            added = 1
            changed.insert(top.0)
        }
        if case .day(let day, _)? = slots.first { firstDay = day }
        if slots.isEmpty { lastDay = nil }
        // The rows that stay, without the day that was put above them.
        let kept = rowCount - top - added
        earlier = .more
        splices.splice(at: 0, removed: before - kept, added: added + 1)
    }

    /// The log is another one from here on.
    mutating func clear() {
        splices.splice(at: 0, removed: rowCount, added: 0)
        entries.removeAll()
        slots.removeAll()
        first = 0
        last = 0
        earlier = nil
        mark = nil
        firstDay = nil
        lastDay = nil
        amendments = [:]
        changed = []
    }

    /// Puts the "new messages" mark before an entry, or takes it away.
    mutating func setMark(_ number: UInt64?) {
        guard mark != number else { return }
        if let mark {
            let place = place(of: (mark, 1))
            if place < slots.count, slots[place] == .newMessages(mark) {
                slots.remove(at: place)
                splices.splice(at: top + place, removed: 1, added: 0)
                changed.insert(mark)
            }
        }
        mark = number
        guard let number else { return }
        let place = place(of: (number, 1))
        slots.insert(.newMessages(number), at: place)
        splices.splice(at: top + place, removed: 0, added: 1)
        changed.insert(number)
    }
}

// MARK: - Amendments

extension RoomLog {
    /// What later entries did to one.
    private struct Amendments: Sendable {
        var text: (number: UInt64, text: String)?
        var isDeleted = false
        var reactions: [Given] = []
        /// Entries that answer it.
        var replies: [UInt64] = []

        /// One person's emoji.
        struct Given: Sendable {
            var text: String
            var author: Author
            var number: UInt64
        }
    }

    /// Reactions that one entry shows, and bytes of one; nobody needs more, and somebody would try.
    static let reactionLimit = 500
    static let reactionBytes = 64

    private mutating func note(_ entry: Entry) {
        guard let target = entry.reference?.rawValue else { return }
        let number = entry.sequence.rawValue
        switch entry.kind {
        case .edit:
            guard amendments[target]?.text.map({ $0.number < number }) ?? true else { return }
            amendments[target, default: Amendments()].text = (number, entry.text)
        case .delete:
            amendments[target, default: Amendments()].isDeleted = true
            // What is taken back may be a reaction, and then another entry reads differently.
            if let reaction = self[target], reaction.kind == .reaction,
                let place = reaction.reference?.rawValue
            {
                amendments[place]?.reactions.removeAll { $0.number == target }
                touch(place)
            }
        case .reaction: react(entry, to: target)
        case .reply: amendments[target, default: Amendments()].replies.append(number)
        case .text, .action, .notice, .broadcast: return
        }
        if entry.kind != .reply { touch(target) }
    }

    private mutating func react(_ entry: Entry, to target: UInt64) {
        let number = entry.sequence.rawValue
        guard amendments[number]?.isDeleted != true, entry.text.utf8.count <= Self.reactionBytes
        else { return }
        var given = amendments[target]?.reactions ?? []
        let isRepeated = given.contains { $0.text == entry.text && $0.author == entry.author }
        guard !isRepeated, given.count < Self.reactionLimit else { return }
        let place = given.firstIndex { $0.number > number } ?? given.endIndex
        given.insert(.init(text: entry.text, author: entry.author, number: number), at: place)
        amendments[target, default: Amendments()].reactions = given
    }

    /// The entry's row reads differently, and those that quote it.
    private mutating func touch(_ number: UInt64) {
        changed.insert(number)
        changed.formUnion(amendments[number]?.replies ?? [])
    }

    /// The entry's text as it reads now; empty where it was taken back, `nil` where it is not loaded.
    func text(of number: UInt64) -> String? {
        guard let entry = self[number] else { return nil }
        let amended = amendments[number]
        if amended?.isDeleted == true { return "" }
        return amended?.text?.text ?? entry.text
    }

    func isDeleted(_ number: UInt64) -> Bool { amendments[number]?.isDeleted ?? false }

    /// The entry that is this person's reaction.
    func reaction(_ text: String, to number: UInt64, by member: MemberID) -> UInt64? {
        amendments[number]?.reactions.first {
            guard case .member(member, _) = $0.author else { return false }
            return $0.text == text
        }?.number
    }

    private func reactions(to number: UInt64, me: MemberID?) -> [Reaction] {
        var shown: [Reaction] = []
        for given in amendments[number]?.reactions ?? [] {
            let isMine = given.author.member.map { $0 == me } ?? false
            if let place = shown.firstIndex(where: { $0.text == given.text }) {
                shown[place].authors.append(given.author)
                shown[place].isMine = shown[place].isMine || isMine
            } else {
                shown.append(Reaction(text: given.text, authors: [given.author], isMine: isMine))
            }
        }
        return shown
    }

    func quote(of number: UInt64) -> Quote {
        Quote(
            sequence: SequenceNumber(rawValue: number),
            author: self[number]?.author,
            text: String((text(of: number) ?? "").beginning(bytes: Quote.limit))
        )
    }
}

// MARK: - Rows

extension RoomLog {
    /// What a row needs to know of the screen around it.
    struct Surroundings {
        var me: Member?
        /// Known before the first welcome, where something was sent from here.
        var myID: MemberID?
        var standing: (Author) -> Standing
        var found: UInt64?
    }

    func row(_ index: Int, _ around: Surroundings) -> Row {
        if index < top { return .earlier(earlier ?? .more) }
        switch slots[index - top] {
        case .day(let day, _): return .day(day)
        case .newMessages: return .newMessages
        case .entry(let number):
            return self[number].map { .entry(row(of: $0, at: index - top, around)) } ?? .newMessages
        }
    }

    private func row(of entry: Entry, at place: Int, _ around: Surroundings) -> EntryRow {
        let number = entry.sequence.rawValue
        let amended = amendments[number]
        let text = text(of: number) ?? ""
        let isMine = entry.author.member.map { $0 == around.myID } ?? false
        return EntryRow(
            sequence: entry.sequence,
            author: entry.author,
            standing: around.standing(entry.author),
            kind: entry.kind,
            text: text,
            received: entry.received,
            isMine: isMine,
            isContinued: isContinued(entry, at: place),
            isEdited: amended?.text != nil && amended?.isDeleted != true,
            isDeleted: amended?.isDeleted ?? false,
            mentionsMe: !isMine && mentions(around.me, entry, text),
            reactions: reactions(to: number, me: around.myID),
            quote: entry.kind == .reply ? entry.reference.map { quote(of: $0.rawValue) } : nil,
            isFound: around.found == number
        )
    }

    /// Whether it names the person, or answers something of theirs.
    func mentions(_ me: Member?, _ entry: Entry, _ text: String) -> Bool {
        guard let me, entry.kind != .notice else { return false }
        if entry.kind == .reply, let target = entry.reference,
            let member = self[target.rawValue]?.author.member,
            member == me.id
        {
            return true
        }
        return Mention.of(me.name, in: text)
    }

    /// So soon after the one above that the name need not stand there again.
    static let continuation: Int64 = 5 * 60 * 1_000

    private func isContinued(_ entry: Entry, at place: Int) -> Bool {
        guard place > 0, case .entry(let above) = slots[place - 1], let previous = self[above],
            entry.kind == .text || entry.kind == .broadcast, previous.kind != .notice,
            previous.kind != .action, previous.author == entry.author
        else { return false }
        let (time, overflow) = entry.received.milliseconds.subtractingReportingOverflow(
            previous.received.milliseconds
        )
        return !overflow && (0...Self.continuation).contains(time)
    }

    /// The row of an entry; `nil`: not loaded, or without one.
    func index(of number: UInt64) -> Int? {
        let place = place(of: (number, 2))
        guard place < slots.count, slots[place] == .entry(number) else { return nil }
        return top + place
    }

    /// The first slot that does not stand before the key.
    private func place(of key: (UInt64, Int)) -> Int {
        (0..<slots.count).partitioningIndex { slots[$0].key >= key }
    }
}

extension Author {
    /// `nil`: the server, or plain text.
    var member: MemberID? { if case .member(let id, _) = self { id } else { nil } }
}
