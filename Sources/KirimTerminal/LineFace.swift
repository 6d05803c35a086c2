package import KirimClient
package import KirimRooms
import KirimScreen
package import KirimWire

/// What a person at a terminal sees and wants: events and typed lines in, lines to print and wishes out.
///
/// A message of one's own waits below the printed lines, as `… text`. It is printed once, where it stands in
/// the room, with `✓`, when the server has kept it: nothing that was printed ever has to be taken back.
package struct LineFace: Sendable {
    private let address: ServerAddress
    private let words: Words
    private let style: Style
    /// Hours and minutes, where the person lives.
    private let clock: @Sendable (WallTime) -> String
    /// The room that typed lines go to.
    package private(set) var room: RoomName
    private var rooms: [RoomName] = []
    private var me: Member?
    private var phase: KirimClient.Phase = .connecting
    private var waiting: [Waiting] = []
    /// What was typed and is not in the outbox yet: its room has to be joined first, or the disk is slow.
    private var drafts: [Draft] = []
    /// The highest entry printed of each room.
    private var printed: [RoomName: SequenceNumber] = [:]
    private var hasTrouble = false
    private var isWelcome = false
    private var lastRefusal: Refusal?
    /// Why the server takes nothing for now, as it was told; it is told again only when all had gone through.
    private var postponed: Refusal?

    private struct Waiting: Sendable {
        var post: QueuedPost
        /// Kept by the server; only its place in the room has not come along yet.
        var accepted: (RoomName, SequenceNumber)?
    }

    private struct Draft: Hashable, Sendable {
        var text: String
        var room: RoomName
    }

    /// What the face wants done, in order.
    package enum Effect: Hashable, Sendable {
        /// One or more lines of the conversation, safe for a terminal.
        case print(String)
        /// One or more lines about it: what happens to the connection, answers to commands.
        case note(String)
        case send(String, EntryKind, RoomName, SequenceNumber?)
        case join(RoomName)
        case leave(RoomName)
        case rename(MemberName)
        case listRooms
        case listMembers(RoomName)
        case showLink
        case showHistory(RoomName, count: Int)
        /// The person wishes to leave.
        case quit
        /// The client stopped; the sentence is printed already.
        case stop(KirimClient.StopReason)
    }

    /// Waiting messages that are shown; of more the number is told.
    package static let waitingRows = 4

    package init(
        address: ServerAddress,
        room: RoomName,
        words: Words,
        style: Style,
        clock: @escaping @Sendable (WallTime) -> String
    ) {
        self.address = address
        self.room = room
        self.words = words
        self.style = style
        self.clock = clock
    }

    /// What stands below the printed lines now.
    package var foot: Screen.Foot {
        let kept = waiting.prefix(Self.waitingRows).map { waiting in
            row(waiting.accepted == nil ? "…" : "✓", waiting.post.post.text, waiting.post.post.room)
        }
        let left = Self.waitingRows - kept.count
        var rows = kept + drafts.prefix(left).map { row("…", $0.text, $0.room) }
        let more = waiting.count + drafts.count - rows.count
        if more > 0 { rows.append(words(.waitingMore, "\(more)")) }
        return Screen.Foot(waiting: rows, prompt: prompt)
    }

    private func row(_ mark: String, _ text: String, _ room: RoomName) -> String {
        // Rows are cut to the window; of a long text only the beginning is looked at.
        let text = VisibleText.row(String(text.prefix(500)))
        return room == self.room ? "\(mark) \(text)" : "\(mark) #\(room) \(text)"
    }

    private var prompt: String {
        let name = VisibleText.row(room.text)
        switch phase {
        case .connected: return "#\(name)> "
        case .connecting: return "#\(name) (\(words(.connectingMark)))> "
        case .silent(let time):
            return "#\(name) (\(words(.silentMark, "\(time.components.seconds)")))> "
        case .unreachable, .stopped, .closed: return "#\(name) (\(words(.offlineMark)))> "
        }
    }
}

// MARK: - What happened

