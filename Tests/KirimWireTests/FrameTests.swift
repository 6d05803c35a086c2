import KirimTestKit
import KirimWire
import Testing

@Suite("Frames")
struct FrameTests {
    private func bytes(_ frame: Frame) -> [UInt8] {
        var writer = ByteWriter()
        frame.write(to: &writer)
        return writer.bytes
    }

    private func bytes(_ varints: UInt64..., type: UInt8) -> [UInt8] {
        var writer = ByteWriter()
        writer.byte(type)
        for value in varints { writer.varint(value) }
        return writer.bytes
    }

    @Test("every kind comes back as it went, and each of its proper prefixes is refused")
    func roundTrip() throws {
        var dice = SeededDice(seed: 1)
        for _ in 0..<200 {
            for frame in dice.frames() {
                let bytes = bytes(frame)
                #expect(try Frame.all(in: bytes) == [frame])
                for count in 0..<bytes.count {
                    #expect(throws: WireError.self, "\(frame), \(count) bytes") {
                        try Frame.all(in: Array(bytes.prefix(count)))
                    }
                }
            }
        }
    }

    @Test("a packet's frames come back in order, through padding, and a cut packet adds none")
    func packets() throws {
        var dice = SeededDice(seed: 2)
        for _ in 0..<50 {
            let frames = dice.frames().shuffled(using: &dice)
            var writer = ByteWriter()
            var ends: [Int] = []
            for frame in frames {
                writer.pad(to: writer.count + Int(dice.next() % 4))
                frame.write(to: &writer)
                ends.append(writer.count)
            }
            #expect(try Frame.all(in: writer.bytes) == frames)
            for count in 0..<writer.count {
                let whole = frames.prefix(ends.count { $0 <= count })
                guard let read = try? Frame.all(in: Array(writer.bytes.prefix(count))) else {
                    continue
                }
                #expect(read == Array(whole), "\(count) bytes")
            }
        }
    }

    @Test("a record without a length goes to the packet's end")
    func toTheEnd() throws {
        let whole = bytes(3, 9, type: 0x12) + [1, 2, 0]
        #expect(
            try Frame.all(in: whole)
                == [.record(RecordFrame(stream: 3, number: 9, fragment: nil, bytes: [1, 2, 0]))]
        )
        let fragment = bytes(3, 9, 10, 13, type: 0x13) + [1, 2, 3]
        let expected = RecordFrame(
            stream: 3,
            number: 9,
            fragment: RecordFrame.Fragment(offset: 10, total: 13),
            bytes: [1, 2, 3]
        )
        #expect(try Frame.all(in: fragment) == [.record(expected)])
        #expect(throws: WireError.malformed) { try Frame.all(in: fragment + [4]) }
    }

    @Test("says how many bytes a record will take")
    func recordSize() {
        var dice = SeededDice(seed: 3)
        for _ in 0..<500 {
            let record = dice.record()
            let size = RecordFrame.size(
                stream: record.stream,
                number: record.number,
                fragment: record.fragment,
                count: record.bytes.count
            )
            #expect(size == bytes(.record(record)).count)
        }
    }

    @Test("a packet without a frame is malformed (RFC 9000 §12.4)")
    func empty() {
        #expect(throws: WireError.malformed) { try Frame.all(in: []) }
        #expect(throws: WireError.malformed) { try Frame.all(in: [0, 0, 0]) }
    }

    @Test("unknown kinds below the grease are refused by name, those above are skipped")
    func unknownKinds() throws {
        let known: Set<UInt8> = [
            0, 1, 2, 3, 4, 0x10, 0x11, 0x12, 0x13, 0x18, 0x20, 0x21, 0x22, 0x23, 0x24,
        ]
        for type in 0..<0x40 as Range<UInt8> where !known.contains(type) {
            #expect(throws: WireError.unknownKind(type)) { try Frame.all(in: [type, 0, 0]) }
        }
        for type in 0x40...0xFF as ClosedRange<UInt8> {
            let frames = try Frame.all(in: [type, 2, 9, 9, 1])
            #expect(frames == [.grease(type: type, length: 2), .ping])
        }
    }

    @Test("an ACK that goes below zero, beyond 32 bits, or lists too much is refused")
    func badAcks() {
        let huge = ByteWriter.largestVarint
        let ack: UInt8 = 0x02
        #expect(throws: WireError.malformed) {
            try Frame.all(in: bytes(1 << 32, 0, 0, 0, type: ack))
        }
        #expect(throws: WireError.malformed) { try Frame.all(in: bytes(5, 0, 0, 6, type: ack)) }
        #expect(throws: WireError.malformed) { try Frame.all(in: bytes(5, 0, 0, huge, type: ack)) }
        // From 10 down to 9, then a gap: the next range would end at 9 - gap - 2.
        #expect(throws: WireError.malformed) {
            try Frame.all(in: bytes(10, 0, 1, 1, 8, 0, type: ack))
        }
        #expect(throws: WireError.malformed) {
            try Frame.all(in: bytes(10, 0, 1, 1, 7, 1, type: ack))
        }
        #expect(throws: WireError.malformed) {
            try Frame.all(in: bytes(10, 0, 1, 1, huge, huge, type: ack))
        }
        #expect(throws: WireError.tooLong) {
            try Frame.all(in: bytes(10, 0, UInt64(AckFrame.rangeLimit), 0, type: ack))
        }
        #expect(throws: WireError.tooLong) { try Frame.all(in: bytes(10, 0, huge, 0, type: ack)) }
    }

    @Test("an ACK holds as many ranges as the limit allows, down to packet 0")
    func fullAck() throws {
        let ranges = (0..<UInt32(AckFrame.rangeLimit)).reversed().map { $0 * 2...$0 * 2 }
        let frame = Frame.ack(AckFrame(ranges: ranges, delay: 0))
        #expect(try Frame.all(in: bytes(frame)) == [frame])
        let all = Frame.ack(AckFrame(ranges: [0...UInt32.max], delay: ByteWriter.largestVarint))
        #expect(try Frame.all(in: bytes(all)) == [all])
    }

    @Test("a fragment that is empty, beyond its total, or of too long a record is refused")
    func badFragments() {
        let limit = UInt64(RecordFrame.recordLimit)
        let huge = ByteWriter.largestVarint
        let type: UInt8 = 0x11
        for (offset, total, count) in [
            (0, 0, 0), (0, 1, 0), (5, 5, 1), (6, 5, 1), (0, limit + 1, 1), (huge, huge, 1),
            (0, huge, 1), (4, 5, 2),
        ] as [(UInt64, UInt64, UInt64)] {
            let fragment =
                bytes(0, 0, offset, total, count, type: type)
                + [UInt8](repeating: 1, count: Int(count))
            #expect(throws: WireError.malformed, "\(offset) of \(total)") {
                try Frame.all(in: fragment)
            }
        }
        let last = bytes(0, 0, limit - 1, limit, 1, type: type) + [1]
        #expect(throws: Never.self) { try Frame.all(in: last) }
    }

    @Test("lengths that no packet holds are refused before anything is allocated")
    func hugeLengths() {
        let huge = ByteWriter.largestVarint
        #expect(throws: WireError.tooLong) { try Frame.all(in: bytes(0, 0, huge, type: 0x10)) }
        #expect(throws: WireError.tooLong) { try Frame.all(in: bytes(huge, type: 0x18)) }
        #expect(throws: WireError.tooLong) { try Frame.all(in: bytes(0, huge, type: 0x24)) }
        #expect(throws: WireError.tooLong) {
            try Frame.all(in: bytes(0, UInt64(Frame.reasonLimit) + 1, type: 0x24))
        }
        #expect(throws: WireError.truncated) { try Frame.all(in: bytes(huge, type: 0x40)) }
    }

    @Test("only ACK, CLOSE and grease need no acknowledgement (RFC 9002 §2)")
    func ackEliciting() {
        var dice = SeededDice(seed: 4)
        for frame in dice.frames() {
            switch frame {
            case .ack, .close, .grease: #expect(!frame.isAckEliciting)
            default: #expect(frame.isAckEliciting)
            }
        }
    }
}
