#if os(Linux)
import Foundation
import KirimTestKit
import KirimWire
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// One kind of forged packet, as many of them as this machine makes (or KIRIM_ATTACK_RATE a second), while two
/// people chat. Part of `make attack`.
@Suite("In a flood", .serialized, .timeLimit(.minutes(120)))
struct FloodTests {
    /// What a stranger can send without having heard anything.
    enum Kind: String, CaseIterable {
        case hellos, forgedOpens, unknownConnections, grease, plainText

        func packet(_ dice: inout SeededDice) -> [UInt8] {
            switch self {
            case .hellos:
                HelloPacket(ephemeral: dice.bytes(32), versions: [.one, .grease(7)]).bytes
            case .forgedOpens:
                OpenPacket(
                    version: .one,
                    clientIndex: 1,
                    cookie: [1] + dice.bytes(20),
                    noise: dice.bytes(OpenPacket.noiseSize)
                ).bytes
            case .unknownConnections: [0xFD] + dice.bytes(99)
            case .grease: [0xF7] + dice.bytes(99)
            case .plainText: Array("halo \(dice.below(90_000) + 10_000)".utf8)
            }
        }
    }

    /// Seconds of each kind.
    private static let isLong = variable("KIRIM_ATTACK_SECONDS") != nil
    private static let seconds = (variable("KIRIM_ATTACK_SECONDS") ?? 5) / 5
    private static let rate = variable("KIRIM_ATTACK_RATE") ?? 0
    private static let sources = 16_384
    /// Words of a window; the slowest of these is taken for the window's p99.
    private static let window = isLong ? 50 : 10

    @Test(
        "nobody is sent more than came in their name, and the members' words come as before",
        arguments: Kind.allCases
    )
    func flood(_ kind: Kind) throws {
        let stage = try Stage(["--plain", "lan"])
        var dice = SeededDice(seed: 9)
        let packets = (0..<Self.sources).map { number in
            // Outside of this machine, but for those that are to be answered.
            let first: UInt32 = kind == .plainText ? 10 : 127
            let ip = first << 24 | 64 << 16 | UInt32(number)
            return (kind.packet(&dice), Address(ip: .v4(ip), port: 20_000))
        }
        guard let flood = Flood(packets, to: stage.address),
            let wiretap = Wiretap(port: stage.address.port, answersOnly: true)
        else {
            print("SKIPPED: a flood of forged packets needs root.")
            return
        }
        defer { wiretap.stop() }
        let talk = try Talk(stage)
        let before = windows(of: talk, for: 2)
        let memory = stage.server.residentBytes
        let begun = ContinuousClock.now
        flood.begin(perSecond: Self.rate)
        let during = windows(of: talk, for: Self.seconds)
        let sent = flood.end()
        let lasted = (ContinuousClock.now - begun) / .seconds(1)
        let grown = stage.server.residentBytes - memory
        let (calm, busy) = (typicalWorst(before), typicalWorst(during))
        print(
            """
            flood: \(kind.rawValue): \(Int(Double(sent.datagrams) / lasted)) a second for \
            \(String(format: "%.1f", lasted)) s, \(droppedByKernel(at: stage.address.port)) of \
            \(sent.datagrams) never reached the server; it grew by \(grown / 1_024) KiB
            flood: \(kind.rawValue): the members' p99 \(shown(calm)) before, \(shown(busy)) during, \
            in \(during.count) windows of \(Self.window)
            """
        )
        wiretap.settle()
        let answered = wiretap.answered.filter { $0.key.ip != .loopback }
        let each = sent.bytes / Self.sources
        let most = answered.map(\.value.bytes).max() ?? 0
        print("flood: \(kind.rawValue): at most \(most) bytes to an address that sent \(each)")
        #expect(most <= each)
        if kind == .grease { #expect(answered.isEmpty) }
        if Self.isLong, isJudged(Self.rate) { #expect(busy <= max(calm, .milliseconds(20)) * 3) }
        #expect(grown < 24 << 20)
        #expect(sent.datagrams > 1_000)
        talk.judge(sent: (before + during).reduce(0) { $0 + $1.count }, on: stage)
    }

    private func windows(of talk: Talk, for seconds: Double) -> [[Duration]] {
        let end = ContinuousClock.now + .seconds(seconds)
        var windows: [[Duration]] = []
        repeat {
            windows.append(talk.exchange(for: Self.window, pause: 2_000))
        } while ContinuousClock.now < end || windows.count < 3
        return windows
    }

    /// The middle one of the windows' p99: one hiccup of a busy machine is no answer.
    private func typicalWorst(_ windows: [[Duration]]) -> Duration {
        percentile(windows.map { percentile($0, 0.99) }, 0.5)
    }
}

/// Whether a delay says something about the server: at a rate that leaves it a core, on a machine that does nothing
/// else. In the short form other tests run on the same cores.
func isJudged(_ rate: Double) -> Bool {
    var load = [0.0]
    getloadavg(&load, 1)
    let cores = Double(ProcessInfo.processInfo.activeProcessorCount)
    if rate > 0, rate <= 10_000, load[0] <= 2 * cores { return true }
    print("attack: NOT JUDGED: delays (\(Int(rate)) packets a second, a load of \(load[0]))")
    return false
}

/// Dropped for want of room in the sockets' queues (proc_net_udp(5)).
func droppedByKernel(at port: UInt16) -> Int {
    let table = (try? String(contentsOfFile: "/proc/net/udp", encoding: .utf8)) ?? ""
    let suffix = ":" + String(format: "%04X", port)
    return table.split(separator: "\n").reduce(0) { sum, line in
        let fields = line.split(separator: " ")
        guard fields.count > 12, fields[1].hasSuffix(suffix) else { return sum }
        return sum + (Int(fields[12]) ?? 0)
    }
}
#endif
