import KirimClientCore
import KirimRooms
import KirimSimulation
import KirimWire
import Testing

@Suite("Clients and a server")
struct TownTests {
    @Test("two people talk")
    func talk() throws {
        let town = try Town(seed: 1)
        let ani = try town.arrive("ani")
        let budi = try town.arrive("budi")
        #expect(town.run(for: .seconds(5)) { ani.core.member != nil && budi.core.member != nil })
        town.post(["halo"], by: ani)
        #expect(town.run(for: .seconds(5)) { ani.accepted == 1 && budi.texts == ["halo"] })
        #expect(town.run(for: .seconds(5)) { ani.texts == ["halo"] })
        #expect(ani.core.queuedCount == 0)
        #expect(ani.core.phase == .connected)
    }

    @Test("through loss, many messages arrive once and in order", arguments: [1, 2, 3] as [UInt64])
    func loss(_ seed: UInt64) throws {
        let town = try Town(seed: seed)
        town.loss = 0.2
        let ani = try town.arrive("ani")
        let budi = try town.arrive("budi")
        #expect(town.run(for: .seconds(60)) { budi.events.contains(.caughtUp(.lobby)) })
        let texts = (1...300).map { "line \($0)" }
        town.post(texts, by: ani)
        #expect(town.run(for: .seconds(120)) { ani.accepted == 300 && budi.texts.count == 300 })
        let isWhole = budi.texts == texts
        #expect(isWhole)
        let first = try #require(budi.numbers.first)
        let isDense = budi.numbers == Array(first..<first + UInt64(budi.numbers.count))
        #expect(isDense)
    }

    @Test("64 KiB arrive byte for byte")
    func long() throws {
        let town = try Town(seed: 4)
        let ani = try town.arrive("ani")
        let budi = try town.arrive("budi")
        let text = String(String(repeating: "añ👩‍👩‍👧語", count: 4_000).prefix(60_000 / 28 * 2))
        town.post([text], by: ani)
        #expect(town.run(for: .seconds(30)) { ani.accepted == 1 && budi.texts.count == 1 })
        #expect(budi.texts.first.map { Array($0.utf8) } == Array(text.utf8))
    }

    @Test("a server that dies and comes back is found again, and nothing is lost or repeated")
    func restart() throws {
        let town = try Town(seed: 5)
        let ani = try town.arrive("ani")
        let budi = try town.arrive("budi")
        let texts = (1...40).map { "line \($0)" }
        town.post(Array(texts[..<20]), by: ani)
        #expect(town.run(for: .seconds(10)) { ani.accepted >= 5 })
        try town.restartServer()
        town.post(Array(texts[20...]), by: ani)
        #expect(town.run(for: .seconds(60)) { ani.accepted == 40 && budi.texts.count == 40 })
        #expect(budi.texts == texts)
    }

    @Test("what is written offline is sent when there is a way again")
    func offline() throws {
        let town = try Town(seed: 6)
        let ani = try town.arrive("ani")
        #expect(town.run(for: .seconds(5)) { ani.core.member != nil })
        town.isCut = true
        town.post(["from the tunnel"], by: ani)
        #expect(!town.run(for: .seconds(20)) { ani.accepted == 1 })
        #expect(ani.events.contains { if case .phase(.silent) = $0 { true } else { false } })
        town.isCut = false
        #expect(town.run(for: .seconds(60)) { ani.accepted == 1 })
        #expect(ani.core.phase == .connected)
    }

    /// A person whose journal is an older copy: it holds a post that was sent and one that was not, and the
    /// original has sent both since, and three more. Then two are written to the copy, before it meets the
    /// server.
    private func setBack(_ town: Town) throws -> Town.Person {
        let first = try town.arrive("ani")
        #expect(town.run(for: .seconds(5)) { first.core.member != nil })
        town.post(["1"], by: first)
        #expect(town.run(for: .seconds(5)) { first.accepted == 1 })
        town.isCut = true
        town.post(["2 sent"], by: first)
        town.kill(first)
        let second = try town.arrive("ani", as: first.identity, journal: first.journal)
        town.post(["3 waiting"], by: second)
        let backup = first.journal.copyForCrash()
        town.isCut = false
        #expect(town.run(for: .seconds(60)) { second.accepted == 2 })
        town.post(["4", "5", "6"], by: second)
        #expect(town.run(for: .seconds(60)) { second.accepted == 5 })
        town.kill(second)

        town.isCut = true
        let copy = try town.arrive("ani", as: first.identity, journal: backup)
        town.post(["new 4", "new 5"], by: copy)
        town.isCut = false
        return copy
    }

    @Test(
        "what is written to an older copy of a journal is accepted as what it is, and nothing twice",
        arguments: [1, 2, 3] as [UInt64]
    )
    func olderCopy(_ seed: UInt64) throws {
        let town = try Town(seed: seed)
        let copy = try setBack(town)
        town.loss = 0.1
        #expect(town.run(for: .seconds(120)) { copy.core.queuedCount == 0 })
        #expect(town.log == ["1", "2 sent", "3 waiting", "4", "5", "6", "new 4", "new 5"])
        let accepted = copy.events.compactMap { event -> String? in
            guard case .decided(let post, .accepted(_, let place)) = event else { return nil }
            // Before them, the lobby has told that she joined.
            return town.log[Int(place.rawValue) - 2] == post.post.text ? post.post.text : "another"
        }
        #expect(accepted.sorted() == ["2 sent", "3 waiting", "new 4", "new 5"])
        // It shows what its history did not hold, and nothing twice.
        #expect(town.run(for: .seconds(30)) { copy.texts.last == "new 5" })
        #expect(town.log.suffix(copy.texts.count) == copy.texts[...])
    }

    @Test("rooms, members, names and pages")
    func rooms() throws {
        let room = try #require(RoomName("kebun"))
        let town = try Town(seed: 7)
        let ani = try town.arrive("ani")
        let joined = town.ask(.join(room), by: ani)
        #expect(town.run(for: .seconds(5)) { ani.events.contains(.answered(joined, .done)) })
        town.post((1...120).map { "n \($0)" }, by: ani, to: room)
        #expect(town.run(for: .seconds(20)) { ani.accepted == 120 })
        let budi = try town.arrive("budi")
        let also = town.ask(.join(room), by: budi)
        #expect(town.run(for: .seconds(5)) { budi.events.contains(.answered(also, .done)) })
        #expect(town.run(for: .seconds(5)) { budi.events.contains(.caughtUp(room)) })
        let first = try #require(
            budi.events.compactMap { event -> SequenceNumber? in
                if case .entry(let entry, _) = event, entry.room == room { return entry.sequence }
                return nil
            }.first
        )
        #expect(first.rawValue > 60)
        let page = town.ask(.page(room, before: first, limit: 30), by: budi)
        let members = town.ask(.listMembers(room), by: budi)
        #expect(
            town.run(for: .seconds(5)) {
                budi.events.contains {
                    if case .answered(page, .entries) = $0 { true } else { false }
                }
                    && budi.events.contains {
                        if case .answered(members, .members) = $0 { true } else { false }
                    }
            }
        )
        for case .answered(page, .entries(let entries)) in budi.events {
            #expect(entries.count == 30)
            #expect(entries.last?.sequence.next == first)
        }
        for case .answered(members, .members(_, let list)) in budi.events {
            #expect(list.map(\.member.name.text).sorted() == ["ani", "budi"])
        }
        let taken = town.ask(.rename(try #require(MemberName("ani"))), by: budi)
        #expect(
            town.run(for: .seconds(5)) {
                budi.events.contains(.answered(taken, .refused(.nameTaken)))
            }
        )
    }
}
