import DequeModule
import KirimRooms
import KirimWire

/// The requests and replies of one connection.
///
/// Requests are kept until acknowledged. Replies are read in the order in which the server wrote them, except
/// decisions about posts, which mean the same in any order and need not wait behind a lost packet. Only the
/// welcome goes before them: it says where the server stood before it decided.
struct ControlStream {
    private var requests: Deque<[UInt8]> = []
    private var firstKept: UInt64 = 0
    private var nextReply: UInt64 = 0
    /// Replies that came before an earlier one; `nil` for those that were read at once.
    private var early: [UInt64: Reply?] = [:]
    private var ready: Deque<(number: UInt64, reply: Reply)> = []

    /// Early replies that may wait. A server keeps no more than 256 unacknowledged, so more is nonsense.
    static let earlyLimit = 4_096
    /// Requests that may be unacknowledged. A server ends a connection on which one comes so much too early.
    static let requestLimit = 256

    var requestCount: Int { requests.count }
    var earlyCount: Int { early.count }

    /// One behind the last request's number.
    var end: UInt64 { firstKept + UInt64(requests.count) }

    mutating func ask(_ request: Request) -> RequestID {
        defer { requests.append(request.bytes) }
        return RequestID(rawValue: end)
    }

    func bytes(of number: UInt64) -> [UInt8]? {
        guard number >= firstKept, number < end else { return nil }
        return requests[Int(number - firstKept)]
    }

    mutating func acknowledged(below number: UInt64) {
        while firstKept < number, !requests.isEmpty {
            requests.removeFirst()
            firstKept += 1
        }
    }

    /// Takes a record in; repeats change nothing. `tooLong` when too much waits.
    mutating func receive(_ bytes: [UInt8], number: UInt64) throws(WireError) {
        guard number >= nextReply, early[number] == nil else { return }
        let reply = try? Reply(parsing: bytes)
        if let reply, reply.isAboutPosts, nextReply > 0 {
            ready.append((number, reply))
            early.updateValue(nil, forKey: number)
        } else {
            // A reply of a later version that is not understood must not hold up the others.
            early.updateValue(reply, forKey: number)
        }
        guard early.count <= Self.earlyLimit else { throw .tooLong }
        while let next = early.removeValue(forKey: nextReply) {
            if let reply = next { ready.append((nextReply, reply)) }
            nextReply += 1
        }
        if reply == nil { throw .malformed }
    }

    mutating func next() -> (number: UInt64, reply: Reply)? { ready.popFirst() }
}

extension Reply {
    fileprivate var isAboutPosts: Bool {
        switch self {
        case .decided, .postponed: true
        default: false
        }
    }
}
