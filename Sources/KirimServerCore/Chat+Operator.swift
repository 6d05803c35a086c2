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
        guard ledger.pause(at: now) == nil, !hasMuchToKeep else {
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

    /// Puts a key out, for a while: a member, or whoever has a connection and is none yet. `false` where
    /// nobody has the key.
    package mutating func kick(_ key: PublicKey, at now: Instant, wall: WallTime) -> Bool {
        let member = directory.member(with: key)
        let connections = connections(by: key)
        guard member != nil || !connections.isEmpty else { return false }
        kicked.removeAll { $0.until <= now || $0.key == key }
        kicked.append((key, now.advanced(by: configuration.kickMemory)))
        if let member {
            note(.kicked(member.name))
            announce(.putOut(member.name), wall: wall)
        }
        for connection in connections { close(connection, .kicked, "The operator put you out.") }
        return true
    }

    /// Why whoever has this key, or comes from there, is kept out just now.
    mutating func reasonToStayOut(
        _ key: PublicKey,
        _ address: Address,
        at now: Instant
    ) -> (CloseCode, String)? {
        kicked.removeAll { $0.until <= now }
        if bans.contains(key) || bans.contains(address.ip) {
            return (.banned, "You are banned from this server.")
        }
        if kicked.contains(where: { $0.key == key }) {
            return (.kicked, "The operator put you out. Try again in a minute.")
        }
        return nil
    }

    /// Keeps somebody out from now on, also after a restart. `false` where that is so already.
    package mutating func ban(_ ban: Ban, wall: WallTime) -> Bool {
        guard bans.insert(ban) else { return false }
        note(.banned(ban))
        ledger.add([.ban(ban)], .housekeeping)
        switch ban {
        case .key(let key):
            for connection in connections(by: key) {
                close(connection, .banned, "You are banned from this server.")
            }
            guard let member = directory.member(with: key) else { return true }
            announce(.banned(member.name), wall: wall)
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

    private mutating func announce(_ notice: Notice, wall: WallTime) {
        ledger.add([Self.notice(notice, in: .lobby, wall: wall)], .housekeeping)
    }

    /// All of them, also those that have not said hello.
    private func connections(by key: PublicKey) -> [ConnectionHandle] {
        sessions.filter { $0.value.key == key }.keys.sorted { $0.rawValue < $1.rawValue }
    }
}
