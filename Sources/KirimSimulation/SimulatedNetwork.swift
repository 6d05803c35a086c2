import HeapModule
package import KirimWire

/// An internet of a few hosts: datagrams go in with a time and come out later, twice, changed, or never.
///
/// - Facts in: ``send(_:from:port:to:at:)``, ``inject(_:from:to:at:)``.
/// - Wishes in: the faults - ``cut(_:up:down:)``, ``partition(_:)``, ``rebind(_:to:)``, ``move(_:to:)``, …
/// - Work out: ``nextDelivery(at:)`` until `nil`; one ``deadline``.
///
/// A datagram passes the sender's uplink, then the receiver's downlink. Everything that happens goes into
/// ``trace``, so the same seed and the same inputs give the same hash.
package struct SimulatedNetwork: Sendable {
    private var hosts: [Host] = []
    private var wire: Heap<InFlight> = []
    private var serial: UInt64 = 0
    private let dice: Dice
    package private(set) var trace = TraceHash()
    package private(set) var counters = Counters()

    package init(dice: Dice) { self.dice = dice }

    /// A machine with one access line; the number is its place in the order of ``addHost(_:up:down:behind:)``.
    package struct HostID: Hashable, Sendable, Comparable {
        package var index: Int
        package static func < (a: HostID, b: HostID) -> Bool { a.index < b.index }
    }

    /// A datagram that has arrived at a host.
    package struct Delivery: Hashable, Sendable {
        package var host: HostID
        /// The host's own address and port that it came to, as the host knows them.
        package var local: Address
        package var from: Address
        /// The destination that the datagram bore on the wire: a router's outer one, where there is one.
        package var to: Address
        package var bytes: [UInt8]
        /// The number of the ``send(_:from:port:to:at:)`` that it came of; copies share it.
        package var origin: UInt64
        package var isIntact: Bool
    }

    /// What a `send` became, as somebody on the wire would see it.
    package struct Sent: Hashable, Sendable {
        package var origin: UInt64
        /// The source that the datagram bears on the wire.
        package var from: Address
    }

    private struct Host: Sendable {
        var addresses: [IPAddress]
        var up: Link
        var down: Link
        var translator: AddressTranslator?
        var group = 0
    }

    private struct InFlight: Comparable, Sendable {
        var at: Instant
        var serial: UInt64
        var stage: Stage
        var from: Address
        var to: Address
        var copy: [UInt8]
        var origin: UInt64
        var isIntact: Bool
        var group: Int

        static func < (a: InFlight, b: InFlight) -> Bool {
            (a.at, a.serial) < (b.at, b.serial)
        }
        static func == (a: InFlight, b: InFlight) -> Bool { a.serial == b.serial }
    }

    private enum Stage: Sendable {
        /// Over the uplink; next is the receiver's downlink.
        case between
        case arriving(HostID, Address)
    }

    package struct Counters: Hashable, Sendable {
        package var sent = 0
        package var delivered = 0
        package var lost: [Link.Loss: Int] = [:]
        package var duplicated = 0
        package var corrupted = 0
        package var truncated = 0
        /// No host has that address now.
        package var unroutable = 0
        /// The router had no mapping, or the remote was not spoken to.
        package var translatorRefused = 0
        package var partitioned = 0
    }
}

extension SimulatedNetwork {
    package mutating func addHost(
        _ addresses: [IPAddress],
        up: LinkConditions,
        down: LinkConditions,
        behind router: (outer: IPAddress, idleLimit: Duration)? = nil
    ) -> HostID {
        let id = HostID(index: hosts.count)
        let own = dice.fork("host", id.index)
        hosts.append(
            Host(
                addresses: addresses,
                up: Link(up, dice: own.fork("up")),
                down: Link(down, dice: own.fork("down")),
                translator: router.map {
                    AddressTranslator(
                        outer: $0.outer,
                        idleLimit: $0.idleLimit,
                        dice: own.fork("router")
                    )
                }
            )
        )
        return id
    }

