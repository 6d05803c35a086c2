import KirimNoise
import KirimWire

/// Makes and checks what proves an address without memory: cookies of a handshake, tokens of a return.
///
///     kind[1] | issued[4] | HMAC-SHA256-128(secret of the kind, kind | issued | ip | (port | e: cookie only))
///
/// A cookie is good for one handshake: its MAC covers address, port and the client's ephemeral key. A
/// token is good for a week at the same IP address, across restarts (PROTOCOL.md §2).
struct Cookies {
    private enum Kind {
        static let cookie: UInt8 = 1
        static let token: UInt8 = 2
    }

    private let token: MACKey
    private var present: MACKey
    private var previous: MACKey
    private var renewed: UInt32
    private let dice: Dice
    /// A cookie secret makes cookies for so long, and checks them for as long again.
    private let cookieLifetime: UInt32
    private let tokenLifetime: UInt32

    init(
        identity: StaticKey,
        configuration: TransportConfiguration,
        dice: Dice,
        seconds: UInt32
    ) {
        cookieLifetime = UInt32(configuration.cookieLifetime.components.seconds)
        tokenLifetime = UInt32(configuration.tokenLifetime.components.seconds)
        token = MACKey(identity.derive("kirim/1 token"))
        self.dice = dice
        present = MACKey(dice.bytes(32))
        previous = MACKey(dice.bytes(32))
        renewed = seconds
    }

    mutating func cookie(for address: Address, ephemeral: [UInt8], seconds: UInt32) -> [UInt8] {
        renew(at: seconds)
        let head = Self.head(Kind.cookie, seconds)
        return head + present.tag(head + Self.cookieTail(address, ephemeral))
    }

    func token(for ip: IPAddress, seconds: UInt32) -> [UInt8] {
        let head = Self.head(Kind.token, seconds)
        return head + token.tag(head + ip.octets)
    }

    /// Whether the sender of an OPEN has been at this address lately.
    mutating func proves(
        _ bytes: [UInt8],
        address: Address,
        ephemeral: [UInt8],
        seconds: UInt32
    ) -> Bool {
        guard bytes.count == PacketSize.cookie else { return false }
        renew(at: seconds)
        let head = Array(bytes[..<5])
        let tag = bytes[5...]
        let issued = head[1...].reduce(0) { $0 << 8 | UInt32($1) }
        // A little ahead is a clock that was set back; far ahead is forged or too old a story.
        guard issued <= seconds &+ 60 else { return false }
        let age = seconds > issued ? seconds - issued : 0
        switch head[0] {
        case Kind.cookie:
            let message = head + Self.cookieTail(address, ephemeral)
            return age <= cookieLifetime
                && (present.verifies(tag, message) || previous.verifies(tag, message))
        case Kind.token:
            return age <= tokenLifetime && token.verifies(tag, head + address.ip.octets)
        default: return false
        }
    }

    static func isToken(_ bytes: [UInt8]) -> Bool { bytes.first == Kind.token }

    private mutating func renew(at seconds: UInt32) {
        guard seconds >= renewed &+ cookieLifetime || seconds &+ 60 < renewed else { return }
        previous = present
        present = MACKey(dice.bytes(32))
        renewed = seconds
    }

    private static func head(_ kind: UInt8, _ seconds: UInt32) -> [UInt8] {
        var writer = ByteWriter(capacity: PacketSize.cookie)
        writer.byte(kind)
        writer.integer(seconds)
        return writer.bytes
    }

    private static func cookieTail(_ address: Address, _ ephemeral: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(capacity: 50)
        writer.append(address.ip.octets)
        writer.integer(address.port)
        writer.append(ephemeral)
        return writer.bytes
    }
}
