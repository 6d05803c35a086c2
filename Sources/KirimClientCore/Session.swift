import KirimRooms
import KirimTransport
import KirimWire

/// What was said on the present connection, all of which has to be said again on the next one.
struct Session {
    let connection: ConnectionHandle
    var stage: Stage = .opened
    var control = ControlStream()
    /// What the requests under way were for.
    var asked: [RequestID: Purpose] = [:]
    /// The hello, and the name that it wished for.
    var wish: (hello: RequestID, name: MemberName)?
    var streams: [UInt64: StreamUse] = [:]
    private var nextStream = ChatStream.firstSubscription
    private(set) var posts: Posts = .closed

    enum Stage: Hashable {
        /// Nothing was said yet: the journal is renumbering. Leads to `greeted`.
        case opened
        /// Hello was said. Leads to `checking`, `ready`, `refused`.
        case greeted
        /// The server has posts below this number, which other faces may have sent: the journal is asked.
        /// Leads to `ready`, `outdated`.
        case checking(PostNumber, isAnswered: Bool)
        case ready
        /// The outbox is older than what the server has of it, all below this number. What was offered is
        /// decided and read as in `ready`. Leads to another outbox and a new connection.
        case outdated(PostNumber)
        /// Not taken in; a new connection is made then.
        case refused(until: Instant)
    }

    enum Purpose: Hashable {
        case hello
        /// A room of an earlier run.
        case rejoin(RoomName)
        case subscribe(RoomName, stream: UInt64)
        case wish(Ticket)
        /// The answer changes nothing.
        case nothing
    }

    enum StreamUse: Hashable {
        case room(RoomName)
        case page(Ticket)
    }

    /// The stream of posts.
    ///
    ///     closed --offer--> open --postponed--> waiting --due--> closed
    enum Posts: Hashable {
        case closed
        /// Offered below `end`; `arrived` since all of it has been acknowledged by the transport.
        case open(end: PostNumber, arrived: Instant?)
        case waiting(until: Instant)
    }

    init(connection: ConnectionHandle) { self.connection = connection }

    /// Whether the server has taken us in, and everything may be said.
    var isReady: Bool {
        switch stage {
        case .ready, .outdated: true
        case .opened, .greeted, .checking, .refused: false
        }
    }
    /// Whether posts that were never sent may be.
    var mayOffer: Bool { stage == .ready }

    /// Requests without an answer: more than any server has reason to leave.
    static let askedLimit = 1_024

    /// Whether another request would be too much for a server that does not listen.
    var hasAskedTooMuch: Bool {
        control.requestCount >= ControlStream.requestLimit || asked.count >= Self.askedLimit
    }

    /// Rooms that the server is asked about at once.
    static let roomsAskedLimit = 64

    /// Rooms that the server is asked about now.
    var roomsAsked: Int {
        asked.values.count { purpose in
            switch purpose {
            case .rejoin, .subscribe: true
            case .hello, .wish, .nothing: false
            }
        }
    }

    mutating func takeStream(for use: StreamUse) -> UInt64 {
        defer { nextStream += 1 }
        streams[nextStream] = use
        return nextStream
    }

    mutating func ask(_ request: Request, for purpose: Purpose) -> RequestID {
        let id = control.ask(request)
        asked[id] = purpose
        return id
    }

    var wishesAsked: Int {
        asked.values.reduce(0) { count, purpose in
            if case .wish = purpose { count + 1 } else { count }
        }
    }
}

// MARK: - Posts

extension Session {
    mutating func postsOffered(below end: PostNumber) { posts = .open(end: end, arrived: nil) }
    mutating func postsClosed() { posts = .closed }
    mutating func postsPostponed(until: Instant) { posts = .waiting(until: until) }

    /// The transport has brought everything below `number` to the server.
    mutating func postsArrived(below number: UInt64, at now: Instant) {
        guard case .open(let end, nil) = posts, end.rawValue <= number else { return }
        posts = .open(end: end, arrived: now)
    }

    /// The server decides: its silence begins anew.
    mutating func postDecided(at now: Instant) {
        guard case .open(let end, .some) = posts else { return }
        posts = .open(end: end, arrived: now)
    }

    /// When offered posts arrived, while some of them are undecided.
    var postsArrived: Instant? {
        if case .open(_, let arrived) = posts { arrived } else { nil }
    }
}
