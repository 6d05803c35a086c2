import Foundation
import KirimRooms
import KirimTestKit
import KirimWire
import Synchronization
import Testing

/// An attacker's hour, or its first seconds: everything that can be forged, at a real server, while two people
/// chat. `make attack SECONDS= RATE=` runs it for longer; the figures are printed.
@Suite("Under attack", .serialized, .timeLimit(.minutes(120)))
struct AttackTests {
    /// Packets of the short run.
    private static let packets = 30_000
    private static let seconds = variable("KIRIM_ATTACK_SECONDS")
    /// Packets a second; 0 for as many as this machine can make.
    private static let rate = variable("KIRIM_ATTACK_RATE") ?? 10_000

    @Test("the server answers no more bytes than it gets, and the members chat on")
    func attack() throws {
        guard let liar = RawSocket() else {
            print("SKIPPED: an attack with forged sources needs root.")
            return
        }
        let stage = try Stage(["--plain", "off"])
        let wiretap = try #require(Wiretap(port: stage.address.port))
        defer { wiretap.stop() }
        let talk = try Talk(stage)
        let before = talk.exchange(for: 40)
        let memory = stage.server.residentBytes

        let clock = ContinuousClock()
        let start = clock.now
        let chat = talk.begin()
        // In the thick of it somebody new comes.
        let guest = try stage.person("tamu")
        var attack = Attack(on: stage.address, liar: liar, wiretap: wiretap, seed: 1)
        func isLong() -> Bool {
            Self.seconds.map { clock.now - start >= .seconds($0) }
                ?? (attack.sent.datagrams >= Self.packets)
        }
        while !isLong() {
            attack.round()
            guard Self.rate > 0 else { continue }
            let due = start + .seconds(Double(attack.sent.datagrams) / Self.rate)
            let wait = (due - clock.now) / .microseconds(1)
            if wait > 0 { usleep(UInt32(min(wait, 1_000_000))) }
        }
        let lasted = clock.now - start
        let during = chat.end()
        #expect(guest.isIn())
        let grown = stage.server.residentBytes - memory

        stage.server.type("/counters")
        _ = stage.server.line(containing: "connections:")
        let late = try stage.person("sesudah")
        #expect(late.isIn())
        late.says("aman")
        #expect(late.hears("aman") != nil)
        wiretap.settle()

        print("attack: \(droppedByKernel(at: stage.address.port)) packets never reached the server")
        report(attack, lasted, before, during, grown)
        let ratio = judge(wiretap)
        print(
            "attack: at most \(ratio) bytes out for a byte in, of \(Attack.Kind.allCases.count) kinds"
        )
        #expect(!stage.server.lines.contains { $0.contains("socket lost") })
        #expect(ratio <= 1)
        talk.judge(sent: before.count + during.count, on: stage)
        // The middle one of windows as long as the one before: one hiccup of a busy machine is no answer.
        let windows = stride(from: 0, to: during.count, by: 40).map { start in
            percentile(Array(during[start..<min(start + 40, during.count)]), 0.99)
        }
        let (calm, busy) = (percentile(before, 0.99), percentile(windows, 0.5))
        print(
            "attack: the members' p99 \(shown(calm)) before, \(shown(busy)) during, as windows of 40"
        )
        if Self.seconds != nil, isJudged(Self.rate) {
            #expect(busy <= max(calm, .milliseconds(20)) * 3)
        }
        #expect(attack.opened > 50)
        #expect(grown < 32 << 20)
        #expect(during.count > 5)
    }

