public import KirimRooms
public import KirimWire

// What a client tells is made of values that have nothing to do with sockets, and stands below, where a face
// can have it without them (docs/decisions/0007). Here it has the names that applications use.

extension KirimClient {
    /// What happened, in the order in which it happened.
    ///
    /// More cases may come: give a `switch` a `default`.
    public typealias Event = ChatEvent
    /// How things stand between this client and the server.
    public typealias Phase = LinkPhase
    /// Why a client stopped by itself.
    public typealias StopReason = KirimRooms.StopReason
}

/// Where a server is, and, where it is known, who it is.
public typealias ServerAddress = KirimWire.ServerAddress
/// A post in the outbox.
public typealias QueuedPost = KirimRooms.QueuedPost
/// What a face shows about the way to the server.
public typealias LinkStatus = KirimRooms.LinkStatus
