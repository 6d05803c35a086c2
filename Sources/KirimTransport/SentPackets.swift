import DequeModule
import KirimWire

/// What a sent packet carried: enough to send it again, a few bytes each.
enum SentContent {
    /// Whole records, consecutive ones in one range.
    case records(OutgoingStream.Name, Range<UInt64>)
    case fragment(OutgoingStream.Name, number: UInt64, Range<Int>)
    case token
}

/// Mostly it is one thing, which then needs no array.
struct SentContents: RandomAccessCollection {
    private var foremost: SentContent?
    private var others: [SentContent] = []

    var startIndex: Int { 0 }
    var endIndex: Int { foremost == nil ? 0 : 1 + others.count }

    subscript(index: Int) -> SentContent {
        if index == 0, let foremost { foremost } else { others[index - 1] }
    }

    mutating func append(_ content: SentContent) {
        if foremost == nil { foremost = content } else { others.append(content) }
    }

    /// There must be one.
    mutating func replaceLast(by content: SentContent) {
        if others.isEmpty { foremost = content } else { others[others.count - 1] = content }
    }
}

/// The order of the parts leaves no gaps: a busy connection has many.
struct SentPacket {
    let sentAt: Instant
    let contents: SentContents
    let size: Int
    let number: UInt32
    /// Counts the paths: what was sent on an earlier one says nothing about the present one.
    let pathGeneration: UInt32
    /// The highest number that this packet acknowledged.
    let acknowledges: UInt32?
    let isAckEliciting: Bool
}

/// The packets that are neither acknowledged nor lost, in the order of their numbers.
struct SentPackets {
    private var packets: Deque<SentPacket?> = []
    /// The number of the first element.
    private var base: UInt32 = 0
    private(set) var bytesInFlight = 0
    private(set) var elicitingCount = 0

    /// Numbers from the oldest unanswered packet on.
    var unanswered: Int { packets.count }
    /// The number after the last one sent.
    var end: UInt32 { base + UInt32(packets.count) }

    mutating func append(_ packet: SentPacket) {
        precondition(packet.number == end, "packet numbers are dense")
        if packet.isAckEliciting {
            bytesInFlight += packet.size
            elicitingCount += 1
            packets.append(packet)
        } else if packets.isEmpty {
            base = packet.number + 1
        } else {
            // Carries nothing that would be missed, but may tell us what the peer knows.
            packets.append(packet.acknowledges == nil ? nil : packet)
        }
    }

    mutating func remove(_ number: UInt32) -> SentPacket? {
        guard number >= base, number < end else { return nil }
        let index = Int(number - base)
        guard let packet = packets[index] else { return nil }
        packets[index] = nil
        if packet.isAckEliciting {
            bytesInFlight -= packet.size
            elicitingCount -= 1
        }
        trim()
        return packet
    }

    /// The part of the range in which packets may be unanswered.
    func unanswered(in range: ClosedRange<UInt32>) -> ClosedRange<UInt32>? {
        guard !packets.isEmpty, range.upperBound >= base, range.lowerBound < end else { return nil }
        return max(range.lowerBound, base)...min(range.upperBound, end - 1)
    }

    /// Ack-eliciting packets, oldest first.
    var eliciting: some Collection<SentPacket> {
        packets.lazy.compactMap { $0 }.filter(\.isAckEliciting)
    }

    /// Gives back the room, where nothing is under way.
    mutating func rest() {
        if packets.isEmpty { packets = [] }
    }

    /// Packets that are not ack-eliciting are never answered for certain: they must not pile up.
    private mutating func trim() {
        while let first = packets.first, first.map({ !$0.isAckEliciting }) ?? true {
            packets.removeFirst()
            base += 1
        }
    }
}
