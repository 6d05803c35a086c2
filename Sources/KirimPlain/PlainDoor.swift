import KirimWire

/// Decides about datagrams of addresses that have not spoken yet.
///
/// Loopback enters at once. Under ``PlainPolicy/lan`` a stranger is sent a short code; the datagram that
/// brings it back proves that the stranger reads what is sent to that address. The code is a MAC over the
/// address and the time, so it need not be kept; what is kept for strangers, their rates and the bytes
/// of greetings too short for an answer, stands in tables of fixed size.
struct PlainDoor: Sendable {
    private let configuration: PlainServer.Configuration
    private let tag: @Sendable ([UInt8]) -> [UInt8]
    /// Strangers' rates, by a keyed hash of their prefix: no flood makes it grow, nobody can aim at a place.
    private var paces: [Pace]
    private var answers: Pace
    /// Who greeted with less than the shortest answer, by a keyed hash of the address. Who comes later to
    /// a place has it, and begins at nothing.
    private var credits: [Credit?]

    /// What an address sent and was not answered for.
    private struct Credit: Sendable {
        var address: Address
        var bytes: Int
    }

    private static let places = 1024
    private static let codeLength = 6

    init(
        configuration: PlainServer.Configuration,
        tag: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) {
        self.configuration = configuration
        self.tag = tag
        let strangers = Rate(
            perSecond: configuration.strangersPerSecond,
            burst: configuration.strangerBurst
        )
        paces = Array(
            repeating: Pace(strangers),
            count: configuration.policy == .lan ? Self.places : 0
        )
        credits = Array(repeating: nil, count: paces.count)
        let rate = configuration.challengesPerSecond
        answers = Pace(Rate(perSecond: rate, burst: rate))
    }

    enum Verdict: Hashable, Sendable {
        /// Registered from now on; the text is what it has to say, often nothing.
        case enter(String)
        case answer([UInt8])
        case refuse
        case hurry
    }

    /// Judges a stranger's datagram of so many bytes.
    mutating func admit(
        _ text: String,
        bytes: Int,
        from address: Address,
        at now: Instant
    ) -> Verdict {
        if address.ip.isLoopback { return .enter(text) }
        guard configuration.policy == .lan else { return .refuse }
        guard takeTurn(of: address.ip.prefix, at: now) else { return .hurry }
        let epoch = now.nanoseconds / max(1, configuration.codeLifetime.inNanoseconds)
        for valid in [epoch, epoch - 1] {
            if let rest = strip(code(for: address, epoch: valid), from: text) {
                return .enter(rest)
            }
        }
        let code = code(for: address, epoch: epoch)
        let answers = ["To join this chat, send \(code)\n", "send \(code)\n", code]
        let place = place(
            of: address.ip.octets + [UInt8(address.port >> 8), UInt8(address.port & 0xFF)]
        )
        let owned = credits[place].flatMap { $0.address == address ? $0.bytes : nil } ?? 0
        // The longest one that is no longer than what came: the address may be a victim's.
        guard let answer = answers.first(where: { $0.utf8.count <= owned + bytes }) else {
            credits[place] = Credit(address: address, bytes: owned + bytes)
            return .refuse
        }
        guard self.answers.admits(at: now) else { return .hurry }
        if owned > 0 { credits[place] = nil }
        return .answer(Array(answer.utf8))
    }

    private mutating func takeTurn(of prefix: IPAddress, at now: Instant) -> Bool {
        paces[place(of: prefix.octets)].admits(at: now)
    }

    /// Where the tables have a prefix or an address.
    private func place(of bytes: [UInt8]) -> Int {
        let hash = tag([UInt8]("kirim plain pace".utf8) + bytes)
        return hash.prefix(4).reduce(0) { $0 << 8 | Int($1) } % Self.places
    }

    /// 30 bits: one guess in a billion hits, and a prefix has two a second.
    private func code(for address: Address, epoch: Int64) -> String {
        var message = [UInt8]("kirim plain code".utf8) + address.ip.octets
        for shift in [8, 0] { message.append(UInt8(address.port >> shift & 0xFF)) }
        for shift in stride(from: 56, through: 0, by: -8) {
            message.append(UInt8(truncatingIfNeeded: epoch >> Int64(shift)))
        }
        return String(Base32.encode(Array(tag(message).prefix(4))).prefix(Self.codeLength))
    }

    /// What follows the code at the start of the text; `nil` where it does not begin with the code.
    private func strip(_ code: String, from text: String) -> String? {
        let bare = text.drop { $0 == " " }
        guard bare.prefix(Self.codeLength).lowercased() == code else { return nil }
        let rest = bare.dropFirst(Self.codeLength)
        guard let separator = rest.first else { return "" }
        guard separator.isWhitespace else { return nil }
        let message = rest.drop(while: \.isWhitespace)
        return String(message)
    }
}
