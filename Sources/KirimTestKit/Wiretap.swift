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

/// Sees every IPv4 datagram that this machine delivers to a port or from it, and counts them. Only root may.
///
/// Those to addresses where nobody listens are seen too, so that what a server answers to forged
/// sources is known to the byte.
package final class Wiretap: Sendable {
    package struct Tally: Hashable, Sendable {
        package init() {}

        package var datagrams = 0
        package var bytes = 0

        package mutating func add(_ size: Int) {
            datagrams += 1
            bytes += size
        }
    }

    /// The UDP payload of a datagram that was seen.
    package struct Sighting: Sendable {
        package var bytes: [UInt8]
        package var from: Address
        package var to: Address
    }

    /// The newest of many.
    private struct Ring {
        var sightings: [Sighting] = []
        var place = 0

        mutating func add(_ sighting: Sighting) {
            if sightings.count < Wiretap.ringSize {
                sightings.append(sighting)
            } else {
                sightings[place] = sighting
                place = (place + 1) % Wiretap.ringSize
            }
        }
    }

    private struct State {
        var heard: [Address: Tally] = [:]
        var answered: [Address: Tally] = [:]
        var familiar = Ring()
        var strange = Ring()
        var seen = 0
        var isStopped = false
    }

    private let descriptor: Int32
    private let port: UInt16
    private let state = Mutex(State())
    private static let ringSize = 512

    /// `nil` where this process may not listen so. `answersOnly`: what comes to the port is passed over by the kernel,
    /// so that listening to a flood costs nothing.
    package init?(port: UInt16, answersOnly: Bool = false) {
        #if canImport(Glibc)
        let kind = Int32(SOCK_RAW.rawValue)
        #else
        let kind = SOCK_RAW
        #endif
        descriptor = socket(AF_INET, kind | closeOnExec, Int32(IPPROTO_UDP))
        guard descriptor >= 0 else { return nil }
        self.port = port
        // SO_RCVBUFFORCE: a flood that is not seen whole would count for less.
        var room: Int32 = 64 << 20
        setsockopt(descriptor, SOL_SOCKET, 33, &room, socklen_t(MemoryLayout<Int32>.size))
        if answersOnly { passOver(allBut: port) }
        let thread = Thread { [self] in run() }
        thread.name = "wiretap"
        thread.start()
    }

    /// A filter in the kernel (bpf(4)): the source port behind an IPv4 header of any length, or nothing.
    private func passOver(allBut port: UInt16) {
        let program: [(code: UInt16, yes: UInt8, no: UInt8, value: UInt32)] = [
            // x = length of the header; a = source port
            (0xB1, 0, 0, 0), (0x48, 0, 0, 0), (0x15, 0, 1, UInt32(port)),
            (0x06, 0, 0, 65_535), (0x06, 0, 0, 0),
        ]
        var bytes: [UInt64] = program.map { step in
            UInt64(step.code) | UInt64(step.yes) << 16 | UInt64(step.no) << 24
                | UInt64(step.value) << 32
        }
        bytes.withUnsafeMutableBytes { steps in
            // struct sock_fprog: the number of steps, and where they are.
            var filter: (UInt64, UnsafeMutableRawPointer?) = (5, steps.baseAddress)
            let size = socklen_t(MemoryLayout.size(ofValue: filter))
            setsockopt(descriptor, SOL_SOCKET, 26, &filter, size)
        }
    }

    /// Must be called at the end: the thread keeps the wiretap alive.
    package func stop() { state.withLock { $0.isStopped = true } }

    /// Waits until nothing was seen for a moment.
    package func settle() {
        var (last, seen) = (-1, 0)
        while seen != last {
            last = seen
            usleep(300_000)
            seen = state.withLock { $0.seen }
        }
    }

    /// What reached the port, by where it seemed to come from.
    package var heard: [Address: Tally] { state.withLock { $0.heard } }

    /// What the port sent, by where to.
    package var answered: [Address: Tally] { state.withLock { $0.answered } }

    /// The newest datagrams from 127.0.0.1 to the port, or from the port to there.
    package var talk: [Sighting] { state.withLock { $0.familiar.sightings } }

    /// The newest datagrams from the port to other addresses.
    package var answersToOthers: [Sighting] { state.withLock { $0.strange.sightings } }

    private func run() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while !state.withLock({ $0.isStopped }) {
            guard poll(&wanted, 1, 50) > 0 else { continue }
            while true {
                let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                guard count > 0 else { break }
                if let sighting = Self.read(buffer[..<count], of: port) { note(sighting) }
            }
        }
        close(descriptor)
    }

    private func note(_ sighting: Sighting) {
        state.withLock { state in
            state.seen += 1
            let isRequest = sighting.to.port == port
            if isRequest {
                state.heard[sighting.from, default: Tally()].add(sighting.bytes.count)
            } else {
                state.answered[sighting.to, default: Tally()].add(sighting.bytes.count)
            }
            let other = isRequest ? sighting.from : sighting.to
            if other.ip == .loopback {
                state.familiar.add(sighting)
            } else if !isRequest {
                state.strange.add(sighting)
            }
        }
    }

    private static func read(_ packet: ArraySlice<UInt8>, of port: UInt16) -> Sighting? {
        var reader = ByteReader(Array(packet))
        guard let first = try? reader.byte() else { return nil }
        let header = Int(first & 0xF) * 4
        guard header >= 20, packet.count >= header + 8 else { return nil }
        func number(_ place: Int) -> UInt16 {
            UInt16(packet[place]) << 8 | UInt16(packet[place + 1])
        }
        func ip(_ place: Int) -> IPAddress {
            .v4(UInt32(number(place)) << 16 | UInt32(number(place + 2)))
        }
        let from = Address(ip: ip(12), port: number(header))
        let to = Address(ip: ip(16), port: number(header + 2))
        guard from.port == port || to.port == port else { return nil }
        return Sighting(bytes: Array(packet[(header + 8)...]), from: from, to: to)
    }
}
