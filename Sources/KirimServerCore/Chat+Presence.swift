import DequeModule
package import KirimRooms
package import KirimTransport
package import KirimWire

// Who is here: told in datagrams, of which the newest wins and none is repeated.

extension Chat {
    /// How often it is looked whether somebody fell silent.
    static var sweepInterval: Duration { .seconds(10) }

    /// Looks who fell silent, or is heard again. `lastHeard` is the transport's answer.
    package mutating func sweep(at now: Instant, lastHeard: (ConnectionHandle) -> Instant?) {
        guard let due = nextSweep, due <= now else { return }
        nextSweep = sessions.isEmpty ? nil : now.advanced(by: Self.sweepInterval)
        // After a storm it has room for hundreds of thousands.
        if effects.isEmpty { effects = [] }
        for connection in sessions.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            if case .silent? = sessions[connection]?.stage,
                let openedAt = sessions[connection]?.openedAt,
                openedAt.duration(to: now) >= configuration.helloPatience
            {
                close(connection, .done, "No hello came.")
                continue
            }
            guard let heard = lastHeard(connection), let member = sessions[connection]?.member
            else { continue }
            let isSilent = heard.duration(to: now) >= configuration.presenceGone
            guard sessions[connection]?.isSilent != isSilent else { continue }
            sessions[connection]?.isSilent = isSilent
            refreshPresence(of: member)
        }
    }

    /// Tells what members said of their presence: once a turn, and no member more often than its pace allows,
    /// since one word of a client's becomes a datagram for each reader of its rooms.
    mutating func announcePresence(at now: Instant) {
        let due = unannounced.filter { $0.value <= now }.keys.sorted()
        for member in due {
            unannounced[member] = nil
            guard let resident = directory[member], presence(of: resident) != resident.presence
            else { continue }
            if let wait = directory[member]?.signals.take(at: now) {
                unannounced[member] = now.advanced(by: wait)
            } else {
                refreshPresence(of: member)
            }
        }
    }

    /// When the member's present visit began; `nil`: it is not here.
    package func visitBegan(_ member: MemberID) -> WallTime? { directory[member]?.since }

    private func presence(of resident: Directory.Resident) -> Presence {
        var presence = Presence.offline
        for case let session? in resident.connections.map({ sessions[$0] }) where !session.isSilent
        {
            if !session.isAway { return .online }
            presence = .away
        }
        return presence
    }

    /// Works out a member's presence from its connections, and tells a change.
    mutating func refreshPresence(of member: MemberID) {
        guard let resident = directory[member] else { return }
        let presence = presence(of: resident)
        guard presence != resident.presence else { return }
        directory[member]?.presence = presence
        let change = (presence == .offline ? 0 : 1) - (resident.presence == .offline ? 0 : 1)
        for room in resident.rooms {
            rooms[room]?.online += change
            tellPresence(of: member, in: room)
        }
    }

    /// Tells the readers of a room about one of its members.
    mutating func tellPresence(of member: MemberID, in name: RoomName) {
        guard let resident = directory[member], let room = rooms[name],
            room.readers.count <= configuration.presenceAudience
        else { return }
        let signal = Signal.presenceOf(
            name,
            member,
            resident.member.name,
            resident.presence,
            online: UInt64(max(room.online, 0))
        )
        let bytes = signal.bytes
        var told: Set<ConnectionHandle> = []
        for reader in room.readers.all where reader.until == nil {
            guard told.insert(reader.connection).inserted else { continue }
            effects.append(.send(bytes, reader.connection))
        }
    }
}
