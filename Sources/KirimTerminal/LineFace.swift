package import KirimClient
package import KirimRooms
package import KirimScreen
package import KirimWire

/// A ``KirimScreen/ChatScreen`` as a terminal says it: events and typed lines in, lines to print and wishes out.
///
/// A message of one's own waits below the printed lines, as `… text`. It is printed once, where it stands in
/// the room, with `✓`, when the server has kept it: nothing that was printed ever has to be taken back.
package struct LineFace: Sendable {
    private let address: ServerAddress
    private let words: Words
    private let style: Style
    private let clock: Clock
    /// Whether lines that begin with a slash are commands, so that it helps to hear of them.
    private let hasCommands: Bool
    private var screen: ChatScreen
    /// The day of what was printed last.
    private var day: String
    /// Nobody has been heard of yet, and that was not said.
    private var isHopeful = true

    /// How moments are written where the person lives; `nil`: not at all.
    package struct Clock: Sendable {
        package var time: @Sendable (WallTime) -> String
        package var day: @Sendable (WallTime) -> String
        /// The day that it is.
        package var today: @Sendable () -> String

        package init(
            time: @escaping @Sendable (WallTime) -> String,
            day: @escaping @Sendable (WallTime) -> String,
            today: @escaping @Sendable () -> String
        ) {
            self.time = time
            self.day = day
            self.today = today
        }

        /// For programs that read: nothing depends on when it is.
        package static let none = Clock(time: { _ in "" }, day: { _ in "" }, today: { "" })
    }

    /// After so long without a server somebody who tries for the first time wants to hear why nothing happens.
    private static let hope: Duration = .seconds(3)

    /// What the face wants done, in order.
    package enum Effect: Hashable, Sendable {
        /// One or more lines of the conversation, safe for a terminal.
        case print(String)
        /// One or more lines about it: what happens to the connection, answers to commands.
        case note(String)
        /// Something for the client.
        case wish(ChatScreen.Effect)
        case showLink
        /// The person wishes to leave.
        case quit
        /// The client stopped; the sentence is printed already.
        case stop(KirimClient.StopReason)
    }

    /// Waiting messages that are shown; of more the number is told.
    package static let waitingRows = 4

    /// On the timeline of whoever drives it; without one nothing on a line moves by itself.
    private var now = Instant.start

    package init(
        address: ServerAddress,
        room: RoomName,
        words: Words,
        style: Style,
        clock: Clock,
        hasCommands: Bool = true
    ) {
        self.address = address
        self.words = words
        self.style = style
        self.clock = clock
        self.hasCommands = hasCommands
        day = clock.today()
        var configuration = ChatScreen.Configuration()
        // What is printed is the terminal's to keep.
        configuration.entries = 0
        configuration.room = room
        screen = ChatScreen(address: address, configuration: configuration)
    }

    /// The room that typed lines go to.
    package var room: RoomName { screen.openRoom }

    /// What stands below the printed lines now.
    package var foot: Screen.Foot {
        var rows = screen.waiting(limit: Self.waitingRows).map(row)
        let more = screen.waitingCount - rows.count
        if more > 0 { rows.append(words(.waitingMore, "\(more)")) }
        return Screen.Foot(waiting: rows, prompt: prompt)
    }

    private func row(_ post: OwnPost) -> String {
        let mark = if case .accepted = post.state { "✓" } else { "…" }
        // Rows are cut to the window; of a long text only the beginning is looked at.
        let text = VisibleText.row(String(post.text.prefix(500)))
        return post.room == room ? "\(mark) \(text)" : "\(mark) #\(post.room) \(text)"
    }

    /// Time moved on: the seconds of a silence are counted in the prompt.
    package mutating func timePassed(to now: Instant) -> [Effect] {
        self.now = max(now, self.now)
        screen.timePassed(to: self.now)
        guard isHopeful, now >= .start.advanced(by: Self.hope) else { return [] }
        isHopeful = false
        guard screen.link.state == .connecting else { return [] }
        return notice(words(.noAnswerYet, VisibleText.row(address.endpoint)))
    }

    /// When something changes by itself: each second of a silence, and each ten after the first minute.
    package var deadline: Instant? {
        if isHopeful { return .start.advanced(by: Self.hope) }
        guard case .silent(let seconds) = screen.link.state, let next = screen.deadline else {
            return nil
        }
        return seconds < 60 ? next : next.advanced(by: .seconds(9 - seconds % 10))
    }

    private var prompt: String {
        let name = VisibleText.row(room.text)
        switch screen.link.state {
        case .connected, .roaming: return "#\(name)> "
        case .connecting: return "#\(name) (\(words(.connectingMark)))> "
        case .silent(let seconds): return "#\(name) (\(words(.silentMark, "\(seconds)")))> "
        case .offline, .stopped, .closed: return "#\(name) (\(words(.offlineMark)))> "
        }
    }
}

