#if os(Linux)
import KirimWire

/// Carries out a plan and says what came of it in one line of JSON, with the fields of the peers' workshop.
extension Load {
    package func run() -> String {
        var line = JSONLine()
        describe(&line)
        let memory = (Costs.resident(plan.pids), Costs.slab)
        if plan.mode == .catchup {
            catchUp(&line)
            line.add("last_error", tally.lastTrouble)
            return line.closed
        }
        let before = Costs(of: plan.pids)
        connect(first: clients.count)
        let after = Costs(of: plan.pids)
        let connected = readyCount
        run(until: now + plan.settle)
        var idle = (Costs.resident(plan.pids), Costs.slab)

        let begin: Costs
        let end: Costs
        if plan.mode == .idle {
            begin = Costs(of: plan.pids)
            run(until: now + plan.duration)
            end = Costs(of: plan.pids)
            idle = (Costs.resident(plan.pids), Costs.slab)
        } else {
            beginTalk()
            run(until: tally.start)
            begin = Costs(of: plan.pids)
            run(until: tally.end)
            end = Costs(of: plan.pids)
            run(atMost: plan.drain) { tally.received < tally.expected }
            endTalk()
        }
        line.add("connected", connected)
        line.add("unproved", 0)
        line.add("connect_s", Double(after.wall - before.wall) / 1e9)
        let login = Double(after.server - before.server) / 1e3
        line.add("connect_cpu_us_per_client", connected == 0 ? 0 : login / Double(connected))
        count(&line, Double(end.wall - begin.wall) / 1e9)
        spend(&line, begin, end)
        remember(&line, memory, idle, connected)
        if plan.event != nil { tellEvent(&line) }
        if plan.storm != nil { tellStorm(&line) }
        line.add("last_error", tally.lastTrouble)
        return line.closed
    }

    /// Whether everybody was there.
    package var isComplete: Bool {
        readyCount == clients.count && restarted == plan.storm?.clients ?? 0
    }

    private func describe(_ line: inout JSONLine) {
        line.add("tool", "kirim-load")
        line.add("label", plan.label)
        line.add("workload", plan.workload)
        line.add("proto", "kirim")
        line.add("mode", plan.mode.rawValue)
        line.add("clients", plan.clients)
        line.add("rooms", plan.rooms)
        line.add("senders", plan.senders)
        line.add("size", plan.size)
        line.add("qos", 0)
        line.add("window", plan.mode == .sat ? plan.window : 0)
        line.add("rate", plan.mode == .open ? plan.rate : 0)
    }

    private func count(_ line: inout JSONLine, _ seconds: Double) {
        line.add("seconds", seconds)
        line.add("sent", tally.sent)
        line.add("unsent", tally.unsent)
        line.add("expected", tally.expected)
        line.add("received", tally.received)
        line.add("lost", Int64(tally.expected) - Int64(tally.received))
        line.add("dup", tally.repeated)
        line.add("ooo", tally.overtaken)
        line.add("foreign", tally.foreign)
        line.add("send_drops", sockets.refused)
        line.add("disconnects", tally.disconnects)
        line.add("connects_failed", 0)
        line.add("reconnects", tally.reconnects)
        line.add("stalls", tally.stalls)
        line.add("messages_per_s", Double(tally.messages) / seconds, digits: 1)
        line.add("accepted_per_s", Double(tally.decisions) / seconds, digits: 1)
        line.add("deliveries", tally.deliveries)
        line.add("deliveries_per_s", Double(tally.deliveries) / seconds, digits: 1)
        line.add("lat_us", Self.spread(tally.latency))
        line.add("gen_lag_us", Self.spread(tally.lateness))
    }