    /// The most that an address got for a byte, after a word on each kind.
    private func judge(_ wiretap: Wiretap) -> Double {
        let (heard, answered) = (wiretap.heard, wiretap.answered)
        var worst = 0.0
        for kind in Attack.Kind.allCases {
            func isOf(_ address: Address) -> Bool {
                if case .v4(let bits) = address.ip {
                    bits >> 16 == 127 << 8 | UInt32(kind.rawValue)
                } else {
                    false
                }
            }
            let into = heard.filter { isOf($0.key) }
            let out = answered.filter { isOf($0.key) }
            let bytesIn = into.values.reduce(0) { $0 + $1.bytes }
            let bytesOut = out.values.reduce(0) { $0 + $1.bytes }
            if bytesIn > 0 {
                print(
                    "attack: \(kind): \(into.values.reduce(0) { $0 + $1.datagrams }) datagrams, "
                        + "\(bytesIn) bytes in, \(bytesOut) out"
                )
            }
            for (address, tally) in out.sorted(by: { $0.value.bytes > $1.value.bytes }) {
                let given = into[address]?.bytes ?? 0
                // Whoever delivers a member's packet before the member does may get three times its bytes,
                // until the member is heard again (RFC 9000 §9.3.1); the others not one more than they gave.
                let limit = kind == .replays ? 3 * given : given
                #expect(tally.bytes <= limit, "\(kind): \(address) gave \(given)")
                if kind != .replays { worst = max(worst, Double(tally.bytes) / Double(given)) }
            }
            if kind == .unanswerable || kind == .text { #expect(out.isEmpty, "\(kind)") }
        }
        return worst
    }

    private func report(
        _ attack: Attack,
        _ lasted: Duration,
        _ before: [Duration],
        _ during: [Duration],
        _ grown: Int
    ) {
        let seconds = lasted / .seconds(1)
        func milliseconds(_ durations: [Duration], _ share: Double) -> String {
            let sorted = durations.sorted()
            guard !sorted.isEmpty else { return "none" }
            let place = min(sorted.count - 1, Int(Double(sorted.count) * share))
            return String(format: "%.1f ms", sorted[place] / .milliseconds(1))
        }
        print(
            """
            attack: \(attack.sent.datagrams) packets, \(attack.sent.bytes) bytes in \
            \(String(format: "%.1f", seconds)) s: \(Int(Double(attack.sent.datagrams) / seconds)) a second
            attack: members' messages: \(before.count) before, \(during.count) during
            attack: delivery before: p50 \(milliseconds(before, 0.5)), p99 \(milliseconds(before, 0.99))
            attack: delivery during: p50 \(milliseconds(during, 0.5)), p99 \(milliseconds(during, 0.99)), \
            most \(milliseconds(during, 1))
            attack: \(attack.opened) OPENs with good cookies, each from an address of its own
            attack: the server's memory grew by \(grown / 1_024) KiB
            """
        )
    }
}

/// Two people who speak in turn; each word is timed from the Return key to the other's screen.
final class Talk: Sendable {
    private let people: [Person]
    private let state = Mutex(State())

    private struct State {
        var said = 0
        var isEnding = false
        var delays: [Duration] = []
        var isOver = false
    }

    init(_ stage: Stage) throws {
        people = [try stage.person("ani"), try stage.person("budi")]
        for person in people { #expect(person.isIn()) }
    }

    /// So many words, or as many as there is time for.
    func exchange(for count: Int, pause: UInt32 = 20_000) -> [Duration] {
        var delays: [Duration] = []
        let clock = ContinuousClock()
        while delays.count < count, !state.withLock({ $0.isEnding }) {
            let number = state.withLock { state in
                state.said += 1
                return state.said
            }
            let text = "kata \(number)"
            let start = clock.now
            people[number % 2].says(text)
            guard people[1 - number % 2].hears(text, within: .seconds(60)) != nil else {
                Issue.record("\(text) did not come")
                break
            }
            delays.append(clock.now - start)
            usleep(pause)
        }
        return delays
    }

    /// Goes on beside what else happens, until told to end.
    func begin() -> Talk {
        let thread = Thread { [self] in
            let delays = exchange(for: .max)
            state.withLock { state in
                state.delays = delays
                state.isOver = true
            }
        }
        thread.start()
        return self
    }

    func end() -> [Duration] {
        state.withLock { $0.isEnding = true }
        while !state.withLock({ $0.isOver }) { usleep(10_000) }
        return state.withLock { $0.delays }
    }

    /// Everything said was accepted, and is there once and in order: on both screens and in the server's log.
    func judge(sent count: Int, on stage: Stage) {
        let texts = (1...count).map { "kata \($0)" }
        for person in people {
            let isThere = person.process.comesTo(within: .seconds(30)) {
                person.texts.count { $0.hasPrefix("kata") } >= count
                    && people.reduce(0) { $0 + $1.accepted.count } >= count
            }
            #expect(isThere)
            #expect(person.texts.filter { $0.hasPrefix("kata") } == texts)
            isWithoutGap(person)
        }
        #expect(people.reduce(0) { $0 + $1.accepted.count } == count)
        stage.stopServer(by: SIGTERM)
        do {
            let log = try stage.log().filter { $0.kind == .text }.map(\.text)
            #expect(log.filter { $0.hasPrefix("kata") } == texts)
        } catch {
            Issue.record(error)
        }
    }
}
