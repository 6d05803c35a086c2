import KirimTestKit
import KirimWire

extension SeededDice {
    /// Small numbers and the borders of the four varint sizes as often as any others.
    mutating func varint() -> UInt64 {
        let borders: [UInt64] = [0, 63, 64, 16_383, 16_384, (1 << 30) - 1, 1 << 30, (1 << 62) - 1]
        return switch next() % 3 {
        case 0: next() % 100
        case 1: borders[Int(next() % UInt64(borders.count))]
        default: next() >> (2 + next() % 62)
        }
    }

    /// Ranges as an ACK lists them: from the highest down, none touching another.
    mutating func ranges() -> [ClosedRange<UInt32>] {
        var ranges: [ClosedRange<UInt32>] = []
        var top = next() % 4 == 0 ? UInt64(UInt32.max) : next() >> 40
        for _ in 0..<1 + next() % 20 {
            let low = top - min(top, next() % 50)
            ranges.append(UInt32(low)...UInt32(top))
            let step = 2 + next() % 9
            guard low >= step else { break }
            top = low - step
        }
        return ranges
    }

    mutating func record() -> RecordFrame {
        let bytes = bytes(Int(next() % 60) + 1)
        var fragment: RecordFrame.Fragment?
        if Bool.random(using: &self) {
            let offset = Int(next() % 60_000)
            fragment = RecordFrame.Fragment(offset: offset, total: offset + bytes.count)
        }
        return RecordFrame(stream: varint(), number: varint(), fragment: fragment, bytes: bytes)
    }

    /// A frame of each kind, so that no kind is left to chance.
    mutating func frames() -> [Frame] {
        [
            .ping, .ackNow, .ackLater, .ack(AckFrame(ranges: ranges(), delay: varint())),
            .record(record()), .datagram(bytes(Int(next() % 40))), .window(bytes: varint()),
            .pathChallenge(next()),
            .pathResponse(next()), .token(bytes(PacketSize.cookie)),
            .close(code: varint(), reason: "selamat jalan 👋"), .close(code: 0, reason: ""),
            .grease(type: UInt8(0x40 + next() % 0xC0), length: Int(next() % 30)),
        ]
    }
}

func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    precondition(digits.count == text.utf8.count && digits.count % 2 == 0, "not hexadecimal")
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}