    static func spread(_ times: Histogram) -> JSONLine {
        var line = JSONLine()
        line.add("n", times.count)
        for (name, part) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)] {
            line.add(name, times.quantile(part) / 1e3, digits: 1)
        }
        line.add("max", times.maximum / 1e3, digits: 1)
        line.add("mean", times.mean / 1e3, digits: 1)
        return line
    }

    private func spend(_ line: inout JSONLine, _ begin: Costs, _ end: Costs) {
        let wall = Double(end.wall - begin.wall) / 1e9
        let server = Double(end.server - begin.server) / 1e9
        let own = Double(end.own - begin.own) / 1e9
        line.add("server_cpu_s", server, digits: 4)
        line.add("server_user_s", end.user - begin.user, digits: 2)
        line.add("server_sys_s", end.system - begin.system, digits: 2)
        line.add("server_cpu_util", server / wall)
        let each = { (count: UInt64) in count == 0 ? 0 : server * 1e6 / Double(count) }
        line.add("cpu_us_per_delivery", each(tally.deliveries))
        line.add("cpu_us_per_message", each(tally.messages))
        line.add("load_cpu_s", own, digits: 4)
        line.add("load_cpu_util", own / wall)
        line.add("ksoftirqd_s", end.deferred - begin.deferred, digits: 2)
        line.add("other_cpu_s", end.machine - begin.machine - server - own, digits: 2)
    }

    private func remember(
        _ line: inout JSONLine,
        _ before: (resident: Int, slab: Int),
        _ idle: (resident: Int, slab: Int),
        _ connected: Int
    ) {
        var resident = JSONLine()
        resident.add("before", before.resident)
        resident.add("idle", idle.resident)
        resident.add("after", Costs.resident(plan.pids))
        line.add("rss_kb", resident)
        let each = Double(idle.resident - before.resident) * 1_024 / Double(max(1, connected))
        line.add("rss_bytes_per_client", connected == 0 ? 0 : each, digits: 0)
        var slab = JSONLine()
        slab.add("before", before.slab)
        slab.add("idle", idle.slab)
        line.add("slab_kb", slab)
    }

    private func tellEvent(_ line: inout JSONLine) {
        var event = JSONLine()
        event.add("at_s", tally.eventAt.map { Double($0 - tally.start) / 1e9 } ?? -1)
        event.add("expected_after", tally.expectedAfter)
        event.add("received_after", tally.receivedAfter)
        for (name, isTalker) in [("resume_talkers_ms", true), ("resume_listeners_ms", false)] {
            var times = Histogram()
            var never = 0
            for client in clients.prefix(plan.clients)
            where (plan.place(of: client.number) < plan.senders) == isTalker {
                guard let first = client.firstAfterEvent, let began = tally.eventAt else {
                    never += 1
                    continue
                }
                times.add(first - began)
            }
            var line = JSONLine()
            line.add("n", times.count)
            line.add("p50", times.quantile(0.5) / 1e6, digits: 0)
            line.add("max", times.maximum / 1e6, digits: 0)
            line.add("never", never)
            event.add(name, line)
        }
        line.add("event", event)
    }

    private func tellStorm(_ line: inout JSONLine) {
        var times = Histogram()
        var last: Int64 = 0
        for client in clients[plan.clients..<plan.clients + restarted] where client.isReady {
            times.add(client.readyAt - client.startedAt)
            last = max(last, client.readyAt)
        }
        var storm = JSONLine()
        storm.add("clients", clients.count - plan.clients)
        storm.add("back", times.count)
        storm.add("p50_ms", times.quantile(0.5) / 1e6, digits: 1)
        storm.add("p99_ms", times.quantile(0.99) / 1e6, digits: 1)
        storm.add("max_ms", times.maximum / 1e6, digits: 1)
        storm.add("all_ms", Double(last - (stormAt ?? last)) / 1e6, digits: 1)
        storm.add("members_p99_ms", tally.stormLatency.quantile(0.99) / 1e6, digits: 1)
        line.add("storm", storm)
    }

    /// The first client fills the room; then the others read all of it at once.
    private func catchUp(_ line: inout JSONLine) {
        connect(first: 1)
        let writing = Costs(of: plan.pids)
        var said: UInt64 = 0
        let writer = clients[0]
        run(atMost: plan.patience) {
            while said < plan.history, said - tally.accepted < 512 {
                let message = Message(stamp: now, number: UInt32(said), client: 0)
                writer.say(message.text(size: plan.size), at: Instant(nanoseconds: now))
                said += 1
            }
            return tally.accepted < plan.history
        }
        let reading = Costs(of: plan.pids)
        connect(first: clients.count)
        run(atMost: plan.patience) { readyCount < clients.count }
        let end = Costs(of: plan.pids)
        let entries = clients.dropFirst().reduce(0) { $0 + $1.entries }
        let seconds = Double(end.wall - reading.wall) / 1e9
        line.add("written", tally.accepted)
        line.add(
            "written_per_s",
            Double(tally.accepted) * 1e9 / Double(reading.wall - writing.wall)
        )
        line.add(
            "cpu_us_per_written",
            Double(reading.server - writing.server) / 1e3 / Double(max(1, tally.accepted))
        )
        line.add("connected", readyCount)
        line.add("entries", entries)
        line.add("seconds", seconds)
        line.add("entries_per_s", Double(entries) / seconds, digits: 0)
        line.add("text_mb_per_s", Double(entries * plan.size) / seconds / 1e6)
        line.add(
            "cpu_us_per_entry",
            Double(end.server - reading.server) / 1e3 / Double(max(1, entries))
        )
        line.add("server_cpu_util", Double(end.server - reading.server) / 1e9 / seconds)
        line.add("load_cpu_util", Double(end.own - reading.own) / 1e9 / seconds)
    }
}
#endif
