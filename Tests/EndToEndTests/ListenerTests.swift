import Foundation
import KirimTestKit
import KirimWire
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Somebody who only listens, while the network under them changes. `make roam` for the long forms.
@Suite("A listener", .serialized, .timeLimit(.minutes(60)))
struct ListenerTests {
    /// Whether the times are those of life, or shorter ones.
    private static let isLong = variable("KIRIM_ROAM_LONG") != nil
    /// For a change that the machine can see.
    private static let patience = Duration.seconds(3)

    @Test("whose IPv4 address changes hears again within three seconds")
    func address() throws {
        guard let site = try NetworkSite() else { return }
        let talk = try Monologue(site, listener: site.pair.client)
        site.pair.moveClient(from: "10.77.0.2", to: "10.77.0.3")
        talk.hears(after: "an IPv4 address changes", within: Self.patience)
        talk.judge()
    }

    @Test("whose IPv6 address changes hears again within three seconds")
    func address6() throws {
        let hosts = ["fd77::1", "10.77.0.1"]
        guard let site = try NetworkSite(hosts: hosts, prepare: { $0.addVersion6() }) else {
            return
        }
        let talk = try Monologue(site, listener: site.pair.client, at: "[fd77::1]")
        site.pair.atClient("addr add fd77::3/64 dev DEVICE", "addr del fd77::2/64 dev DEVICE")
        // With the search for somebody who has the address already, as in life (RFC 4862 §5.4).
        talk.hears(after: "an IPv6 address changes", within: Self.patience)
        talk.judge()
    }

    @Test("whose IPv6 goes away hears over IPv4 within three seconds, and the other way round")
    func family() throws {
        let hosts = ["fd77::1", "10.77.0.1"]
        guard let site = try NetworkSite(hosts: hosts, prepare: { $0.addVersion6() }) else {
            return
        }
        try site.pair.setClientHosts("10.77.0.1 kirim.test\nfd77::1 kirim.test\n")
        let talk = try Monologue(site, listener: site.pair.client, at: "kirim.test")
        let began6 =
            site.server.line(containing: "Client ('fd77::2'", within: .seconds(2)) != nil
        let (six, four) = ("fd77::2/64 dev DEVICE nodad", "10.77.0.2/24 dev DEVICE")
        for turn in 0..<2 {
            if began6 == (turn == 0) {
                site.pair.atClient("addr del fd77::2/64 dev DEVICE")
                talk.hears(after: "IPv6 goes away", within: Self.patience)
                site.pair.atClient("addr add \(six)")
            } else {
                site.pair.atClient("addr del \(four)")
                talk.hears(after: "IPv4 goes away", within: Self.patience)
                site.pair.atClient("addr add \(four)")
            }
            talk.hears(after: "it is back", within: Self.patience)
        }
        talk.judge()
    }

    @Test("whose interface goes away for a while hears again within three seconds of its return")
    func interface() throws {
        guard let site = try NetworkSite(prepare: { $0.addVersion6() }) else { return }
        let talk = try Monologue(site, listener: site.pair.client)
        let away = Self.isLong ? 60 : 6
        site.pair.atClient("link set DEVICE down")
        sleep(UInt32(away))
        site.pair.atClient("link set DEVICE up")
        talk.hears(after: "an interface was down for \(away) s", within: Self.patience)
        // With its address, as when a network is left.
        site.pair.atClient("link set DEVICE down", "addr del 10.77.0.2/24 dev DEVICE")
        sleep(UInt32(away))
        site.pair.atClient("link set DEVICE up", "addr add 10.77.0.2/24 dev DEVICE")
        talk.hears(after: "interface and address were away for \(away) s", within: Self.patience)
        // The other end of the cable: the link stays up and has no carrier.
        site.pair.atServer("link set DEVICE down")
        sleep(UInt32(away))
        site.pair.atServer("link set DEVICE up")
        talk.hears(after: "there was no carrier for \(away) s", within: Self.patience)
        talk.judge()
    }

    @Test("behind a router that gets another address hears again as soon as the silence was short")
    func router() throws {
        guard let site = try NetworkSite(prepare: { $0.addRouter() }) else { return }
        let talk = try Monologue(site, listener: site.pair.client)
        var outside = 2
        for quiet in Self.isLong ? [0, 5, 30, 120] : [0, 5] {
            talk.isTalking = false
            sleep(UInt32(quiet))
            site.pair.moveRouter(from: "10.77.0.\(outside)", to: "10.77.0.\(outside + 1)")
            outside += 1
            talk.isTalking = true
            talk.hears(
                after: "a router moved in a talk that was quiet for \(quiet) s",
                within: Self.deafness(afterSilence: quiet)
            )
        }
        talk.judge()
    }

