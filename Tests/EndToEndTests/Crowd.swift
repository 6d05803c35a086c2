import Foundation
import KirimClient
import KirimRooms
import KirimTestKit
import KirimWire
import Synchronization
import Testing

/// Four roads, from good to hardly passable, whose ports change and which are cut for a moment.
final class Roads: Sendable {
    let proxies: [ImpairmentProxy]

    init(to server: Address) throws {
        let kinds: [(loss: Double, duplication: Double, reordering: Double, delay: Int)] = [
            (0, 0, 0, 1), (0.02, 0.01, 0.02, 20), (0.1, 0.05, 0.1, 40), (0.2, 0.02, 0.05, 100),
        ]
        proxies = try kinds.enumerated().map { number, kind in
            var road = ImpairmentProxy.Road()
            road.loss = kind.loss
            road.duplication = kind.duplication
            road.reordering = kind.reordering
            road.delay = .milliseconds(kind.delay)
            // A server lets so many new members in from one address; here they come from eight.
            let sources = (1...8 as ClosedRange<UInt32>).map { place in
                IPAddress.v4(127 << 24 | UInt32(number + 1) << 8 | place)
            }
            return try ImpairmentProxy(
                to: server,
                road: road,
                seed: UInt64(number),
                sources: sources
            )
        }
    }

    /// The same misfortune in every round, each time on another road.
    func vary(in round: Int) {
        let proxy = proxies[round % proxies.count]
        proxy.rebind()
        proxy.change { $0.isCut = true }
        Thread.detachNewThread {
            usleep(500_000)
            proxy.change { $0.isCut = false }
        }
    }

    func stop() { for proxy in proxies { proxy.stop() } }
}

/// People in this process who talk in turn; each word is timed to everybody's ears.
final class Crowd: Sendable {
    private let people: [KirimClient]
    private let record: Record
    private let readers: [Task<Void, Never>]
    private let folder: String

    init(_ count: Int, on roads: Roads, folder: String) async throws {
        // In memory where there is such a folder: so many people have as many disks.
        let memory = "/dev/shm"
        let isInMemory = FileManager.default.isWritableFile(atPath: memory)
        let folder = "\(isInMemory ? memory : folder)/kirim-crowd-\(UInt32.random(in: 0 ... .max))"
        self.folder = folder
        var people: [KirimClient] = []
        for number in 0..<count {
            var options = KirimClient.Options()
            options.dataFolder = "\(folder)/orang\(number)"
            options.patience = .seconds(120)
            options.history = 0
            let door = roads.proxies[number % roads.proxies.count].address
            let address = try #require(ServerAddress("\(door)"))
            people.append(
                try await KirimClient.connect(to: address, as: "orang\(number)", options: options)
            )
        }
        self.people = people
        let record = Record(people.count)
        self.record = record
        readers = people.enumerated().map { number, client in
            Task {
                for await event in client.events {
                    switch event {
                    case .entry(let entry, _): record.take(entry, of: number)
                    case .caughtUp: record.listens(number)
                    default: break
                    }
                }
            }
        }
        // Who is welcome does not read yet: on the worst road that takes seconds, and what is said before is history.
        let deadline = ContinuousClock.now + .seconds(60)
        while !record.areAllListening, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Everybody in turn, as many words a second in all.
    func talk(for seconds: Double, perSecond rate: Double) async throws {
        let start = ContinuousClock.now
        for turn in 0..<Int(seconds * rate) {
            try await Task.sleep(until: start + .seconds(Double(turn) / rate), clock: .continuous)
            let number = record.begin()
            try await people[number % people.count].send("kata \(number)")
        }
        try await Task.sleep(until: start + .seconds(seconds), clock: .continuous)
    }

    /// Waits until everybody has heard everything. Returns what the last one lacks.
    func settle(within patience: Duration) async -> Int {
        let deadline = ContinuousClock.now + patience
        while record.missing > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(50))
        }
        return record.missing
    }

    func close() async {
        for client in people { await client.close() }
        for reader in readers { await reader.value }
    }

    /// How long each word took to each ear, since the last time.
    func takeDelays() -> [Duration] { record.takeDelays() }
    var saidCount: Int { record.saidCount }
    var faults: [String] { record.faults }
}

/// What a crowd said, and heard of it.
private final class Record: Sendable {
    private let state: Mutex<State>

    private struct State {
        var saidAt: [ContinuousClock.Instant] = []
        var delays: [Duration] = []
        var heard: [Ear]
        var faults: [String] = []
    }

    /// The words that one has heard, and the place of the newest.
    private struct Ear {
        var isOpen = false
        var count = 0
        var last: SequenceNumber?
    }

    init(_ count: Int) {
        state = Mutex(State(heard: Array(repeating: Ear(), count: count)))
    }

    func begin() -> Int {
        state.withLock { state in
            state.saidAt.append(.now)
            return state.saidAt.count
        }
    }

    func listens(_ listener: Int) { state.withLock { $0.heard[listener].isOpen = true } }

    var areAllListening: Bool { state.withLock { $0.heard.allSatisfy(\.isOpen) } }

    func take(_ entry: Entry, of listener: Int) {
        state.withLock { state in
            if let last = state.heard[listener].last, entry.sequence != last.next {
                state.faults.append("orang\(listener) heard \(entry.sequence) after \(last)")
            }
            state.heard[listener].last = entry.sequence
            guard entry.kind == .text else { return }
            guard let number = Int(entry.text.dropFirst(5)), number <= state.saidAt.count else {
                return state.faults.append("orang\(listener) heard \(entry.text)")
            }
            state.heard[listener].count += 1
            state.delays.append(ContinuousClock.now - state.saidAt[number - 1])
        }
    }

    var missing: Int {
        state.withLock { state in
            state.saidAt.count - (state.heard.map(\.count).min() ?? 0)
        }
    }

    func takeDelays() -> [Duration] {
        state.withLock { state in
            defer { state.delays = [] }
            return state.delays
        }
    }

    var saidCount: Int { state.withLock { $0.saidAt.count } }
    var faults: [String] { state.withLock { $0.faults } }
}
