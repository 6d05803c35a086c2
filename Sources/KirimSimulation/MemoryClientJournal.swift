package import KirimRooms
package import KirimWire
import Synchronization

/// A person's outbox and history in memory, under the same rules as the file (one suite tests both).
///
/// Two simulated faces of one person share one journal. What was written survives the crash of a
/// face; a ``copyForCrash()`` is what a restored backup would be.
package final class MemoryClientJournal: ClientJournal {
    private let disk: Mutex<Disk>

    /// `dice` draws the numbers of new outboxes.
    package init(dice: any RandomNumberGenerator & Sendable) { disk = Mutex(Disk(dice: dice)) }
    private init(_ disk: Disk) { self.disk = Mutex(disk) }

    /// The disk as it is at this moment; later writes to either do not touch the other.
    package func copyForCrash() -> MemoryClientJournal { MemoryClientJournal(disk.withLock { $0 }) }

    /// The next writes throw this and change nothing, until it is `nil` again.
    package func failWrites(with error: JournalError?) { disk.withLock { $0.fault = error } }

    /// `body` throws before its first change, or not at all.
    private func write<T: Sendable>(
        _ body: (inout Disk) throws(JournalError) -> T
    ) throws(JournalError) -> T {
        try disk.withLock { disk throws(JournalError) in
            if let fault = disk.fault { throw fault }
            return try body(&disk)
        }
    }

    private func read<T: Sendable>(
        _ body: (Disk) throws(JournalError) -> T
    ) throws(JournalError) -> T {
        try disk.withLock { disk throws(JournalError) in try body(disk) }
    }
}

extension MemoryClientJournal {
    package func server(at address: String) throws(JournalError) -> KnownServer {
        try write { disk throws(JournalError) in
            if let row = disk.addresses[address] {
                return disk.servers[try disk.present(row)].known
            }
            let index = disk.make(nil)
            disk.addresses[address] = disk.servers[index].known.row
            return disk.servers[index].known
        }
    }

    package func server(bearing key: PublicKey) throws(JournalError) -> KnownServer {
        try write { disk throws(JournalError) in
            disk.servers[disk.bearing(key) ?? disk.make(key)].known
        }
    }

    package func pin(
        _ server: KnownServer,
        key: PublicKey,
        at address: String?
    ) throws(JournalError) -> KnownServer {
        try write { disk throws(JournalError) in
            let index = try disk.present(server.row)
            let present = disk.servers[index].known
            guard present.key == nil || present.key == key else {
                throw .failed("Another key is pinned for this server.")
            }
            var led: Int?
            if let address, let row = disk.addresses[address] { led = try disk.present(row) }
            var holder = index
            if present.key == nil {
                if let other = disk.bearing(key) {
                    disk.merge(index, into: other)
                    holder = other
                } else {
                    disk.servers[index].known.key = key
                }
            }
            if let address {
                if let led, led != index, led != holder, disk.servers[led].known.key == nil {
                    disk.merge(led, into: holder)
                }
                disk.addresses[address] = disk.servers[holder].known.row
            }
            return disk.servers[holder].known
        }
    }

    package func renewOutbox(
        of server: KnownServer,
        to outbox: OutboxID
    ) throws(JournalError) -> KnownServer {
        try write { disk throws(JournalError) in
            let index = try disk.present(server.row)
            guard disk.servers[index].known.outbox == server.outbox else {
                return disk.servers[index].known
            }
            let waiting = disk.servers[index].posts.filter { $0.decision == nil }.map(\.post)
            disk.servers[index].known.outbox = outbox
            disk.servers[index].posts = []
            disk.servers[index].offered = nil
            disk.servers[index].append(waiting)
            return disk.servers[index].known
        }
    }

    package func enqueue(
        _ posts: [Post],
        to server: KnownServer,
        after known: PostNumber?,
        offering: Bool
    ) throws(JournalError) -> [OutboxRow] {
        try write { disk throws(JournalError) in
            let index = try disk.outbox(of: server)
            disk.servers[index].append(posts)
            if offering { disk.servers[index].offered = disk.servers[index].posts.last?.number }
            // Numbers are dense from 1, so a row's number is also how many rows stand up to it.
            let rows = disk.servers[index].posts
            return Array(rows.dropFirst(Int(clamping: known?.rawValue ?? 0)))
        }
    }

