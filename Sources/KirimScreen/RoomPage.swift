import KirimRooms

/// One room as the screen holds it: its log, what of mine is on its way there, and how far it was read.
struct RoomPage: Sendable {
    let name: RoomName
    var isJoined = false
    /// It was wished for, and is not decided.
    var isJoining = false
    /// What it held when it was asked has been told; what comes now is new.
    var isCaughtUp = false
    /// Where reading ended is known from the last time.
    var isRemembered = false
    var log: RoomLog
    /// Rows below the log.
    private(set) var own: [OwnPost] = []
    /// Edits, deletions and reactions on their way: they get a row only when they are refused.
    private(set) var quiet: [OwnPost] = []
    private var changedOwn: Set<OwnPost.ID> = []
    private(set) var undecided = 0
    private(set) var refused = 0
    /// Somebody draws the rows.
    private let isDrawn: Bool
    var read: UInt64 = 0
    var unread = 0
    var mentions = 0
    var mode = ChatScreen.NotificationMode.mentions
    var draft = ""
    var composing = Composing.plain
    var view = ChatScreen.View(isAtEnd: true, below: 0)
    var members: [ChatScreen.Person] = []
    /// An entry to be brought into view once enough is loaded.
    var wanted: UInt64?

    enum Composing: Hashable, Sendable {
        case plain
        case reply(UInt64)
        /// The text that stood in the composer before comes back.
        case edit(UInt64, pushedAside: String)
    }

    init(_ name: RoomName, isDrawn: Bool, day: @escaping @Sendable (WallTime) -> CivilDay) {
        self.name = name
        self.isDrawn = isDrawn
        log = RoomLog(day: day)
    }

    var rowCount: Int { log.rowCount + own.count }
    var isIdle: Bool { own.isEmpty && quiet.isEmpty && draft.isEmpty }

    /// Everything of mine that is on its way, in the order in which it goes out; of many only the first.
    func onTheWay(limit: Int) -> [OwnPost] {
        let first = { (posts: [OwnPost]) in
            Array(posts.lazy.filter { !$0.isRefused }.prefix(limit))
        }
        return (first(own) + first(quiet)).sorted { $0.goesBefore($1) }
    }

    /// What was not taken, to be kept for the next start.
    var refusedPosts: [ChatScreen.Memory.Refused] {
        guard refused > 0 else { return [] }
        return (own + quiet).compactMap { post in
            let refusal: Refusal?
            switch post.state {
            case .refused(let why): refusal = why
            case .failed(.refused(let why)): refusal = why
            case .failed: refusal = nil
            case .typed, .waiting, .accepted: return nil
            }
            return .init(
                kind: post.kind,
                reference: post.reference,
                text: post.text,
                refusal: refusal
            )
        }
    }

    var onTheWayCount: Int { own.count + quiet.count - refused }
}

// MARK: - What is mine

extension RoomPage {
    /// Puts a post where it goes out: what is in the outbox before what is only typed.
    mutating func add(_ post: OwnPost) {
        count(post, by: 1)
        guard post.hasRow else {
            let place = quiet.lastIndex { !post.goesBefore($0) }.map { $0 + 1 } ?? 0
            quiet.insert(post, at: place)
            return
        }
        let place = own.lastIndex { !post.goesBefore($0) }.map { $0 + 1 } ?? 0
        own.insert(post, at: place)
        if isDrawn { log.splices.splice(at: log.rowCount + place, removed: 0, added: 1) }
    }

    /// The first post that is so; `nil`: none is.
    func first(where isSo: (OwnPost) -> Bool) -> OwnPost? {
        own.first(where: isSo) ?? quiet.first(where: isSo)
    }

    /// The first that is typed and so; those stand behind all that is in the outbox.
    func firstTyped(where isSo: (OwnPost) -> Bool) -> OwnPost? {
        for posts in [own, quiet] {
            let start = posts.lastIndex { $0.post != nil }.map { $0 + 1 } ?? 0
            if let typed = posts[start...].first(where: { $0.state == .typed && isSo($0) }) {
                return typed
            }
        }
        return nil
    }

