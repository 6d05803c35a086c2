import KirimClientCore
import KirimNoise
import KirimRooms
import KirimTransport
import KirimWire

extension Cluster {
    /// A client process begins, with what its journal holds.
    func begin(_ index: Int) throws(Violation) {
        let face = faces[index]
        let person = people[face.person]
        face.life += 1
        face.stores = []
        face.tickets = []
        face.phase = .idle
        face.isAsleep = false
        face.missed = []
        person.journal.failWrites(with: nil)
        let local: LocalState
        do {
            let known = try person.journal.server(at: Self.typedAddress)
            local = try LocalState(of: known, in: person.journal)
        } catch {
            throw Violation(.acceptedMeansKept, "a client's journal cannot be read: \(error).")
        }
        setDisk(full: person.isDiskFull, of: face.person)
        let process = Process(
            ClientCore(
                identity: person.identity,
                local: local,
                configuration: clientConfiguration,
                dice: dice.fork("face \(index)", face.life)
            )
        )
        face.process = process
        ledger.forgot(face: index, room: nil)
        for (room, span) in local.spans {
            ledger.opened(face: index, room: room, cursor: span.last)
        }
        process.core.useSocket(face.sockets.bind(), at: world.now)
        process.core.connect(
            to: world.serverAddresses,
            secret: person.pass.secret,
            at: world.now
        )
        try drain(face: index)
    }

    func setDisk(full: Bool, of person: Int) {
        people[person].isDiskFull = full
        people[person].journal.failWrites(with: full ? .full : nil)
    }

    func drain(face index: Int) throws(Violation) {
        let face = faces[index]
        guard let process = face.process else { return }
        while let output = process.core.nextOutput(at: world.now) {
            switch output {
            case .transmit(let transmit):
                guard let port = face.sockets.port(of: transmit.path.socket) else { continue }
                try world.sendFromClient(
                    transmit.bytes,
                    face: index,
                    host: people[face.person].host,
                    port: port,
                    to: transmit.path.remote
                )
            case .wantsSocket: process.core.useSocket(face.sockets.bind(), at: world.now)
            case .mayClose(let socket): face.sockets.close(socket)
            case .store(let id, let request, let known):
                face.stores.append((id, request, known))
                if face.stores.count == 1 { planStore(index) }
            case .event(let event): try happened(event, index)
            }
        }
        process.deadline = process.core.deadline
    }

    private func planStore(_ index: Int) {
        var latency = drawing.duration(in: .microseconds(100)...(.milliseconds(8)))
        if world.faults.contains(.disk), drawing.chance(0.01) {
            latency += drawing.duration(around: .seconds(1))
        }
        world.schedule(.store(face: index, life: faces[index].life), after: latency)
    }

    /// The journal's thread has done the next request of a face.
    func storeWorks(_ index: Int, life: Int) throws(Violation) {
        let face = faces[index]
        guard face.life == life, let process = face.process, !face.stores.isEmpty else { return }
        if face.isAsleep {
            world.schedule(.store(face: index, life: life), after: .milliseconds(100))
            return
        }
        let (id, request, known) = face.stores.removeFirst()
        let result = try perform(request, for: known, by: index)
        process.core.stored(id, result, at: world.now)
        if !face.stores.isEmpty { planStore(index) }
        try drain(face: index)
    }

    private func perform(
        _ request: StoreRequest,
        for known: KnownServer,
        by face: Int
    ) throws(Violation) -> Result<StoreResult, JournalError> {
        let index = faces[face].person
        if let error = drawnFailure() {
            people[index].limbo = (request, known)
            if storming.chance(0.3) {
                let wait = storming.duration(around: .seconds(1))
                world.schedule(.dies(face: face, life: faces[face].life), after: wait)
            }
            return .failure(error)
        }
        let person = people[index]
        let result = Result { () throws(JournalError) in
            try request.perform(for: known, on: person.journal)
        }
        if case .success = result { people[index].limbo = nil }
        try note(result, known: known, person: index)
        return result
    }