    package func offered(of server: KnownServer) throws(JournalError) -> PostNumber? {
        try read { disk throws(JournalError) in
            disk.servers[try disk.outbox(of: server)].offered
        }
    }

    package func undecided(of server: KnownServer) throws(JournalError) -> [OutboxRow] {
        try read { disk throws(JournalError) in
            disk.servers[try disk.outbox(of: server)].posts.filter { $0.decision == nil }
        }
    }

    package func decided(
        of server: KnownServer,
        limit: Int
    ) throws(JournalError) -> [OutboxRow] {
        try read { disk throws(JournalError) in
            let rows = disk.servers[try disk.outbox(of: server)].posts
            return rows.filter { $0.decision != nil }.suffix(max(0, limit))
        }
    }

    package func lastPost(of server: KnownServer) throws(JournalError) -> PostNumber? {
        try read { disk throws(JournalError) in
            disk.servers[try disk.outbox(of: server)].posts.last?.number
        }
    }

    package func decide(
        _ decisions: [PostNumber: PostDecision],
        of server: KnownServer
    ) throws(JournalError) {
        try write { disk throws(JournalError) in
            let index = try disk.outbox(of: server)
            for (number, decision) in decisions {
                guard number >= .first, number.rawValue <= UInt64(disk.servers[index].posts.count)
                else { continue }
                let place = Int(number.rawValue - 1)
                // The first decision stays.
                guard disk.servers[index].posts[place].decision == nil else { continue }
                disk.servers[index].posts[place].decision = decision
            }
        }
    }

    package func apply(
        _ entries: [Entry],
        of room: RoomName,
        from server: KnownServer
    ) throws(JournalError) {
        try write { disk throws(JournalError) in
            let index = try disk.present(server.row)
            var span = disk.servers[index].spans[room]
            var joined: [Entry] = []
            for entry in HistorySpan.inOrderOfJoining(entries, to: span)
            where try HistorySpan.join(entry.sequence, to: &span) {
                joined.append(entry)
            }
            for entry in joined {
                disk.servers[index].histories[room, default: [:]][entry.sequence] = entry
            }
            disk.servers[index].spans[room] = span
        }
    }

    package func forget(
        _ room: RoomName,
        beyond last: SequenceNumber,
        from server: KnownServer
    ) throws(JournalError) {
        try write { disk throws(JournalError) in
            let index = try disk.present(server.row)
            guard let span = disk.servers[index].spans[room] else { return }
            disk.servers[index].spans[room] = span.cut(after: last)
            let kept = disk.servers[index].histories[room]?.filter { $0.key <= last }
            disk.servers[index].histories[room] = kept
        }
    }

    package func span(
        of room: RoomName,
        from server: KnownServer
    ) throws(JournalError) -> HistorySpan? {
        try read { disk throws(JournalError) in
            disk.servers[try disk.present(server.row)].spans[room]
        }
    }

    package func history(
        of room: RoomName,
        from server: KnownServer,
        before: SequenceNumber?,
        limit: Int
    ) throws(JournalError) -> [Entry] {
        try read { disk throws(JournalError) in
            let server = disk.servers[try disk.present(server.row)]
            guard limit > 0, let span = server.spans[room] else { return [] }
            var number = span.last
            if let before {
                guard before > span.first else { return [] }
                number = min(number, SequenceNumber(rawValue: before.rawValue - 1))
            }
            var newestFirst: [Entry] = []
            while number >= span.first, newestFirst.count < limit {
                guard let entry = server.histories[room]?[number] else { break }
                newestFirst.append(entry)
                number = SequenceNumber(rawValue: number.rawValue - 1)
            }
            return newestFirst.reversed()
        }
    }

    package func rooms(of server: KnownServer) throws(JournalError) -> [RoomName] {
        try read { disk throws(JournalError) in
            disk.servers[try disk.present(server.row)].known.rooms
        }
    }