    @discardableResult
    mutating func remove(where isSo: (OwnPost) -> Bool) -> OwnPost? {
        if let place = own.firstIndex(where: isSo) {
            let post = own.remove(at: place)
            if isDrawn { log.splices.splice(at: log.rowCount + place, removed: 1, added: 0) }
            count(post, by: -1)
            return post
        }
        guard let place = quiet.firstIndex(where: isSo) else { return nil }
        let post = quiet.remove(at: place)
        count(post, by: -1)
        return post
    }

    /// Changes the post with this name.
    mutating func change(_ id: OwnPost.ID, _ change: (inout OwnPost) -> Void) {
        if let place = own.firstIndex(where: { $0.id == id }) {
            count(own[place], by: -1)
            change(&own[place])
            count(own[place], by: 1)
            if isDrawn { changedOwn.insert(id) }
        } else if let place = quiet.firstIndex(where: { $0.id == id }) {
            var post = quiet[place]
            count(post, by: -1)
            change(&post)
            if post.hasRow {
                quiet.remove(at: place)
                add(post)
            } else {
                count(post, by: 1)
                quiet[place] = post
            }
        }
    }

    /// Lets go of what another client will tell again. What was refused stays, and without its number: another client
    /// begins to count anew.
    mutating func forgetQueued() {
        while remove(where: { $0.post != nil && !$0.isRefused }) != nil {}
        for post in own where post.post != nil { change(post.id) { $0.post = nil } }
    }

    /// The log is another one from here on, and nothing of it is known.
    mutating func forgetLog() {
        log.clear()
        read = 0
        unread = 0
        mentions = 0
        isCaughtUp = false
        isRemembered = false
        wanted = nil
    }

    /// Another server has a room of that name, or none. Only what the person wrote stays, and answers nothing there.
    mutating func forgetServer() {
        forgetLog()
        isJoined = false
        isJoining = false
        members = []
        if case .edit(_, let pushedAside) = composing { draft = pushedAside }
        composing = .plain
        for post in own + quiet {
            switch post.kind {
            case .text, .action, .notice, .broadcast: break
            case .reply, .edit:
                change(post.id) {
                    $0.kind = .text
                    $0.reference = nil
                    $0.quote = nil
                }
            case .delete, .reaction: remove { $0.id == post.id }
            }
        }
    }

    private mutating func count(_ post: OwnPost, by step: Int) {
        if post.isUndecided { undecided += step }
        if post.isRefused { refused += step }
    }
}

extension OwnPost {
    var isRefused: Bool {
        switch state {
        case .refused, .failed: true
        case .typed, .waiting, .accepted: false
        }
    }

    var hasRow: Bool { RoomLog.hasRow(kind) || isRefused }

    /// In the order of the outbox; what is not in it yet goes after that, in the order of typing.
    func goesBefore(_ other: OwnPost) -> Bool {
        switch (post, other.post) {
        case (let mine?, let theirs?): mine < theirs
        case (_?, nil): true
        case (nil, _?): false
        case (nil, nil): id < other.id
        }
    }
}

// MARK: - What was drawn

extension RoomPage {
    /// What happened to the rows since this was asked last.
    mutating func takeChanges() -> [Change] {
        defer {
            log.splices = SpliceList()
            log.changed = []
            changedOwn = []
        }
        let splices = log.splices
        var rows = log.changed.compactMap { log.index(of: $0) }
        if !changedOwn.isEmpty {
            for (place, post) in own.enumerated() where changedOwn.contains(post.id) {
                rows.append(log.rowCount + place)
            }
        }
        return splices.all.map { .rows(name, at: $0.at, removed: $0.removed, added: $0.added) }
            + rows.filter { !splices.isNew($0) }.sorted().map { .rowChanged(name, at: $0) }
    }
}
