/// One text on its way to many plain clients. Made into datagrams once, handed out one at a time, so that
/// a long text to many clients is never many copies in memory.
struct Fanout: Sendable {
    private let prefix: String
    private let text: String
    private let recipients: [PlainPeer]
    /// About the bytes that it sends, headers and all; never less than it takes in memory.
    let cost: Int
    private var place = 0
    private var piece = 0
    private var bare: [[UInt8]]?
    private var ended: [[UInt8]]?

    init(prefix: String, text: String, recipients: [PlainPeer]) {
        self.prefix = prefix
        self.text = text
        self.recipients = recipients
        cost = (prefix.utf8.count + text.utf8.count + Self.overhead) * recipients.count
    }

    /// IP and UDP headers, or a recipient and its share of this value.
    private static let overhead = 128

    /// Whether it is somebody's text, with a name before it, and not what the operator typed.
    var isRelay: Bool { !prefix.isEmpty }

    /// Whose turn it is; `nil` at the end.
    var recipient: PlainPeer? { place < recipients.count ? recipients[place] : nil }

    /// Passes over the recipient whose turn it is.
    mutating func skip() {
        place += 1
        piece = 0
    }

    /// The recipient's next datagram; `nil` after the last one, when it is the next one's turn.
    mutating func next(endsLine: Bool) -> [UInt8]? {
        let pieces = datagrams(ended: endsLine)
        guard piece < pieces.count else {
            skip()
            return nil
        }
        defer { piece += 1 }
        return pieces[piece]
    }

    private mutating func datagrams(ended ends: Bool) -> [[UInt8]] {
        if ends {
            if let ended { return ended }
            let limit = PlainText.datagramLimit - 1
            let made = PlainText.datagrams(of: text, prefix: prefix, limit: limit).map {
                $0 + [0x0A]
            }
            ended = made
            return made
        }
        if let bare { return bare }
        let made = PlainText.datagrams(of: text, prefix: prefix)
        bare = made
        return made
    }
}

/// The last few datagrams that were relayed to a client, to know them when they come back.
struct RecentDatagrams: Sendable {
    private var datagrams: [[UInt8]] = []
    private var oldest = 0
    /// An echo comes back within a round trip; more than these are seldom under way.
    private static let limit = 16

    mutating func remember(_ datagram: [UInt8]) {
        if datagrams.count < Self.limit {
            datagrams.append(datagram)
        } else {
            datagrams[oldest] = datagram
            oldest = (oldest + 1) % Self.limit
        }
    }

    /// Whether the text is one of them, with or without a line end.
    func contains(_ text: String) -> Bool {
        datagrams.contains { $0.dropLast($0.last == 0x0A ? 1 : 0).elementsEqual(text.utf8) }
    }
}