    package func addresses(of host: HostID) -> [IPAddress] { hosts[host.index].addresses }

    /// Whether some host, or its router, has the address.
    package func isTaken(_ address: IPAddress) -> Bool {
        hosts.contains { $0.addresses.contains(address) || $0.translator?.outer == address }
    }

    package func isBehindRouter(_ host: HostID) -> Bool { hosts[host.index].translator != nil }

    /// A host sends from one of its ports. The source address is its own of the receiver's family.
    @discardableResult
    package mutating func send(
        _ bytes: [UInt8],
        from host: HostID,
        port: UInt16,
        to: Address,
        at now: Instant
    ) -> Sent? {
        counters.sent += 1
        let sender = hosts[host.index]
        guard let own = sender.addresses.first(where: { $0.isVersion4 == to.ip.isVersion4 }) else {
            counters.unroutable += 1
            return nil
        }
        var from = Address(ip: own, port: port)
        if own.isVersion4, hosts[host.index].translator != nil {
            guard let outer = hosts[host.index].translator?.outward(from: port, to: to, at: now)
            else { return nil }
            from = outer
        }
        let origin = nextSerial()
        trace.event(now, 1, TraceHash.digest(bytes))
        trace.add(from)
        trace.add(to)
        let fate = hosts[host.index].up.carry(bytes, at: now)
        let template = InFlight(
            at: now,
            serial: 0,
            stage: .between,
            from: from,
            to: to,
            copy: bytes,
            origin: origin,
            isIntact: true,
            group: sender.group
        )
        enqueue(fate, template, at: now)
        return Sent(origin: origin, from: from)
    }

    /// Puts a datagram on the wire with any source, as an attacker with a line of its own can.
    @discardableResult
    package mutating func inject(
        _ bytes: [UInt8],
        from: Address,
        to: Address,
        at now: Instant
    ) -> UInt64 {
        counters.sent += 1
        trace.event(now, 2, TraceHash.digest(bytes))
        trace.add(from)
        trace.add(to)
        let origin = nextSerial()
        enqueue(
            InFlight(
                at: now.advanced(by: .milliseconds(1)),
                serial: nextSerial(),
                stage: .between,
                from: from,
                to: to,
                copy: bytes,
                origin: origin,
                isIntact: true,
                group: 0
            )
        )
        return origin
    }

    /// What has arrived by now, in the order of arrival.
    package mutating func nextDelivery(at now: Instant) -> Delivery? {
        while let first = wire.min, first.at <= now {
            let item = wire.removeMin()
            switch item.stage {
            case .between: route(item)
            case .arriving(let host, let local):
                counters.delivered += 1
                trace.event(item.at, 3, TraceHash.digest(item.copy) ^ UInt64(host.index))
                return Delivery(
                    host: host,
                    local: local,
                    from: item.from,
                    to: item.to,
                    bytes: item.copy,
                    origin: item.origin,
                    isIntact: item.isIntact
                )
            }
        }
        return nil
    }

    package var deadline: Instant? { wire.min?.at }
    /// Datagrams under way.
    package var inFlight: Int { wire.count }

    private mutating func nextSerial() -> UInt64 {
        serial += 1
        return serial
    }

    /// From the middle of the network to the host that has the address at this moment.
    private mutating func route(_ item: InFlight) {
        guard let (host, local) = receiver(of: item) else { return }
        guard item.group == hosts[host.index].group else {
            counters.partitioned += 1
            trace.event(item.at, 4, item.origin)
            return
        }
        var next = item
        next.stage = .arriving(host, local)
        enqueue(hosts[host.index].down.carry(item.copy, at: item.at), next, at: item.at)
    }

