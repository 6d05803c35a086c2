package import KirimRooms

/// What a face draws again. ``ChatScreen/takeChanges()`` gives what gathered since it was asked last: splices of rows
/// first, so a face that shows one room makes its list anew at ``opened(_:)``.
package enum Change: Hashable, Sendable {
    /// At `at`, so many rows went and so many came. The splices of one taking do not overlap, come from the top
    /// down, and each counts from the rows as the ones before it left them. So, when one is applied, all rows
    /// down to its last are where ``ChatScreen/row(_:in:)`` has them; those below may still move.
    case rows(RoomName, at: Int, removed: Int, added: Int)
    /// The row is the same one, and reads differently. Counts from the rows after all splices.
    case rowChanged(RoomName, at: Int)
    /// Rows stand where they stood and may look different (names, who is me): bind the visible ones again.
    case rowsRestyled(RoomName)
    /// The list of rooms: one came, went, or is another one in something that it shows.
    case rooms
    /// Another room is open: its rows, members, composer, view.
    case opened(RoomName)
    /// The members of the open room.
    case members
    /// The composer's text was changed by the screen, not by typing: put it into the entry.
    case composerText
    /// Anything else of the composer: reply, edit, too long, and whether one may write there.
    case composer
    case link
    case banners
    /// ``ChatScreen/view``: at the end or not, how many are new below.
    case view
    /// What is searched, and how that goes.
    case search
    /// Rooms to be joined, and whether they are being asked for.
    case directory
    /// Bring the row into view: what was found, what was quoted.
    case reveal(RoomName, at: Int)
    /// Go to the end, and stay there.
    case follow(RoomName)
    /// What a face may keep for the next start has changed.
    case memory
}
