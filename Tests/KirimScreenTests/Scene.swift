import KirimRooms
import KirimScreen
import KirimWire

/// A screen, somebody who tells it what a client would, and a face that only applies changes.
struct Scene {
    var screen: ChatScreen
    /// What a face would show: its lists of rows, kept up by changes alone.
    var mirror: [RoomName: [Row]] = [:]
    var effects: [ChatScreen.Effect] = []
    var changes: [Change] = []
    var now = Instant.start
    private var lastPost: UInt64 = 0

    static let ani = Member(
        id: MemberID(rawValue: 1),
        key: known(PublicKey(bytes: [UInt8](repeating: 1, count: 32))),
        name: known(MemberName("ani"))
    )
    static let budi = Author.member(MemberID(rawValue: 2), known(MemberName("budi")))
    static let citra = Author.member(MemberID(rawValue: 3), known(MemberName("citra")))
    static let me = Author.member(ani.id, ani.name)
    static let kelas = known(RoomName("kelas"))

    init(_ configure: (inout ChatScreen.Configuration) -> Void = { _ in }) {
        var configuration = ChatScreen.Configuration()
        configure(&configuration)
        screen = ChatScreen(address: .local, configuration: configuration)
    }

    /// A scene in which the server has welcomed ani, and the lobby is read to its end.
    static func welcomed(
        _ configure: (inout ChatScreen.Configuration) -> Void = { _ in }
    ) -> Scene {
        var scene = Scene(configure)
        scene.tell(.phase(.connected))
        scene.tell(.welcomed(ani, server: "kelas"))
        scene.tell(.joined(.lobby))
        scene.tell(.caughtUp(.lobby))
        scene.effects = []
        scene.drain()
        return scene
    }

    mutating func tell(_ event: ChatEvent) {
        screen.receive(event, at: now)
        gather()
    }

    mutating func answer(_ answer: ChatScreen.Answer) {
        screen.take(answer, at: now)
        gather()
    }

    mutating func wish(_ intents: ChatScreen.Intent...) {
        for intent in intents { screen.perform(intent) }
        gather()
    }

    /// Another client takes the place of the one that stopped; its outbox counts from one again.
    mutating func reconnect() {
        screen.reconnecting(at: now)
        lastPost = 0
        gather()
    }

    private mutating func gather() {
        while let effect = screen.nextEffect() { effects.append(effect) }
    }

    /// The effects so far; they are forgotten.
    mutating func takeEffects() -> [ChatScreen.Effect] {
        defer { effects = [] }
        return effects
    }

    /// What the person was notified about, among the effects so far; all are forgotten.
    mutating func takeNotified() -> [UInt64] {
        takeEffects().compactMap {
            if case .notify(let note) = $0 { note.sequence.rawValue } else { nil }
        }
    }

    var news: [ChatScreen.News] {
        effects.compactMap { if case .tell(let news) = $0 { news } else { nil } }
    }

    /// One frame of a face: applies what changed, and returns it.
    @discardableResult
    mutating func drain() -> [Change] {
        let changes = screen.takeChanges()
        for change in changes {
            switch change {
            case .rows(let room, let at, let removed, let added):
                let rows = (at..<at + added).map { screen.row($0, in: room) }
                mirror[room, default: []].replaceSubrange(at..<at + removed, with: rows)
            case .rowChanged(let room, let at): mirror[room]?[at] = screen.row(at, in: room)
            case .rowsRestyled(let room):
                for at in mirror[room, default: []].indices {
                    mirror[room]?[at] = screen.row(at, in: room)
                }
            default: break
            }
        }
        return changes
    }

    func rows(_ room: RoomName = .lobby) -> [Row] {
        (0..<screen.rowCount(in: room)).map { screen.row($0, in: room) }
    }

    func entries(_ room: RoomName = .lobby) -> [EntryRow] {
        rows(room).compactMap { if case .entry(let row) = $0 { row } else { nil } }
    }

    func own(_ room: RoomName = .lobby) -> [OwnPost] {
        rows(room).compactMap { if case .own(let post) = $0 { post } else { nil } }
    }

    static func entry(
        _ number: UInt64,
        _ text: String = "halo",
        by author: Author = budi,
        kind: EntryKind = .text,
        about reference: UInt64? = nil,
        in room: RoomName = .lobby,
        minute: Int64? = nil
    ) -> Entry {
        Entry(
            sequence: SequenceNumber(rawValue: number),
            post: Post(
                room: room,
                kind: kind,
                reference: reference.map { SequenceNumber(rawValue: $0) },
                authored: WallTime(milliseconds: 0),
                text: text
            ),
            author: author,
            id: nil,
            received: WallTime(milliseconds: (minute ?? Int64(number)) * 60_000)
        )
    }

    mutating func say(
        _ number: UInt64,
        _ text: String = "halo",
        by author: Author = budi,
        kind: EntryKind = .text,
        about reference: UInt64? = nil,
        in room: RoomName = .lobby,
        minute: Int64? = nil,
        mine: QueuedPost.ID? = nil
    ) {
        let entry = Self.entry(
            number,
            text,
            by: author,
            kind: kind,
            about: reference,
            in: room,
            minute: minute
        )
        tell(.entry(entry, mine: mine))
    }

    /// The outbox took a text.
    @discardableResult
    mutating func queue(
        _ text: String,
        kind: EntryKind = .text,
        about reference: UInt64? = nil,
        in room: RoomName = .lobby
    ) -> QueuedPost {
        lastPost += 1
        let post = QueuedPost(
            id: QueuedPost.ID(rawValue: lastPost),
            post: Post(
                room: room,
                kind: kind,
                reference: reference.map { SequenceNumber(rawValue: $0) },
                authored: WallTime(milliseconds: 0),
                text: text
            )
        )
        tell(.queued(post))
        return post
    }
}

/// A value that is known to be one: a name, a key.
func known<Value>(_ value: Value?) -> Value {
    guard let value else { preconditionFailure("The text of a test is not what it should be.") }
    return value
}