// MARK: - What happened

extension LineFace {
    package mutating func receive(_ event: KirimClient.Event) -> [Effect] {
        screen.receive(event, at: now)
        var printed: [Effect] = []
        if case .entry(let entry, let mine) = event {
            printed = newDay(of: entry) + [.print(line(for: entry, isMine: mine != nil))]
        }
        switch event {
        case .phase(.connecting): break
        case .phase, .unknownHost, .socketFailed, .stopped: isHopeful = false
        default: break
        }
        return printed + work()
    }

    /// Something came of a wish.
    package mutating func take(_ answer: ChatScreen.Answer, identity: PublicKey) -> [Effect] {
        screen.take(answer, at: now)
        let shown: [Effect] =
            switch answer {
            case .rooms(let rooms): show(rooms: rooms)
            case .members(let room, let members): show(members: members, of: room)
            case .page(let room, _, let entries): show(history: entries, of: room)
            case .link(let link): show(link: link, identity: identity)
            case .failed: []
            }
        return shown + work()
    }

    /// A line between days.
    private mutating func newDay(of entry: Entry) -> [Effect] {
        let day = clock.day(entry.received)
        guard day != self.day else { return [] }
        self.day = day
        return [.print(style.faint("-- \(day)"))]
    }

    /// What the person typed.
    package mutating func submit(_ line: String) -> [Effect] {
        let command = Command(line)
        if case .leave(let room) = command, let reason = reasonToStay(in: room ?? self.room) {
            return notice(reason)
        }
        screen.perform(.command(command))
        let work = work()
        switch command {
        case .join(let room): return notice(words(.nowIn, room.text)) + work
        case .name:
            // A name that is wished for seems to be lost otherwise.
            let isHeard = [.connected, .roaming].contains(screen.link.state)
            return work + (isHeard ? [] : notice(words(.whenConnected)))
        default: return work
        }
    }

    private func reasonToStay(in room: RoomName) -> String? {
        if room == .lobby { return words(.lobbyStays) }
        let isKnown = screen.rooms.contains { $0.name == room }
        return isKnown ? nil : words(.notIn, room.text)
    }

    private mutating func work() -> [Effect] {
        var effects: [Effect] = []
        while let effect = screen.nextEffect() {
            switch effect {
            case .tell(let news): effects += tell(news)
            case .quit: effects.append(.quit)
            // A terminal has no desktop around it.
            case .notify, .withdrawNotifications, .copy, .openLink, .reconnect: break
            default: effects.append(.wish(effect))
            }
        }
        return effects
    }

    private mutating func tell(_ news: ChatScreen.News) -> [Effect] {
        switch news {
        case .stopped(let reason): return notice(sentence(for: reason)) + [.stop(reason)]
        case .refused(let post):
            // Said once, and not kept: a printed line has no button.
            screen.perform(.discard(post.id))
            let text = ColumnWidth.fit(VisibleText.row(typed(post)), columns: 60)
            return notice(words(.refusedPost, text, reason(post)))
        case .wanted(let wanted): return look(for: wanted)
        default: return notice(sentence(for: news))
        }
    }

