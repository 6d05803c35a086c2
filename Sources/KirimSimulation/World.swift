import HeapModule
package import KirimWire

/// Time, network, trouble and attacker of one run; the owner adds the machines that live in it.
///
/// ``next(until:timers:)`` moves time to whatever comes first and says what it is: a delivery, an act that
/// the owner put on the agenda, or a timer of the owner's. Trouble happens on the way.
package struct World<Act: Sendable>: Sendable {
    package let faults: Faults
    private let lines: Lines
    package private(set) var now = Instant.start
    package var network: SimulatedNetwork
    package var watch: WireWatch
    package private(set) var troubles = 0
    private var attacker: Attacker?
    private var agenda: Heap<Item> = []
    private var serial: UInt64 = 0
    private var dice: Dice
    private var isHealed = false
    private var isServerCut = false
    private var places: [Place] = []
    private let serverHost: SimulatedNetwork.HostID
    /// The addresses of the server, the first is IPv4, the second IPv6.
    package let serverAddresses: [Address]

    package enum Step: Sendable {
        case delivery(SimulatedNetwork.Delivery)
        case act(Act)
        /// The owner's earliest timer is due.
        case timer
        /// The end of the time that was asked for.
        case ended
    }

    /// Where a client machine stands, and what may happen to it.
    private struct Place: Sendable {
        var host: SimulatedNetwork.HostID
        var up: LinkConditions
        var down: LinkConditions
        var address4: IPAddress
        var address6: IPAddress?
        var isRouted: Bool
    }

    private enum Event: Sendable {
        case act(Act)
        case trouble(Trouble, Int)
        case attack
    }

    private enum Trouble: CaseIterable, Sendable {
        case cut, uncut, rebind, move, narrow, widen, weather, partition, unite
    }

    private struct Item: Comparable, Sendable {
        var at: Instant
        var serial: UInt64
        var event: Event
        static func < (a: Item, b: Item) -> Bool { (a.at, a.serial) < (b.at, b.serial) }
        static func == (a: Item, b: Item) -> Bool { a.serial == b.serial }
    }

    package init(
        faults: Faults,
        dice: Dice,
        attackerKey: PublicKey,
        lines: Lines = .presets
    ) {
        self.faults = faults
        self.lines = lines
        watch = WireWatch(isAttacked: faults.contains(.attack))
        self.dice = dice.fork("trouble")
        network = SimulatedNetwork(dice: dice.fork("network"))
        serverAddresses = [
            Address(ip: .v4(0x0A00_0001), port: 12_345),
            Address(ip: .v6(0x2001_0DB8 << 32, 1, zone: 0), port: 12_345),
        ]
        serverHost = network.addHost(
            serverAddresses.map(\.ip) + [.v4(0x7F00_0001)],
            up: NetworkPreset.lan.up,
            down: NetworkPreset.lan.down
        )
        guard faults.contains(.attack) else { return }
        attacker = Attacker(
            server: serverAddresses[0],
            own: Address(ip: .v4(0x0909_0909), port: 9_999),
            key: attackerKey,
            dice: dice.fork("attacker")
        )
        put(.attack, at: now.advanced(by: .milliseconds(50)))
    }

    package var server: SimulatedNetwork.HostID { serverHost }
}

extension World {
    /// A client machine with a line of a drawn kind; trouble will find it.
    package mutating func addMachine() -> SimulatedNetwork.HostID {
        let index = places.count
        let conditions = drawnConditions()
        let isRouted = dice.chance(0.6)
        let inner: IPAddress = .v4(0xC0A8_0000 | UInt32(index + 2))
        let open: IPAddress = .v4(0x0B00_0000 | UInt32(index + 2) << 8)
        let address6: IPAddress? =
            dice.chance(0.4) ? .v6(0x2001_0DB9 << 32 | UInt64(index), 2, zone: 0) : nil
        let address4 = isRouted ? inner : open
        let patience: Duration =
            faults.contains(.expiry)
            ? dice.duration(in: .seconds(15)...(.seconds(120))) : .seconds(7_200)
        let host = network.addHost(
            [address4] + (address6.map { [$0] } ?? []),
            up: conditions.up,
            down: conditions.down,
            behind: isRouted
                ? (outer: .v4(0x0C00_0000 | UInt32(index) << 8), idleLimit: patience) : nil
        )
        places.append(
            Place(
                host: host,
                up: conditions.up,
                down: conditions.down,
                address4: address4,
                address6: address6,
                isRouted: isRouted
            )
        )
        plan(for: index)
        return host
    }

