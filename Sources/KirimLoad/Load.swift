#if os(Linux)
import CLinux
import Glibc
import HeapModule
import KirimRooms
import KirimWire

/// Thousands of clients in one thread, and what they saw.
///
///     connect -> settle -> warm up -> measure -> drain -> report
package final class Load {
    let plan: Plan
    let sockets = Sockets()
    var serverAddress: sockaddr_in
    private(set) var clients: [LoadClient] = []
    var tally = Tally()
    private var rooms: [Pulse]
    private var timers = Heap<Timer>()
    private(set) var readyCount = 0
    private var started = 0
    private var isTalking = false
    private var talkFrom: Int64 = 0
    private var scheduleCount = 0
    private var nextDue: Int64 = 0
    private var nextTick: Int64 = 0
    private let tick: Int64
    var event: Event?
    private(set) var stormAt: Int64?
    private(set) var restarted = 0
    private static let restartsAtOnce = 10

    private struct Timer: Comparable {
        let at: Instant
        let client: Int
        static func < (a: Timer, b: Timer) -> Bool { (a.at, a.client) < (b.at, b.client) }
    }

    /// The pace of a saturated room.
    private struct Pulse {
        var turn = 0
        var outstanding = 0
        var progress: Int64 = 0
    }

    package init(_ plan: Plan) {
        self.plan = plan
        serverAddress = sockaddr_in(plan.server)
        rooms = Array(repeating: Pulse(), count: plan.rooms)
        tick = min(max(20_000 * Int64(plan.clients), 5_000_000), 80_000_000)
        wakePunctually()
        let talkers = min(plan.senders, plan.clients / plan.rooms)
        for number in 0..<plan.clients {
            let room = plan.name(of: plan.room(of: number))
            let history = plan.mode == .catchup && number > 0 ? plan.history : 1
            let client = LoadClient(
                number,
                room: room,
                talkers: talkers,
                history: history,
                load: self
            )
            clients.append(client)
        }
        for number in plan.clients..<plan.clients + (plan.storm?.clients ?? 0) {
            clients.append(LoadClient(number, room: nil, talkers: 0, history: 1, load: self))
        }
    }

    var now: Int64 { KirimLoad.now(CLOCK_MONOTONIC) }
    var wall: WallTime { WallTime(milliseconds: KirimLoad.now(CLOCK_REALTIME) / 1_000_000) }

    func source(of client: Int) -> UInt32? {
        plan.sources == 0 ? nil : 0x7F00_0001 + UInt32(client % plan.sources)
    }

    // MARK: - What clients tell

    func arm(_ client: LoadClient) {
        guard let deadline = client.deadline else { return }
        if let scheduled = client.scheduled, scheduled <= deadline { return }
        client.scheduled = deadline
        timers.insert(Timer(at: deadline, client: client.number))
    }

    func becameReady(_ client: LoadClient, again: Bool) {
        readyCount += 1
        if again { tally.reconnects += 1 }
    }

    func lost(_ client: LoadClient) {
        readyCount -= 1
        tally.disconnects += 1
    }

    func trouble(_ words: String) { tally.lastTrouble = words }

    func accepted(_ client: LoadClient) {
        tally.accepted += 1
        let now = self.now
        if tally.isMeasured(now) { tally.decisions += 1 }
        if plan.observer == .author, plan.mode == .sat {
            next(plan.room(of: client.number), 1, now)
        }
    }

    func arrived(_ entry: Entry, at client: LoadClient) {
        guard plan.mode != .catchup, let message = Message(entry.text), message.stamp >= talkFrom
        else { return }
        guard message.client != client.number else { return }
        let now = self.now
        let place = plan.place(of: message.client)
        guard message.client < plan.clients,
            plan.room(of: message.client) == plan.room(of: client.number),
            place < client.arrivals.count,
            message.number < clients[message.client].nextMessage,
            entry.text.utf8.count == max(plan.size, Message.shortest)
        else {
            tally.foreign += 1
            return
        }
        switch client.arrivals[place].take(message.number) {
        case .repeated:
            tally.repeated += 1
            return
        case .overtaken: tally.overtaken += 1
        case .inOrder: break
        }
        tally.received += 1
        if tally.isMeasured(now) { tally.deliveries += 1 }
        if tally.isMeasured(message.stamp) { tally.latency.add(now - message.stamp) }
        if stormAt != nil, readyCount < clients.count {
            tally.stormLatency.add(now - message.stamp)
        }
        if tally.isAfterEvent(message.stamp) {
            tally.receivedAfter += 1
            if client.firstAfterEvent == nil { client.firstAfterEvent = now }
        }
        if plan.mode == .sat, plan.observer == .one, observer(of: message.client) == client.number {
            let talker = clients[message.client]
            guard message.number >= talker.observed else { return }
            let count = Int(message.number + 1 - talker.observed)
            talker.observed = message.number + 1
            next(plan.room(of: client.number), count, now)
        }
    }

    // MARK: - Talking

    private func observer(of talker: Int) -> Int {
        let room = plan.room(of: talker)
        let last = plan.members(of: room) - 1
        return plan.client(in: room, at: plan.place(of: talker) == last ? last - 1 : last)
    }

    private func next(_ room: Int, _ count: Int, _ now: Int64) {
        rooms[room].outstanding = max(0, rooms[room].outstanding - count)
        rooms[room].progress = now
        if now < tally.end { pump(room) }
    }

    /// Lets talkers of a room take turns until its window is full.
    private func pump(_ room: Int) {
        guard isTalking else { return }
        let talkers = min(plan.senders, plan.members(of: room))
        var skipped = 0
        while rooms[room].outstanding < plan.window, skipped < talkers {
            let client = clients[plan.client(in: room, at: rooms[room].turn)]
            rooms[room].turn = (rooms[room].turn + 1) % talkers
            guard client.isReady else {
                skipped += 1
                continue
            }
            rooms[room].outstanding += 1
            say(client, due: now)
        }
    }

    private func say(_ client: LoadClient, due: Int64) {
        let message = Message(stamp: due, number: client.nextMessage, client: client.number)
        client.nextMessage += 1
        let others = UInt64(plan.members(of: plan.room(of: client.number)) - 1)
        tally.expected += others
        if tally.isAfterEvent(due) { tally.expectedAfter += others }
        // A post of a client without a connection waits in its outbox, and is not lost.
        if client.wasReady { tally.sent += 1 } else { tally.unsent += 1 }
        if tally.isMeasured(due) { tally.messages += 1 }
        client.say(message.text(size: plan.size), at: Instant(nanoseconds: now))
    }

    private func keepSchedule() {
        while isTalking, plan.mode == .open, nextDue <= now, nextDue < tally.end {
            let room = scheduleCount % plan.rooms
            let talkers = min(plan.senders, plan.members(of: room))
            let place = scheduleCount / plan.rooms % talkers
            scheduleCount += 1
            if nextDue >= tally.start { tally.lateness.add(now - nextDue) }
            say(clients[plan.client(in: room, at: place)], due: nextDue)
            nextDue = talkFrom + Int64(Double(scheduleCount) * 1e9 / plan.rate)
        }
    }

    /// A room whose message went astray goes on after a quarter of a second.
    private func lookAfterRooms() {
        let now = self.now
        guard now >= nextTick else { return }
        nextTick = now + tick
        guard isTalking, plan.mode == .sat, now < tally.end else { return }
        for room in rooms.indices {
            if rooms[room].outstanding > 0, now - rooms[room].progress > 250_000_000 {
                tally.stalls += 1
                rooms[room].outstanding = 0
                rooms[room].progress = now
                for place in 0..<min(plan.senders, plan.members(of: room)) {
                    let talker = clients[plan.client(in: room, at: place)]
                    talker.observed = talker.nextMessage
                }
            }
            pump(room)
        }
    }

    // MARK: - The loop

    func step(until end: Int64) {
        var wake = min(end, nextTick)
        if let timer = timers.min { wake = min(wake, timer.at.nanoseconds) }
        if isTalking, plan.mode == .open, nextDue < tally.end { wake = min(wake, nextDue) }
        if let event { wake = min(wake, event.wake(now)) }
        if stormAt != nil, restarted < plan.storm?.clients ?? 0 { wake = now }
        sockets.wait(wake - now) { client, descriptor in
            clients[client].receive(on: descriptor, at: Instant(nanoseconds: now))
        }
        wakeClients()
        keepSchedule()
        if event != nil, let ended = event?.look(now) { tally.eventAt = ended }
        storm()
        lookAfterRooms()
    }

    private func wakeClients() {
        let now = Instant(nanoseconds: self.now)
        while let timer = timers.min, timer.at <= now {
            timers.removeMin()
            let client = clients[timer.client]
            guard client.scheduled == timer.at else { continue }
            client.scheduled = nil
            guard let deadline = client.deadline else { continue }
            if deadline <= now { client.timePassed(to: now) } else { arm(client) }
        }
    }

    func run(until end: Int64) {
        while now < end { step(until: end) }
    }

    func run(atMost patience: Int64, while isWanted: () -> Bool) {
        let end = now + patience
        while now < end, isWanted() { step(until: min(end, now + 5_000_000)) }
    }

    /// Starts clients at their rate until so many of them have been started and are ready.
    func connect(first count: Int) {
        let begin = now
        let end = begin + plan.patience
        let before = started
        while readyCount < count, now < end {
            let allowed = Double(now - begin) * plan.connectRate / 1e9 + 1
            while started < count, started - readyCount < plan.inflight,
                Double(started - before) < allowed
            {
                started += 1
                clients[started - 1].connect(at: Instant(nanoseconds: now))
            }
            step(until: now + 1_000_000)
        }
    }

    /// Begins the talk; the measured time follows the warm-up.
    func beginTalk() {
        talkFrom = now
        nextDue = talkFrom
        tally.start = talkFrom + plan.warmup
        tally.end = tally.start + plan.duration
        isTalking = true
        event = plan.event.map { Event(at: tally.start + $0.at, command: $0.command) }
        guard plan.mode == .sat else { return }
        for room in rooms.indices {
            rooms[room].progress = talkFrom
            pump(room)
        }
    }

    func endTalk() { isTalking = false }

    /// Some clients at a time: one thread is many machines here, and those that chat must not wait for the others' keys.
    private func storm() {
        guard let storm = plan.storm, isTalking, now >= tally.start + storm.at,
            restarted < storm.clients
        else { return }
        if stormAt == nil { stormAt = now }
        let end = min(restarted + Self.restartsAtOnce, storm.clients)
        for client in clients[plan.clients + restarted..<plan.clients + end] {
            if client.isReady { readyCount -= 1 }
            client.restart(at: Instant(nanoseconds: now))
        }
        restarted = end
    }
}
#endif