extension LineFace {
    package mutating func receive(_ event: KirimClient.Event) -> [Effect] {
        switch event {
        case .entry(let entry, let mine): return show(entry, mine: mine)
        case .caughtUp: return []
        case .queued(let post):
            // They come in order, but those of an earlier run are asked for as well as told.
            if waiting.last.map({ $0.post.id < post.id }) ?? true {
                waiting.append(Waiting(post: post))
            }
            let draft = Draft(text: post.post.text, room: post.post.room)
            if let place = drafts.firstIndex(of: draft) { drafts.remove(at: place) }
            return []
        case .decided(let post, let decision): return decide(post, decision)
        case .postponed(let refusal, let delay):
            guard postponed != refusal else { return [] }
            postponed = refusal
            let seconds = max(1, delay.components.seconds)
            return notice(words(.postponed, words.refusal(refusal), "\(seconds)"))
        case .presence(let room, let member, let name, let presence, let online):
            return tell(presence, of: name, member, in: room, online)
        case .phase(let phase): return become(phase)
        case .welcomed(let member, let server): return welcome(member, server)
        case .notWelcome(let refusal):
            // It is asked again and again; what it says is news only once.
            guard lastRefusal != refusal else { return [] }
            lastRefusal = refusal
            return notice(words.refusal(refusal))
        case .firstContact(let key): return notice(words(.firstContact, key.fingerprint))
        case .joined(let room):
            if !rooms.contains(room) { rooms.append(room) }
            return room == self.room ? [] : notice(words(.joined, room.text))
        case .left(let room, let refusal): return gone(from: room, refusal)
        case .renamed(let name):
            me?.name = name
            return notice(words(.renamed, name.text))
        case .setBack(let room):
            printed[room] = nil
            return notice(words(.setBack, room.text))
        case .storageFailed(let error): return notice(words(.storageFailed, error.sentence))
        case .stopped(let reason):
            phase = .stopped(reason)
            return notice(sentence(for: reason)) + [.stop(reason)]
        }
    }

    private mutating func show(_ entry: Entry, mine: QueuedPost.ID?) -> [Effect] {
        printed[entry.room] = max(printed[entry.room] ?? .zero, entry.sequence)
        // The one that is decided about is the first, or near it.
        let place = waiting.firstIndex { waiting in
            if waiting.post.id == mine { return true }
            guard let (room, sequence) = waiting.accepted else { return false }
            return room == entry.room && sequence == entry.sequence
        }
        if let place { waiting.remove(at: place) }
        if waiting.isEmpty { postponed = nil }
        return [.print(line(for: entry, isMine: mine != nil))]
    }

    private mutating func decide(_ post: QueuedPost, _ decision: PostDecision) -> [Effect] {
        switch decision {
        case .accepted(let room, let sequence):
            guard let place = waiting.firstIndex(where: { $0.post.id == post.id }) else {
                return []
            }
            if sequence <= printed[room] ?? .zero {
                waiting.remove(at: place)
            } else {
                waiting[place].accepted = (room, sequence)
            }
            return []
        case .refused(let refusal):
            waiting.removeAll { $0.post.id == post.id }
            let text = ColumnWidth.fit(VisibleText.row(post.post.text), columns: 60)
            return notice(words(.refusedPost, text, words.refusal(refusal)))
        }
    }

    private func tell(
        _ presence: Presence,
        of name: MemberName,
        _ member: MemberID,
        in room: RoomName,
        _ online: Int
    ) -> [Effect] {
        guard room == self.room, member != me?.id else { return [] }
        let name = VisibleText.row(name.text)
        return switch presence {
        case .online: notice(words(.cameIn, name, "\(online)"))
        case .offline: notice(words(.wentOut, name, "\(online)"))
        case .away: notice(words(.wentAway, name, "\(online)"))
        }
    }

    private mutating func become(_ phase: KirimClient.Phase) -> [Effect] {
        let before = self.phase
        self.phase = phase
        switch phase {
        case .unreachable where before != .unreachable:
            hasTrouble = true
            return notice(words(.unreachable, address.endpoint))
        case .connected where hasTrouble:
            hasTrouble = false
            return isWelcome ? notice(words(.connectedAgain)) : []
        default: return []
        }
    }

