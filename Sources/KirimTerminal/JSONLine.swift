package import KirimClient
import KirimRooms
import KirimWire

/// One event as one line of JSON (RFC 8259): what `--json` prints. Text is kept byte for byte.
///
/// Every object has `event`. Fields that do not apply are absent. Programs ignore events and fields that they
/// do not know; more may come.
///
///     entry         room, seq, kind, author, author_type (member | plain | server), member, text, reference,
///                   authored_ms, received_ms, post (with `mine`: true, for what was sent from here)
///     caught_up     room
///     queued        post, room, kind, text
///     decided       post, accepted (true | false), room, seq | refusal, message
///     postponed     refusal, message, retry_ms
///     presence      room, member, name, presence (online | away | offline), online
///     phase         phase (connecting | connected | silent | unreachable | stopped | closed), silent_ms
///     unknown_host  host, reason, message
///     socket_failed message
///     welcomed      member, name, key, server
///     not_welcome   refusal, message
///     first_contact key, fingerprint
///     joined        room
///     left          room, refusal, message
///     renamed       name
///     name_refused  name (the one that was wished for), refusal, message
///     set_back      room
///     storage_failed message
///     stopped       reason, message, key
package struct JSONLine: Hashable, Sendable {
    package private(set) var text = "{"

    package init(event: String) { add("event", event) }

    package init(_ event: KirimClient.Event) {
        self.init(event: Self.name(of: event))
        switch event {
        case .entry(let entry, let mine): add(entry, mine)
        case .caughtUp(let room), .joined(let room), .setBack(let room): add("room", room.text)
        case .queued(let post): add(post)
        case .decided(let post, let decision): add(post, decision)
        case .postponed(let refusal, let delay):
            add(refusal)
            add("retry_ms", delay.inMilliseconds)
        case .presence(let room, let member, let name, let presence, let online):
            add("room", room.text)
            add("member", member.rawValue)
            add("name", name.text)
            add("presence", "\(presence)")
            add("online", online)
        case .phase(let phase): add(phase)
        case .unknownHost(let name, let reason):
            add("host", name)
            add("reason", reason)
            add("message", KirimError(unknownHost: name, reason: reason).message)
        case .socketFailed(let sentence): add("message", sentence)
        case .welcomed(let member, let server):
            add("member", member.id.rawValue)
            add("name", member.name.text)
            add("key", member.key.description)
            add("server", server)
        case .notWelcome(let refusal): add(refusal)
        case .firstContact(let key):
            add("key", key.description)
            add("fingerprint", key.fingerprint)
        case .left(let room, let refusal):
            add("room", room.text)
            if let refusal { add(refusal) }
        case .renamed(let name): add("name", name.text)
        case .nameRefused(let wish, let why):
            add("name", wish.text)
            add(why)
        case .storageFailed(let error): add("message", error.sentence)
        case .stopped(let reason): add(reason)
        }
    }

    /// Prints the last line of a chat.
    package static func sayEnd(accepted: Int, refused: Int, code: Int32) {
        var line = JSONLine(event: "done")
        line.add("accepted", accepted)
        line.add("refused", refused)
        line.add("exit", code)
        StandardOutput.write(line.line + "\n")
    }

    /// The whole line, without its line end.
    package var line: String { text + "}" }

    package mutating func add(_ name: String, _ value: String) {
        begin(name)
        text += Self.quoted(value)
    }

    package mutating func add(_ name: String, _ value: some BinaryInteger) {
        begin(name)
        text += "\(value)"
    }

    package mutating func add(_ name: String, _ value: Bool) {
        begin(name)
        text += value ? "true" : "false"
    }

    private mutating func begin(_ name: String) {
        if text.utf8.count > 1 { text += "," }
        text += Self.quoted(name) + ":"
    }

    /// A JSON string: quotes, backslashes and control characters escaped, everything else as it is.
    package static func quoted(_ value: String) -> String {
        var quoted = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _
            where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
                || scalar.value == 0x2028 || scalar.value == 0x2029:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension JSONLine {
    private static func name(of event: KirimClient.Event) -> String {
        switch event {
        case .entry: "entry"
        case .caughtUp: "caught_up"
        case .queued: "queued"
        case .decided: "decided"
        case .postponed: "postponed"
        case .presence: "presence"
        case .phase: "phase"
        case .unknownHost: "unknown_host"
        case .socketFailed: "socket_failed"
        case .welcomed: "welcomed"
        case .notWelcome: "not_welcome"
        case .firstContact: "first_contact"
        case .joined: "joined"
        case .left: "left"
        case .renamed: "renamed"
        case .nameRefused: "name_refused"
        case .setBack: "set_back"
        case .storageFailed: "storage_failed"
        case .stopped: "stopped"
        }
    }

    private mutating func add(_ entry: Entry, _ mine: QueuedPost.ID?) {
        add("room", entry.room.text)
        add("seq", entry.sequence.rawValue)
        add("kind", "\(entry.kind)")
        switch entry.author {
        case .server:
            add("author", "Server")
            add("author_type", "server")
        case .member(let id, let name):
            add("author", name.text)
            add("author_type", "member")
            add("member", id.rawValue)
        case .plain(let address):
            add("author", address.description)
            add("author_type", "plain")
        }
        add("text", entry.text)
        if let reference = entry.reference { add("reference", reference.rawValue) }
        add("authored_ms", entry.post.authored.milliseconds)
        add("received_ms", entry.received.milliseconds)
        if let mine {
            add("post", mine.rawValue)
            add("mine", true)
        }
    }

    private mutating func add(_ post: QueuedPost) {
        add("post", post.id.rawValue)
        add("room", post.post.room.text)
        add("kind", "\(post.post.kind)")
        add("text", post.post.text)
    }

    private mutating func add(_ post: QueuedPost, _ decision: PostDecision) {
        add("post", post.id.rawValue)
        switch decision {
        case .accepted(let room, let sequence):
            add("accepted", true)
            add("room", room.text)
            add("seq", sequence.rawValue)
        case .refused(let refusal):
            add("accepted", false)
            add("room", post.post.room.text)
            add(refusal)
        }
    }

    private mutating func add(_ refusal: Refusal) {
        add("refusal", "\(refusal)")
        add("message", refusal.sentence)
    }

    private mutating func add(_ phase: KirimClient.Phase) {
        switch phase {
        case .connecting: add("phase", "connecting")
        case .connected: add("phase", "connected")
        case .silent(let time):
            add("phase", "silent")
            add("silent_ms", time.inMilliseconds)
        case .unreachable: add("phase", "unreachable")
        case .stopped: add("phase", "stopped")
        case .closed: add("phase", "closed")
        }
    }

    private mutating func add(_ reason: KirimClient.StopReason) {
        switch reason {
        case .serverKeyChanged(let key):
            add("reason", "server_key_changed")
            add("key", key.description)
            add("fingerprint", key.fingerprint)
        case .passwordNeeded: add("reason", "password_needed")
        case .invitationNeeded: add("reason", "invitation_needed")
        case .secretRefused: add("reason", "secret_refused")
        case .noCommonVersion: add("reason", "no_common_version")
        case .kicked(let why):
            add("reason", "kicked")
            add("message", why)
        case .banned(let why):
            add("reason", "banned")
            add("message", why)
        }
    }
}
