package import KirimRooms
package import KirimTransport

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
        /// For the operator's log. The largest by far, and one for hundreds of datagrams.
        indirect case note(ServerNote)
    }
}
