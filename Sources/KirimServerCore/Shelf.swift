import DequeModule
import KirimRooms
import KirimTransport
import KirimWire

/// Old entries that are read back from the journal: for readers behind a room's tail, and for edits of old
/// entries. Bounded: some blocks, the oldest gives way; some reads at once, the rest waits in order.
struct Shelf {
    /// Who stands still until an entry is here.
    enum Reader: Hashable {
        case stream(ConnectionHandle, UInt64)
        case outbox(OutboxKey)
    }

    struct Arrival {
        var readers: [Reader]
        /// What was read, for outboxes.
        var subject: Subject?
        var room: RoomName
        var sequence: SequenceNumber
        var hasFailed: Bool
    }

    private struct Block {
        var room: RoomName
        var first: UInt64
        var entries: [[UInt8]]
        var bytes: Int
    }

    private struct Wanted {
        var room: RoomName
        var sequence: UInt64
        var readers: [Reader]
        /// Not before this instant, after a failure.
        var notBefore: Instant?
    }

    private var blocks: Deque<Block> = []
    private(set) var blockBytes = 0
    private var waiting: Deque<Wanted> = []
    private var reading: [(id: ReadID, wanted: Wanted)] = []
    private var nextID: UInt64 = 1

    static let blockLimit = 64
    static let blockByteLimit = 8 * 1_048_576
    static let readsAtOnce = 4
    static let entriesPerRead = 128
    /// Of a read for a reader to come, who has shown to read on.
    static let entriesAhead = 512
    static let bytesPerRead = 262_144

    /// An entry for a reader, if it is here; `end` is the first that the shelf need not have.
    ///
    /// Whoever begins a block will want the next: it is read meanwhile, if the journal has nothing else to do.
    mutating func entry(_ sequence: UInt64, in room: RoomName, before end: UInt64) -> [UInt8]? {
        guard let block = block(with: sequence, in: room) else { return nil }
        let next = block.first + UInt64(block.entries.count)
        if sequence == block.first, next < end, reading.isEmpty, waiting.isEmpty,
            self.block(with: next, in: room) == nil
        {
            waiting.append(Wanted(room: room, sequence: next, readers: []))
        }
        return block.entries[Int(sequence - block.first)]
    }

    /// The newest are asked for most.
    private func block(with sequence: UInt64, in room: RoomName) -> Block? {
        blocks.last { block in
            sequence >= block.first && sequence - block.first < UInt64(block.entries.count)
                && block.room == room
        }
    }

    mutating func want(_ sequence: UInt64, in room: RoomName, for reader: Reader) {
        // A read that is under way may bring it: then joining it saves one.
        if let place = reading.firstIndex(where: {
            $0.wanted.room == room && $0.wanted.sequence == sequence
        }) {
            if !reading[place].wanted.readers.contains(reader) {
                reading[place].wanted.readers.append(reader)
            }
            return
        }
        if let place = waiting.firstIndex(where: { $0.room == room && $0.sequence == sequence }) {
            if !waiting[place].readers.contains(reader) { waiting[place].readers.append(reader) }
            return
        }
        waiting.append(Wanted(room: room, sequence: sequence, readers: [reader]))
    }

    var blockCount: Int { blocks.count }
    var readCount: Int { reading.count }
    /// Those whose reads have not begun.
    var waitingReaders: some Sequence<Reader> { waiting.lazy.flatMap(\.readers) }

    /// Nobody waits for this connection's sake any more, or for this stream of its.
    mutating func forget(_ connection: ConnectionHandle, stream: UInt64? = nil) {
        for place in waiting.indices {
            waiting[place].readers.removeAll { reader in
                guard case .stream(connection, let waits) = reader else { return false }
                return stream == nil || waits == stream
            }
        }
        waiting.removeAll { $0.readers.isEmpty }
    }

    /// The next read to ask for.
    mutating func begin(at now: Instant) -> (ReadID, EntryQuery)? {
        guard reading.count < Self.readsAtOnce,
            let place = waiting.firstIndex(where: { ($0.notBefore ?? now) <= now })
        else { return nil }
        let wanted = waiting.remove(at: place)
        let id = ReadID(rawValue: nextID)
        nextID += 1
        reading.append((id, wanted))
        let query = EntryQuery(
            room: wanted.room,
            from: SequenceNumber(rawValue: wanted.sequence),
            entryLimit: wanted.readers.isEmpty ? Self.entriesAhead : Self.entriesPerRead,
            byteLimit: Self.bytesPerRead
        )
        return (id, query)
    }

    /// The journal answered. On failure streams keep waiting and are tried again; outboxes are told.
    mutating func finish(
        _ id: ReadID,
        _ result: Result<[Entry], JournalError>,
        retry: Duration,
        at now: Instant
    ) -> Arrival? {
        guard let place = reading.firstIndex(where: { $0.id == id }) else { return nil }
        var wanted = reading.remove(at: place).wanted
        var arrival = Arrival(
            readers: wanted.readers,
            room: wanted.room,
            sequence: SequenceNumber(rawValue: wanted.sequence),
            hasFailed: false
        )
        if case .success(let entries) = result, let first = entries.first,
            first.sequence == arrival.sequence
        {
            arrival.subject = Subject(first)
            keep(entries, from: wanted.sequence, of: wanted.room)
            arrival.readers += takeServed(in: wanted.room)
        } else {
            // A journal without an entry that it gave a number to is as bad as one that fails.
            arrival.hasFailed = true
            arrival.readers = wanted.readers.filter { if case .outbox = $0 { true } else { false } }
            wanted.readers.removeAll { if case .outbox = $0 { true } else { false } }
            wanted.notBefore = now.advanced(by: retry)
            if !wanted.readers.isEmpty { waiting.append(wanted) }
        }
        return arrival
    }

    /// Streams that waited for another entry of what was just read.
    private mutating func takeServed(in room: RoomName) -> [Reader] {
        var served: [Reader] = []
        for place in waiting.indices where waiting[place].room == room {
            guard block(with: waiting[place].sequence, in: room) != nil else { continue }
            waiting[place].readers.removeAll { reader in
                guard case .stream = reader else { return false }
                served.append(reader)
                return true
            }
        }
        waiting.removeAll { $0.readers.isEmpty }
        return served
    }

    private mutating func keep(_ entries: [Entry], from first: UInt64, of room: RoomName) {
        var encoded: [[UInt8]] = []
        for entry in entries {
            guard entry.sequence.rawValue == first + UInt64(encoded.count) else { break }
            encoded.append(entry.bytes)
        }
        guard !encoded.isEmpty else { return }
        let bytes = encoded.reduce(0) { $0 + $1.count }
        blocks.append(Block(room: room, first: first, entries: encoded, bytes: bytes))
        blockBytes += bytes
        while blocks.count > Self.blockLimit || blockBytes > Self.blockByteLimit && blocks.count > 1
        {
            blockBytes -= blocks.removeFirst().bytes
        }
    }

    /// When a read that failed is tried again.
    var deadline: Instant? {
        reading.count < Self.readsAtOnce ? waiting.compactMap(\.notBefore).min() : nil
    }
}
