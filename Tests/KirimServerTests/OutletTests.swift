import KirimServer
import KirimTestKit
import KirimWire
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite("The way out of the server's socket", .timeLimit(.minutes(1)))
struct OutletTests {
    private static let somewhere = Duration.seconds(10)

    @Test("what the system refuses is lost by itself, between others that arrive")
    func refusedAlone() throws {
        let (sender, receiver) = (try UDPSocket(), try UDPSocket())
        let outlet = try #require(Outlet(sharing: sender.descriptor))
        let nowhere = [
            Address(ip: .loopback, port: 0), Address(ip: .v4(0xFFFF_FFFF), port: 9),
            Address(ip: .v4(0x0808_0808), port: 9), Address(ip: .loopback6, port: 9),
        ]
        for (turn, address) in nowhere.enumerated() {
            #expect(outlet.take([UInt8(turn)], to: receiver.address))
            #expect(outlet.take(Array("to nobody".utf8), to: address))
        }
        #expect(outlet.take([99], to: receiver.address))
        #expect(outlet.flush() == nowhere.count)
        #expect(!outlet.isWaiting)
        for expected in [0, 1, 2, 3, 99] as [UInt8] {
            let heard = receiver.receive(within: Self.somewhere)
            #expect(heard?.bytes == [expected])
            #expect(heard?.from == sender.address)
        }
    }

    @Test(
        "many in a row to one address arrive one by one, in order and whole, whatever their sizes"
    )
    func sameAgain() throws {
        let (sender, first, second) = (try UDPSocket(), try UDPSocket(), try UDPSocket())
        let outlet = try #require(Outlet(sharing: sender.descriptor))
        var dice = SeededDice(seed: 1)
        var sent: [Address: [[UInt8]]] = [:]
        // Runs of one size, which the system cuts from one piece, ended by a shorter one, a longer one, another address,
        // the longest run and the most bytes of one send; and the empty datagram.
        var runs = [
            (3, 1_200), (1, 7), (70, 1_200), (1, 1_300), (200, 160), (2, 40_000), (1, 0), (2, 1),
            (3, 0),
        ]
        for turn in 0..<40 { runs.append((Int.random(in: 1...9, using: &dice), 100 * (turn % 5))) }
        for (turn, run) in runs.enumerated() {
            let target = turn.isMultiple(of: 3) ? second.address : first.address
            for number in 0..<run.0 {
                var datagram = [UInt8](repeating: UInt8(truncatingIfNeeded: turn), count: run.1)
                if !datagram.isEmpty { datagram[0] = UInt8(truncatingIfNeeded: number) }
                sent[target, default: []].append(datagram)
                #expect(outlet.take(datagram, to: target))
            }
            if turn.isMultiple(of: 4) { #expect(outlet.flush() == 0) }
        }
        #expect(outlet.flush() == 0)
        for receiver in [first, second] {
            for datagram in sent[receiver.address] ?? [] {
                #expect(receiver.receive(within: Self.somewhere)?.bytes == datagram)
            }
            #expect(receiver.receive(within: .zero) == nil)
        }
    }

    @Test("what waits has a limit, and behind it there is room again")
    func limit() throws {
        let (sender, receiver) = (try UDPSocket(), try UDPSocket())
        let outlet = try #require(Outlet(sharing: sender.descriptor))
        let datagram = [UInt8](repeating: 1, count: 60_000)
        var taken = 0
        while outlet.take(datagram, to: receiver.address) { taken += 1 }
        #expect(taken == Outlet.limit / datagram.count)
        _ = outlet.flush()
        #expect(!outlet.isWaiting)
        #expect(outlet.take(datagram, to: receiver.address))
    }

    #if os(Linux)
    @Test("a run leaves with one send, also after runs that were refused")
    func segments() throws {
        let (sender, receiver) = (try UDPSocket(), try UDPSocket())
        let outlet = try #require(Outlet(sharing: sender.descriptor))
        // Who asks for it (UDP_GRO, udp(7)) gets what was one send in one piece.
        var isOn: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard setsockopt(receiver.descriptor, Int32(IPPROTO_UDP), 104, &isOn, size) == 0 else {
            print("SKIPPED: this system does not cut sends.")
            return
        }
        let datagram = [UInt8](repeating: 5, count: 1_000)
        for _ in 0..<3 {
            #expect(outlet.take(datagram, to: Address(ip: .v4(0xFFFF_FFFF), port: 9)))
        }
        for _ in 0..<3 { #expect(outlet.take(datagram, to: receiver.address)) }
        #expect(outlet.flush() == 3)
        #expect(receiver.receive(within: Self.somewhere)?.bytes.count == 3_000)
    }
    #endif
}