    /// A message, or the command that it came from: of one that is taken back there is no text.
    private func typed(_ post: OwnPost) -> String {
        let command =
            switch post.kind {
            case .edit: "/edit"
            case .delete: "/delete"
            case .reaction: "/react"
            case .reply: "/reply"
            case .text, .action, .notice, .broadcast: ""
            }
        guard !command.isEmpty, let number = post.reference?.rawValue else { return post.text }
        return "\(command) \(number)" + (post.text.isEmpty ? "" : " \(post.text)")
    }

    private func look(for wanted: ChatScreen.Wanted) -> [Effect] {
        switch wanted {
        case .help: notice(words(.help))
        case .link: [.showLink]
        case .rooms: [.wish(.listRooms)]
        case .members(let room): [.wish(.listMembers(room))]
        case .history(let count): [.wish(.page(room, before: nil, limit: count))]
        }
    }

    private func sentence(for news: ChatScreen.News) -> String {
        switch news {
        case .welcome(let member, let server):
            let server = server.isEmpty ? address.endpoint : VisibleText.row(server)
            let phrase: Phrase = hasCommands ? .welcome : .welcomeOnly
            return words(phrase, VisibleText.row(member.name.text), server, room.text)
        case .connectedAgain: return words(.connectedAgain)
        case .unreachable: return words(.unreachable, address.endpoint)
        case .unknownHost(let name, let reason):
            return words(.unknownHost, VisibleText.row(name), VisibleText.row(reason))
        case .firstContact(let key): return words(.firstContact, key.fingerprint)
        case .notWelcome(let refusal): return words.refusal(refusal)
        case .postponed(let refusal, let delay):
            let seconds = max(1, delay.components.seconds)
            return words(.postponed, words.refusal(refusal), "\(seconds)")
        case .joined(let room): return words(.joined, room.text)
        case .left(let room, let refusal):
            guard let refusal else { return words(.left, room.text) }
            return words(.putOut, room.text, words.refusal(refusal))
        case .presence(let name, let presence, let online):
            let phrase: Phrase =
                switch presence {
                case .online: .cameIn
                case .offline: .wentOut
                case .away: .wentAway
                }
            return words(phrase, VisibleText.row(name.text), "\(online)")
        case .renamed(let name): return words(.renamed, name.text)
        case .nameRefused(let wish, let why, let given):
            return words(
                .nameRefused,
                VisibleText.row(wish.text),
                words.refusal(why),
                VisibleText.row(given.text)
            )
        case .setBack(let room): return words(.setBack, room.text)
        case .storageFailed(let error): return words(.storageFailed, words.storage(error))
        case .failed(let failure): return words(.failed, sentence(for: failure))
        case .unknownCommand(let word): return words(.unknownCommand, VisibleText.row(word))
        case .misused(let usage): return words(.usage, usage)
        case .tooLong(let bytes):
            let limit = LineEditor.grouped(ChatScreen.Composer.limit)
            return words(.tooLong, LineEditor.grouped(bytes), limit)
        case .stopped(let reason): return sentence(for: reason)
        case .refused(let post): return reason(post)
        // Nobody goes to an entry at this face.
        case .wanted, .tooFarBack: return words(.help)
        }
    }

    private func reason(_ post: OwnPost) -> String {
        switch post.state {
        case .refused(.notAllowed) where [.edit, .delete].contains(post.kind):
            words(.onlyAuthor)
        case .refused(let refusal): words.refusal(refusal)
        case .failed(let failure): sentence(for: failure)
        case .typed, .waiting, .accepted: ""
        }
    }

