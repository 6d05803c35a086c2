import KirimClient
import KirimRooms
import KirimServer
import KirimWire
import Testing

@Suite("A client of a real server", .timeLimit(.minutes(2)))
struct KirimClientTests {
    @Test("what one says, the other reads")
    func talk() async throws {
        let house = try House()
        try await house.open()
        let ani = try await house.arrive("ani")
        let budi = try await house.arrive("budi")
        #expect(await ani.me()?.name.text == "ani")
        try await ani.send("halo").accepted()
        #expect(await budi.texts(1) == ["halo"])
        let link = await ani.link()
        #expect(link.phase == .connected)
        #expect(link.queued == 0)
        #expect(link.roundTrip != nil)
        #expect(link.serverKey == (await house.key))
        await ani.close()
        await budi.close()
        await house.shut()
    }

    @Test("thousands of lines, given at once, arrive once and in order")
    func many() async throws {
        let house = try House()
        try await house.open()
        let budi = try await house.arrive("budi")
        let ani = try await house.arrive("ani")
        let lines = (1...3_000).map { "line \($0)" }
        try await ani.send(lines)
        try await ani.drained()
        let isWhole = await budi.texts(lines.count) == lines
        #expect(isWhole)
        await ani.close()
        await budi.close()
        await house.shut()
    }

    @Test("writes offline, is closed, and a later run sends it")
    func offline() async throws {
        let house = try House()
        try await house.open()
        let budi = try await house.arrive("budi")
        await (try house.arrive("ani")).close()
        await house.shut()

        let early = try await house.arrive("ani", { $0.waitForServer = false })
        let receipt = try await early.send("from the tunnel")
        #expect(await early.queued().map(\.id) == [receipt.id])
        await early.close()
        await #expect(throws: KirimError.self) { try await receipt.accepted() }

        try await house.open()
        let later = try await house.arrive("ani")
        try await later.drained()
        #expect(await budi.texts(1) == ["from the tunnel"])
        await later.close()
        await budi.close()
        await house.shut()
    }

    @Test("a new run begins with what was read before, then with what is new")
    func history() async throws {
        let house = try House()
        try await house.open()
        let ani = try await house.arrive("ani")
        try await ani.send(["1", "2", "3"])
        #expect(await ani.texts(3) == ["1", "2", "3"])
        await ani.close()
        let budi = try await house.arrive("budi")
        try await budi.send("4").accepted()
        let again = try await house.arrive("ani", { $0.history = 2 })
        #expect(await again.texts(3) == ["2", "3", "4"])
        let page = try await again.history(of: .lobby, before: nil, limit: 500)
        #expect(page.filter { $0.kind == .text }.map(\.text) == ["1", "2", "3", "4"])
        await again.close()
        await budi.close()
        await house.shut()
    }

