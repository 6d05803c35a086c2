import KirimRooms
package import KirimWire

/// What a run of the load is to do: the works of docs/PERFORMANCE.md with any sizes, rates and rooms.
package struct Plan: Sendable {
    package enum Mode: String, Sendable, CaseIterable {
        /// The next message of a room leaves when ``window`` of them are not overdue any more.
        case sat
        /// A fixed schedule, whatever comes back.
        case open
        /// Nobody says anything.
        case idle
        /// Each client reads the last ``history`` entries of its room.
        case catchup
    }

    /// Whose copy lets the next message of a room go.
    package enum Observer: String, Sendable, CaseIterable {
        /// The listener that came last.
        case one
        /// Nobody: the server's decision is enough.
        case author
    }

    package var server = Address(ip: .loopback, port: 12_345)
    /// The measured processes.
    package var pids: [Int32] = []
    package var clients = 10
    /// Client `i` sits in room `i % rooms`; a lone room is the lobby.
    package var rooms = 1
    /// Talkers of each room.
    package var senders = 1
    /// Bytes of a message.
    package var size = 120
    package var mode = Mode.sat
    package var observer = Observer.one
    package var window = 1
    /// Messages a second in all.
    package var rate = 100.0
    package var history: UInt64 = 1
    /// All in nanoseconds.
    package var warmup: Int64 = 500_000_000
    package var duration: Int64 = 3_000_000_000
    package var settle: Int64 = 1_000_000_000
    package var drain: Int64 = 2_000_000_000
    package var patience: Int64 = 90_000_000_000
    package var connectRate = 2_000.0
    /// Logins under way at once.
    package var inflight = 64
    /// Addresses of this machine, 127.0.0.1 and on, that clients send from in turn; 0: the system chooses.
    package var sources = 0
    /// A command of the shell, and when it is run within the measured time.
    package var event: (at: Int64, command: String)?
    /// So many clients lose their connections and come back, all at once, and when.
    package var storm: (at: Int64, clients: Int)?
    package var secret: [UInt8]?
    package var label = ""
    package var workload = ""

    package init() {}

    func room(of client: Int) -> Int { client % rooms }
    func place(of client: Int) -> Int { client / rooms }
    func client(in room: Int, at place: Int) -> Int { place * rooms + room }
    func members(of room: Int) -> Int { (clients - room + rooms - 1) / rooms }

    func name(of room: Int) -> RoomName {
        if rooms == 1, storm == nil { return .lobby }
        guard let name = RoomName("load-\(room)") else { return .lobby }
        return name
    }
}
