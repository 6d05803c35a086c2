package import KirimRooms
import KirimTransport
package import KirimWire

// What the operator wishes, and what plain clients say.

extension Chat {
    /// A plain client's message becomes an entry of the lobby.
    package mutating func plainSaid(
        _ text: String,
        by address: Address,
        at now: Instant,
        wall: WallTime
    ) {
        guard text.utf8.count <= configuration.limits.messageBytes, !bans.contains(address.ip)
        else {
            return
        }
        let post = Post(room: .lobby, authored: wall, text: text)
        let draft = EntryDraft(post: post, author: .plain(address), id: nil, received: wall)
        guard ledger.pause(at: now) == nil else {
            // Plain text has no answer to give; the operator reads it at least.
            return note(.said(name: nil, address: address, room: .lobby, kind: .text, text: text))
        }
        ledger.add([.append(draft)], .plain(address))
    }

    package mutating func broadcast(_ text: String, at now: Instant, wall: WallTime) {
        guard !text.isEmpty else { return }
        guard ledger.pause(at: now) == nil, text.utf8.count <= configuration.limits.messageBytes
        else { return note(.broadcastFailed(text)) }
        let post = Post(room: .lobby, kind: .broadcast, authored: wall, text: text)
        let draft = EntryDraft(post: post, author: .server, id: nil, received: wall)
        ledger.add([.append(draft)], .broadcast(text))
    }

    /// Puts a member out, for a while. `false` where nobody has the key.
    package mutating func kick(_ key: PublicKey, at now: Instant, wall: WallTime) -> Bool {
        guard let member = directory.member(with: key) else { return false }
        kicked.removeAll { $0.until <= now || $0.key == key }
        kicked.append((key, now.advanced(by: configuration.kickMemory)))
        note(.kicked(member.name))
        announce("\(member.name) was put out by the operator", wall: wall)
        closeAll(of: member.id, .kicked, "The operator put you out.")
        return true
    }

    /// Keeps somebody out from now on, also after a restart. `false` where that is so already.
    package mutating func ban(_ ban: Ban, wall: WallTime) -> Bool {
        guard bans.insert(ban) else { return false }
        note(.banned(ban))
        ledger.add([.ban(ban)], .housekeeping)
        switch ban {
        case .key(let key):
            guard let member = directory.member(with: key) else { return true }
            announce("\(member.name) was banned by the operator", wall: wall)
            closeAll(of: member.id, .banned, "You are banned from this server.")
        case .prefix:
            for connection in sessions.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
                guard let address = sessions[connection]?.address, bans.contains(address.ip) else {
                    continue
                }
                close(connection, .banned, "You are banned from this server.")
            }
        }
        return true
    }

    package mutating func unban(_ ban: Ban) -> Bool {
        guard bans.remove(ban) else { return false }
        note(.unbanned(ban))
        ledger.add([.unban(ban)], .housekeeping)
        return true
    }

    private mutating func announce(_ text: String, wall: WallTime) {
        ledger.add([Self.notice(text, in: .lobby, wall: wall)], .housekeeping)
    }

    private mutating func closeAll(of member: MemberID, _ code: CloseCode, _ reason: String) {
        for connection in directory[member]?.connections ?? [] { close(connection, code, reason) }
    }
}
