import KirimRooms
import KirimScreen
import KirimTestKit
import KirimWire
import Testing

/// Whatever happens, a face that applies the drained changes shows exactly the rows.
@Suite("A face that applies changes")
struct MirrorTests {
    @Test("shows the rows, whatever happened between two frames", arguments: 0..<60)
    func property(seed: UInt64) {
        var world = World(seed: seed)
        for step in 0..<400 {
            world.step()
            if world.dice.below(4) != 0 { continue }
            world.scene.drain()
            for room in World.rooms {
                let shown = world.scene.mirror[room] ?? []
                guard shown == world.scene.rows(room) else {
                    let rows = world.scene.rows(room)
                    let at = zip(shown, rows).enumerated().first { $1.0 != $1.1 }
                    Issue.record(
                        "seed \(seed), step \(step), #\(room): \(shown.count) of \(rows.count), \(at as Any)"
                    )
                    return
                }
            }
        }
        #expect(world.scene.screen.effort > 0)
    }

    /// Random events, answers and intents, such as a client and a person might make them.
    private struct World {
        static let rooms: [RoomName] = [.lobby, Scene.kelas]
        var dice: SeededDice
        var scene: Scene
        var log: [String] = []
        private var last: [RoomName: UInt64] = [.lobby: 40, Scene.kelas: 40]
        private var entries: [RoomName: [UInt64: Entry]] = [:]
        private var waiting: [QueuedPost] = []
        private var minute: Int64 = 100_000

        init(seed: UInt64) {
            dice = SeededDice(seed: seed)
            let kept = [0, 30, 200_000][Int(seed % 3)]
            scene = Scene.welcomed { $0.entries = kept == 0 ? 60 : kept }
            scene.tell(.joined(Scene.kelas))
            for room in Self.rooms {
                for number in UInt64(1)...40 { make(number, room, old: true) }
            }
        }

        private var room: RoomName { mutating get { Self.rooms[dice.below(2)] } }

        private mutating func make(_ number: UInt64, _ room: RoomName, old: Bool = false) {
            let authors = [Scene.budi, Scene.citra, Scene.me, .server]
            let roll = dice.below(12)
            let kind: EntryKind =
                switch roll {
                case 0: .edit
                case 1: .delete
                case 2: .reaction
                case 3: .reply
                case 4: .notice
                default: .text
                }
            if !old { minute += Int64([0, 0, 1, 7, 700][dice.below(5)]) }
            let about = UInt64(max(1, Int(number) - 1 - dice.below(25)))
            let entry = Scene.entry(
                number,
                ["a", "b", "halo ani", "👍"][dice.below(4)],
                by: authors[dice.below(4)],
                kind: kind,
                about: kind.needsReference ? about : nil,
                in: room,
                minute: old ? Int64(number) * 200 : minute
            )
            entries[room, default: [:]][number] = entry
        }

        mutating func step() {
            let roll = dice.below(20)
            log.append("\(roll)")
            switch roll {
            case 0..<7: speak()
            case 7: page()
            case 8: scene.wish(.type(["satu", "dua"][dice.below(2)]), .send)
            case 9: queue()
            case 10, 11: decide()
            case 12: scene.wish(.focus(dice.below(2) == 0))
            case 13: scene.wish(.scroll(atEnd: dice.below(2) == 0))
            case 14: scene.wish(.open(room))
            case 15: scene.wish(.loadEarlier)
            case 16:
                for post in scene.own() where dice.below(2) == 0 {
                    scene.wish(dice.below(2) == 0 ? .tryAgain(post.id) : .discard(post.id))
                }
            case 17:
                let target = UInt64(1 + dice.below(60))
                scene.wish(.react(SequenceNumber(rawValue: target), "👍"))
            case 18: if dice.below(12) == 0 { setBack() } else { find() }
            default: other()
            }
        }

        private mutating func speak() {
            let room = room
            for _ in 0...dice.below(5) {
                let number = last[room, default: 0] + 1
                make(number, room)
                last[room] = number
                guard let entry = entries[room]?[number] else { continue }
                scene.tell(.entry(entry, mine: nil))
            }
        }

