import Foundation
package import KirimWire
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A bad road between clients and one server, over real sockets on loopback.
///
/// Clients send to ``address``. Each gets an outward socket of its own, as behind a NAT, so the
/// server sees one source port for each client; ``rebind()`` gives all of them new ones. The dice are
/// seeded; the order of arrival is the system's, so a run is alike another, not equal to it.
package final class ImpairmentProxy: Sendable {
    /// What happens to each datagram, in both directions.
    package struct Road: Sendable {
        /// The share that is lost, 0 to 1.
        package var loss = 0.0
        /// The share that arrives twice.
        package var duplication = 0.0
        /// The share that is held back for `reorderingDelay`, so that later ones overtake it.
        package var reordering = 0.0
        package var reorderingDelay = Duration.milliseconds(15)
        /// One way, for all.
        package var delay = Duration.zero
        /// Nothing passes.
        package var isCut = false

        package init() {}
    }

    package let address: Address
    private let front: UDPSocket
    private let sources: [IPAddress]
    private let state: Mutex<State>

    private struct State {
        var road: Road
        var server: Address
        var dice: SeededDice
        var outward: [Address: UDPSocket] = [:]
        /// Sorted by the time at which they are due.
        var waiting: [Parcel] = []
        var isStopped = false
        var passed = 0
        var bytes = 0
        var dropped = 0
    }

    private struct Parcel {
        let due: ContinuousClock.Instant
        let bytes: [UInt8]
        let client: Address
        let isForServer: Bool
    }

    /// The clients' outward sockets have these addresses in turn.
    package init(
        to server: Address,
        road: Road,
        seed: UInt64,
        sources: [IPAddress] = [.loopback]
    ) throws {
        self.sources = sources
        front = try UDPSocket()
        address = front.address
        state = Mutex(State(road: road, server: server, dice: SeededDice(seed: seed)))
        let thread = Thread { [self] in run() }
        thread.name = "impairment proxy"
        thread.start()
    }

    /// Must be called at the end: the thread keeps the proxy alive.
    package func stop() { state.withLock { $0.isStopped = true } }

    package func change(_ body: @Sendable (inout Road) -> Void) {
        state.withLock { body(&$0.road) }
    }

    /// Sends the clients' datagrams to another server from now on.
    package func lead(to server: Address) { state.withLock { $0.server = server } }

    /// Gives every client another source port, as a NAT does that forgot its table.
    package func rebind() { state.withLock { $0.outward = [:] } }

    /// Datagrams that went through, and that were lost on the road.
    package var counts: (passed: Int, dropped: Int) {
        state.withLock { ($0.passed, $0.dropped) }
    }

    /// Bytes of the datagrams that went through.
    package var bytes: Int { state.withLock { $0.bytes } }

    private func run() {
        let clock = ContinuousClock()
        while true {
            let plan = state.withLock { state in
                (state.isStopped, Array(state.outward), state.waiting.first?.due)
            }
            if plan.0 { return }
            let patience = plan.2.map { min(max(.zero, $0 - clock.now), .milliseconds(20)) }
            let isReady = wait(
                for: [front] + plan.1.map(\.value),
                patience ?? .milliseconds(20)
            )
            while isReady[0], let (bytes, client) = front.receiveNow() {
                accept(bytes, of: client, isForServer: true, at: clock.now)
            }
            for (place, (client, socket)) in plan.1.enumerated() where isReady[place + 1] {
                while let (bytes, _) = socket.receiveNow() {
                    accept(bytes, of: client, isForServer: false, at: clock.now)
                }
            }
            deliver(at: clock.now)
        }
    }

    /// Which of them have something to read.
    private func wait(for sockets: [UDPSocket], _ patience: Duration) -> [Bool] {
        var wanted = sockets.map { socket in
            pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
        }
        // Rounded up, so that a parcel due in less than a millisecond does not spin.
        _ = poll(&wanted, nfds_t(wanted.count), Int32(patience / .milliseconds(1)) + 1)
        return wanted.map { $0.revents != 0 }
    }

    private func accept(
        _ bytes: [UInt8],
        of client: Address,
        isForServer: Bool,
        at now: ContinuousClock.Instant
    ) {
        state.withLock { state in
            let road = state.road
            if road.isCut || state.dice.happens(road.loss) {
                state.dropped += 1
                return
            }
            for _ in 0..<(state.dice.happens(road.duplication) ? 2 : 1) {
                var due = now + road.delay
                if state.dice.happens(road.reordering) { due += road.reorderingDelay }
                let parcel = Parcel(
                    due: due,
                    bytes: bytes,
                    client: client,
                    isForServer: isForServer
                )
                let place = state.waiting.lastIndex { $0.due <= due }.map { $0 + 1 } ?? 0
                state.waiting.insert(parcel, at: place)
            }
        }
    }

    private func deliver(at now: ContinuousClock.Instant) {
        state.withLock { state in
            let due = state.waiting.prefix { $0.due <= now }
            state.waiting.removeFirst(due.count)
            for parcel in due {
                state.passed += 1
                state.bytes += parcel.bytes.count
                guard parcel.isForServer else {
                    front.send(parcel.bytes, to: parcel.client)
                    continue
                }
                if state.outward[parcel.client] == nil {
                    let source = sources[state.outward.count % sources.count]
                    state.outward[parcel.client] = try? UDPSocket(ip: source)
                }
                state.outward[parcel.client]?.send(parcel.bytes, to: state.server)
            }
        }
    }
}
