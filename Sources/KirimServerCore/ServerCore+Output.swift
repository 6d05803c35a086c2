package import KirimRooms
package import KirimTransport
package import KirimWire

/// Names a commit that the shell was asked for.
package struct CommitID: Hashable, Sendable, RawRepresentable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Names a read that the shell was asked for.
package struct ReadID: Hashable, Sendable, RawRepresentable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Names a question to the journal about an outbox.
package struct LookupID: Hashable, Sendable, RawRepresentable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

extension ServerCore {
    /// What the shell is to do.
    package enum Output: Hashable, Sendable {
        case transmit(Transmit)
        /// Keep these, all or none; then say ``ServerCore/committed(_:_:at:wall:)``. There is at most one
        /// commit under way.
        case commit(CommitID, [JournalWrite])
        /// Then say ``ServerCore/entriesRead(_:_:at:wall:)``.
        case read(ReadID, EntryQuery)
        /// Then say ``ServerCore/authorFound(_:_:at:wall:)``.
        case lookUp(LookupID, MemberID, OutboxID)
        /// For the operator's log.
        case note(ServerNote)
    }
}

/// What the operator's log shows.
package enum ServerNote: Hashable, Sendable {
    /// Somebody said something, and it is kept. No name: a plain client. No address: gone meanwhile.
    case said(name: MemberName?, address: Address?, room: RoomName, kind: EntryKind, text: String)
    /// The operator's line is kept and on its way.
    case broadcast(String)
    /// A key was seen for the first time and got this name.
    case enrolled(Member)
    /// A member's first connection opened.
    case arrived(MemberName, Address)
    /// A member's last connection is over.
    case departed(MemberName, Address)
    /// A member is heard from another address.
    case moved(MemberName, Address)
    case joined(MemberName, RoomName)
    case left(MemberName, RoomName)
    case renamed(from: MemberName, to: MemberName)
    /// A connection was turned away.
    case turnedAway(Address, Refusal)
    case kicked(MemberName)
    case banned(Ban)
    case unbanned(Ban)
    case plainArrived(Address)
    case plainDeparted(Address)
    /// The journal does not take it. Said once, until it works again.
    case storageFailed(JournalError)
    case storageWorks
    /// An operator's line was not sent, because it could not be kept.
    case broadcastFailed(String)
}