    /// What is durable in an outbox from now on.
    func note(
        _ result: Result<StoreResult, JournalError>,
        known: KnownServer,
        person: Int
    ) throws(Violation) {
        let key = people[person].identity.publicKey
        switch result {
        case .success(.rows(let rows)): try ledger.kept(rows, in: known.outbox, of: key)
        case .success(.state(let state)):
            try ledger.kept(state.undecided, in: state.server.outbox, of: key)
        default: break
        }
    }

    /// The process dies; what its journal was given is written up to some point.
    func crashFace(_ index: Int, backAfter wait: Duration? = nil) throws(Violation) {
        let face = faces[index]
        guard face.process != nil else { return }
        try settleLimbo(of: face.person)
        if drawing.chance(0.5), let (_, request, known) = face.stores.first {
            let person = people[face.person]
            let result = Result { () throws(JournalError) in
                try request.perform(for: known, on: person.journal)
            }
            try note(result, known: known, person: face.person)
        }
        face.process = nil
        face.life += 1
        face.stores = []
        face.sockets.closeAll()
        counters.faceCrashes += 1
        let pause = wait ?? drawing.duration(around: .seconds(8))
        world.schedule(.faceReturns(index), after: pause)
    }

    func wake(_ index: Int) throws(Violation) {
        let face = faces[index]
        face.isAsleep = false
        guard let process = face.process else { return }
        let missed = face.missed
        face.missed = []
        for (socket, delivery) in missed {
            let path = Path(socket: socket, remote: delivery.from)
            process.core.receive(delivery.bytes, on: path, at: world.now)
        }
        // A shell notices most jumps of the clock, not every one.
        if drawing.chance(0.7) { process.core.networkChanged(at: world.now) }
        process.core.timePassed(to: world.now)
        try drain(face: index)
    }

    private func narrate(_ event: ClientEvent, _ index: Int, _ narrator: (Instant, String) -> Void)
    {
        switch event {
        case .entry(let entry, _):
            narrator(world.now, "face \(index) shows \(entry.room) \(entry.sequence.rawValue)")
        case .decided(let post, let decision):
            narrator(world.now, "face \(index) post \(post.number.rawValue): \(decision)")
        case .queued(let post):
            narrator(
                world.now,
                "face \(index) queued \(post.number.rawValue) for \(post.post.room)"
            )
        case .answered(let ticket, .entries(let entries)):
            narrator(world.now, "face \(index) ticket \(ticket.rawValue): page of \(entries.count)")
        default: narrator(world.now, "face \(index) \(event)")
        }
    }

    private func happened(_ event: ClientEvent, _ index: Int) throws(Violation) {
        let face = faces[index]
        if let narrator { narrate(event, index, narrator) }
        switch event {
        case .phase(let phase):
            face.phase = phase
            if case .connected = phase { counters.opened += 1 }
            if case .stopped(let stop) = phase { try stopped(stop, index) }
        case .firstContact(let key):
            guard key == serverKey.publicKey else {
                throw Violation(.authentic, "face \(index) pinned a key that is not the server's.")
            }
        case .decided(let post, let decision):
            try ledger.told(decision, of: post.number, post: post.post, face: index)
        case .entry(let entry, _): try ledger.showed(entry, face: index)
        case .setBack(let room):
            throw Violation(
                .oneOrder,
                "face \(index) was told that \(room) is shorter than it was."
            )
        case .left(let room, _): ledger.forgot(face: index, room: room)
        case .posted(let ticket, _): face.tickets.remove(ticket)
        case .postFailed(let ticket, _): face.tickets.remove(ticket)
        case .answered(let ticket, let answer):
            face.tickets.remove(ticket)
            if case .entries(let entries) = answer {
                counters.pages += 1
                try ledger.paged(entries, face: index)
            }
        case .notWelcome(let refusal) where !refusal.isTransient:
            throw Violation(.convergence, "face \(index) is not welcome: \(refusal).")
        case .welcomed where people[face.person].pass.isWrong:
            throw Violation(.closedDoor, "face \(index) was welcomed with a wrong pass.")
        case .welcomed, .notWelcome, .queued, .postponed, .caughtUp, .presence, .joined, .renamed,
            .nameRefused, .storageFailed:
            break
        }
    }
}
