package import KirimWire

/// Where a plain client sits, and the socket of ours that it speaks to.
///
/// The socket is the owner's own number, handed back untouched. A client is known by its address alone:
/// whoever speaks to two sockets is one client, answered from the one spoken to last.
package struct PlainPeer: Hashable, Sendable {
    package var address: Address
    package var socket: UInt32

    package init(address: Address, socket: UInt32) {
        self.address = address
        self.socket = socket
    }
}

/// A plain client that has spoken and not left.
package struct PlainVisit: Hashable, Sendable {
    package var address: Address
    /// When it spoke for the first time, and when it spoke last.
    package var began: Instant
    package var heard: Instant
}

/// Which sources may speak plain text at all.
package enum PlainPolicy: String, Hashable, Sendable, CaseIterable {
    /// Nobody.
    case off
    /// Programs on the same machine: the kernel drops loopback addresses that come from outside.
    case loopback
    /// Those, and everybody else who sends back a code that only the owner of the address can read.
    case lan
}