    @Test("joins and leaves rooms, lists them and who is there, and is told what it may not")
    func rooms() async throws {
        let house = try House()
        try await house.open()
        let ani = try await house.arrive("ani")
        let budi = try await house.arrive("budi")
        let room = try #require(RoomName("kebun"))
        try await ani.join(room)
        #expect(try await ani.rooms().map(\.name) == [.lobby, room])
        #expect(try await ani.members(of: room).map(\.member.name.text) == ["ani"])
        let refused = await #expect(throws: KirimError.self) {
            try await budi.send("knock", to: room).accepted()
        }
        #expect(refused?.underlying as? Refusal == .notInRoom)
        let name = try #require(MemberName("ani"))
        await #expect(throws: KirimError.self) { try await budi.rename(to: name) }
        try await ani.leave(room)
        #expect(await ani.joinedRooms() == [.lobby])
        await ani.close()
        await budi.close()
        await house.shut()
    }

    @Test("a server's restart is survived without a word")
    func restart() async throws {
        let house = try House()
        try await house.open()
        let ani = try await house.arrive("ani")
        try await ani.send("before").accepted()
        await house.shut()
        let receipt = try await ani.send("between")
        try await house.open()
        try await receipt.accepted()
        #expect(await ani.texts(2) == ["before", "between"])
        await ani.close()
        await house.shut()
    }

    @Test("another server at the same address is a hard stop, until the new key is trusted")
    func changedKey() async throws {
        let house = try House()
        try await house.open()
        await (try house.arrive("ani")).close()
        await house.shut()
        await house.forgetKey()
        try await house.open()
        let stopped = await #expect(throws: KirimError.self) { try await house.arrive("ani") }
        #expect(stopped?.code == .serverKeyChanged)
        let key = try #require(await house.key)
        let ani = try await house.arrive("ani", { $0.trust = key })
        try await ani.send("halo").accepted()
        await ani.close()
        var link = await house.address()
        link.key = PublicKey(bytes: [UInt8](repeating: 9, count: 32))
        let refused = await #expect(throws: KirimError.self) {
            try await house.arrive("budi", at: link)
        }
        #expect(refused?.code == .serverKeyChanged)
        await house.shut()
    }

    @Test("a wrong key changes nothing about the right one, and its posts go to nobody else")
    func wrongKey() async throws {
        let house = try House()
        try await house.open()
        await (try house.arrive("ani")).close()
        var link = await house.address()
        link.key = PublicKey(bytes: [UInt8](repeating: 9, count: 32))
        let astray = try await house.arrive("ani", { $0.waitForServer = false }, at: link)
        try await astray.send("for nine only")
        let reason = await astray.first {
            if case .stopped(let reason) = $0 { reason } else { nil }
        }
        await astray.close()
        guard case .serverKeyChanged? = reason else {
            Issue.record("another key was taken")
            return
        }
        // The right server gets nothing of it.
        let ani = try await house.arrive("ani")
        #expect(await ani.queued().isEmpty)
        try await ani.send("halo").accepted()
        let texts = try await ani.history(of: .lobby).filter { $0.kind == .text }.map(\.text)
        #expect(texts == ["halo"])
        await ani.close()
        // And an impostor is still one.
        await house.shut()
        await house.forgetKey()
        try await house.open()
        let stopped = await #expect(throws: KirimError.self) { try await house.arrive("ani") }
        #expect(stopped?.code == .serverKeyChanged)
        let again = try await house.arrive("ani", { $0.waitForServer = false }, at: link)
        #expect(await again.queued().map(\.post.text) == ["for nine only"])
        await again.close()
        await house.shut()
    }

    @Test("a password lets in, no password and a wrong one do not")
    func password() async throws {
        let house = try House { $0.access = .password(Array("rahasia".utf8)) }
        try await house.open()
        let none = await #expect(throws: KirimError.self) { try await house.arrive("ani") }
        #expect(none?.code == .passwordNeeded)
        let wrong = await #expect(throws: KirimError.self) {
            try await house.arrive("ani", { $0.password = "salah" })
        }
        #expect(wrong?.code == .secretRefused)
        let ani = try await house.arrive("ani", { $0.password = "rahasia" })
        try await ani.send("halo").accepted()
        await ani.close()
        await house.shut()
    }

    @Test("an invitation lets one key in, again and again, and no other")
    func invitation() async throws {
        let house = try House { $0.access = .invitation }
        try await house.open()
        let none = await #expect(throws: KirimError.self) { try await house.arrive("ani") }
        #expect(none?.code == .invitationNeeded)
        var address = await house.address()
        address.key = await house.key
        address.invitation = try await house.invitation()
        for text in ["one", "two"] {
            let ani = try await house.arrive("ani", at: address)
            try await ani.send(text).accepted()
            await ani.close()
        }
        let other = await #expect(throws: KirimError.self) {
            try await house.arrive("budi", { $0.patience = .seconds(15) }, at: address)
        }
        #expect([.secretRefused, .unreachable].contains(other?.code))
        await house.shut()
    }

    @Test("nobody there is an error in time, and a sentence")
    func nobody() async throws {
        let house = try House()
        let address = ServerAddress(host: "127.0.0.1", port: 9)
        let error = await #expect(throws: KirimError.self) {
            try await house.arrive("ani", { $0.patience = .milliseconds(300) }, at: address)
        }
        #expect(error?.code == .unreachable)
    }

    @Test("a name that cannot be looked up is an error that names it")
    func unknownHost() async throws {
        let house = try House()
        let address = ServerAddress(host: "nobody-", port: 9)
        let error = await #expect(throws: KirimError.self) {
            try await house.arrive("ani", { $0.patience = .seconds(2) }, at: address)
        }
        #expect(error?.code == .unknownHost)
        #expect(error?.message.contains("nobody-") == true)
    }

    @Test("two programs of one person share outbox and name")
    func twoFaces() async throws {
        let house = try House()
        try await house.open()
        let one = try await house.arrive("ani")
        let two = try await house.arrive("ani")
        for number in 1...10 {
            try await (number % 2 == 0 ? one : two).send("\(number)").accepted()
        }
        #expect(await one.texts(10) == (1...10).map(String.init))
        #expect(await two.texts(10) == (1...10).map(String.init))
        #expect(await one.me() == (await two.me()))
        await one.close()
        await two.close()
        await house.shut()
    }
}
