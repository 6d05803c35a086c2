import Foundation
import KirimRooms
import KirimTestKit
import Synchronization
import Testing

/// `kill -9` at moments that nobody chose, while everybody talks. `make crash ROUNDS=` for many of them.
@Suite("A server that dies", .serialized, .timeLimit(.minutes(600)))
struct CrashTests {
    private static let rounds = Int(variable("KIRIM_CRASH_ROUNDS") ?? 4)

    @Test("at any moment: nothing accepted is lost or twice, the order stays, and all see the same")
    func crashes() throws {
        let stage = try Stage()
        var dice = SeededDice(seed: UInt64(variable("KIRIM_CRASH_SEED") ?? 1))
        let talkers = try ["ani", "budi", "cici", "dewi"].map { try Talker($0, on: stage) }
        defer { for talker in talkers { talker.end() } }
        for talker in talkers { #expect(talker.witness.person.isIn()) }
        let clock = ContinuousClock()
        var (deaths, faceDeaths) = (0, 0)
        var slowest = Duration.zero
        var known: [String] = []
        for round in 1...Self.rounds {
            for talker in talkers { talker.isTalking = true }
            usleep(UInt32.random(in: 5_000...500_000, using: &dice))
            // Sometimes again, while everybody comes back.
            for _ in 0..<(dice.happens(0.3) ? 3 : 1) {
                stage.stopServer(by: SIGKILL)
                deaths += 1
                if dice.happens(0.3) { usleep(UInt32.random(in: 0...1_500_000, using: &dice)) }
                try stage.restartServer()
                usleep(UInt32.random(in: 0...200_000, using: &dice))
            }
            if round.isMultiple(of: 4) {
                try talkers[dice.below(talkers.count)].dies(on: stage)
                faceDeaths += 1
            }
            for talker in talkers { talker.isTalking = false }
            let start = clock.now
            let missing = converge(talkers, &known)
            #expect(missing.isEmpty, "round \(round): \(missing.prefix(3)) and others")
            slowest = max(slowest, clock.now - start)
            if !missing.isEmpty { break }
        }
        stage.stopServer(by: SIGTERM)
        // With the notices that people joined: places in the log are counted with them.
        let log = try stage.log().map(\.text)
        judge(talkers, log, known)
        print(
            """
            crash: \(Self.rounds) rounds, the server killed \(deaths) times, a face \(faceDeaths) times
            crash: \(log.count) messages, all there once and in order for \(talkers.count) people
            crash: all saw the same after at most \(slowest)
            """
        )
    }

    /// Waits until everybody has seen what anybody has written. Returns what somebody has not.
    private func converge(_ talkers: [Talker], _ known: inout [String]) -> [String] {
        for talker in talkers {
            // What was typed has become a post before it can be asked for.
            let isQueued = talker.witness.reads(within: .seconds(60)) { _ in talker.isAllQueued }
            if !isQueued { return ["\(talker.witness.name)'s own words"] }
            known += talker.takeNew()
        }
        for talker in talkers {
            var rest = known[talker.checked...]
            let isThere = talker.witness.reads(within: .seconds(120)) { witness in
                while let text = rest.first, witness.seen.contains(text) { rest = rest.dropFirst() }
                return rest.isEmpty
            }
            if !isThere { return rest.map { "\(talker.witness.name) lacks \($0)" } }
            talker.checked = known.count
        }
        return []
    }

    private func judge(_ talkers: [Talker], _ log: [String], _ known: [String]) {
        #expect(Set(log).count == log.count, "something is there twice")
        #expect(Set(known).subtracting(log).isEmpty, "something accepted is lost")
        for talker in talkers {
            let numbers = log.filter { $0.hasPrefix(talker.witness.name + " ") }.compactMap {
                Int($0.drop { !$0.isNumber })
            }
            #expect(numbers == numbers.sorted(), "\(talker.witness.name)'s order")
            let faults = talker.witness.agrees(with: log).prefix(3)
            #expect(faults.isEmpty, "\(talker.witness.name)")
        }
    }
}

/// Somebody who says numbered lines while told to talk.
private final class Talker: @unchecked Sendable {
    let witness: Witness
    /// Of what is known, so much was seen here.
    var checked = 0
    private let state: Mutex<State>
    private var taken = 0
    /// Lines whose fate is open because the face died with them.
    private var forgiven = 0

    private struct State {
        var person: Person
        var said = 0
        var isTalking = false
        var isOver = false
    }

    init(_ name: String, on stage: Stage) throws {
        let person = try stage.person(name, ["--history", "500"])
        witness = Witness(name, person)
        state = Mutex(State(person: person))
        let thread = Thread { [self] in
            while !state.withLock({ $0.isOver }) {
                let line = state.withLock { state -> (Person, String)? in
                    guard state.isTalking else { return nil }
                    state.said += 1
                    return (state.person, "\(name) \(state.said)")
                }
                if let line { line.0.says(line.1) }
                usleep(UInt32.random(in: 1_000...9_000))
            }
        }
        thread.start()
    }

    var isTalking: Bool {
        get { state.withLock { $0.isTalking } }
        set { state.withLock { $0.isTalking = newValue } }
    }

    var isAllQueued: Bool { witness.queued.count + forgiven >= state.withLock { $0.said } }

    /// What was queued since the last time.
    func takeNew() -> [String] {
        defer { taken = witness.queued.count }
        return witness.queued[taken...].map(\.text)
    }

    /// The face is killed, too, and begun anew with what it had on disk.
    func dies(on stage: Stage) throws {
        isTalking = false
        witness.person.process.kill(SIGKILL)
        _ = witness.person.process.exitCode()
        // What was on its way into the pipe.
        usleep(20_000)
        witness.catchUp()
        forgiven = state.withLock { $0.said } - witness.queued.count
        let person = try stage.person(witness.name, ["--history", "500"])
        witness.goOn(with: person)
        state.withLock { $0.person = person }
    }

    func end() { state.withLock { $0.isOver = true } }
}

/// A number from the environment: what a make target was told.
func variable(_ name: String) -> Double? {
    ProcessInfo.processInfo.environment[name].flatMap(Double.init)
}
