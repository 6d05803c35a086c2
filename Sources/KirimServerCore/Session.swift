import DequeModule
import KirimRooms
import KirimTransport
import KirimWire

/// What the chat knows about one connection. An object, so that looking at a part of it copies nothing.
final class Session {
    let key: PublicKey
    let openedAt: Instant
    var address: Address
    var stage: Stage = .silent
    var replies = Replies()
    var requests = Requests()
    /// Posts that came before the welcome went.
    var early = EarlyPosts()
    /// What is read on each stream that the client named.
    var streams = Subscriptions()
    var isAway = false
    /// Nothing was heard for a while.
    var isSilent = false
    /// It is being closed: nothing more is taken from it or told to it.
    var isClosing = false
    var pace: Pace
    /// Of the moves that the operator is told.
    var moves = Pace(Rate(oneIn: .seconds(10), burst: 3))
    /// Requests whose commit is under way.
    var waiting = 0

    init(key: PublicKey, openedAt: Instant, address: Address, pace: Pace) {
        self.key = key
        self.openedAt = openedAt
        self.address = address
        self.pace = pace
    }

    struct Subscription {
        let stream: UInt64
        let room: Room
        /// The last entry that is wanted; `nil` where there is no end.
        let until: SequenceNumber?
    }

    enum Stage {
        /// No hello yet. Leads to `greeting`.
        case silent
        /// A hello is being looked up or committed. Leads to `here`, or back to `silent`.
        case greeting
        case here(MemberID, OutboxID)
    }

    /// Whether its requests are: not while a hello is looked up, and not after a violation.
    var isAnswered: Bool { !isGreeting && !isClosing }
    var isGreeting: Bool { if case .greeting = stage { true } else { false } }

    var member: MemberID? {
        if case .here(let id, _) = stage { id } else { nil }
    }

    var outbox: OutboxKey? {
        if case .here(let id, let outbox) = stage {
            OutboxKey(member: id, outbox: outbox)
        } else {
            nil
        }
    }
}

extension Session {
    /// In the order of their streams: most clients read two rooms, and each message looks here once for each reader.
    struct Subscriptions: RandomAccessCollection {
        private var list: [Subscription] = []

        var startIndex: Int { 0 }
        var endIndex: Int { list.count }
        subscript(place: Int) -> Subscription { list[place] }

        /// Where the stream stands, or would stand.
        private func place(of stream: UInt64) -> Int {
            list.partitioningIndex { $0.stream >= stream }
        }

        subscript(stream stream: UInt64) -> Subscription? {
            let place = place(of: stream)
            return place < list.count && list[place].stream == stream ? list[place] : nil
        }

        /// In the place of one of the same stream.
        mutating func insert(_ subscription: Subscription) {
            _ = remove(subscription.stream)
            list.insert(subscription, at: place(of: subscription.stream))
        }

        mutating func remove(_ stream: UInt64) -> Subscription? {
            guard self[stream: stream] != nil else { return nil }
            return list.remove(at: place(of: stream))
        }
    }

    /// The control stream towards the client: kept until acknowledged, never longer than its limits.
    struct Replies {
        private var base: UInt64 = 0
        private var records: Deque<[UInt8]> = []
        private(set) var byteCount = 0

        var count: Int { records.count }
        /// The number behind the last record.
        var end: UInt64 { base + UInt64(records.count) }

        mutating func append(_ bytes: [UInt8]) {
            records.append(bytes)
            byteCount += bytes.count
        }

        mutating func acknowledged(below number: UInt64) {
            while base < number, let first = records.popFirst() {
                base += 1
                byteCount -= first.count
            }
            if records.isEmpty { records = [] }
        }

        subscript(number: UInt64) -> [UInt8]? {
            guard number >= base, number < end else { return nil }
            return records[Int(number - base)]
        }
    }

    /// The control stream from the client, put in order.
    struct Requests {
        private var next: UInt64 = 0
        private var early: [UInt64: [UInt8]] = [:]
        /// A request that comes so much too early breaks the protocol.
        static let reach: UInt64 = 256
        /// Longer requests do not exist.
        static let sizeLimit = 1_024

        enum Intake { case taken, repeated, violation }

        var count: Int { early.count }

        mutating func insert(_ number: UInt64, _ bytes: [UInt8]) -> Intake {
            guard number >= next else { return .repeated }
            guard number - next < Self.reach, bytes.count <= Self.sizeLimit else {
                return .violation
            }
            early[number] = bytes
            return .taken
        }

        /// The next one in order, if it is there.
        mutating func take() -> (RequestID, [UInt8])? {
            guard let bytes = early.removeValue(forKey: next) else { return nil }
            // Most have nothing to ask for hours.
            if early.isEmpty { early = [:] }
            defer { next += 1 }
            return (RequestID(rawValue: next), bytes)
        }
    }

    /// Posts that arrived before it was known whose they are.
    struct EarlyPosts {
        private(set) var posts: [(number: PostNumber, bytes: [UInt8])] = []
        private(set) var byteCount = 0

        /// `false` where there are too many.
        mutating func append(_ number: PostNumber, _ bytes: [UInt8], limits: ChatLimits) -> Bool {
            guard posts.count < limits.postsInFlight,
                posts.isEmpty || byteCount + bytes.count <= limits.postBytesInFlight
            else { return false }
            posts.append((number, bytes))
            byteCount += bytes.count
            return true
        }

        mutating func takeAll() -> [(number: PostNumber, bytes: [UInt8])] {
            defer { self = EarlyPosts() }
            return posts
        }
    }
}