    /// A machine on the server's own loopback, for plain text.
    package mutating func addLoopback(_ number: Int) -> SimulatedNetwork.HostID {
        network.addHost(
            [.v4(0x7F00_0002 + UInt32(number))],
            up: LinkConditions(),
            down: LinkConditions()
        )
    }

    package mutating func schedule(_ act: Act, after wait: Duration) {
        put(.act(act), at: now.advanced(by: wait))
    }

    /// Ends all trouble: good lines, no attacker, nothing cut. What is under way still arrives.
    package mutating func heal() {
        isHealed = true
        attacker = nil
        cutServer(false)
        network.partition([])
        for place in places {
            network.cut(place.host, up: false, down: false)
            network.set(place.host, up: NetworkPreset.lan.up, down: NetworkPreset.lan.down)
            network.setIdleLimit(.seconds(7_200), of: place.host)
        }
    }

    /// Nobody hears the server any more, and it hears nobody; `false` ends that.
    package mutating func cutServer(_ isCut: Bool) {
        guard isCut != isServerCut else { return }
        isServerCut = isCut
        network.cut(serverHost, up: isCut, down: isCut)
    }

    /// What comes first: something of the world's, or a timer of the owner's.
    package mutating func next(until end: Instant, timers: Instant?) throws(Violation) -> Step {
        while true {
            if let delivery = network.nextDelivery(at: now) {
                note(delivery)
                return .delivery(delivery)
            }
            if let item = agenda.min, item.at <= now {
                agenda.removeMin()
                if let act = happen(item.event) { return .act(act) }
                continue
            }
            if let timers, timers <= now { return .timer }
            guard now < end else { return .ended }
            var moment = end
            if let deadline = network.deadline { moment = min(moment, deadline) }
            if let item = agenda.min { moment = min(moment, item.at) }
            if let timers { moment = min(moment, timers) }
            now = max(now, moment)
        }
    }

    /// A datagram of a client's.
    package mutating func sendFromClient(
        _ bytes: [UInt8],
        face: Int,
        host: SimulatedNetwork.HostID,
        port: UInt16,
        to: Address
    ) throws(Violation) {
        guard let sent = network.send(bytes, from: host, port: port, to: to, at: now) else {
            return
        }
        try watch.clientSent(bytes, from: sent.from, face: face, origin: sent.origin)
        attacker?.sees(bytes, from: sent.from, to: to)
    }

    /// A datagram of the server's, from the address with this place in ``serverAddresses``.
    package mutating func sendFromServer(
        _ bytes: [UInt8],
        socket: Int,
        to: Address
    ) throws(Violation) {
        let own = serverAddresses[min(socket, serverAddresses.count - 1)]
        try watch.serverSent(bytes, to: to)
        attacker?.sees(bytes, from: own, to: to)
        network.send(bytes, from: serverHost, port: own.port, to: to, at: now)
    }

    private mutating func note(_ delivery: SimulatedNetwork.Delivery) {
        guard delivery.host == serverHost else {
            if serverAddresses.contains(delivery.from) { watch.clientReceived(at: delivery.to) }
            return
        }
        watch.serverReceived(
            delivery.bytes,
            from: delivery.from,
            origin: delivery.origin,
            isIntact: delivery.isIntact
        )
    }

    private mutating func put(_ event: Event, at: Instant) {
        serial += 1
        agenda.insert(Item(at: at, serial: serial, event: event))
    }
}

/// Trouble.
extension World {
    private mutating func drawnConditions() -> (up: LinkConditions, down: LinkConditions) {
        var (up, down) = faults.contains(.loss) ? lines.drawn(&dice) : Lines.good
        if faults.contains(.slow), dice.chance(0.3) {
            down.rate = dice.number(in: 8_000...200_000)
            down.queue = dice.number(in: 4_096...131_072)
        }
        if faults.contains(.loss), dice.chance(0.3) {
            up.loss += dice.unit() * 0.2
            down.loss += dice.unit() * 0.2
        }
        up.duplication = 0
        down.duplication = 0
        if faults.contains(.duplicate) {
            up.duplication = dice.unit() * 0.1
            down.duplication = dice.unit() * 0.1
        }
        if faults.contains(.damage), dice.chance(0.5) {
            up.corruption = dice.unit() * 0.05
            down.corruption = dice.unit() * 0.05
            up.truncation = dice.unit() * 0.02
            down.truncation = dice.unit() * 0.02
        }
        return (up, down)
    }