        private mutating func page() {
            let room = room
            let first = scene.entries(room).first?.sequence.rawValue ?? last[room, default: 0]
            // Sometimes one that does not join, or none.
            let end = dice.below(6) == 0 ? first &- 3 : first - 1
            guard end <= last[room, default: 0] else { return }
            let start = end > 10 ? end - UInt64(dice.below(10)) : 1
            let page =
                end < start || end == 0 ? [] : (start...end).compactMap { entries[room]?[$0] }
            scene.answer(.page(room, before: nil, page))
        }

        private mutating func queue() {
            let typed = scene.effects.compactMap { effect -> (String, EntryKind, UInt64?)? in
                if case .send(_, let text, let kind, .lobby, let about) = effect {
                    (text, kind, about?.rawValue)
                } else {
                    nil
                }
            }
            scene.effects = []
            for (text, kind, about) in typed {
                waiting.append(scene.queue(text, kind: kind, about: about))
            }
            if dice.below(3) == 0 { waiting.append(scene.queue("dari dulu")) }
        }

        private mutating func decide() {
            guard !waiting.isEmpty else { return }
            let post = waiting.removeFirst()
            if dice.below(4) == 0 { return scene.tell(.decided(post, .refused(.tooManyRooms))) }
            let number = last[.lobby, default: 0] + 1
            last[.lobby] = number
            let entry = Scene.entry(
                number,
                post.post.text,
                by: Scene.me,
                kind: post.post.kind,
                about: post.post.reference?.rawValue,
                minute: minute
            )
            entries[.lobby, default: [:]][number] = entry
            let accepted = ChatEvent.decided(
                post,
                .accepted(.lobby, SequenceNumber(rawValue: number))
            )
            let entered = ChatEvent.entry(entry, mine: post.id)
            for event in dice.below(2) == 0 ? [accepted, entered] : [entered, accepted] {
                scene.tell(event)
                if dice.below(3) == 0 { scene.drain() }
            }
        }

        private mutating func setBack() {
            let room = room
            scene.tell(.setBack(room))
            last[room] = UInt64(dice.below(30))
        }

        private mutating func find() {
            scene.wish(.find(["halo", ""][dice.below(2)]), .findPrevious)
            while scene.screen.searchOn(rows: 5) {}
        }

        private mutating func other() {
            switch dice.below(5) {
            case 0: scene.tell(.renamed(known(MemberName(["ani", "ana"][dice.below(2)]))))
            case 1: scene.tell(.caughtUp(room))
            case 2:
                let stranger = MemberID(rawValue: 10 + UInt64(dice.below(3)))
                scene.tell(
                    .presence(.lobby, stranger, known(MemberName("budi")), .online, online: 2)
                )
            case 3: scene.answer(.failed(.page(.lobby, before: nil, limit: 1), .noAnswer("x")))
            default: scene.wish(.edit(SequenceNumber(rawValue: last[.lobby, default: 0])), .cancel)
            }
        }
    }

    @Test("hears of splices that do not overlap, from the top down", arguments: 0..<40)
    func splices(seed: UInt64) {
        var dice = SeededDice(seed: seed)
        var list = Array(0..<50)
        var shown = list
        var next = 1_000
        for _ in 0..<60 {
            var splices = SpliceList()
            for _ in 0..<(1 + dice.below(seed % 2 == 0 ? 6 : 150)) {
                let at = dice.below(list.count + 1)
                let removed = min(dice.below(4), list.count - at)
                let added = dice.below(4)
                list.replaceSubrange(at..<at + removed, with: next..<next + added)
                next += added
                splices.splice(at: at, removed: removed, added: added)
            }
            var end = -1
            for splice in splices.all {
                #expect(splice.at > end)
                end = splice.at + splice.added
                let rows = list[splice.at..<splice.at + splice.added]
                shown.replaceSubrange(splice.at..<splice.at + splice.removed, with: rows)
                // What stands above is where it is in the end: a face may read it at once.
                #expect(shown[..<(splice.at + splice.added)] == list[..<(splice.at + splice.added)])
            }
            #expect(shown == list)
            #expect(splices.all.count <= SpliceList.limit)
        }
    }
}
