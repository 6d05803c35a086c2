import ArgumentParser
import KirimLoad
import KirimWire

/// `kirim-load`: puts load on a running server and prints what came of it.
@main
struct KirimLoadProgram: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kirim-load",
        abstract: "Runs many clients against a server and prints one line of JSON.",
        discussion: """
            Every client is a real one with a socket and keys of its own; only its journal forgets. \
            CPU and memory are those of the processes that --pid names. docs/PERFORMANCE.md says \
            what the works are, and how the server is to be started for them.

              kirim-load --port 4000 --pid 123 --clients 201
              kirim-load --port 4000 --pid 123 --clients 50 --senders 10 --mode open --rate 100
              kirim-load --port 4000 --pid 123 --clients 5000 --rooms 500 --mode idle
              kirim-load --port 4000 --pid 123 --clients 2 --mode catchup --history 100000
            """
    )

    @Option(help: "The server's IPv4 address.") var host = "127.0.0.1"
    @Option(help: "The server's port.") var port: UInt16
    @Option(help: "The server's processes, with commas.") var pid = ""
    @Option(help: "Clients in all.") var clients = 10
    @Option(help: "Rooms; client i sits in room i modulo this.") var rooms = 1
    @Option(help: "Talkers of each room.") var senders = 1
    @Option(help: "Bytes of a message.") var size = 120
    @Option(help: "sat, open, idle or catchup.") var mode = Plan.Mode.sat
    @Option(help: "sat: whose copy lets the next message go: one (listener) or author.")
    var observer = Plan.Observer.one
    @Option(help: "sat: messages of a room in flight.") var window = 1
    @Option(help: "open: messages a second in all.") var rate = 100.0
    @Option(help: "catchup: entries that are written, and then read by all but the first client.")
    var history: UInt64 = 10_000
    @Option(help: "Seconds before the measured time.") var warmup = 0.5
    @Option(help: "Seconds that are measured.") var duration = 3.0
    @Option(help: "Seconds of silence before the talk.") var settle = 1.0
    @Option(help: "Seconds that late messages are waited for.") var drain = 2.0
    @Option(help: "Seconds that logins, or a whole catch-up, may take.") var patience = 90.0
    @Option(help: "Logins begun in a second.") var connectRate = 2_000.0
    @Option(help: "Logins under way at once.") var inflight = 64
    @Option(help: "Send from so many addresses, 127.0.0.1 and on, in turn.") var sources = 0
    @Option(help: "S:CMD runs CMD (sh) so many seconds into the measured time.") var at: String?
    @Option(help: "S:N lets N more clients come back all at once, S seconds into it.")
    var storm: String?
    @Option(help: "The server's password.") var password: String?
    @Option(help: "Copied into the line.") var label = ""
    @Option(help: "Copied into the line.") var workload = ""
    @Option(
        help:
            "Taken from other load programs and without a meaning here: clients come back by themselves."
    )
    var silence = 0.0
    @Option(help: .hidden) var qos = 0

    func validate() throws {
        guard IPAddress(host) != nil else { throw ValidationError("\(host) is no IP address.") }
        guard clients > 0, rooms > 0, rooms <= clients, senders > 0, window > 0, rate > 0 else {
            throw ValidationError("There are at least a client, a room, a talker and a message.")
        }
        guard (33...65_536).contains(size) else {
            throw ValidationError("A message has 33 to 65536 bytes.")
        }
    }

    func run() throws {
        #if os(Linux)
        let load = Load(try plan())
        print(load.run())
        if !load.isComplete { throw ExitCode(1) }
        #else
        throw ValidationError("The load is measured on Linux.")
        #endif
    }

    private func plan() throws -> Plan {
        var plan = Plan()
        if let ip = IPAddress(host) { plan.server = Address(ip: ip, port: port) }
        plan.pids = pid.split(separator: ",").compactMap { Int32($0) }
        plan.clients = clients
        plan.rooms = rooms
        plan.senders = min(senders, clients / rooms)
        plan.size = size
        plan.mode = mode
        plan.observer = observer
        plan.window = window
        plan.rate = rate
        plan.history = history
        plan.warmup = Self.nanoseconds(warmup)
        plan.duration = Self.nanoseconds(duration)
        plan.settle = Self.nanoseconds(settle)
        plan.drain = Self.nanoseconds(drain)
        plan.patience = Self.nanoseconds(patience)
        plan.connectRate = connectRate
        plan.inflight = inflight
        plan.sources = sources
        plan.secret = password.map { Array($0.utf8) }
        plan.label = label
        plan.workload = workload
        plan.event = try at.map { try Self.timed($0) }.map { (at: $0.0, command: $0.1) }
        if let storm {
            let (moment, count) = try Self.timed(storm)
            guard let clients = Int(count) else { throw ValidationError("--storm is S:N.") }
            plan.storm = (at: moment, clients: clients)
        }
        return plan
    }

    private static func nanoseconds(_ seconds: Double) -> Int64 { Int64(seconds * 1e9) }

    private static func timed(_ text: String) throws -> (Int64, String) {
        guard let colon = text.firstIndex(of: ":"), let seconds = Double(text[..<colon]) else {
            throw ValidationError("\(text) does not begin with seconds and a colon.")
        }
        return (nanoseconds(seconds), String(text[text.index(after: colon)...]))
    }
}

extension Plan.Mode: ExpressibleByArgument {}
extension Plan.Observer: ExpressibleByArgument {}