    private mutating func plan(for index: Int) {
        var kinds: [Trouble] = []
        if faults.contains(.cut) { kinds += [.cut, .partition] }
        if faults.contains(.rebind), places[index].isRouted { kinds.append(.rebind) }
        if faults.contains(.move) { kinds.append(.move) }
        if faults.contains(.mtu) { kinds.append(.narrow) }
        if faults.contains(.loss) { kinds.append(.weather) }
        for kind in kinds { plan(kind, for: index) }
    }

    private mutating func plan(_ trouble: Trouble, for index: Int) {
        // Some machines live a quiet life, some do not; each kind comes again after a minute or so.
        let wait = dice.duration(around: .seconds(dice.chance(0.3) ? 20 : 90))
        put(.trouble(trouble, index), at: now.advanced(by: wait))
    }

    private mutating func happen(_ event: Event) -> Act? {
        switch event {
        case .act(let act): return act
        case .attack: attack()
        case .trouble(let trouble, let index) where !isHealed: befall(trouble, index)
        case .trouble: break
        }
        return nil
    }

    private mutating func befall(_ trouble: Trouble, _ index: Int) {
        troubles += 1
        let place = places[index]
        let spell = dice.duration(in: .milliseconds(200)...(.seconds(dice.chance(0.2) ? 60 : 8)))
        switch trouble {
        case .cut:
            let way = dice.number(in: 1...3)
            network.cut(place.host, up: way & 1 != 0, down: way & 2 != 0)
            put(.trouble(.uncut, index), at: now.advanced(by: spell))
        case .uncut: network.cut(place.host, up: false, down: false)
        case .rebind:
            let other: IPAddress? =
                dice.chance(0.3)
                ? .v4(0x0D00_0000 | fresh(below: 1 << 20) { [.v4(0x0D00_0000 | $0 << 4)] } << 4)
                : nil
            network.rebind(place.host, to: other)
        case .move: move(index)
        case .narrow:
            set(index) { $0.mtu = 600 }
            put(.trouble(.widen, index), at: now.advanced(by: spell))
        case .widen: set(index) { $0.mtu = 1_452 }
        case .weather:
            let conditions = drawnConditions()
            places[index].up = conditions.up
            places[index].down = conditions.down
            set(index) { _ in }
        case .partition:
            network.partition([places.filter { _ in dice.chance(0.5) }.map(\.host)])
            put(.trouble(.unite, index), at: now.advanced(by: spell))
        case .unite: network.partition([])
        }
        switch trouble {
        case .uncut, .widen, .unite: break
        default: plan(trouble, for: index)
        }
    }

    private mutating func set(_ index: Int, _ change: (inout LinkConditions) -> Void) {
        change(&places[index].up)
        change(&places[index].down)
        network.set(places[index].host, up: places[index].up, down: places[index].down)
    }

    /// A number whose addresses nobody has: of two with the same one only the first would ever hear anything.
    private mutating func fresh(below limit: Int, _ addresses: (UInt32) -> [IPAddress]) -> UInt32 {
        while true {
            let number = UInt32(dice.number(below: limit))
            if !addresses(number).contains(where: { network.isTaken($0) }) { return number }
        }
    }

    /// Another address of either family, or only the loss of one.
    private mutating func move(_ index: Int) {
        let fresh = fresh(below: 1 << 16) {
            [
                .v4(0x0E00_0000 | $0 << 4), .v4(0x0F00_0000 | $0 << 4),
                .v6(0x2001_0DBA << 32 | UInt64($0), 3, zone: 0),
            ]
        }
        if !places[index].isRouted { places[index].address4 = .v4(0x0E00_0000 | fresh << 4) }
        if dice.chance(0.5) {
            places[index].address6 = .v6(0x2001_0DBA << 32 | UInt64(fresh), 3, zone: 0)
        } else if dice.chance(0.5) {
            places[index].address6 = nil
        }
        if places[index].isRouted {
            network.rebind(places[index].host, to: .v4(0x0F00_0000 | fresh << 4))
        }
        let place = places[index]
        network.move(place.host, to: [place.address4] + (place.address6.map { [$0] } ?? []))
    }

    private mutating func attack() {
        guard var attacker else { return }
        for datagram in attacker.act() {
            network.inject(datagram.bytes, from: datagram.from, to: datagram.to, at: now)
        }
        self.attacker = attacker
        let wait = dice.duration(
            in: .milliseconds(1)...(.milliseconds(dice.chance(0.1) ? 5_000 : 300))
        )
        put(.attack, at: now.advanced(by: wait))
    }
}
