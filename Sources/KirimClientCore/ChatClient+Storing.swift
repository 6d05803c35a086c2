package import KirimRooms
import KirimTransport
package import KirimWire

/// What is on its way to the journal, and what waits for it.
struct Storage {
    private var lastID: UInt64 = 0
    var pending: [StoreID: Purpose] = [:]
    /// Posts that wait until the write before them is done: one write takes all of them.
    var toAdd: [Addition] = []
    private(set) var isAdding = false
    /// The rows that other faces appended are wanted.
    var wantsRows = false
    /// It is to be asked how far all faces have offered the outbox.
    var wantsOffered = false
    var toKeep: [Kept] = []
    private(set) var isKeeping = false
    /// Posts that another face got decided before the outbox was renumbered. The journal knows how.
    var toRecall: [LocalPost] = []
    /// The newest that are to be kept; a server may give ever new ones.
    var name: MemberName?
    var token: [UInt8]?
    private(set) var isNoting = false
    /// What is to be asked about rooms; one question at a time serves all who ask.
    var toLookUp = RoomLookUp()
    private(set) var isLookingUp = false
    /// Since the journal was asked about rooms.
    var hasLeftRoom = false
    /// Both give posts other numbers, so that nothing with a number may be under way beside them.
    var pinning: PublicKey?
    var renewing: OutboxID?
    private(set) var isBusyRenumbering = false
    private var retry: Instant?
    /// What was told last, so that a full disk is told once and not with each write.
    var told: JournalError?

    struct Addition {
        let ticket: Ticket
        let posts: [Post]
    }

    struct Kept {
        let post: LocalPost
        let decision: PostDecision
        var isTold = false
    }

    /// Why it is asked which rooms the faces together want.
    struct RoomLookUp {
        /// Rooms that we are not a member of: whether they are still wanted.
        var rejoining: [RoomName] = []
        /// Rooms of posts: whether another face wants them.
        var clearing: [RoomName] = []
        /// Whether all that are wanted are to be read.
        var isForAll = false

        var isEmpty: Bool { rejoining.isEmpty && clearing.isEmpty && !isForAll }
    }

    enum Purpose {
        case add([Addition], offering: Bool)
        case offered
        case keep([Kept])
        case recall([LocalPost])
        case pin(PublicKey)
        case renew(OutboxID)
        case apply(RoomName)
        /// The room was set back.
        case forget(RoomName)
        /// A page of older entries, from its first to its last.
        case older(RoomName, SequenceNumber, SequenceNumber)
        case span(RoomName)
        case lookUp(RoomLookUp)
        /// A room is wished for.
        case enter(RoomName, Ticket)
        case page(Ticket)
        /// A name or a token.
        case note
        case write
    }

    var isRenumbering: Bool { isBusyRenumbering || pinning != nil || renewing != nil }
    /// Decisions that are not written down yet, those on their way among them.
    var keptCount: Int {
        pending.values.reduce(toKeep.count) { count, purpose in
            if case .keep(let kept) = purpose { count + kept.count } else { count }
        }
    }
    var postsToAdd: Int { toAdd.reduce(0) { $0 + $1.posts.count } }
    var deadline: Instant? { retry }

    mutating func issue(_ purpose: Purpose) -> StoreID {
        switch purpose {
        case .add: isAdding = true
        case .keep: isKeeping = true
        case .note: isNoting = true
        case .lookUp:
            isLookingUp = true
            hasLeftRoom = false
        case .pin, .renew: isBusyRenumbering = true
        default: break
        }
        lastID += 1
        let id = StoreID(rawValue: lastID)
        pending[id] = purpose
        return id
    }

    mutating func finish(_ id: StoreID) -> Purpose? {
        let purpose = pending.removeValue(forKey: id)
        switch purpose {
        case .add?: isAdding = false
        case .keep?: isKeeping = false
        case .note?: isNoting = false
        case .lookUp?: isLookingUp = false
        case .pin?, .renew?: isBusyRenumbering = false
        default: break
        }
        return purpose
    }

    mutating func failed(retry time: Instant) { retry = time }
    mutating func timePassed(to now: Instant) { if let time = retry, time <= now { retry = nil } }
    var waits: Bool { retry != nil }
}

extension ChatClient {
    mutating func store(_ request: StoreRequest, _ purpose: Storage.Purpose) {
        commands.append(.store(storage.issue(purpose), request))
    }