    private mutating func welcome(_ member: Member, _ server: String) -> [Effect] {
        let isNew = me != member
        me = member
        phase = .connected
        lastRefusal = nil
        defer { isWelcome = true }
        // Every reconnect is a welcome; only the first, and one that changes something, is news.
        guard !isWelcome || isNew else { return [] }
        let server = server.isEmpty ? address.endpoint : VisibleText.row(server)
        return notice(words(.welcome, VisibleText.row(member.name.text), server, room.text))
    }

    private mutating func gone(from room: RoomName, _ refusal: Refusal?) -> [Effect] {
        rooms.removeAll { $0 == room }
        if room == self.room { self.room = .lobby }
        guard let refusal else { return notice(words(.left, room.text)) }
        return notice(words(.putOut, room.text, words.refusal(refusal)))
    }

    /// The sentence for a client that stopped.
    package func sentence(for reason: KirimClient.StopReason) -> String {
        switch reason {
        case .serverKeyChanged(let key):
            words(.keyChanged, address.endpoint, key.fingerprint, key.description)
        case .passwordNeeded: words(.passwordNeeded, address.endpoint)
        case .invitationNeeded: words(.invitationNeeded)
        case .secretRefused: words(.secretRefused)
        case .noCommonVersion: words(.noCommonVersion)
        case .kicked(let why): words(.kicked, VisibleText.row(why))
        case .banned(let why): words(.banned, VisibleText.row(why))
        }
    }

    private func notice(_ text: String) -> [Effect] {
        [.note(style.faint("-- " + text.replacing("\n", with: "\n   ")))]
    }
}

// MARK: - What the person wants

extension LineFace {
    package mutating func submit(_ line: String) -> [Effect] {
        switch Command(line) {
        case .say(let text): return send(text, .text)
        case .act(let text): return send(text, .action)
        case .reply(let number, let text): return send(text, .reply, number)
        case .react(let number, let text): return send(text, .reaction, number)
        case .edit(let number, let text): return send(text, .edit, number)
        case .delete(let number): return send("", .delete, number)
        case .name(let name): return [.rename(name)]
        case .join(let room):
            self.room = room
            let news = notice(words(.nowIn, room.text))
            return rooms.contains(room) ? news : news + [.join(room)]
        case .leave(let room): return [.leave(room ?? self.room)]
        case .rooms: return [.listRooms]
        case .who(let room): return [.listMembers(room ?? self.room)]
        case .link: return [.showLink]
        case .history(let count): return [.showHistory(room, count: count)]
        case .help: return notice(words(.help))
        case .quit: return [.quit]
        case .unknown(let word): return notice(words(.unknownCommand, VisibleText.row(word)))
        case .misused(let usage): return notice(words(.usage, usage))
        }
    }

    private mutating func send(
        _ text: String,
        _ kind: EntryKind,
        _ reference: SequenceNumber? = nil
    ) -> [Effect] {
        let limit = ChatLimits.standard.messageBytes
        guard text.utf8.count <= limit else {
            let bytes = LineEditor.grouped(text.utf8.count)
            return notice(words(.tooLong, bytes, LineEditor.grouped(limit)))
        }
        drafts.append(Draft(text: text, room: room))
        return [.send(text, kind, room, reference)]
    }

    /// A wish was not granted.
    package func failed(_ error: any Error) -> [Effect] {
        if let refusal = (error as? KirimError)?.underlying as? Refusal {
            return notice(words(.failed, words.refusal(refusal)))
        }
        return notice(words(.failed, VisibleText.row("\(error)")))
    }

    /// A text did not get into the outbox.
    package mutating func sendFailed(
        _ text: String,
        to room: RoomName,
        _ error: any Error
    ) -> [Effect] {
        let draft = Draft(text: text, room: room)
        if let place = drafts.firstIndex(of: draft) { drafts.remove(at: place) }
        let shown = ColumnWidth.fit(VisibleText.row(text), columns: 60)
        let refusal = (error as? KirimError)?.underlying as? Refusal
        let why = refusal.map { words.refusal($0) } ?? VisibleText.row("\(error)")
        return notice(words(.refusedPost, shown, why))
    }

