import KirimRooms
import KirimTransport

/// Who reads a room, each from its own cursor in the transport. Whoever comes or goes costs as much in a room of
/// thousands as in one of two.
struct Readers {
    struct Reader {
        var connection: ConnectionHandle
        var stream: UInt64
        /// The last entry that is wanted; `nil` where there is no end.
        var until: SequenceNumber?

        fileprivate var name: Name { Name(connection: connection, stream: stream) }
    }

    fileprivate struct Name: Hashable {
        let connection: ConnectionHandle
        let stream: UInt64
    }

    /// In an order that follows from who came and went, and from nothing else.
    private(set) var all: [Reader] = []
    private var places: [Name: Int] = [:]

    var count: Int { all.count }

    /// A stream reads a room once.
    mutating func insert(_ reader: Reader) {
        precondition(places[reader.name] == nil, "a stream that is named anew was ended before")
        places[reader.name] = all.count
        all.append(reader)
    }

    mutating func remove(_ stream: UInt64, of connection: ConnectionHandle) {
        let name = Name(connection: connection, stream: stream)
        guard let place = places.removeValue(forKey: name), let last = all.popLast() else { return }
        // The last takes the place that is free, unless it was the one.
        guard place < all.count else { return }
        all[place] = last
        places[last.name] = place
    }
}
