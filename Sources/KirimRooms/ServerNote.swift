package import KirimWire

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
    /// For a while.
    case plainKicked(Address)
    case plainDeparted(Address)
    /// The journal does not take it. Said once, until it works again.
    case storageFailed(JournalError)
    case storageWorks
    /// Something that was kept cannot be read back. Said once for each reason.
    case readingFailed(JournalError)
    /// An operator's line was not sent, because it could not be kept.
    case broadcastFailed(String)
}
