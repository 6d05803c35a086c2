import KirimClientCore
import KirimRooms
import KirimServerCore
import KirimWire

// What people, processes and disks do, and when.

extension Cluster {
    func planLife(of index: Int) {
        world.schedule(.behave(index), after: drawing.duration(around: .milliseconds(800)))
        let faults = world.faults
        if faults.contains(.sleep), drawing.chance(0.5) {
            world.schedule(.sleep(index), after: drawing.duration(around: .seconds(40)))
        }
        if faults.contains(.clientCrash), drawing.chance(0.5) {
            world.schedule(.faceCrash(index), after: drawing.duration(around: .seconds(40)))
        }
    }

    func planTrouble() {
        let faults = world.faults
        if faults.contains(.serverCrash) {
            world.schedule(.armCrash, after: drawing.duration(around: .seconds(25)))
        }
        if faults.contains(.restart) {
            world.schedule(.stop, after: drawing.duration(around: .seconds(60)))
        }
        if faults.contains(.disk) {
            world.schedule(.diskFills, after: drawing.duration(around: .seconds(30)))
        }
        planMisfortune()
        planStorms()
        for index in plainPeers.indices {
            world.schedule(.plainSays(index), after: drawing.duration(around: .seconds(2)))
        }
        world.schedule(.operatorSays, after: drawing.duration(around: .seconds(20)))
    }

    func perform(_ act: Act) throws(Violation) {
        narrateAct(act)
        switch act {
        case .journal(let life): return try journalWorks(life: life)
        case .store(let face, let life): return try storeWorks(face, life: life)
        case .turn(let life):
            guard life == self.life else { return }
            server?.isTurnPlanned = false
            return try drainServer()
        case .serverReturns:
            if server == nil { try startServer() }
            return
        case .serverStops(let life): return try serverStopped(life: life)
        case .wake(let index, let nap):
            if faces[index].isAsleep, faces[index].naps == nap { try wake(index) }
            return
        case .triesAgain(let index, let life): return try triesAgain(index, life: life)
        case .calms: return world.cutServer(false)
        case .resumes(let life): return try serverResumes(life: life)
        case .faceReturns(let index):
            if faces[index].process == nil { try begin(index) }
            return
        default: break
        }
        // The rest is trouble and talk, which end with the active time.
        guard isActive else { return }
        switch act {
        case .behave(let index):
            try behave(index)
            world.schedule(act, after: drawing.duration(around: scene.pace))
        case .sleep(let index):
            sleep(index)
            world.schedule(act, after: drawing.duration(around: .seconds(90)))
        case .faceCrash(let index):
            try crashFace(index)
            world.schedule(act, after: drawing.duration(around: .seconds(60)))
        case .armCrash:
            server?.outputsToLive = drawing.number(in: 0...40)
            world.schedule(act, after: drawing.duration(around: .seconds(40)))
        case .stop:
            try stopServer()
            world.schedule(act, after: drawing.duration(around: .seconds(90)))
        case .diskFills: diskFills()
        case .diskEmpties: diskEmpties()
        case .plainSays(let index):
            try plainSays(index)
            world.schedule(act, after: drawing.duration(around: .seconds(5)))
        case .operatorSays:
            let text = drawnText()
            ledger.operatorSaid(text)
            if !isServerStalled { server?.core.broadcast(text, at: world.now, wall: wall) }
            try drainServer()
            world.schedule(act, after: drawing.duration(around: .seconds(30)))
        case .operatorPutsOut: try operatorPutsOut()
        case .clockJumps: jumpClock()
        case .backsUp(let index): backUp(index)
        case .losesJournal(let index): try loseJournal(of: index)
        case .storms: try storm()
        case .dies(let index, let life):
            if faces[index].life == life { try crashFace(index) }
        case .stalls: stallServer()
        default: break
        }
    }

    private func narrateAct(_ act: Act) {
        switch act {
        case .store, .journal, .turn, .behave: break
        default: narrator?(world.now, "\(act)")
        }
    }

    private func sleep(_ index: Int) {
        let face = faces[index]
        guard !face.isAsleep, face.process != nil else { return }
        let nap = drawing.duration(in: .seconds(1)...(.seconds(drawing.chance(0.2) ? 400 : 40)))
        sleep(index, for: nap)
    }

    func sleep(_ index: Int, for nap: Duration) {
        let face = faces[index]
        guard !face.isAsleep, face.process != nil else { return }
        face.isAsleep = true
        face.naps += 1
        counters.naps += 1
        world.schedule(.wake(index, nap: face.naps), after: nap)
    }

    private func diskFills() {
        if drawing.chance(0.5) {
            isServerDiskFull = true
        } else {
            setDisk(full: true, of: drawing.number(below: people.count))
        }
        world.schedule(.diskEmpties, after: drawing.duration(around: .seconds(4)))
    }