    private func sentence(for failure: Failure) -> String {
        switch failure {
        case .refused(let refusal): words.refusal(refusal)
        case .storage(let error): VisibleText.row(words.storage(error))
        case .noAnswer: words(.noAnswer, address.endpoint)
        case .closed(let text), .other(let text): VisibleText.row(text)
        // It comes from an earlier run of a window.
        case .interrupted: ""
        }
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
        case .kicked(let why): putOut(.kicked, .kickedPlainly, StopReason.particulars(of: why))
        case .banned(let why): putOut(.banned, .bannedPlainly, StopReason.particulars(of: why))
        }
    }

    private func putOut(_ phrase: Phrase, _ plainly: Phrase, _ why: String) -> String {
        why.isEmpty ? words(plainly) : words(phrase, VisibleText.row(why))
    }

    private func notice(_ text: String) -> [Effect] {
        [.note(style.faint("-- " + text.replacing("\n", with: "\n   ")))]
    }

    /// What there is to say to somebody who leaves while so many messages wait in the outbox. `isTyped`: what was
    /// typed got there.
    package func farewell(waiting count: Int, isTyped: Bool) -> [String] {
        let typed = isTyped ? [] : screen.waiting(limit: .max).filter { $0.state == .typed }
        let lost = typed.map { post in
            words(
                .refusedPost,
                VisibleText.block(post.text),
                words(.notJoinedYet, post.room.text)
            )
        }
        return lost + (count > 0 ? [kept(count)] : [])
    }

    /// The sentence for what the library could not do.
    package func sentence(for error: KirimError) -> String {
        words.sentence(for: error, at: address)
    }

    /// The sentence for a line of the input that cannot be a message.
    package func sentence(for fault: InputLines.Fault) -> String { words.sentence(for: fault) }

    /// The sentence for a server that has not decided in time; `unknown`: its name, which nobody knows; `refusal`: what
    /// it said instead.
    package func lateness(unknown: String?, refusal: Refusal?) -> String {
        let cause =
            unknown.map { words(.lookupFailed, VisibleText.row($0)) }
            ?? refusal.map { words.refusal($0) } ?? words(.noAnswerInTime, address.endpoint)
        return "\(cause) \(words(.sentNextTime))"
    }

    /// The sentence for an output that cannot be written.
    package func sentence(forOutput reason: String) -> String {
        words(.outputFailed, VisibleText.row(reason))
    }

    /// The sentence about messages that stay in the outbox.
    package func kept(_ count: Int) -> String { words(.keptForLater, "\(count)") }
}

// MARK: - Answers

extension LineFace {
    private func show(rooms: [RoomSummary]) -> [Effect] {
        let lines = rooms.map { room in
            let name = VisibleText.row(room.name.text)
            return words(.room, name, "\(room.members)", "\(room.last.rawValue)")
        }
        return notice(([words(.rooms)] + lines).joined(separator: "\n"))
    }

    private func show(members: [MemberStatus], of room: RoomName) -> [Effect] {
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

    private mutating func show(history entries: [Entry], of room: RoomName) -> [Effect] {
        guard !entries.isEmpty else { return notice(words(.nothingThere)) }
        var lines: [String] = []
        day = clock.today()
        for entry in entries {
            let next = clock.day(entry.received)
            if next != day { lines.append(style.faint("-- \(next)")) }
            day = next
            lines.append("#\(entry.sequence.rawValue) \(line(for: entry, isMine: false))")
        }
        return notice(words(.historyHeader, room.text)) + lines.map { .note($0) }
    }

    private func show(link: LinkStatus, identity: PublicKey) -> [Effect] {
        let state =
            switch link.phase {
            case .connected: words(.connected)
            case .connecting: words(.connectingMark)
            case .silent(let time) where time.components.seconds < ChatScreen.Link.patience:
                words(.silentMark, "\(time.components.seconds)")
            case .silent: words(.offlineMark)
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
        let time = clock.time(entry.received)
        let body = EntryText(entry, words: words).text
        let place = entry.room == room ? "" : "#\(VisibleText.row(entry.room.text)) "
        let mark = isMine ? "✓ " : ""
        let stamp = time.isEmpty ? "" : style.faint(time) + " "
        let shown = entry.kind == .notice ? style.faint(body) : body
        return "\(stamp)\(place)\(mark)\(shown)"
    }
}