    /// Hands the journal what waits for it. Called when nothing else is to be done, so that everything that
    /// one turn brought goes into one write.
    mutating func prepareStorage() {
        leaveOutdated()
        for index in readers.indices {
            guard let entries = readers[index].store() else { continue }
            store(.apply(entries, readers[index].name), .apply(readers[index].name))
        }
        if !storage.isNoting {
            if let name = storage.name {
                storage.name = nil
                store(.setName(name), .note)
            } else if let token = storage.token {
                storage.token = nil
                store(.setToken(token), .note)
            }
        }
        if !storage.isLookingUp, !storage.toLookUp.isEmpty {
            let lookUp = storage.toLookUp
            storage.toLookUp = Storage.RoomLookUp()
            store(.rooms, .lookUp(lookUp))
        }
        guard !storage.isBusyRenumbering else { return }
        if !storage.isKeeping, !storage.toKeep.isEmpty, !storage.waits {
            let kept = storage.toKeep
            storage.toKeep = []
            let decisions = kept.map { ($0.post.number, $0.decision) }
            store(
                .decide(Dictionary(decisions, uniquingKeysWith: { $1 })),
                .keep(kept)
            )
        }
        if storage.isRenumbering {
            guard !storage.isAdding, !storage.isKeeping, storage.toKeep.isEmpty, !storage.waits
            else {
                return
            }
            if let key = storage.pinning {
                storage.pinning = nil
                store(.pin(key, at: address), .pin(key))
            } else if let outbox = storage.renewing {
                storage.renewing = nil
                store(.renewOutbox(outbox), .renew(outbox))
            }
            return
        }
        if !storage.toRecall.isEmpty, !storage.waits {
            let gone = storage.toRecall
            storage.toRecall = []
            // Those of other faces may stand between them.
            let limit = max(Outbox.decidedLimit, 2 * gone.count)
            store(.decided(limit: limit), .recall(gone))
        }
        if storage.wantsOffered, !storage.waits {
            storage.wantsOffered = false
            store(.offered, .offered)
        }
        // One write makes posts durable and notes that they are sent; those that were written without a
        // connection are noted once there is one.
        let offering = session?.mayOffer == true
        let wantsRows = storage.wantsRows || offering && outbox.hasUnoffered
        if !storage.isAdding, !storage.toAdd.isEmpty || wantsRows && !storage.waits {
            let additions = storage.toAdd
            storage.toAdd = []
            storage.wantsRows = false
            store(
                .enqueue(additions.flatMap(\.posts), after: outbox.last, offering: offering),
                .add(additions, offering: offering)
            )
        }
    }

    /// The journal has done a request, or could not.
    package mutating func stored(
        _ id: StoreID,
        _ result: Result<StoreResult, JournalError>,
        at now: Instant
    ) {
        guard let purpose = storage.finish(id) else { return }
        switch result {
        case .success(let result):
            storage.told = nil
            stored(purpose, result, at: now)
        case .failure(let error): notStored(purpose, error, at: now)
        }
    }

    private mutating func stored(_ purpose: Storage.Purpose, _ result: StoreResult, at now: Instant)
    {
        switch (purpose, result) {
        case (.add(let additions, let offering), .rows(let rows)):
            added(additions, rows, offering: offering, at: now)
        case (.offered, .offered(let number)): offered(upTo: number, at: now)
        case (.keep(let kept), _):
            for item in kept where !item.isTold { tell(.decided(item.post, item.decision)) }
        case (.recall(let gone), .decided(let rows)):
            // A later renewal deletes decided rows: about posts that are not found nobody knows more
            // than that they were decided.
            for (post, decision) in outbox.recall(gone, from: rows) {
                tell(.decided(post, decision))
            }
        case (.pin(let key), .state(let local)):
            address = nil
            renumbered(local)
            server.key = key
            tell(.firstContact(key))
        case (.renew(let id), .state(let local)):
            // Another face was first, and its number serves.
            if local.server.outbox != id { outboxIDs.append(id) }
            renumbered(local)
        case (.apply(let room), _):
            guard let index = index(of: room) else { return }
            readers[index].stored()
            read(index, at: now)
        case (.forget(let room), _): if let index = index(of: room) { readers[index].forgot() }
        case (.older(let room, let first, let last), _):
            guard let index = index(of: room) else { return }
            readers[index].join(HistorySpan(first: first, last: last))
        case (.span(let room), .span(let span)):
            guard let index = index(of: room) else { return }
            readers[index].found(span)
            read(index, at: now)
        case (.lookUp(let lookUp), .rooms(let rooms)): lookedUp(lookUp, wanted: rooms)
        case (.enter(let room, let ticket), _):
            follow(room)
            tell(.answered(ticket, .done))
        case (.page(let ticket), .entries(let entries)):
            if let wish = finishWish(ticket) { answer(wish, .entries(entries)) }
        default: break
        }
    }

