// swift-format-ignore-file: NeverForceUnwrap

import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire
import Testing

private func seq(_ number: UInt64) -> SequenceNumber { SequenceNumber(rawValue: number) }
private let dapur = RoomName("dapur")!

@Suite("Reading")
struct ReadingTests {
    /// A lobby with `count` entries, of which the last 4 are in memory.
    private func stage(_ count: UInt64) -> (Stage, ConnectionHandle) {
        var stage = Stage { $0.limits.tailEntries = 4 }
        let ani = stage.arrive(1, "ani")
        for number in 1..<count {
            stage.post(number, "\(number + 1)", ani)
            if number.isMultiple(of: 50) { stage.turn() }
        }
        stage.turn()
        return (stage, ani)
    }

    @Test("a reader far behind gets everything in order from the journal, and then what is new")
    func catchUp() {
        var (stage, ani) = stage(60)
        let budi = stage.arrive(2, "budi")
        stage.ask(.subscribe(stream: 2, room: .lobby, start: .after(seq(1)), until: nil), budi)
        stage.post(60, "new", ani)
        stage.turn()
        let expected = (2...60).map { "\($0)" } + ["budi joined lobby", "new"]
        #expect(stage.texts(2, budi) == expected)
        #expect(stage.reads >= 1)
    }

    @Test("while a reader is at the beginning of what was read, what follows is read, too")
    func readAhead() {
        var (stage, ani) = stage(1_100)
        /// The numbers from which on the journal is asked.
        func asked(_ stage: inout Stage) -> [UInt64] {
            stage.chat.settle(at: stage.now)
            var asked: [UInt64] = []
            while let effect = stage.chat.nextEffect() {
                if case .output(.read(_, let query)) = effect { asked.append(query.from.rawValue) }
            }
            return asked
        }
        stage.ask(.subscribe(stream: 2, room: .lobby, start: .after(.zero), until: seq(2)), ani)
        stage.say(.subscribe(stream: 3, room: .lobby, start: .after(.zero), until: nil), ani)
        #expect(asked(&stage) == [])
        guard case .bytes = stage.chat.record(2, stream: 3, of: ani) else {
            Issue.record("It was read.")
            return
        }
        #expect(asked(&stage) == [])
        guard case .bytes = stage.chat.record(1, stream: 3, of: ani) else {
            Issue.record("It was read.")
            return
        }
        #expect(asked(&stage) == [129])
        // Once.
        _ = stage.chat.record(1, stream: 3, of: ani)
        #expect(asked(&stage) == [])
    }

    @Test("a part of the log, and the last entries, are what was asked for")
    func parts() {
        var (stage, ani) = stage(30)
        stage.ask(.subscribe(stream: 2, room: .lobby, start: .after(seq(9)), until: seq(12)), ani)
        #expect(stage.texts(2, ani) == ["10", "11", "12"])
        stage.ask(.subscribe(stream: 3, room: .lobby, start: .last(2), until: nil), ani)
        #expect(stage.texts(3, ani) == ["29", "30"])
        stage.ask(.subscribe(stream: 4, room: .lobby, start: .last(.max >> 2), until: seq(1)), ani)
        #expect(stage.texts(4, ani) == ["ani joined lobby"])
        stage.ask(
            .subscribe(stream: 5, room: .lobby, start: .after(seq(.max >> 2)), until: nil),
            ani
        )
        #expect(stage.texts(5, ani).isEmpty)
        let first = stage.replies(ani).last
        #expect(
            first
                == .subscribed(
                    RequestID(rawValue: 4),
                    stream: 5,
                    room: .lobby,
                    first: seq(31),
                    last: seq(30)
                )
        )
        stage.post(30, "31", ani)
        stage.turn()
        #expect(stage.texts(2, ani) == ["10", "11", "12"])
        #expect(stage.texts(3, ani) == ["29", "30", "31"])
        #expect(stage.texts(5, ani) == ["31"])
    }

    @Test("a part that ends in the future is told as it comes, to its end and no further")
    func partOfTheFuture() {
        var (stage, ani) = stage(10)
        stage.ask(.subscribe(stream: 2, room: .lobby, start: .after(seq(9)), until: seq(12)), ani)
        for number in 10...14 as ClosedRange<UInt64> { stage.post(number, "\(number + 1)", ani) }
        stage.turn()
        #expect(stage.texts(2, ani) == ["10", "11", "12"])
    }

    @Test("a journal that cannot be read just now only delays the reader")
    func readFails() {
        var (stage, ani) = stage(20)
        stage.fails = .locked
        stage.ask(.subscribe(stream: 2, room: .lobby, start: .after(.zero), until: seq(20)), ani)
        #expect(stage.texts(2, ani).isEmpty)
        #expect(stage.chat.deadline != nil)
        stage.fails = nil
        stage.now = stage.now.advanced(by: .seconds(1))
        stage.turn()
        #expect(stage.texts(2, ani).count == 20)
    }

    @Test("a reader that reads nothing costs no queue: replies are bounded, and then it is closed")
    func stuckReader() {
        var stage = Stage()
        let ani = stage.arrive(1)
        stage.clients[ani]?.isStuck = true
        for _ in 0..<600 {
            stage.ask(.create(dapur), ani)
            stage.now = stage.now.advanced(by: .seconds(1))
        }
        #expect(stage.clients[ani]?.closed == .tooSlow)
    }
}
