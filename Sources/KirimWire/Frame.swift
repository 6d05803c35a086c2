/// A part of a DATA packet's plaintext (PROTOCOL.md §3).
package enum Frame: Hashable, Sendable {
    case ping
    case ack(AckFrame)
    /// The sender wants an acknowledgement of this packet at once.
    case ackNow
    /// The sender does not need it soon: more will come that may share it.
    case ackLater
    case record(RecordFrame)
    /// Unreliable: presence, typing.
    case datagram([UInt8])
    /// At most this many bytes of records may be under way and not wholly acknowledged.
    case window(bytes: UInt64)
    case pathChallenge(UInt64)
    case pathResponse(UInt64)
    /// Lets the next connect skip a round trip.
    case token([UInt8])
    case close(code: UInt64, reason: String)
    /// A type that is not known here and says how long it is; skipped.
    case grease(type: UInt8, length: Int)
}

/// Packet numbers that arrived: `ranges` from the highest down, none touching another (RFC 9000 §19.3).
package struct AckFrame: Hashable, Sendable {
    package var ranges: [ClosedRange<UInt32>]
    /// How long the largest one waited for this acknowledgement, in units of 8 microseconds.
    package var delay: UInt64

    package init(ranges: [ClosedRange<UInt32>], delay: UInt64) {
        self.ranges = ranges
        self.delay = delay
    }

    /// More ranges than fit a packet beside other frames are never sent.
    package static let rangeLimit = 64
}

/// A record of a stream, or a fragment of one.
package struct RecordFrame: Hashable, Sendable {
    package var stream: UInt64
    package var number: UInt64
    /// Where the bytes stand in a record that is longer than a packet; `nil` for a whole one.
    package var fragment: Fragment?
    package var bytes: [UInt8]

    package struct Fragment: Hashable, Sendable {
        package var offset: Int
        package var total: Int
        package init(offset: Int, total: Int) {
            self.offset = offset
            self.total = total
        }
    }

    package init(stream: UInt64, number: UInt64, fragment: Fragment?, bytes: [UInt8]) {
        self.stream = stream
        self.number = number
        self.fragment = fragment
        self.bytes = bytes
    }

    /// Bytes of the longest record: 64 KiB of text and the fields of the entry around it.
    package static let recordLimit = 65_536 + 1_024
}

extension Frame {
    package enum FrameType {
        package static let padding: UInt8 = 0x00
        package static let ping: UInt8 = 0x01
        package static let ack: UInt8 = 0x02
        package static let ackNow: UInt8 = 0x03
        package static let ackLater: UInt8 = 0x04
        package static let record: UInt8 = 0x10
        package static let fragmentFlag: UInt8 = 1
        package static let toTheEndFlag: UInt8 = 2
        package static let datagram: UInt8 = 0x18
        package static let window: UInt8 = 0x20
        package static let pathChallenge: UInt8 = 0x21
        package static let pathResponse: UInt8 = 0x22
        package static let token: UInt8 = 0x23
        package static let close: UInt8 = 0x24
        package static let firstGrease: UInt8 = 0x40
    }

    /// Bytes of a CLOSE frame's reason.
    package static let reasonLimit = 256

    /// Whether the peer must acknowledge a packet that carries it (RFC 9002 §2).
    package var isAckEliciting: Bool {
        switch self {
        case .ack, .close, .grease: false
        default: true
        }
    }

    /// Reads one frame; `nil` at the end.
    ///
    /// Padding is passed over.
    package static func next(_ reader: inout ByteReader) throws(WireError) -> Frame? {
        while reader.peek() == FrameType.padding { try reader.skip(1) }
        guard !reader.isAtEnd else { return nil }
        let type = try reader.byte()
        switch type {
        case FrameType.ping: return .ping
        case FrameType.ack: return .ack(try AckFrame(parsing: &reader))
        case FrameType.ackNow: return .ackNow
        case FrameType.ackLater: return .ackLater
        case FrameType.record...FrameType.record + 3:
            return .record(try RecordFrame(parsing: &reader, flags: type & 3))
        case FrameType.datagram: return .datagram(try reader.prefixed(limit: PacketSize.maximum))
        case FrameType.window: return .window(bytes: try reader.varint())
        case FrameType.pathChallenge: return .pathChallenge(try reader.integer())
        case FrameType.pathResponse: return .pathResponse(try reader.integer())
        case FrameType.token: return .token(try reader.take(PacketSize.cookie))
        case FrameType.close:
            let code = try reader.varint()
            return .close(code: code, reason: try reader.text(limit: reasonLimit))
        case FrameType.firstGrease...:
            let length = try reader.varint()
            guard length <= UInt64(reader.remaining) else { throw .truncated }
            try reader.skip(Int(length))
            return .grease(type: type, length: Int(length))
        default: throw .unknownKind(type)
        }
    }