    private mutating func added(
        _ additions: [Storage.Addition],
        _ rows: [OutboxRow],
        offering: Bool,
        at now: Instant
    ) {
        let count = additions.reduce(0) { $0 + $1.posts.count }
        var mine: [LocalPostID] = []
        var decided: [(LocalPost, PostDecision)] = []
        for (index, row) in rows.enumerated() {
            guard let post = outbox.take(row) else { continue }
            let isMine = index >= rows.count - count
            if isMine { mine.append(post.id) }
            guard isMine || row.decision == nil else { continue }
            tell(.queued(post))
            // Another face was quick and has sent it, and heard about it, in our place.
            if let decision = row.decision { decided.append((post, decision)) }
        }
        for addition in additions {
            tell(.posted(addition.ticket, Array(mine.prefix(addition.posts.count))))
            mine.removeFirst(min(mine.count, addition.posts.count))
        }
        for (post, decision) in decided { tell(.decided(post, decision)) }
        askAboutRooms(of: rows)
        if offering { outbox.offered(upTo: outbox.last) }
        checkOutbox(at: now)
        offerPosts()
    }

    /// Every post has another number now, so what was said on the connection means something else.
    private mutating func renumbered(_ local: LocalState) {
        // Decisions that came while the journal renumbered name posts by numbers that are others' now.
        let late = storage.toKeep
        storage.toKeep = []
        outbox.putBack(late.map(\.post))
        let ids = Set(late.map(\.post.id))
        storage.toRecall += adopt(local).filter { !ids.contains($0.id) }
        for item in late {
            if let post = outbox.decide(item.post.id) {
                let kept = Storage.Kept(post: post, decision: item.decision, isTold: item.isTold)
                storage.toKeep.append(kept)
            } else if !item.isTold {
                // Another face has had it decided and written down.
                tell(.decided(item.post, item.decision))
            }
        }
        switch session?.stage {
        case .opened? where session?.control.end == 0: greet()
        case nil: break
        default: reconnect()
        }
    }

    /// Another face has renumbered the outbox: start again from what it made of it. Posts that were to be
    /// added are added then.
    private mutating func moved(_ purpose: Storage.Purpose) -> Bool {
        guard let renewing = storage.renewing ?? outboxIDs.last else { return false }
        switch purpose {
        case .add(let additions, _): storage.toAdd = additions + storage.toAdd
        case .offered: break
        case .keep(let kept):
            for item in kept where !item.isTold { tell(.decided(item.post, item.decision)) }
        case .recall(let gone): storage.toRecall = gone + storage.toRecall
        default: return false
        }
        if storage.renewing == nil { outboxIDs.removeLast() }
        storage.renewing = renewing
        return true
    }

    private mutating func notStored(
        _ purpose: Storage.Purpose,
        _ error: JournalError,
        at now: Instant
    ) {
        if error == .outboxMoved, moved(purpose) { return }
        let retry = now.advanced(by: configuration.storeRetry)
        switch purpose {
        case .add(let additions, _):
            for addition in additions { tell(.postFailed(addition.ticket, .notStored(error))) }
            if case .checking? = session?.stage { storage.wantsRows = true }
            if storage.wantsRows || outbox.hasUnoffered { storage.failed(retry: retry) }
            if !additions.isEmpty { return }
        case .offered:
            storage.wantsOffered = true
            storage.failed(retry: retry)
        case .keep(let kept):
            // What the server decided is true whether or not it could be written down here; should it stay
            // unwritten, the post is offered once more and decided in the same way.
            for item in kept where !item.isTold { tell(.decided(item.post, item.decision)) }
            storage.toKeep =
                kept.map { Storage.Kept(post: $0.post, decision: $0.decision, isTold: true) }
                + storage.toKeep
            storage.failed(retry: retry)
        case .recall(let gone):
            storage.toRecall = gone + storage.toRecall
            storage.failed(retry: retry)
        case .pin(let key):
            storage.pinning = storage.pinning ?? key
            storage.failed(retry: retry)
        case .renew(let outbox):
            storage.renewing = outbox
            storage.failed(retry: retry)
        case .apply(let room), .forget(let room):
            if let index = index(of: room) {
                readers[index].storeFailed()
                // It may have paused because too much waited for this write; nothing does now.
                read(index, at: now)
            }
        case .span(let room):
            guard let index = index(of: room) else { return }
            readers[index].storeFailed()
            readers[index].found(nil)
            read(index, at: now)
        case .lookUp(let lookUp): notLookedUp(lookUp)
        case .enter(_, let ticket):
            tell(.answered(ticket, .failed(error)))
            return
        case .page(let ticket):
            if let wish = finishWish(ticket) { answer(wish, .failed(error)) }
            return
        case .older, .note, .write: break
        }
        if storage.told != error {
            storage.told = error
            tell(.storageFailed(error))
        }
    }
}