    /// What there is to say to somebody who leaves while so many messages wait in the outbox. `isTyped`: what was
    /// typed got there.
    package func farewell(waiting count: Int, isTyped: Bool) -> [String] {
        let lost = (isTyped ? [] : drafts).map { draft in
            words(
                .refusedPost,
                VisibleText.block(draft.text),
                words(.notJoinedYet, draft.room.text)
            )
        }
        return lost + (count > 0 ? [kept(count)] : [])
    }

    /// The sentence about messages that stay in the outbox.
    package func kept(_ count: Int) -> String { words(.keptForLater, "\(count)") }

    /// `join` was not granted: typed lines go to the lobby again.
    package mutating func joinFailed(_ room: RoomName, _ error: any Error) -> [Effect] {
        if self.room == room { self.room = .lobby }
        return failed(error)
    }
}

// MARK: - Answers

extension LineFace {
    package func show(rooms: [RoomSummary]) -> [Effect] {
        let lines = rooms.map { room in
            let name = VisibleText.row(room.name.text)
            return words(.room, name, "\(room.members)", "\(room.last.rawValue)")
        }
        return notice(([words(.rooms)] + lines).joined(separator: "\n"))
    }

    package func show(members: [MemberStatus], of room: RoomName) -> [Effect] {
        let lines = members.map { status in
            let presence =
                switch status.presence {
                case .online: words(.online)
                case .away: words(.away)
                case .offline: words(.offline)
                }
            let key = status.member.key.fingerprint
            return "\(VisibleText.row(status.member.name.text)) (\(presence)) \(key)"
        }
        return notice(([words(.members, room.text)] + lines).joined(separator: "\n"))
    }

    package func show(history entries: [Entry], of room: RoomName) -> [Effect] {
        guard !entries.isEmpty else { return notice(words(.nothingThere)) }
        let lines = entries.map { "#\($0.sequence.rawValue) \(line(for: $0, isMine: false))" }
        return notice(words(.historyHeader, room.text)) + lines.map { .note($0) }
    }

    package func show(link: LinkStatus, identity: PublicKey) -> [Effect] {
        let state =
            switch link.phase {
            case .connected: words(.connected)
            case .connecting: words(.connectingMark)
            case .silent(let time): words(.silentMark, "\(time.components.seconds)")
            case .unreachable, .stopped, .closed: words(.offlineMark)
            }
        let loss = Self.tenths(link.lossPercent)
        return notice(
            [
                words(.linkState, state),
                words(.linkRoundTrip, link.roundTrip.map(Self.milliseconds) ?? words(.neverYet)),
                words(.linkLoss, loss, "\(link.packetsLost)", "\(link.packetsSent)"),
                words(.linkHeard, link.lastHeard.map(Self.milliseconds) ?? words(.neverYet)),
                words(.linkQueued, "\(link.queued)"),
                words(.linkAddress, link.remote?.description ?? words(.unknown)),
                words(.linkServerKey, link.serverKey?.fingerprint ?? words(.unknown)),
                words(.linkOwnKey, identity.fingerprint),
            ].joined(separator: "\n")
        )
    }

    private static func milliseconds(_ duration: Duration) -> String {
        let microseconds = duration.inNanoseconds / 1000
        if microseconds >= 10_000_000 { return "\(microseconds / 1_000_000) s" }
        return "\(tenths(Double(microseconds) / 1000)) ms"
    }

    private static func tenths(_ value: Double) -> String {
        let scaled = Int((value * 10).rounded())
        return "\(scaled / 10).\(scaled % 10)"
    }

    /// How an entry reads, on one line or, for a text of several, on several.
    package func line(for entry: Entry, isMine: Bool) -> String {
        let time = clock(entry.received)
        let body = EntryText(entry, words: words).text
        let place = entry.room == room ? "" : "#\(VisibleText.row(entry.room.text)) "
        let mark = isMine ? "✓ " : ""
        let stamp = time.isEmpty ? "" : style.faint(time) + " "
        let shown = entry.kind == .notice ? style.faint(body) : body
        return "\(stamp)\(place)\(mark)\(shown)"
    }
}
