import DequeModule
import KirimRooms
import KirimWire

/// The posts that the server has not decided about, as this face knows them: a copy of the journal's rows.
struct Outbox {
    /// By number, which may have gaps: other faces' posts are decided behind our back.
    private(set) var posts: Deque<LocalPost> = []
    /// The highest number that the journal has given out, as far as is known here.
    private(set) var last: PostNumber?
    /// The highest number that may have been sent, as far as is known here. What the server says of higher
    /// ones it does not say of these posts.
    private(set) var offered: PostNumber?
    /// Bytes of the texts.
    private(set) var textBytes = 0
    /// Which entry is whose: posts that were decided a moment ago, oldest first.
    private var decided: Deque<LocalPost> = []
    private var lastID: UInt64 = 0

    /// Decided posts that are remembered, so that their entries are known as ours. Those come within a
    /// round trip of the decision.
    static let decidedLimit = 1_024

    var decidedCount: Int { decided.count }
    var isEmpty: Bool { posts.isEmpty }

    /// The number that the server is to expect next.
    var nextNumber: PostNumber { posts.first?.number ?? afterLast }
    /// The number that the journal will give out next, as far as is known here.
    var afterLast: PostNumber { last?.next ?? .first }

    /// The number that is offered next, as far as is known here.
    var afterOffered: PostNumber { offered?.next ?? .first }
    /// Whether posts wait for the journal to know that they are sent.
    var hasUnoffered: Bool { posts.last.map { !isOffered($0.number) } ?? false }

    func isOffered(_ number: PostNumber) -> Bool { number < afterOffered }

    func post(_ number: PostNumber) -> LocalPost? {
        index(of: number).map { posts[$0] }
    }

    func hasPosts(in room: RoomName, below end: PostNumber) -> Bool {
        posts.contains { $0.number < end && $0.post.room == room }
    }

    /// The post that the server means by that number, decided or not.
    func identify(_ number: PostNumber) -> LocalPostID? {
        let waiting = isOffered(number) ? post(number) : nil
        return waiting?.id ?? decided.last { $0.number == number }?.id
    }

    /// Takes over a row that the journal gave; `nil` if it is here already. A row that another face has
    /// got decided meanwhile is remembered only.
    mutating func take(_ row: OutboxRow) -> LocalPost? {
        if let last, row.number <= last { return nil }
        last = row.number
        lastID += 1
        let post = LocalPost(id: LocalPostID(rawValue: lastID), number: row.number, post: row.post)
        if row.decision == nil {
            posts.append(post)
            textBytes += row.post.text.utf8.count
        } else {
            remember(post)
        }
        return post
    }

    /// Posts up to there may have been sent.
    mutating func offered(upTo number: PostNumber?) {
        if let number, !isOffered(number) { offered = number }
    }

    /// Takes one out because the server decided; `nil` if it is not here (any more).
    mutating func decide(_ number: PostNumber) -> LocalPost? {
        guard let index = index(of: number) else { return nil }
        let post = posts.remove(at: index)
        textBytes -= post.post.text.utf8.count
        remember(post)
        return post
    }

    /// Takes out the post of that id, whatever its number is by now.
    mutating func decide(_ id: LocalPostID) -> LocalPost? {
        posts.first { $0.id == id }.flatMap { decide($0.number) }
    }

    /// Posts that were decided are among the others again, so that they get new numbers as these do.
    mutating func putBack(_ decided: [LocalPost]) {
        posts = Deque((posts + decided).sorted { $0.number < $1.number })
    }

    private mutating func remember(_ post: LocalPost) {
        decided.append(post)
        if decided.count > Self.decidedLimit { decided.removeFirst() }
    }

    /// The journal has numbered the rows anew. Posts keep their ids; those that are not among the rows were
    /// decided behind our back and are returned as `gone`.
    mutating func renumber(
        _ rows: [OutboxRow],
        last newLast: PostNumber?,
        offered newOffered: PostNumber?
    ) -> (fresh: [LocalPost], gone: [LocalPost]) {
        var old = posts
        var fresh: [LocalPost] = []
        var gone: [LocalPost] = []
        posts = []
        textBytes = 0
        decided = []
        for row in rows where row.decision == nil {
            // Both lists are in the order of the outbox, so a post that matches is the same one.
            if let found = old.firstIndex(where: { $0.post == row.post }) {
                gone.append(contentsOf: old[..<found])
                posts.append(LocalPost(id: old[found].id, number: row.number, post: row.post))
                old.removeSubrange(...found)
            } else {
                lastID += 1
                let post = LocalPost(
                    id: LocalPostID(rawValue: lastID),
                    number: row.number,
                    post: row.post
                )
                posts.append(post)
                fresh.append(post)
            }
            textBytes += row.post.text.utf8.count
        }
        gone.append(contentsOf: old)
        last = newLast
        offered = newOffered
        return (fresh, gone)
    }

    /// Finds the decisions about posts that are `gone` among the newest decided rows, and knows those posts
    /// by their present numbers from now on.
    mutating func recall(
        _ gone: [LocalPost],
        from rows: [OutboxRow]
    ) -> [(post: LocalPost, decision: PostDecision)] {
        var found: [(post: LocalPost, decision: PostDecision)] = []
        // Backwards: of posts that are alike, the last ones are those that were decided behind our back.
        var rows = rows[...]
        for post in gone.reversed() {
            guard let place = rows.lastIndex(where: { $0.post == post.post }),
                let decision = rows[place].decision
            else { continue }
            let moved = LocalPost(id: post.id, number: rows[place].number, post: post.post)
            rows = rows[..<place]
            found.append((moved, decision))
        }
        found.reverse()
        for (post, _) in found { remember(post) }
        return found
    }

    /// The number before which posts may be sent now: the window of unaccepted posts. The first always fits.
    func window(_ limits: WireLimits) -> PostNumber {
        var bytes: UInt64 = 0
        var end = nextNumber
        for (index, post) in posts.enumerated() where isOffered(post.number) {
            if index > 0 {
                bytes += UInt64(post.post.text.utf8.count + Self.overhead)
                guard index < max(1, limits.postsInFlight), bytes <= limits.postBytesInFlight else {
                    break
                }
            }
            end = post.number.next
        }
        return end
    }

    /// At most so many bytes come to a post's text in its record: room, kind, reference, time, lengths.
    private static let overhead = RoomName.limit + 32

    private func index(of number: PostNumber) -> Int? {
        let place = posts.partitioningIndex { $0.number >= number }
        return place < posts.count && posts[place].number == number ? place : nil
    }
}
