import DequeModule
import KirimWire

/// A connection's sending streams in the order of their ids, and the turns in which they send.
///
/// A reader may have a stream for each of a thousand rooms: nothing here looks at all of them for one packet.
struct OutgoingStreams {
    private var list: [OutgoingStream] = []
    /// Those that may have something to send, each once, in the order of their turns.
    private var turns: Deque<UInt64> = []
    private var lastSerial: UInt32 = 0
    private static let few = 8

    var count: Int { list.count }
    var indices: Range<Int> { list.indices }

    /// What a stream has to send is changed by the functions below, so that it gets its turn.
    subscript(_ index: Int) -> OutgoingStream {
        _read { yield list[index] }
        _modify { yield &list[index] }
    }

    /// Where the stream is, or would be.
    private func place(for id: UInt64) -> Int {
        list.partitioningIndex { $0.id >= id }
    }

    func index(of id: UInt64) -> Int? {
        let place = place(for: id)
        return place < list.count && list[place].id == id ? place : nil
    }

    /// `nil` also when another stream of the same id was opened since.
    func index(of name: OutgoingStream.Name) -> Int? {
        index(of: name.id).flatMap { list[$0].name == name ? $0 : nil }
    }

    /// In the place of one of the same id.
    mutating func open(_ id: UInt64, at first: UInt64) {
        drop(id)
        lastSerial &+= 1
        let name = OutgoingStream.Name(id: id, serial: lastSerial)
        // Most connections have three for as long as they live.
        if list.count < Self.few { list.reserveCapacity(list.count + 1) }
        list.insert(OutgoingStream(name: name, first: first), at: place(for: id))
    }

    mutating func drop(_ id: UInt64) {
        guard let index = index(of: id) else { return }
        if list[index].hasTurn { turns.removeAll { $0 == id } }
        list.remove(at: index)
    }

    /// Whether some stream has something to send. Forgets the turns of those that have nothing.
    mutating func haveWork() -> Bool {
        while let id = turns.first, let index = index(of: id) {
            if list[index].hasWork { return true }
            list[index].hasTurn = false
            turns.removeFirst()
        }
        return false
    }

    /// Gives the stream a turn, the next one or the last, if it has something to send, and none yet.
    mutating func queue(_ index: Int, isNext: Bool = false) {
        guard !list[index].hasTurn, list[index].hasWork else { return }
        list[index].hasTurn = true
        if isNext { turns.prepend(list[index].id) } else { turns.append(list[index].id) }
    }

    /// Gives back the room of turns that nobody waits for.
    mutating func rest() {
        if turns.isEmpty { turns = [] }
    }

    var turnCount: Int { turns.count }

    /// Takes the next turn.
    mutating func takeTurn() -> Int? {
        guard let id = turns.popFirst(), let index = index(of: id) else { return nil }
        list[index].hasTurn = false
        return index
    }
}
