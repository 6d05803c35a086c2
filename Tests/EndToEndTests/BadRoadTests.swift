import Foundation
import KirimRooms
import KirimTestKit
import KirimWire
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Bad networks, dead servers and liars.
@Suite("A bad road", .serialized, .timeLimit(.minutes(5)))
struct BadRoadTests {
    @Test(
        "20 people, 20 % loss, 5 % duplicates, reordering, and a crash of the server in the middle"
    )
    func twentyPeople() throws {
        let stage = try Stage()
        var road = ImpairmentProxy.Road()
        road.loss = 0.2
        road.duplication = 0.05
        road.reordering = 0.1
        road.delay = .milliseconds(5)
        let proxy = try ImpairmentProxy(to: stage.address, road: road, seed: 20)
        defer { proxy.stop() }
        let names = (1...20).map { "orang\($0)" }
        let people = try names.map { try stage.person($0, at: proxy.address) }
        // At such a loss a handshake now and then takes most of a minute.
        for person in people { #expect(person.isIn(within: .seconds(120))) }
        let rounds = 10
        for turn in 1...rounds {
            for (person, name) in zip(people, names) { person.says("\(name) \(turn)") }
            if turn == rounds / 2 { try stage.restartServer() }
        }
        let expected = Set(names.flatMap { name in (1...rounds).map { "\(name) \($0)" } })
        for person in people {
            let isAllThere = person.process.comesTo(within: .seconds(120)) {
                person.texts.count >= expected.count
            }
            #expect(isAllThere, "\(person.texts.count) of \(expected.count) came")
            #expect(person.texts.count == expected.count)
            #expect(Set(person.texts) == expected)
            isWithoutGap(person)
            for name in names {
                let own = person.texts.filter { $0.hasPrefix("\(name) ") }
                #expect(own == (1...rounds).map { "\(name) \($0)" })
            }
        }
        #expect(proxy.counts.dropped > 100)
        stage.stopServer(by: SIGTERM)
        let kept = try stage.log().filter { $0.kind == .text }.map(\.text)
        #expect(kept == people[0].texts)
    }

    @Test("kill -9 under load, three times: nothing accepted is lost, nothing is there twice")
    func killUnderLoad() throws {
        let stage = try Stage()
        let count = 6_000
        let lines = (1...count).map { "baris \($0)" }
        let sender = try stage.run([
            "chat", "\(stage.address)", "--json", "--data", stage.data(of: "ani"),
        ])
        let person = Person(sender)
        sender.feed(Array((lines.joined(separator: "\n") + "\n").utf8))
        sender.closeInput()
        for turn in 1...3 {
            let mark = turn * count / 5
            let seen = sender.line(within: .seconds(60)) { line in
                guard let event = Person.Event(line), event.name == "decided" else { return false }
                return event.sequence >= mark
            }
            #expect(seen != nil, "before kill \(turn)")
            try stage.restartServer(by: SIGKILL)
        }
        #expect(sender.exitCode(within: .seconds(120)) == 0, "\(sender.lines.suffix(3))")
        stage.stopServer(by: SIGTERM)
        let log = try stage.log()
        #expect(log.filter { $0.kind == .text }.map(\.text) == lines)
        // Each place that was told is the place where the post stands.
        let posts = person.process.lines.compactMap { Person.Event($0) }
        var texts: [Int: String] = [:]
        for event in posts where event.name == "queued" {
            if let post = event.fields["post"] as? Int { texts[post] = event.text }
        }
        #expect(person.accepted.count == count)
        for event in person.accepted {
            guard let post = event.fields["post"] as? Int, event.sequence <= log.count else {
                Issue.record("accepted at \(event.sequence), beyond the log")
                continue
            }
            if let text = texts[post] { #expect(log[event.sequence - 1].text == text) }
        }
    }

    @Test(
        "a full disk postpones messages, is told to the operator, and costs none when there is room"
    )
    func fullDisk() throws {
        var disk: String?
        let stage = try Stage(prepare: { path in
            mkdir(path, 0o700)
            if mount("tmpfs", path, "tmpfs", 0, "size=1m") == 0 { disk = path }
        })
        guard let disk else {
            print("SKIPPED: a tiny disk cannot be mounted here; needs root.")
            return
        }
        defer {
            umount2(disk, Int32(MNT_DETACH))
            // Its folder can only be removed after that.
            withExtendedLifetime(stage) {}
        }
        let lines = (1...1_000).map { "baris \($0) " + String(repeating: "x", count: 2_000) }
        let sender = try stage.run(["chat", "\(stage.address)", "--data", stage.data(of: "ani")])
        sender.feed(Array((lines.joined(separator: "\n") + "\n").utf8))
        sender.closeInput()
        #expect(stage.server.line(containing: "STORAGE FAILS", within: .seconds(60)) != nil)
        #expect(sender.exitCode(within: .milliseconds(500)) == nil)
        #expect(mount("tmpfs", disk, "tmpfs", UInt(MS_REMOUNT), "size=64m") == 0)
        #expect(stage.server.line(containing: "Storage works again", within: .seconds(60)) != nil)
        #expect(sender.exitCode(within: .seconds(60)) == 0, "\(sender.lines.suffix(3))")
        #expect(stage.server.lines.count { $0.contains("STORAGE FAILS") } < 10)
        stage.stopServer(by: SIGTERM)
        #expect(try stage.log().filter { $0.kind == .text }.map(\.text) == lines)
    }

    @Test("another source port in the middle of a talk is not noticed")
    func rebinding() throws {
        let stage = try Stage()
        let proxy = try ImpairmentProxy(to: stage.address, road: .init(), seed: 1)
        defer { proxy.stop() }
        let (ani, budi) = (try stage.person("ani", at: proxy.address), try stage.person("budi"))
        #expect(ani.isIn())
        #expect(budi.isIn())
        for turn in 1...5 {
            proxy.rebind()
            ani.says("dari ani \(turn)")
            #expect(budi.hears("dari ani \(turn)") != nil)
            budi.says("dari budi \(turn)")
            #expect(ani.hears("dari budi \(turn)") != nil)
        }
        isWithoutGap(ani)
    }

    @Test("a road that is cut for a while loses nothing")
    func cut() throws {
        let stage = try Stage()
        let proxy = try ImpairmentProxy(to: stage.address, road: .init(), seed: 2)
        defer { proxy.stop() }
        let (ani, budi) = (try stage.person("ani", at: proxy.address), try stage.person("budi"))
        #expect(ani.isIn())
        #expect(budi.isIn())
        proxy.change { $0.isCut = true }
        ani.says("terputus")
        budi.says("kamu di sana?")
        #expect(budi.hears("kamu di sana?") != nil)
        #expect(ani.process.line(containing: "queued") != nil)
        proxy.change { $0.isCut = false }
        #expect(budi.hears("terputus", within: .seconds(60)) != nil)
        #expect(ani.hears("terputus", within: .seconds(60)) != nil)
        isWithoutGap(ani)
        isWithoutGap(budi)
    }

    @Test("a packet from source port 0, and other lies, leave the server hearing")
    func forgedSources() throws {
        guard let liar = RawSocket() else {
            print("SKIPPED: forged packets need root.")
            return
        }
        let stage = try Stage()
        let ani = try stage.person("ani")
        #expect(ani.isIn())
        let hello = [0xF8] + [UInt8](repeating: 7, count: 1_199)
        for bytes in [Array("halo".utf8), hello, [0xFD] + [UInt8](repeating: 1, count: 100)] {
            for port in [0, 7, 19, 53, 123, 65_535] as [UInt16] {
                let source = Address(ip: .loopback, port: port)
                try liar.send(bytes, from: source, to: stage.address)
            }
        }
        ani.says("masih di sana?")
        #expect(ani.hears("masih di sana?") != nil)
        let old = try UDPSocket()
        old.send("masih?", to: stage.address)
        #expect(ani.hears("masih?") != nil)
        ani.says("masih")
        #expect(old.receiveText(within: .seconds(10)) == "ani: masih")
        #expect(!stage.server.lines.contains { $0.contains("', 0)") })
    }

    @Test("garbage and floods from one address leave the others chatting")
    func garbage() throws {
        let stage = try Stage()
        let ani = try stage.person("ani")
        #expect(ani.isIn())
        let attacker = try UDPSocket()
        var dice = SeededDice(seed: 3)
        var sent = 0
        for turn in 0..<3_000 {
            let size = Int.random(in: 0...1_400, using: &dice)
            var bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &dice) }
            if !bytes.isEmpty { bytes[0] = UInt8(0xF5 + turn % 11) }
            if turn.isMultiple(of: 3) { bytes = [0xF8] + [UInt8](repeating: 0, count: 1_199) }
            attacker.send(bytes, to: stage.address)
            sent += bytes.count
        }
        ani.says("masih di sana?")
        #expect(ani.hears("masih di sana?") != nil)
        var received = 0
        while let (bytes, _) = attacker.receive(within: .milliseconds(50)) {
            received += bytes.count
        }
        #expect(received <= sent)
    }
}

extension Person {
    /// What people said, in the order in which it was shown.
    var texts: [String] { entries.filter { $0.kind == "text" }.map(\.text) }
}
