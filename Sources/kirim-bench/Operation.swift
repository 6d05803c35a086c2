import Foundation
import KirimJournal
import KirimLibcrypto
import KirimLoad
import KirimNoise
import KirimRooms
import KirimSimulation
import KirimTransport
import KirimWire

/// A thing that is done often, by its name.
enum Operation: String, CaseIterable {
    case parseFrames = "parse-frames"
    case writeFrames = "write-frames"
    case seal
    case sealSystem = "seal-system"
    case open
    case openSystem = "open-system"
    case encodeEntry = "encode-entry"
    case parseEntry = "parse-entry"
    case fanOut1 = "fan-out-1"
    case fanOut100 = "fan-out-100"
    case fanOut100System = "fan-out-100-system"
    case fanOut10000 = "fan-out-10000"
    case acks100 = "acks-100"
    case acks100System = "acks-100-system"
    case post
    case journal1 = "journal-1"
    case journal100 = "journal-100"

    /// Those that take minutes where instructions are counted.
    var isLong: Bool { self == .fanOut10000 }

    /// Those with the system's cipher, where this machine has it.
    var isPossible: Bool {
        switch self {
        case .sealSystem, .openSystem, .fanOut100System, .acks100System: Self.cipher != nil
        default: true
        }
    }

    private static let cipher = SystemCipher()

    /// Does it so often; returns of how many things the measured work was.
    func run(_ times: Int, _ meter: inout Meter) throws -> Int {
        switch self {
        case .parseFrames:
            let bytes = Self.packet
            return each(times, &meter) { _ = try? Frame.all(in: bytes) }
        case .writeFrames:
            return each(times, &meter) { _ = Self.packet }
        case .seal: return seal(by: nil, times, &meter)
        case .sealSystem: return seal(by: Self.cipher, times, &meter)
        case .open: return open(by: nil, times, &meter)
        case .openSystem: return open(by: Self.cipher, times, &meter)
        case .encodeEntry:
            let entry = Self.entry
            return each(times, &meter) { _ = entry.bytes }
        case .parseEntry:
            let bytes = Self.entry.bytes
            return each(times, &meter) {
                _ = try? Entry(parsing: bytes, room: .lobby, sequence: SequenceNumber(rawValue: 9))
            }
        case .fanOut1: return try fanOut(1, times, &meter)
        case .fanOut100: return try fanOut(100, times, &meter)
        case .fanOut100System: return try fanOut(100, by: Self.cipher, times, &meter)
        case .fanOut10000: return try fanOut(10_000, times, &meter)
        case .acks100: return try acks(100, times, &meter)
        case .acks100System: return try acks(100, by: Self.cipher, times, &meter)
        case .post: return try post(times, &meter)
        case .journal1: return try journal(1, times, &meter)
        case .journal100: return try journal(100, times, &meter)
        }
    }

    private func each(_ times: Int, _ meter: inout Meter, _ work: @escaping () -> Void) -> Int {
        // Once for what is made at the first time only.
        work()
        meter.measure { for _ in 0..<times { work() } }
        return times
    }

    private func seal(by cipher: SystemCipher?, _ times: Int, _ meter: inout Meter) -> Int {
        let (key, text, header) = Self.sealing
        let packet = header + text
        return each(times, &meter) {
            var packet = packet
            key.seal(&packet, after: header.count, number: 7, by: cipher)
        }
    }

    private func open(by cipher: SystemCipher?, _ times: Int, _ meter: inout Meter) -> Int {
        let (key, text, header) = Self.sealing
        let sealed = key.seal(text, number: 7, header: header)
        return each(times, &meter) {
            _ = key.open(sealed[...], number: 7, header: header[...], by: cipher)
        }
    }

    private func fanOut(
        _ readers: Int,
        by cipher: SystemCipher? = nil,
        _ times: Int,
        _ meter: inout Meter
    ) throws -> Int {
        let crowd = try Crowd(of: readers, cipher: cipher)
        for _ in 0..<times {
            crowd.write()
            meter.measure { crowd.fanOut() }
            _ = crowd.read()
            crowd.rest()
        }
        return times * readers
    }

    private func acks(
        _ readers: Int,
        by cipher: SystemCipher? = nil,
        _ times: Int,
        _ meter: inout Meter
    ) throws -> Int {
        let crowd = try Crowd(of: readers, cipher: cipher)
        var count = 0
        for _ in 0..<times {
            crowd.write()
            crowd.fanOut()
            count += crowd.read()
            meter.measure { crowd.takeIn() }
            crowd.rest()
        }
        return count
    }

    private func post(_ times: Int, _ meter: inout Meter) throws -> Int {
        let crowd = try Crowd(of: 1, cipher: nil)
        for _ in 0..<times {
            crowd.post()
            meter.measure { crowd.takeIn() }
            crowd.rest()
        }
        return times
    }

    private func journal(_ writes: Int, _ times: Int, _ meter: inout Meter) throws -> Int {
        let folder = FileManager.default.temporaryDirectory.path + "/kirim-bench-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let journal = try SQLiteRoomJournal(path: folder + "/rooms.sqlite")
        _ = try journal.commit([.create(.lobby)])
        var number: UInt64 = 0
        for round in 0...times {
            let drafts = (0..<writes).map { _ in
                number += 1
                return JournalWrite.append(Self.draft(number))
            }
            // The first time makes what the others find.
            if round == 0 {
                _ = try journal.commit(drafts)
            } else {
                meter.measure { _ = try? journal.commit(drafts) }
            }
        }
        try journal.close()
        return times * writes
    }
}

extension Operation {
    private static let text = Message(stamp: 1, number: 1, client: 1).text(size: 120)

    private static func draft(_ number: UInt64) -> EntryDraft {
        let member = MemberID(rawValue: 7)
        return EntryDraft(
            post: Post(room: .lobby, authored: WallTime(milliseconds: 1), text: text),
            author: MemberName("Budi").map { .member(member, $0) } ?? .server,
            id: PostID(
                member: member,
                outbox: OutboxID(rawValue: 1 << 60),
                number: PostNumber(rawValue: number)
            ),
            received: WallTime(milliseconds: 1)
        )
    }

    private static let entry = Entry(draft(1), at: SequenceNumber(rawValue: 9))

    /// What a packet with one message holds.
    private static var packet: [UInt8] {
        var writer = ByteWriter(capacity: 256)
        Frame.ack(AckFrame(ranges: [900...1_000], delay: 12)).write(to: &writer)
        let record = RecordFrame(stream: 2, number: 9, fragment: nil, bytes: entry.bytes)
        Frame.record(record).write(to: &writer)
        writer.pad(to: (writer.count + 15) / 16 * 16)
        return writer.bytes
    }

    private static var sealing: (PacketKey, [UInt8], [UInt8]) {
        (PacketKey([UInt8](repeating: 3, count: 32)), packet, [0xFD, 1, 0, 0, 0, 7])
    }
}