    /// Reads all frames of a packet's plaintext.
    ///
    /// A packet without a frame is malformed (RFC 9000 §12.4).
    package static func all(in plaintext: [UInt8]) throws(WireError) -> [Frame] {
        var reader = ByteReader(plaintext)
        var frames: [Frame] = []
        while let frame = try next(&reader) { frames.append(frame) }
        guard !frames.isEmpty else { throw .malformed }
        return frames
    }

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .ping: writer.byte(FrameType.ping)
        case .ack(let ack): ack.write(to: &writer)
        case .ackNow: writer.byte(FrameType.ackNow)
        case .ackLater: writer.byte(FrameType.ackLater)
        case .record(let record): record.write(to: &writer)
        case .datagram(let bytes):
            writer.byte(FrameType.datagram)
            writer.prefixed(bytes)
        case .window(let bytes):
            writer.byte(FrameType.window)
            writer.varint(bytes)
        case .pathChallenge(let data):
            writer.byte(FrameType.pathChallenge)
            writer.integer(data)
        case .pathResponse(let data):
            writer.byte(FrameType.pathResponse)
            writer.integer(data)
        case .token(let token):
            precondition(token.count == PacketSize.cookie, "a token has a fixed size")
            writer.byte(FrameType.token)
            writer.append(token)
        case .close(let code, let reason):
            writer.byte(FrameType.close)
            writer.varint(code)
            writer.text(reason)
        case .grease(let type, let length):
            precondition(type >= FrameType.firstGrease, "a grease frame says that it is one")
            writer.byte(type)
            writer.varint(length)
            writer.append(repeatElement(0xAA, count: length))
        }
    }
}

extension AckFrame {
    init(parsing reader: inout ByteReader) throws(WireError) {
        let largest = try reader.varint()
        guard largest <= UInt64(UInt32.max) else { throw .malformed }
        delay = try reader.varint()
        let more = try reader.varint()
        guard more < UInt64(Self.rangeLimit) else { throw .tooLong }
        let first = try reader.varint()
        guard first <= largest else { throw .malformed }
        var low = largest - first
        ranges = [UInt32(low)...UInt32(largest)]
        for _ in 0..<more {
            let gap = try reader.varint()
            let length = try reader.varint()
            guard gap <= largest, length <= largest, low >= gap + 2, low - gap - 2 >= length else {
                throw .malformed
            }
            let high = low - gap - 2
            low = high - length
            ranges.append(UInt32(low)...UInt32(high))
        }
    }

    func write(to writer: inout ByteWriter) {
        guard let newest = ranges.first else { preconditionFailure("an ACK names a packet") }
        precondition(ranges.count <= Self.rangeLimit, "an ACK names few ranges")
        writer.byte(Frame.FrameType.ack)
        writer.varint(UInt64(newest.upperBound))
        writer.varint(delay)
        writer.varint(ranges.count - 1)
        writer.varint(UInt64(newest.upperBound - newest.lowerBound))
        var low = newest.lowerBound
        for range in ranges.dropFirst() {
            writer.varint(UInt64(low - range.upperBound - 2))
            writer.varint(UInt64(range.upperBound - range.lowerBound))
            low = range.lowerBound
        }
    }
}

extension RecordFrame {
    init(parsing reader: inout ByteReader, flags: UInt8) throws(WireError) {
        stream = try reader.varint()
        number = try reader.varint()
        if flags & Frame.FrameType.fragmentFlag != 0 {
            let offset = try reader.varint()
            let total = try reader.varint()
            guard total <= UInt64(Self.recordLimit), offset < total else { throw .malformed }
            fragment = Fragment(offset: Int(offset), total: Int(total))
        }
        if flags & Frame.FrameType.toTheEndFlag != 0 {
            bytes = reader.rest()
        } else {
            bytes = try reader.prefixed(limit: PacketSize.maximum)
        }
        if let fragment {
            guard !bytes.isEmpty, fragment.offset + bytes.count <= fragment.total else {
                throw .malformed
            }
        }
    }

    func write(to writer: inout ByteWriter) {
        Self.write(
            stream: stream,
            number: number,
            fragment: fragment,
            bytes: bytes[...],
            to: &writer
        )
    }

    /// Writes a frame whose bytes stand within others, so that they are copied once.
    package static func write(
        stream: UInt64,
        number: UInt64,
        fragment: Fragment?,
        bytes: ArraySlice<UInt8>,
        to writer: inout ByteWriter
    ) {
        writer.byte(Frame.FrameType.record | (fragment == nil ? 0 : Frame.FrameType.fragmentFlag))
        writer.varint(stream)
        writer.varint(number)
        if let fragment {
            writer.varint(fragment.offset)
            writer.varint(fragment.total)
        }
        writer.varint(bytes.count)
        writer.append(bytes)
    }

    /// Bytes that the frame takes, for a record or fragment of `count` bytes.
    package static func size(
        stream: UInt64,
        number: UInt64,
        fragment: Fragment?,
        count: Int
    ) -> Int {
        var size = 1 + ByteWriter.varintSize(stream) + ByteWriter.varintSize(number)
        if let fragment {
            size += ByteWriter.varintSize(UInt64(fragment.offset))
            size += ByteWriter.varintSize(UInt64(fragment.total))
        }
        return size + ByteWriter.varintSize(UInt64(count)) + count
    }
}