    @Test("behind a NAT that takes another port hears again as soon as the silence was short")
    func rebinding() throws {
        let stage = try Stage()
        let proxy = try ImpairmentProxy(to: stage.address, road: .init(), seed: 5)
        defer { proxy.stop() }
        let listener = try stage.person("ani", at: proxy.address)
        let talk = try Monologue(speaker: try stage.person("budi"), listener: listener)
        for quiet in Self.isLong ? [0, 2, 5, 10, 30, 60, 120] : [0, 5] {
            talk.isTalking = false
            sleep(UInt32(quiet))
            proxy.rebind()
            talk.isTalking = true
            talk.hears(
                after: "a NAT took another port in a talk that was quiet for \(quiet) s",
                within: Self.deafness(afterSilence: quiet)
            )
        }
        talk.judge()
    }

    @Test("whose machine slept hears again within three seconds of waking, and has lost nothing")
    func sleeping() throws {
        guard let site = try NetworkSite() else { return }
        let talk = try Monologue(site, listener: site.pair.client)
        let asleep = Self.isLong ? 600 : 20
        talk.listener.process.kill(SIGSTOP)
        // Some words fall into the sleep; not so many that catching up would be what is measured.
        sleep(2)
        talk.isTalking = false
        sleep(UInt32(asleep - 2))
        talk.isTalking = true
        talk.listener.process.kill(SIGCONT)
        talk.hears(after: "a sleep of \(asleep) s", within: Self.patience)
        talk.judge()
    }

    @Test("costs so many bytes an hour when nothing is said")
    func cost() throws {
        let stage = try Stage()
        let proxy = try ImpairmentProxy(to: stage.address, road: .init(), seed: 6)
        defer { proxy.stop() }
        let listener = try stage.person("ani", at: proxy.address)
        #expect(listener.isIn())
        sleep(40)
        let (packets, bytes) = (proxy.counts.passed, proxy.bytes)
        let seconds = Self.isLong ? 600 : 55
        sleep(UInt32(seconds))
        let share = 3_600.0 / Double(seconds)
        let (morePackets, moreBytes) = (proxy.counts.passed - packets, proxy.bytes - bytes)
        print(
            """
            roam: an idle listener: \(Int(Double(morePackets) * share)) packets an hour, \
            \(Int(Double(moreBytes + 28 * morePackets) * share)) bytes with headers of IPv4 and UDP
            """
        )
        // In a minute a packet that is sent again on a busy machine counts for sixty.
        #expect(Double(moreBytes + 28 * morePackets) * share < (Self.isLong ? 40_000 : 60_000))
        withExtendedLifetime(listener) {}
    }

    /// What docs/decisions/0009-deaf-listeners.md promises, and a second for a busy machine.
    private static func deafness(afterSilence seconds: Int) -> Duration {
        .seconds(min(25, max(2, seconds + 2)) + 1)
    }
}

/// Somebody says a numbered word ten times a second; another, who says nothing at all, is timed.
private final class Monologue: @unchecked Sendable {
    let listener: Person
    private let speaker: Person
    private let state = Mutex(State())

    private struct State {
        var saidAt: [ContinuousClock.Instant] = []
        var isTalking = true
        var isOver = false
    }

    convenience init(_ site: NetworkSite, listener: String, at host: String = "10.77.0.1") throws {
        let speaker = try site.person("budi", in: site.pair.server)
        try self.init(
            speaker: speaker,
            listener: try site.person("ani", in: listener, at: host)
        )
    }

    init(speaker: Person, listener: Person) throws {
        self.speaker = speaker
        self.listener = listener
        #expect(speaker.isIn())
        #expect(listener.isIn())
        let thread = Thread { [self] in
            while !state.withLock({ $0.isOver }) {
                let number = state.withLock { state -> Int? in
                    guard state.isTalking else { return nil }
                    state.saidAt.append(.now)
                    return state.saidAt.count
                }
                if let number { speaker.says("kata \(number)") }
                usleep(100_000)
            }
        }
        thread.start()
        hears(after: "the beginning", within: .seconds(5))
        // The path is known by then, and its round trip.
        usleep(1_000_000)
    }

    var isTalking: Bool {
        get { state.withLock { $0.isTalking } }
        set { state.withLock { $0.isTalking = newValue } }
    }

    /// From now until a word is heard that was said from now on.
    func hears(after what: String, within patience: Duration) {
        let start = ContinuousClock.now
        let heard = listener.process.line(within: patience + .seconds(40)) { line in
            guard let event = Person.Event(line), event.name == "entry",
                let number = Int(event.text.dropFirst(5))
            else { return false }
            return state.withLock { $0.saidAt[number - 1] >= start }
        }
        let lasted = ContinuousClock.now - start
        print("roam: after \(what): heard again in \(lasted)")
        #expect(heard != nil && lasted <= patience, "\(what): \(lasted)")
    }

    /// Nothing is lost.
    func judge() {
        isTalking = false
        state.withLock { $0.isOver = true }
        usleep(150_000)
        let count = state.withLock { $0.saidAt.count }
        let isThere = listener.process.comesTo(within: .seconds(30)) {
            listener.texts.count >= count
        }
        #expect(isThere)
        #expect(listener.texts == (1...count).map { "kata \($0)" })
        isWithoutGap(listener)
    }
}