    package func addRoom(_ room: RoomName, to server: KnownServer) throws(JournalError) {
        try write { disk throws(JournalError) in
            let index = try disk.present(server.row)
            guard !disk.servers[index].known.rooms.contains(room) else { return }
            disk.servers[index].known.rooms.append(room)
        }
    }

    package func removeRoom(_ room: RoomName, from server: KnownServer) throws(JournalError) {
        try write { disk throws(JournalError) in
            disk.servers[try disk.present(server.row)].known.rooms.removeAll { $0 == room }
        }
    }

    package func setName(_ name: MemberName, of server: KnownServer) throws(JournalError) {
        try write { disk throws(JournalError) in
            disk.servers[try disk.present(server.row)].known.name = name
        }
    }

    package func setToken(_ token: [UInt8]?, of server: KnownServer) throws(JournalError) {
        try write { disk throws(JournalError) in
            disk.servers[try disk.present(server.row)].known.token = token
        }
    }

    package func setInvitation(
        _ invitation: [UInt8],
        of server: KnownServer
    ) throws(JournalError) {
        try write { disk throws(JournalError) in
            disk.servers[try disk.present(server.row)].known.invitation = invitation
        }
    }
}

extension MemoryClientJournal {
    private struct Server {
        var known: KnownServer
        var posts: [OutboxRow] = []
        var offered: PostNumber?
        var histories: [RoomName: [SequenceNumber: Entry]] = [:]
        var spans: [RoomName: HistorySpan] = [:]
        /// The row that took this one's place.
        var merged: Int64?

        init(known: KnownServer) { self.known = known }

        mutating func append(_ more: [Post]) {
            for post in more {
                let number = posts.last?.number.next ?? .first
                posts.append(OutboxRow(number: number, post: post, decision: nil))
            }
        }
    }

    private struct Disk: Sendable {
        var dice: any RandomNumberGenerator & Sendable
        /// Row `n` stands at `n - 1`; none is ever removed.
        var servers: [Server] = []
        var addresses: [String: Int64] = [:]
        var fault: JournalError?

        init(dice: any RandomNumberGenerator & Sendable) { self.dice = dice }

        /// A new row, with an outbox of its own; returns where it stands.
        mutating func make(_ key: PublicKey?) -> Int {
            let known = KnownServer(
                row: Int64(servers.count + 1),
                key: key,
                outbox: OutboxID(rawValue: UInt64.random(in: 1 ... .max, using: &dice)),
                name: nil,
                token: nil,
                invitation: nil,
                rooms: []
            )
            servers.append(Server(known: known))
            return servers.count - 1
        }

        func bearing(_ key: PublicKey) -> Int? {
            servers.firstIndex { $0.known.key == key }
        }

        /// Where a handle leads: to itself, or to the row that it was merged into.
        func present(_ row: Int64) throws(JournalError) -> Int {
            guard row > 0, row <= Int64(servers.count) else {
                throw .failed("This server is not known here.")
            }
            let index = Int(row - 1)
            guard let merged = servers[index].merged else { return index }
            return try present(merged)
        }

        /// The row of a caller whose post numbers are those of the present outbox.
        func outbox(of server: KnownServer) throws(JournalError) -> Int {
            let index = try present(server.row)
            guard servers[index].known.outbox == server.outbox else { throw .outboxMoved }
            return index
        }

        /// Moves what waits to be sent, the addresses and the wishes of a row without a key to the
        /// row that has the key.
        mutating func merge(_ index: Int, into holder: Int) {
            let server = servers[index]
            servers[holder].append(server.posts.filter { $0.decision == nil }.map(\.post))
            for room in server.known.rooms where !servers[holder].known.rooms.contains(room) {
                servers[holder].known.rooms.append(room)
            }
            if servers[holder].known.name == nil { servers[holder].known.name = server.known.name }
            if let invitation = server.known.invitation {
                servers[holder].known.invitation = invitation
            }
            for (address, target) in addresses where target == server.known.row {
                addresses[address] = servers[holder].known.row
            }
            var empty = Server(known: server.known)
            empty.known.rooms = []
            empty.merged = servers[holder].known.row
            servers[index] = empty
        }
    }
}
