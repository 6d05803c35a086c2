import Foundation
import KirimJournal
import KirimRooms
import KirimSimulation
import KirimWire
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// A folder that goes away with the test run, not before: a journal may outlive what holds this.
struct TemporaryFolder: Sendable {
    let path: String

    private static let run: String = {
        let path = FileManager.default.temporaryDirectory.appending(
            path: "kirim-\(UInt64.random(in: 0 ... .max))"
        ).path
        atexit { try? FileManager.default.removeItem(atPath: TemporaryFolder.run) }
        return path
    }()

    init() throws {
        path = "\(Self.run)/\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }
}

/// Every journal that the contract binds.
enum Store: String, CaseIterable, CustomTestStringConvertible {
    case sqlite
    case memory

    var testDescription: String { rawValue }
}

/// A room journal that can be closed and opened again.
final class RoomBench {
    private enum Kept {
        case sqlite(TemporaryFolder, SQLiteRoomJournal?)
        case memory(MemoryRoomJournal)
    }

    private var kept: Kept

    init(_ store: Store) throws {
        switch store {
        case .sqlite:
            let folder = try TemporaryFolder()
            kept = .sqlite(folder, try SQLiteRoomJournal(path: folder.file("rooms.sqlite")))
        case .memory: kept = .memory(MemoryRoomJournal())
        }
    }

    var journal: any RoomJournal {
        switch kept {
        case .sqlite(_, let journal?): journal
        case .sqlite(_, nil): preconditionFailure("the journal is closed")
        case .memory(let journal): journal
        }
    }

    /// Closes the file and opens it again; for memory, what a crash leaves.
    func reopen() throws {
        switch kept {
        case .sqlite(let folder, let journal):
            try journal?.close()
            kept = .sqlite(folder, nil)
            kept = .sqlite(folder, try SQLiteRoomJournal(path: folder.file("rooms.sqlite")))
        case .memory(let journal): kept = .memory(journal.copyForCrash())
        }
    }
}

/// A client journal that several faces have open.
final class ClientBench {
    private let store: Store
    private let folder: TemporaryFolder
    private let shared = MemoryClientJournal(dice: SystemRandomNumberGenerator())

    init(_ store: Store) throws {
        self.store = store
        folder = try TemporaryFolder()
    }

    /// Another process on the same disk.
    func face() throws -> any ClientJournal {
        switch store {
        case .sqlite: try SQLiteClientJournal(path: folder.file("person.sqlite"))
        case .memory: shared
        }
    }
}

// Short forms of the values that the tests speak of.

func room(_ text: String) -> RoomName {
    guard let name = RoomName(text) else { preconditionFailure("not a room's name: \(text)") }
    return name
}

func name(_ text: String) -> MemberName {
    guard let name = MemberName(text) else { preconditionFailure("not a name: \(text)") }
    return name
}

func key(_ byte: UInt8) -> PublicKey {
    guard let key = PublicKey(bytes: [UInt8](repeating: byte, count: 32)) else {
        preconditionFailure("32 bytes are a key")
    }
    return key
}

func member(_ number: UInt64, _ text: String = "ani") -> Member {
    Member(id: MemberID(rawValue: number), key: key(UInt8(number)), name: name(text))
}

func post(_ text: String, in room: RoomName = .lobby) -> Post {
    Post(room: room, authored: WallTime(milliseconds: 1_000), text: text)
}

func postID(_ number: UInt64, outbox: UInt64 = 7, member: UInt64 = 1) -> PostID {
    PostID(
        member: MemberID(rawValue: member),
        outbox: OutboxID(rawValue: outbox),
        number: PostNumber(rawValue: number)
    )
}

func draft(_ text: String, in room: RoomName = .lobby, id: PostID? = nil) -> EntryDraft {
    EntryDraft(
        post: post(text, in: room),
        author: .member(MemberID(rawValue: 1), name("ani")),
        id: id,
        received: WallTime(milliseconds: 2_000)
    )
}

func sequence(_ number: UInt64) -> SequenceNumber { SequenceNumber(rawValue: number) }

func number(_ number: UInt64) -> PostNumber { PostNumber(rawValue: number) }

func entry(_ number: UInt64, _ text: String = "hi", in room: RoomName = .lobby) -> Entry {
    Entry(draft(text, in: room), at: sequence(number))
}

extension RoomJournal {
    func texts(
        of room: RoomName = .lobby,
        from: UInt64 = 1,
        entryLimit: Int = 1_000,
        byteLimit: Int = 1 << 20
    ) throws -> [String] {
        try entries(
            EntryQuery(
                room: room,
                from: sequence(from),
                entryLimit: entryLimit,
                byteLimit: byteLimit
            )
        ).map(\.text)
    }
}
