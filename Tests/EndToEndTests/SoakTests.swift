import Foundation
import KirimRooms
import KirimTestKit
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Many people on bad roads for long. `make soak MINUTES= CLIENTS= RATE=`; each minute prints its figures.
@Suite("For long", .serialized, .timeLimit(.minutes(1_500)))
struct SoakTests {
    private static let minutes = variable("KIRIM_SOAK_MINUTES")
    private static let clients = Int(variable("KIRIM_SOAK_CLIENTS") ?? 20)
    /// Messages a second, of all together.
    private static let rate = variable("KIRIM_SOAK_RATE") ?? 5
    /// A round of the short form is not a minute.
    private static let roundLength = minutes == nil ? 4.0 : 60.0

    @Test("a server of many people grows neither heavier nor slower, and all see the same")
    func soak() async throws {
        raiseDescriptorLimit()
        let stage = try Stage(["--plain", "off"])
        let roads = try Roads(to: stage.address)
        defer { roads.stop() }
        let crowd = try await Crowd(Self.clients, on: roads, folder: stage.folder)
        tell("soak: \(Self.clients) people are here")
        let rounds = Int(Self.minutes ?? 4)
        var minutes: [Minute] = []
        for number in 1...rounds {
            roads.vary(in: number)
            try await crowd.talk(for: Self.roundLength, perSecond: Self.rate)
            let minute = Minute(
                memory: stage.server.residentBytes,
                descriptors: stage.server.descriptorCount,
                delays: crowd.takeDelays()
            )
            minutes.append(minute)
            tell("soak: minute \(number) of \(rounds), \(Self.clients) people: \(minute)")
        }
        let missing = await crowd.settle(within: .seconds(120))
        #expect(missing == 0, "somebody lacks up to \(missing) messages")
        #expect(crowd.faults.isEmpty, "\(crowd.faults.prefix(3))")
        judge(minutes)
        await crowd.close()
        let said = crowd.saidCount
        stage.stopServer(by: SIGTERM)
        let log = try stage.texts()
        #expect(log.count == said)
        #expect(Set(log).count == said)
        tell("soak: \(said) messages, each there once, seen once and in order by \(Self.clients)")
    }

    /// From the end of the first quarter on: no more than this much heavier, no descriptor more, and the last quarter
    /// no slower than the second.
    private func judge(_ minutes: [Minute]) {
        guard minutes.count >= 4 else { return }
        let quarter = minutes.count / 4
        let early = minutes[quarter - 1]
        let late = minutes[minutes.count - 1]
        #expect(late.memory - early.memory < 12 << 20)
        #expect(late.descriptors <= early.descriptors + 2)
        func p99(_ minutes: ArraySlice<Minute>) -> Duration {
            percentile(minutes.flatMap(\.delays), 0.99)
        }
        let second = p99(minutes[quarter..<2 * quarter])
        let last = p99(minutes[(minutes.count - quarter)...])
        tell(
            """
            soak: from the first quarter to the end the server grew by \
            \((late.memory - early.memory) / 1_024) KiB and \(late.descriptors - early.descriptors) descriptors
            soak: p99 in the second quarter \(shown(second)), in the last \(shown(last))
            """
        )
        if Self.minutes != nil { #expect(last <= second * 1.5 + .milliseconds(300)) }
    }

    private struct Minute: CustomStringConvertible {
        var memory: Int
        var descriptors: Int
        var delays: [Duration]

        var description: String {
            "server \(memory / 1_024) KiB, \(descriptors) descriptors; \(delays.count) deliveries, "
                + "p50 \(shown(percentile(delays, 0.5))), p99 \(shown(percentile(delays, 0.99)))"
        }
    }

    /// At once: who watches for an hour is not to wait for a full buffer.
    private func tell(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }

    /// Two hundred people have some thousand files.
    private func raiseDescriptorLimit() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

func percentile(_ durations: [Duration], _ share: Double) -> Duration {
    guard !durations.isEmpty else { return .zero }
    let sorted = durations.sorted()
    return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
}

func shown(_ duration: Duration) -> String {
    String(format: "%.1f ms", duration / .milliseconds(1))
}
