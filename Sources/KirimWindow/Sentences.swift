#if GTK
import KirimClient
import KirimGtk
import KirimRooms
import KirimScreen
import KirimWire

/// What the window says about what happened: each sentence says it, and what to do.
enum Sentences {
    static func refusal(_ refusal: Refusal) -> String { tr(refusal.sentence) }

    static func failure(_ failure: Failure) -> String {
        switch failure {
        case .refused(let refusal): self.refusal(refusal)
        case .storage(let error): storage(error)
        case .noAnswer: tr("The server did not answer in time; try again.")
        case .closed: tr("The connection is closed; connect again.")
        case .interrupted: tr("It was not written down before the program ended.")
        case .other(let words): words
        }
    }

    static func storage(_ error: JournalError) -> String {
        switch error {
        case .full: tr("The disk is full, so nothing more is written down here; make room.")
        case .locked: tr("Another program holds the file with outbox and history; close it.")
        case .corrupt(let detail):
            tr(
                "The file with outbox and history is damaged (%1); move it away and start again.",
                detail
            )
        case .newer(let version):
            tr(
                "Outbox and history were written by a later version of Kirim (%1); update.",
                "\(version)"
            )
        case .denied(let detail):
            tr("Outbox and history may not be read or written (%1); check the permissions.", detail)
        case .failed(let detail): tr("Outbox and history could not be used: %1.", detail)
        }
    }

    /// A title, and what to do.
    static func stop(
        _ reason: StopReason,
        at address: ServerAddress,
        hasPassword: Bool
    ) -> (title: String, text: String) {
        switch reason {
        case .serverKeyChanged:
            (
                tr("Another Server Answers"),
                tr(
                    "Nothing was sent to it. Either the operator of %1 set the server up anew, or somebody stands between you and it. Ask the operator for the fingerprint, and compare.",
                    address.endpoint
                )
            )
        case .passwordNeeded:
            (tr("Password Needed"), tr("This server lets in who knows its password."))
        case .invitationNeeded:
            (
                tr("Invitation Needed"),
                tr(
                    "This server lets in whom it invited. Ask its operator for an address with an invitation, and enter that."
                )
            )
        case .secretRefused:
            (
                tr("Not Let In"),
                hasPassword
                    ? tr("The server did not take this password. Try another, or ask its operator.")
                    : tr(
                        "The invitation was wrong, used up, or too old. Ask the operator for another one."
                    )
            )
        case .noCommonVersion:
            (
                tr("Versions Do Not Fit"),
                tr("This program and the server have no version in common; update the older one.")
            )
        case .kicked(let why):
            (tr("You Were Put Out"), joined(tr("The operator put you out."), why))
        case .banned(let why):
            (tr("Kept Out"), joined(tr("The operator keeps you out."), why))
        }
    }

    private static func joined(_ sentence: String, _ why: String) -> String {
        switch StopReason.particulars(of: why) {
        case "": sentence
        case "Try again in a minute.": sentence + " " + tr("Try again in a minute.")
        case let particulars: sentence + " " + particulars
        }
    }

    /// `nil`: nothing that need be said in passing.
    static func news(_ news: ChatScreen.News) -> String? {
        switch news {
        case .welcome, .presence, .notWelcome, .postponed, .storageFailed, .stopped, .firstContact,
            .unreachable, .unknownHost, .joined, .wanted, .left(_, nil), .refused:
            // The window shows these as long as they last.
            nil
        case .connectedAgain: tr("Connected again")
        case .left(let room, .some(let why)):
            tr("You are out of %1: %2", room.text, refusal(why))
        case .renamed(let name): tr("Your name is %1 now", name.text)
        case .nameRefused(let wish, let why, let given):
            tr("You are %1 here, not %2: %3", given.text, wish.text, refusal(why))
        case .setBack(let room):
            tr("The server was set back to an earlier state; %1 is read anew.", room.text)
        case .failed(let failure): self.failure(failure)
        case .unknownCommand(let word):
            tr("There is no command %1. To send a text that begins with /, begin with //.", word)
        case .misused(let usage): tr("It is used like this: %1", usage)
        case .tooLong: tr("The message is too long; send it in parts.")
        case .tooFarBack:
            tr("This message is too far back to go to at once. Scroll up to reach it.")
        }
    }

    /// `nil`: it has a page or a question of its own.
    static func banner(_ banner: ChatScreen.Banner) -> String? {
        switch banner {
        case .stopped: nil
        case .storage(let error): storage(error)
        case .unknownHost(let name, let reason):
            tr(
                "The name %1 could not be looked up (%2); check the spelling and the network. It goes on trying.",
                name,
                reason
            )
        case .notWelcome(let refusal), .postponed(let refusal): self.refusal(refusal)
        case .firstContact(let key):
            tr(
                "First contact with this server. Its fingerprint is %1 and is remembered from now on; compare it with the one that its operator sees.",
                key.fingerprint
            )
        }
    }

    /// What the server told the room.
    static func notice(_ notice: Notice) -> String {
        switch notice {
        case .joined(let name, let room): tr("%1 joined #%2", name.text, room.text)
        case .left(let name, let room): tr("%1 left #%2", name.text, room.text)
        case .renamed(let old, let new): tr("%1 is now %2", old.text, new.text)
        case .putOut(let name): tr("%1 was put out by the operator", name.text)
        case .banned(let name): tr("%1 was banned by the operator", name.text)
        }
    }

    /// With one digit behind the decimal sign of the language.
    static func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tr("%1.%2", "\(tenths / 10)", "\(tenths % 10)")
    }

    static func loss(_ percent: Double, _ lost: UInt64, of sent: UInt64) -> String {
        tr("%1 % (%2 of %3 packets)", decimal(percent), "\(lost)", "\(sent)")
    }

    static func ago(_ time: Duration) -> String {
        let seconds = Int(time.components.seconds)
        return switch seconds {
        case ..<1: tr("just now")
        case ..<90: tr(one: "%1 second ago", many: "%1 seconds ago", seconds)
        default: tr(one: "%1 minute ago", many: "%1 minutes ago", seconds / 60)
        }
    }

    static func presence(_ presence: Presence) -> String {
        switch presence {
        case .online: tr("online")
        case .away: tr("away")
        case .offline: tr("offline")
        }
    }

    /// The text and the icon of the pill, and the class of its colour.
    static func link(_ link: ChatScreen.Link) -> (text: String, icon: String, style: String) {
        var (text, icon, style) =
            switch link.state {
            case .connecting:
                (tr("Connecting…"), "network-wired-acquiring-symbolic", "uneasy")
            case .connected: (tr("Connected"), "network-transmit-receive-symbolic", "good")
            case .roaming: (tr("Roaming…"), "network-wired-acquiring-symbolic", "uneasy")
            case .silent(let seconds):
                (tr("Server silent for %1 s", "\(seconds)"), "network-idle-symbolic", "uneasy")
            case .offline, .stopped, .closed:
                (tr("Offline"), "network-offline-symbolic", "lost")
            }
        if link.waiting > 0 {
            text += ", " + tr(one: "%1 waiting", many: "%1 waiting", link.waiting)
        }
        return (text, icon, style)
    }
}
#endif
