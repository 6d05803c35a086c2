#if GTK
import Foundation
package import KirimRooms
package import KirimScreen
package import KirimWire

/// What the window remembers from one start to the next: servers, and what was read and half written there.
package nonisolated struct Keepsake: Codable, Hashable, Sendable {
    /// The one used last comes first.
    package var servers: [Server] = []
    package var appearance: String?
    /// More are forgotten, those not used for longest first.
    package static let serverLimit = 20

    package init() {}

    package struct Server: Codable, Hashable, Sendable {
        package var address: String
        package var name: String?
        package var localPort: UInt16?
        /// What the server calls itself.
        package var title: String?
        package var open: String?
        /// Who one was there.
        package var me: Acquaintance?
        package var rooms: [Room] = []
        package var acquaintances: [Acquaintance] = []

        package init(address: String) { self.address = address }
    }

    package struct Room: Codable, Hashable, Sendable {
        package var name: String
        package var read: UInt64?
        package var draft: String?
        package var mode: UInt8?
        package var refused: [Refused]?
    }

    package struct Refused: Codable, Hashable, Sendable {
        package var kind: UInt8
        package var reference: UInt64?
        package var text: String
        package var refusal: UInt8?
    }

    package struct Acquaintance: Codable, Hashable, Sendable {
        package var name: String
        package var id: UInt64
    }

    /// The server at that address; one that is not known yet comes first from now on.
    package mutating func use(
        _ address: ServerAddress,
        name: MemberName?,
        localPort: UInt16
    ) -> Server {
        var server =
            servers.first { $0.address == address.endpoint } ?? Server(address: address.endpoint)
        if let name { server.name = name.text }
        server.localPort = localPort == 0 ? nil : localPort
        put(server)
        return server
    }

    /// Keeps it, as the one that was used last.
    package mutating func put(_ server: Server) {
        servers.removeAll { $0.address == server.address }
        servers.insert(server, at: 0)
        servers.removeLast(max(0, servers.count - Self.serverLimit))
    }
}

nonisolated extension Keepsake.Server {
    package var memory: ChatScreen.Memory {
        get {
            var memory = ChatScreen.Memory()
            memory.open = open.flatMap { RoomName($0) }
            memory.me = me.flatMap { $0.memory }
            memory.rooms = rooms.compactMap { room in
                RoomName(room.name).map { name in
                    .init(
                        name: name,
                        read: room.read.map { SequenceNumber(rawValue: $0) },
                        draft: room.draft ?? "",
                        mode: room.mode.flatMap { .init(rawValue: $0) } ?? .mentions,
                        refused: (room.refused ?? []).compactMap(\.memory)
                    )
                }
            }
            memory.acquaintances = acquaintances.compactMap(\.memory)
            return memory
        }
        set {
            open = newValue.open?.text
            me = newValue.me.map { .init(name: $0.name.text, id: $0.id.rawValue) }
            rooms = newValue.rooms.map { room in
                .init(
                    name: room.name.text,
                    read: room.read?.rawValue,
                    draft: room.draft.isEmpty ? nil : room.draft,
                    mode: room.mode.rawValue,
                    refused: room.refused.isEmpty ? nil : room.refused.map { .init($0) }
                )
            }
            acquaintances = newValue.acquaintances.map {
                .init(name: $0.name.text, id: $0.id.rawValue)
            }
        }
    }
}

nonisolated extension Keepsake.Acquaintance {
    /// `nil` where the name is none.
    fileprivate var memory: ChatScreen.Memory.Acquaintance? {
        MemberName(name).map { .init(name: $0, id: MemberID(rawValue: id)) }
    }
}

nonisolated extension Keepsake.Refused {
    fileprivate init(_ post: ChatScreen.Memory.Refused) {
        kind = post.kind.rawValue
        reference = post.reference?.rawValue
        text = post.text
        refusal = post.refusal?.rawValue
    }

    /// `nil` where a later version wrote it.
    fileprivate var memory: ChatScreen.Memory.Refused? {
        EntryKind(rawValue: kind).map { kind in
            .init(
                kind: kind,
                reference: reference.map { SequenceNumber(rawValue: $0) },
                text: text,
                refusal: refusal.flatMap { Refusal(rawValue: $0) }
            )
        }
    }
}

/// Where a keepsake is kept: one file, written as a whole, never on the main thread.
package nonisolated final class KeepsakeFile: Sendable {
    private let path: String
    private let writes: AsyncStream<Keepsake>.Continuation
    private let writer: Task<Void, Never>

    package init(folder: String) {
        path = folder + "/window.json"
        let (stream, writes) = AsyncStream.makeStream(
            of: Keepsake.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        self.writes = writes
        let path = path
        writer = Task.detached {
            for await keepsake in stream {
                let coder = JSONEncoder()
                coder.outputFormatting = [.prettyPrinted, .sortedKeys]
                guard let bytes = try? coder.encode(keepsake) else { continue }
                try? FileManager.default.createDirectory(
                    atPath: folder,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
                // It is convenience, and nothing is lost that the server or the outbox holds.
                try? bytes.write(to: URL(filePath: path), options: .atomic)
            }
        }
    }

    /// What was kept; nothing where there is no such file, or it makes no sense.
    package func load() async -> Keepsake {
        let path = path
        return await Task.detached {
            guard let bytes = FileManager.default.contents(atPath: path) else { return Keepsake() }
            return (try? JSONDecoder().decode(Keepsake.self, from: bytes)) ?? Keepsake()
        }.value
    }

    package func save(_ keepsake: Keepsake) { writes.yield(keepsake) }

    /// Returns when the last one is written.
    package func finish() async {
        writes.finish()
        await writer.value
    }
}
#endif
