#if GTK
import KirimGtk
import KirimRooms
import KirimWire

/// What the operator's log says about what happened, in the operator's language.
///
/// Who spoke stands there as the report's server printed it, in every language: `Client ('127.0.0.1', 50001): halo`.
package enum OperatorWords {
    /// `visible` writes out what people sent, so that nothing of it orders the line anew.
    static func line(for note: ServerNote, visible: (String) -> String) -> String {
        switch note {
        case .said(let name, let address, let room, let kind, let text):
            said(name, address, room, kind, visible(text))
        case .broadcast(let text): "Server: " + visible(text)
        case .broadcastFailed(let text):
            tr("Not sent, because it could not be stored: %1", visible(text))
        case .enrolled(let member):
            tr("New member: %1, key %2", member.name.text, member.key.fingerprint)
        case .arrived(let name, let address): tr("%1 %2 is here", client(address), name.text)
        case .departed(let name, let address): tr("%1 %2 is gone", client(address), name.text)
        case .moved(let name, let address):
            tr("%1 %2 is heard from here now", client(address), name.text)
        case .joined(let name, let room): tr("%1 joined #%2", name.text, room.text)
        case .left(let name, let room): tr("%1 left #%2", name.text, room.text)
        case .renamed(let old, let new): tr("%1 is now %2", old.text, new.text)
        case .turnedAway(let address, let refusal):
            tr("%1 turned away: %2", client(address), Sentences.refusal(refusal))
        case .kicked(let name): tr("%1 is put out for a minute", name.text)
        case .banned(let ban): tr("Kept out: %1", text(of: ban))
        case .unbanned(let ban): tr("No longer kept out: %1", text(of: ban))
        case .plainKicked(let address): tr("%1 is put out for a minute", client(address))
        case .plainArrived(let address): tr("%1 is here (plain text)", client(address))
        case .plainDeparted(let address): tr("%1 is gone (plain text)", client(address))
        case .storageFailed(let error):
            tr("Nothing is accepted until messages can be kept again.") + " "
                + Sentences.storage(error)
        case .storageWorks: tr("Messages can be kept again.")
        case .readingFailed(let error):
            tr("Some of the older messages cannot be read.") + " " + Sentences.storage(error)
        }
    }

    /// What was counted, by the name that the code has for it; a new one stands there as it is.
    package static func counter(_ name: String) -> String {
        switch name {
        case "unanswerable": tr("From addresses that cannot be answered")
        case "malformed": tr("Packets that make no sense")
        case "misdirected": tr("Packets that only servers send")
        case "grease": tr("Packets of later versions")
        case "limited": tr("Packets over the limit")
        case "challenges": tr("Newcomers asked to prove their address")
        case "badCookies": tr("Wrong proofs of an address")
        case "handshakes": tr("Connections begun")
        case "handshakesFailed": tr("Connections refused")
        case "confirmed": tr("Connections made")
        case "unknownConnection": tr("Packets of no connection")
        case "resetsSent": tr("Connections reset")
        case "notAuthentic": tr("Forged or damaged packets")
        case "repeated": tr("Packets that came twice")
        case "taken": tr("Packets taken")
        case "plain malformed": tr("Plain text: not readable")
        case "plain empty": tr("Plain text: empty")
        case "plain refused": tr("Plain text: not allowed from there")
        case "plain unanswerable": tr("Plain text: from addresses that cannot be answered")
        case "plain tooFast": tr("Plain text: too fast")
        case "plain challenged": tr("Plain text: newcomers asked for a code")
        case "plain echoed": tr("Plain text: our own words come back")
        case "plain looped": tr("Plain text: went round in a ring")
        case "plain said": tr("Plain text: messages taken")
        case "plain givenUp": tr("Plain text: messages given up")
        case "plain sent": tr("Plain text: messages sent")
        case "forged as the server's own": tr("Packets forged as the server's own")
        case "banned": tr("From addresses that are kept out")
        default: name
        }
    }

    static func text(of ban: Ban) -> String {
        switch ban {
        case .key(let key): tr("Key %1", key.fingerprint)
        case .prefix(let ip, let bits): "\(ip)/\(bits)"
        }
    }

    private static func said(
        _ name: MemberName?,
        _ address: Address?,
        _ room: RoomName,
        _ kind: EntryKind,
        _ text: String
    ) -> String {
        var who = address.map { client($0) } ?? "Client"
        if let name { who += " " + name.text }
        if room != .lobby { who += " #" + room.text }
        return switch kind {
        case .text, .notice, .broadcast: who + ": " + text
        case .action: tr("%1 does: %2", who, text)
        case .edit: tr("%1 corrects: %2", who, text)
        case .delete: tr("%1 takes a message back", who)
        case .reaction: tr("%1 reacts: %2", who, text)
        case .reply: tr("%1 answers: %2", who, text)
        }
    }

    private static func client(_ address: Address) -> String {
        "Client ('\(address.ip)', \(address.port))"
    }
}
#endif
