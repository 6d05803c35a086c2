package import KirimWire

/// A home router: many inner sockets behind one outer IPv4 address (NAT, RFC 4787).
///
/// Mapping is endpoint-independent; filtering is by the remote's address and port, the strictest kind
/// in use, so nothing comes in that was not spoken to. A mapping dies of silence, without a word.
package struct AddressTranslator: Sendable {
    /// Silence from inside after which a mapping is gone. RFC 4787 asks for 120 s, many give 30.
    package var idleLimit: Duration
    package private(set) var outer: IPAddress
    private var mappings: [Mapping] = []
    private var dice: Dice

    private struct Mapping: Sendable {
        var inner: UInt16
        var outer: UInt16
        var lastUsed: Instant
        var remotes: [Address]
    }

    package init(outer: IPAddress, idleLimit: Duration, dice: Dice) {
        self.outer = outer
        self.idleLimit = idleLimit
        self.dice = dice
    }

    /// The outer address that a datagram from this inner port bears.
    package mutating func outward(
        from inner: UInt16,
        to remote: Address,
        at now: Instant
    ) -> Address {
        forget(at: now)
        if let index = mappings.firstIndex(where: { $0.inner == inner }) {
            mappings[index].lastUsed = now
            if !mappings[index].remotes.contains(remote) { mappings[index].remotes.append(remote) }
            return Address(ip: outer, port: mappings[index].outer)
        }
        var port: UInt16
        repeat {
            port = UInt16(dice.number(in: 1_024...65_535))
        } while mappings.contains { $0.outer == port }
        mappings.append(Mapping(inner: inner, outer: port, lastUsed: now, remotes: [remote]))
        return Address(ip: outer, port: port)
    }

    /// The inner port that an arriving datagram is for; `nil` where nothing was said from inside.
    package mutating func inward(to port: UInt16, from remote: Address, at now: Instant) -> UInt16?
    {
        forget(at: now)
        return mappings.first { $0.outer == port && $0.remotes.contains(remote) }?.inner
    }

    /// Forgets every mapping: the router was restarted, or the table was full. The next datagram of
    /// each socket leaves from another port, and from another address where one is given.
    package mutating func rebind(to other: IPAddress? = nil) {
        mappings = []
        if let other { outer = other }
    }

    private mutating func forget(at now: Instant) {
        let limit = idleLimit
        mappings.removeAll { $0.lastUsed.duration(to: now) > limit }
    }
}