    private mutating func receiver(of item: InFlight) -> (HostID, Address)? {
        for index in hosts.indices {
            let host = hosts[index]
            if host.translator != nil, item.to.ip.isVersion4 {
                guard host.translator?.outer == item.to.ip else { continue }
                let inner = hosts[index].translator?.inward(
                    to: item.to.port,
                    from: item.from,
                    at: item.at
                )
                guard let inner, let own = host.addresses.first(where: \.isVersion4) else {
                    counters.translatorRefused += 1
                    trace.event(item.at, 5, item.origin)
                    return nil
                }
                return (HostID(index: index), Address(ip: own, port: inner))
            }
            if host.addresses.contains(item.to.ip) { return (HostID(index: index), item.to) }
        }
        counters.unroutable += 1
        trace.event(item.at, 6, item.origin)
        return nil
    }

    private mutating func enqueue(_ fate: Link.Fate, _ template: InFlight, at now: Instant) {
        switch fate {
        case .lost(let loss):
            counters.lost[loss, default: 0] += 1
            trace.event(now, 7, template.origin ^ loss.rawValue << 48)
        case .arrives(let copy, let duplicate):
            enqueue(copy, template)
            if let duplicate {
                counters.duplicated += 1
                enqueue(duplicate, template)
            }
        }
    }

    private mutating func enqueue(_ copy: Link.Copy, _ template: InFlight) {
        var item = template
        item.at = copy.at
        item.serial = nextSerial()
        item.copy = copy.bytes
        if copy.isCorrupted { counters.corrupted += 1 }
        if copy.isTruncated { counters.truncated += 1 }
        item.isIntact = item.isIntact && !copy.isCorrupted && !copy.isTruncated
        enqueue(item)
    }

    private mutating func enqueue(_ item: InFlight) { wire.insert(item) }
}

/// The faults.
extension SimulatedNetwork {
    package mutating func set(_ host: HostID, up: LinkConditions, down: LinkConditions) {
        hosts[host.index].up.conditions = up
        hosts[host.index].down.conditions = down
    }

    package func conditions(of host: HostID) -> (up: LinkConditions, down: LinkConditions) {
        (hosts[host.index].up.conditions, hosts[host.index].down.conditions)
    }

    /// Kills one direction, or both (a black hole); `false` brings it back.
    package mutating func cut(_ host: HostID, up: Bool, down: Bool) {
        hosts[host.index].up.isCut = up
        hosts[host.index].down.isCut = down
        trace.event(.start, 8, UInt64(host.index) << 2 | (up ? 2 : 0) | (down ? 1 : 0))
    }

    /// Only hosts of one group hear each other; those that are named nowhere are group 0.
    package mutating func partition(_ groups: [[HostID]]) {
        for index in hosts.indices { hosts[index].group = 0 }
        for (number, group) in groups.enumerated() {
            for host in group { hosts[host.index].group = number + 1 }
        }
    }

    /// The host's router forgets all mappings and perhaps gets another outer address.
    package mutating func rebind(_ host: HostID, to outer: IPAddress? = nil) {
        hosts[host.index].translator?.rebind(to: outer)
        trace.event(.start, 9, UInt64(host.index))
    }

    package mutating func setIdleLimit(_ limit: Duration, of host: HostID) {
        hosts[host.index].translator?.idleLimit = limit
    }

    /// The host has other addresses from now on; what is under way to the old ones is lost.
    package mutating func move(_ host: HostID, to addresses: [IPAddress]) {
        hosts[host.index].addresses = addresses
        trace.event(.start, 10, UInt64(host.index))
    }
}

extension IPAddress {
    package var isVersion4: Bool {
        if case .v4 = self { true } else { false }
    }
}

extension TraceHash {
    package mutating func add(_ address: Address) {
        switch address.ip {
        case .v4(let bits): add(UInt64(bits) << 16 | UInt64(address.port))
        case .v6(let high, let low, _):
            add(high)
            add(low ^ UInt64(address.port))
        }
    }
}