    private func diskEmpties() {
        isServerDiskFull = false
        for index in people.indices { setDisk(full: false, of: index) }
        world.schedule(.diskFills, after: drawing.duration(around: .seconds(60)))
    }

    private func plainSays(_ index: Int) throws(Violation) {
        let peer = plainPeers[index]
        let text = drawing.chance(0.1) ? "" : drawnText(limit: 1_000)
        ledger.plainSaid(text, from: peer.address)
        world.network.send(
            Array(text.utf8),
            from: peer.host,
            port: peer.address.port,
            to: Address(ip: .loopback, port: world.serverAddresses[0].port),
            at: world.now
        )
    }
}

// MARK: - What a person does

extension Cluster {
    private func ticket(_ face: Face) -> Ticket {
        defer { face.nextTicket += 1 }
        let ticket = Ticket(rawValue: face.nextTicket)
        face.tickets.insert(ticket)
        return ticket
    }

    private func behave(_ index: Int) throws(Violation) {
        let face = faces[index]
        guard let process = face.process, !face.isAsleep else { return }
        let now = world.now
        let room = drawing.chance(0.6) ? .lobby : drawing.pick(scene.rooms)
        switch drawing.number(below: 20) {
        case 0..<12:
            let count =
                drawing.chance(0.1) ? drawing.number(in: scene.burst) : drawing.number(in: 1...3)
            let posts = (0..<count).map { _ in drawnPost(in: room) }
            process.core.post(posts, ticket: ticket(face), at: now)
        case 12, 13: process.core.ask(.join(room), ticket: ticket(face), at: now)
        case 14: process.core.ask(.leave(room), ticket: ticket(face), at: now)
        case 15: process.core.ask(.create(room), ticket: ticket(face), at: now)
        case 16:
            let names = ["ani", "budi", "Citra", "dewi 2", "émile", "富士"].compactMap {
                MemberName($0)
            }
            process.core.ask(.rename(drawing.pick(names)), ticket: ticket(face), at: now)
        case 17:
            let last = Int(ledger.last(of: room).rawValue)
            let before =
                drawing.chance(0.5) || last == 0
                ? nil : SequenceNumber(rawValue: UInt64(drawing.number(in: 1...last)))
            process.core.ask(
                .page(room, before: before, limit: drawing.number(in: 1...60)),
                ticket: ticket(face),
                at: now
            )
        case 18:
            let request: ClientRequest = drawing.chance(0.5) ? .listRooms : .listMembers(room)
            process.core.ask(request, ticket: ticket(face), at: now)
        default: process.core.setPresence(drawing.chance(0.5) ? .away : .online, at: now)
        }
        try drain(face: index)
    }

    private func drawnPost(in room: RoomName) -> Post {
        var post = Post(room: room, authored: wall, text: drawnText())
        let last = Int(ledger.last(of: room).rawValue)
        switch drawing.number(below: 10) {
        case 0: post.kind = .action
        case 1 where last > 0:
            post.kind = drawing.pick([.edit, .delete, .reaction, .reply])
            // Sometimes one that is not there.
            post.reference = SequenceNumber(rawValue: UInt64(drawing.number(in: 1...last + 2)))
            if post.kind == .delete { post.text = "" }
            if post.kind == .reaction { post.text = "👍" }
        default: break
        }
        return post
    }

    private static let pieces = [
        "halo ", "server ^-^ ", "a", "ß", "日本語", "한국어 ", "مرحبا ", "עברית ", "🧑‍🚀", "👩‍👩‍👧‍👦", "e\u{301}",
        "\n", "\t",
        "\u{1B}[31m", "ไทย", "𝔘𝔫𝔦", "\u{202E}", "kirim ",
    ]

    /// A place among the hundredths that ``drawnText(limit:)`` tells lengths by.
    private func drawnLength() -> Int {
        drawing.number(in: scene.texts == .short ? 0...79 : 90...99)
    }

    /// Mixed scripts, from one byte to the longest message.
    func drawnText(limit: Int = ChatLimits.standard.messageBytes) -> String {
        let target: Int
        switch scene.texts == .mixed ? drawing.number(below: 100) : drawnLength() {
        case 0..<10: return drawing.pick(["a", "!", "?", "ok"])
        case 10..<80: target = drawing.number(in: 5...120)
        case 80..<95: target = drawing.number(in: 120...2_000)
        case 95..<99: target = drawing.number(in: 2_000...12_000)
        default: target = 65_536
        }
        let size = min(target, limit)
        var text = ""
        // Long texts repeat a phrase: drawing every piece would only cost time.
        var phrase = ""
        for _ in 0..<drawing.number(in: 3...12) { phrase += drawing.pick(Self.pieces) }
        while text.utf8.count + phrase.utf8.count <= size { text += phrase }
        text += String(repeating: "x", count: max(1, size - text.utf8.count))
        return text
    }
}
