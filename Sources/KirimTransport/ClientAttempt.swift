import KirimNoise
import KirimWire

/// One try at a handshake, from the first packet to ACCEPT; a new one has new keys.
///
///     hello --CHALLENGE--> open --ACCEPT--> a connection
///       (token) -----------> open --CHALLENGE (token refused)--> a new attempt with hello
final class ClientAttempt {
    enum Phase: Equatable {
        case hello
        case open
    }

    let ephemeral: StaticKey
    let clientIndex: UInt8
    /// When the packet was last sent.
    var sentAt: Instant
    private(set) var phase: Phase
    /// The packet that is repeated until it is answered.
    private(set) var packet: [UInt8]
    /// Where it goes; more than one only while nobody has answered.
    private(set) var remotes: [Address]
    /// Counts the sends of this packet.
    var tries = 0
    var retryAt: Instant
    let usesToken: Bool
    private(set) var access: Access = .open
    private var handshake: InitiatorHandshake?

    /// An answer came, since the last send, with which there is no going on. It may be forged.
    var objection: ClientEndpoint.Stop?
    private(set) var serverKey: PublicKey?

    /// The versions that this client speaks.
    static let versions = [ProtocolVersion.one]

    private init(
        _ phase: Phase,
        to remotes: [Address],
        clientIndex: UInt8,
        dice: Dice,
        at now: Instant
    ) {
        var generator = DiceGenerator(dice: dice)
        ephemeral = StaticKey(dice: &generator)
        self.clientIndex = clientIndex
        self.remotes = remotes
        self.phase = phase
        usesToken = phase == .open
        sentAt = now
        retryAt = now
        packet = []
    }

    /// Begins with HELLO, in which `others` stand before the versions that are spoken.
    convenience init(
        to remotes: [Address],
        clientIndex: UInt8,
        offering others: [ProtocolVersion],
        dice: Dice,
        at now: Instant
    ) {
        self.init(.hello, to: remotes, clientIndex: clientIndex, dice: dice, at: now)
        packet =
            HelloPacket(
                ephemeral: ephemeral.publicKey.bytes,
                versions: others + Self.versions + [
                    .grease(UInt16(truncatingIfNeeded: dice.next()))
                ]
            ).bytes
    }

    /// Begins with OPEN, because a token already proves the address.
    convenience init?(
        to remotes: [Address],
        clientIndex: UInt8,
        token: [UInt8],
        serverKey: PublicKey,
        identity: StaticKey,
        secret: AccessSecret?,
        parameters: Parameters,
        dice: Dice,
        at now: Instant
    ) {
        self.init(.open, to: remotes, clientIndex: clientIndex, dice: dice, at: now)
        access = secret?.access ?? .open
        guard
            open(
                cookie: token,
                serverKey: serverKey,
                listed: [],
                identity: identity,
                secret: secret,
                parameters: parameters,
                dice: dice
            )
        else { return nil }
    }

    /// CHALLENGE came: the way is free for OPEN. Returns whether the handshake could be begun.
    func challenged(
        _ challenge: ChallengePacket,
        from remote: Address,
        identity: StaticKey,
        secret: AccessSecret?,
        parameters: Parameters,
        dice: Dice,
        at now: Instant
    ) -> Bool {
        phase = .open
        remotes = [remote]
        tries = 0
        retryAt = now
        access = challenge.access
        return open(
            cookie: challenge.cookie,
            serverKey: challenge.serverKey,
            listed: challenge.versions,
            identity: identity,
            secret: secret,
            parameters: parameters,
            dice: dice
        )
    }

    private func open(
        cookie: [UInt8],
        serverKey: PublicKey,
        listed: [ProtocolVersion],
        identity: StaticKey,
        secret: AccessSecret?,
        parameters: Parameters,
        dice: Dice
    ) -> Bool {
        var handshake = InitiatorHandshake(
            identity: identity,
            ephemeral: ephemeral,
            remote: serverKey,
            prologue: Prologue.bytes(version: .one, access: access, listed: listed),
            psk: secret?.sharedKey(with: serverKey)
        )
        var parameters = parameters
        if case .invitation(let id, _)? = secret { parameters.invitation = id }
        var payload = ByteWriter(capacity: OpenPacket.parametersSize)
        payload.append(parameters.bytes(grease: UInt8(truncatingIfNeeded: dice.next())))
        payload.pad(to: OpenPacket.parametersSize)
        guard let message = try? handshake.writeMessage1(payload.bytes) else { return false }
        packet =
            OpenPacket(version: .one, clientIndex: clientIndex, cookie: cookie, noise: message)
            .bytes
        self.serverKey = serverKey
        self.handshake = consume handshake
        return true
    }

    /// Reads ACCEPT; `nil` where it is not authentic, and then nothing has changed.
    func accepted(_ accept: AcceptPacket) -> (reply: AcceptReply, keys: SessionKeys)? {
        guard phase == .open else { return nil }
        guard let (payload, keys) = try? handshake?.readMessage2(accept.noise),
            let reply = try? AcceptReply(parsing: payload)
        else { return nil }
        return (reply, keys)
    }
}

/// What ACCEPT says under encryption.
struct AcceptReply {
    let connectionID: UInt64
    let resetToken: [UInt8]
    let token: [UInt8]
    let parameters: [UInt8]

    init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        connectionID = try reader.integer()
        resetToken = try reader.take(PacketSize.resetToken)
        token = try reader.take(PacketSize.cookie)
        parameters = reader.rest()
    }
}

extension AccessSecret {
    var access: Access {
        switch self {
        case .password, .passwordKey: .password
        case .invitation: .invitation
        }
    }

    func sharedKey(with server: PublicKey) -> [UInt8] {
        switch self {
        case .password(let password): PasswordKey.derive(password: password, serverKey: server)
        case .passwordKey(let key): key
        case .invitation(_, let secret): secret
        }
    }
}
