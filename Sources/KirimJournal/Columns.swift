import Foundation
import GRDB
import KirimRooms
import KirimWire

/// Reads the columns of one row from left to right. What cannot be is `corrupt`, never a trap.
struct Columns {
    private let row: Row
    private var index = 0

    init(_ row: Row) { self.row = row }

    private mutating func value() throws(JournalError) -> DatabaseValue {
        guard index < row.count else { throw .corrupt("A row is too short.") }
        defer { index += 1 }
        return row[index]
    }

    mutating func maybeInteger() throws(JournalError) -> Int64? {
        switch try value().storage {
        case .null: nil
        case .int64(let number): number
        default: throw .corrupt("A column holds no integer.")
        }
    }

    mutating func integer() throws(JournalError) -> Int64 {
        guard let number = try maybeInteger() else { throw .corrupt("An integer is missing.") }
        return number
    }

    mutating func maybeBytes() throws(JournalError) -> [UInt8]? {
        switch try value().storage {
        case .null: nil
        case .blob(let data): Array(data)
        default: throw .corrupt("A column holds no bytes.")
        }
    }

    mutating func bytes() throws(JournalError) -> [UInt8] {
        guard let bytes = try maybeBytes() else { throw .corrupt("Bytes are missing.") }
        return bytes
    }

    /// A message's text: kept as bytes, since SQLite ends its own texts at the first NUL.
    mutating func text() throws(JournalError) -> String {
        guard let text = String(validating: try bytes(), as: UTF8.self) else {
            throw .corrupt("A text is not UTF-8.")
        }
        return text
    }

    private mutating func maybeLabel() throws(JournalError) -> String? {
        switch try value().storage {
        case .null: nil
        case .string(let text): text
        default: throw .corrupt("A column holds no name.")
        }
    }

    mutating func maybeMemberName() throws(JournalError) -> MemberName? {
        guard let text = try maybeLabel() else { return nil }
        guard let name = MemberName(kept: text) else {
            throw .corrupt("A member's name breaks the rules.")
        }
        return name
    }

    mutating func memberName() throws(JournalError) -> MemberName {
        guard let name = try maybeMemberName() else { throw .corrupt("A name is missing.") }
        return name
    }

    mutating func maybeRoomName() throws(JournalError) -> RoomName? {
        guard let text = try maybeLabel() else { return nil }
        guard let name = RoomName(text) else { throw .corrupt("A room's name breaks the rules.") }
        return name
    }

    mutating func roomName() throws(JournalError) -> RoomName {
        guard let name = try maybeRoomName() else { throw .corrupt("A room's name is missing.") }
        return name
    }

    mutating func key() throws(JournalError) -> PublicKey {
        guard let key = PublicKey(bytes: try bytes()) else { throw .corrupt("A key is too short.") }
        return key
    }

    mutating func refusal() throws(JournalError) -> Refusal? {
        guard let number = try maybeInteger() else { return nil }
        guard let byte = UInt8(exactly: number), let refusal = Refusal(rawValue: byte) else {
            throw .corrupt("A refusal is unknown.")
        }
        return refusal
    }

    /// The columns room's name, sequence, refusal; `nil` where all three are NULL.
    mutating func decision() throws(JournalError) -> PostDecision? {
        let room = try maybeRoomName()
        let sequence = try maybeInteger()
        if let refusal = try refusal() { return .refused(refusal) }
        guard let room, let sequence else { return nil }
        return .accepted(room, SequenceNumber(column: sequence))
    }
}

extension Array where Element == UInt8 {
    var column: Data { Data(self) }
}

extension String {
    /// For a BLOB column, byte for byte. GRDB binds empty bytes as NULL: write `coalesce(?, x'')`.
    var column: Data { Data(utf8) }
}

extension RoomName {
    /// The same text for all names that are equal: Swift compares by canonical equivalence, SQLite by
    /// bytes. Only to find rows by; the name itself stands in a column of its own.
    var identity: String { text.precomposedStringWithCanonicalMapping }
}

// The numbers fit: an entry or a post more each nanosecond would take 292 years to 2^63, and what
// comes from the wire is at most 2^62. Random ones are kept by their bits.
extension SequenceNumber {
    var column: Int64 { Int64(clamping: rawValue) }
    init(column: Int64) { self.init(rawValue: UInt64(clamping: column)) }
}

extension PostNumber {
    var column: Int64 { Int64(clamping: rawValue) }
    init(column: Int64) { self.init(rawValue: UInt64(clamping: column)) }
}

extension MemberID {
    var column: Int64 { Int64(bitPattern: rawValue) }
    init(column: Int64) { self.init(rawValue: UInt64(bitPattern: column)) }
}

extension OutboxID {
    var column: Int64 { Int64(bitPattern: rawValue) }
    init(column: Int64) { self.init(rawValue: UInt64(bitPattern: column)) }
}

extension IPAddress {
    /// A version byte, then the address; the form never changes.
    var column: Data {
        var writer = ByteWriter(capacity: 21)
        switch self {
        case .v4(let bits):
            writer.byte(4)
            writer.integer(bits)
        case .v6(let high, let low, let zone):
            writer.byte(6)
            writer.integer(high)
            writer.integer(low)
            writer.integer(zone)
        }
        return Data(writer.bytes)
    }

    init(reading reader: inout ByteReader) throws(WireError) {
        switch try reader.byte() {
        case 4: self = .v4(try reader.integer())
        case 6:
            self = .v6(try reader.integer(), try reader.integer(), zone: try reader.integer())
        case let version: throw .unknownKind(version)
        }
    }
}

extension Address {
    var column: Data {
        var writer = ByteWriter(capacity: 2)
        writer.integer(port)
        return ip.column + Data(writer.bytes)
    }

    init(column: [UInt8]) throws(JournalError) {
        do throws(WireError) {
            var reader = ByteReader(column)
            let ip = try IPAddress(reading: &reader)
            self.init(ip: ip, port: try reader.integer())
            try reader.finish()
        } catch {
            throw .corrupt("An address makes no sense.")
        }
    }
}

extension Ban {
    /// A kind byte, then the key, or the address and the count of bits; the form never changes.
    var column: Data {
        switch self {
        case .key(let key): Data([0] + key.bytes)
        case .prefix(let ip, let bits): Data([1]) + ip.column + Data([bits])
        }
    }

    init(column: [UInt8]) throws(JournalError) {
        do throws(WireError) {
            var reader = ByteReader(column)
            switch try reader.byte() {
            case 0:
                guard let key = PublicKey(bytes: reader.rest()) else { throw .truncated }
                self = .key(key)
            case 1:
                let ip = try IPAddress(reading: &reader)
                self = .prefix(ip, bits: try reader.byte())
                try reader.finish()
            case let kind: throw .unknownKind(kind)
            }
        } catch {
            throw .corrupt("A ban makes no sense.")
        }
    }
}
