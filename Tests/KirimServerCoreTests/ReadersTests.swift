// swift-format-ignore-file: NeverForceUnwrap

import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire
import Testing

@Suite("Readers of a room")
struct ReadersTests {
    private func subscribe(
        _ stream: UInt64,
        until: UInt64? = nil,
        _ connection: ConnectionHandle,
        _ stage: inout Stage
    ) {
        let end = until.map { SequenceNumber(rawValue: $0) }
        stage.ask(
            .subscribe(stream: stream, room: .lobby, start: .last(0), until: end),
            connection
        )
    }

    @Test(
        "whoever stops reading, in whatever order, takes nothing from those that go on",
        arguments: [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]]
    )
    func goingOneByOne(order: [Int]) {
        var stage = Stage()
        let speaker = stage.arrive(1)
        let people = (2...5 as ClosedRange<UInt8>).map { stage.arrive($0) }
        for person in people { subscribe(7, person, &stage) }
        var expected = Array(repeating: [String](), count: people.count)
        var reading = Set(people.indices)
        for (round, gone) in order.enumerated() {
            stage.post(UInt64(round + 1), "\(round)", speaker)
            stage.turn()
            for person in reading { expected[person].append("\(round)") }
            // Some say that they stop, some vanish.
            if gone.isMultiple(of: 2) {
                stage.ask(.unsubscribe(stream: 7), people[gone])
            } else {
                stage.happen(.closed(.idle), people[gone])
                stage.turn()
            }
            reading.remove(gone)
        }
        stage.post(9, "nobody reads this", speaker)
        stage.turn()
        for (person, texts) in zip(people, expected) { #expect(stage.texts(7, person) == texts) }
        #expect(stage.chat.load.strayReaders == 0)
    }

    @Test("one connection reads a room more than once, and each reading ends by itself")
    func manyReadings() {
        var stage = Stage()
        let ani = stage.arrive(1)
        subscribe(7, ani, &stage)
        subscribe(8, until: 2, ani, &stage)
        subscribe(9, ani, &stage)
        for number in 1...3 as ClosedRange<UInt64> { stage.post(number, "\(number)", ani) }
        stage.turn()
        // A stream that is named anew begins anew.
        subscribe(7, ani, &stage)
        stage.post(4, "4", ani)
        stage.turn()
        #expect(stage.texts(8, ani) == ["1"])
        #expect(stage.texts(9, ani) == ["1", "2", "3", "4"])
        #expect(stage.texts(7, ani).last == "4")
        stage.happen(.closed(.idle), ani)
        #expect(stage.chat.load.strayReaders == 0)
    }
}
