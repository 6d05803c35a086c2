/// The packets of the protocol, told apart by their first byte (PROTOCOL.md §1).
///
/// All of them begin with a byte from F5 to FF, which UTF-8 never contains, so that plain text shares the port.
package enum PacketType: UInt8, Sendable {
    case hello = 0xF8
    case challenge = 0xF9
    case open = 0xFA
    case accept = 0xFB
    case reset = 0xFC
    case data = 0xFD

    /// Whether a datagram is one of ours at all, known or greased; all others are plain text.
    package static func claims(_ datagram: [UInt8]) -> Bool {
        guard let first = datagram.first else { return false }
        return first >= 0xF5
    }
}

/// Sizes that packets have, in bytes.
package enum PacketSize {
    /// The largest UDP payload that is sent: fits IPv6's minimum MTU with room for a tunnel (RFC 9000 §14).
    package static let maximum = 1200
    package static let connectionID = 8
    package static let tag = 16
    package static let cookie = 21
    package static let resetToken = 16
    package static let reset = 1 + connectionID + resetToken
    /// Header of DATA towards the server, and towards the client.
    package static let dataHeaderToServer = 1 + connectionID + 4
    package static let dataHeaderToClient = 1 + 1 + 4
    /// Versions that a HELLO or CHALLENGE may list. More is a mistake or an attack.
    package static let versionLimit = 16
}

/// A protocol version. Those of the form `?A?A?A?A` mean nothing and keep the field honest (RFC 9000 §15).
package struct ProtocolVersion: Hashable, Sendable, RawRepresentable {
    package var rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let one = ProtocolVersion(rawValue: 1)
    package var isGrease: Bool { rawValue & 0x0F0F_0F0F == 0x0A0A_0A0A }
    /// A grease version made of 16 random bits.
    package static func grease(_ bits: UInt16) -> ProtocolVersion {
        var raw: UInt32 = 0x0A0A_0A0A
        for nibble in 0..<4 {
            raw |= UInt32(bits >> (4 * UInt16(nibble)) & 0xF) << UInt32(8 * nibble + 4)
        }
        return ProtocolVersion(rawValue: raw)
    }
}

/// HELLO: a client asks whether anybody is there. 1200 bytes, so that no answer is larger.
package struct HelloPacket: Hashable, Sendable {
    package var ephemeral: [UInt8]
    package var versions: [ProtocolVersion]

    package init(ephemeral: [UInt8], versions: [ProtocolVersion]) {
        self.ephemeral = ephemeral
        self.versions = versions
    }

    package init(parsing bytes: [UInt8]) throws(WireError) {
        guard bytes.count == PacketSize.maximum else { throw .malformed }
        var reader = ByteReader(bytes)
        guard try reader.byte() == PacketType.hello.rawValue else { throw .malformed }
        ephemeral = try reader.take(PublicKey.size)
        versions = try reader.versions()
        while let byte = reader.peek() {
            guard byte == 0 else { throw .malformed }
            try reader.skip(1)
        }
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter(capacity: PacketSize.maximum)
        writer.byte(PacketType.hello.rawValue)
        writer.append(ephemeral)
        writer.versions(versions)
        writer.pad(to: PacketSize.maximum)
        return writer.bytes
    }
}

/// How a server lets strangers in.
package enum Access: UInt8, Hashable, Sendable {
    case open = 0
    case password = 1
    case invitation = 2
}

/// CHALLENGE: the stateless answer to HELLO.
package struct ChallengePacket: Hashable, Sendable {
    /// The first 8 bytes of the client's ephemeral key: only who saw the HELLO can answer it.
    package var echo: [UInt8]
    package var access: Access
    package var versions: [ProtocolVersion]
    package var serverKey: PublicKey
    package var cookie: [UInt8]

    package init(
        echo: [UInt8],
        access: Access,
        versions: [ProtocolVersion],
        serverKey: PublicKey,
        cookie: [UInt8]
    ) {
        self.echo = echo
        self.access = access
        self.versions = versions
        self.serverKey = serverKey
        self.cookie = cookie
    }

    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        guard try reader.byte() == PacketType.challenge.rawValue else { throw .malformed }
        echo = try reader.take(8)
        guard let access = Access(rawValue: try reader.byte()) else { throw .malformed }
        self.access = access
        versions = try reader.versions()
        guard let key = PublicKey(bytes: try reader.take(PublicKey.size)) else { throw .malformed }
        serverKey = key
        cookie = try reader.take(PacketSize.cookie)
        try reader.finish()
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 80)
        writer.byte(PacketType.challenge.rawValue)
        writer.append(echo)
        writer.byte(access.rawValue)
        writer.versions(versions)
        writer.append(serverKey.bytes)
        writer.append(cookie)
        return writer.bytes
    }
}

/// OPEN: a client with a cookie or token begins the handshake. 1200 bytes.
package struct OpenPacket: Hashable, Sendable {
    package var version: ProtocolVersion
    /// The client's one-byte name for the connection to be.
    package var clientIndex: UInt8
    package var cookie: [UInt8]
    /// Noise message 1: e[32], enc(s)[48], enc(parameters and padding).
    package var noise: [UInt8]

    package init(version: ProtocolVersion, clientIndex: UInt8, cookie: [UInt8], noise: [UInt8]) {
        self.version = version
        self.clientIndex = clientIndex
        self.cookie = cookie
        self.noise = noise
    }

    /// Bytes of Noise message 1, and of the plaintext within it.
    package static let noiseSize = PacketSize.maximum - 1 - 4 - 1 - PacketSize.cookie
    package static let parametersSize = noiseSize - 32 - 48 - PacketSize.tag

    package init(parsing bytes: [UInt8]) throws(WireError) {
        guard bytes.count == PacketSize.maximum else { throw .malformed }
        var reader = ByteReader(bytes)
        guard try reader.byte() == PacketType.open.rawValue else { throw .malformed }
        version = ProtocolVersion(rawValue: try reader.integer())
        clientIndex = try reader.byte()
        cookie = try reader.take(PacketSize.cookie)
        noise = reader.rest()
    }

    package var ephemeral: [UInt8] { Array(noise.prefix(PublicKey.size)) }

    package var bytes: [UInt8] {
        var writer = ByteWriter(capacity: PacketSize.maximum)
        writer.byte(PacketType.open.rawValue)
        writer.integer(version.rawValue)
        writer.byte(clientIndex)
        writer.append(cookie)
        writer.append(noise)
        return writer.bytes
    }
}

/// ACCEPT: the server's Noise message 2.
package struct AcceptPacket: Hashable, Sendable {
    package var clientIndex: UInt8
    package var noise: [UInt8]

    package init(clientIndex: UInt8, noise: [UInt8]) {
        self.clientIndex = clientIndex
        self.noise = noise
    }

    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        guard try reader.byte() == PacketType.accept.rawValue else { throw .malformed }
        clientIndex = try reader.byte()
        guard reader.remaining >= PublicKey.size + PacketSize.tag else { throw .truncated }
        guard bytes.count <= PacketSize.maximum else { throw .tooLong }
        noise = reader.rest()
    }

    package var bytes: [UInt8] {
        [PacketType.accept.rawValue, clientIndex] + noise
    }
}

/// RESET: "I do not know this connection", from a server that lost its memory.
package struct ResetPacket: Hashable, Sendable {
    package var connectionID: UInt64
    package var token: [UInt8]

    package init(connectionID: UInt64, token: [UInt8]) {
        self.connectionID = connectionID
        self.token = token
    }

    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        guard try reader.byte() == PacketType.reset.rawValue else { throw .malformed }
        connectionID = try reader.integer()
        token = try reader.take(PacketSize.resetToken)
        try reader.finish()
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter(capacity: PacketSize.reset)
        writer.byte(PacketType.reset.rawValue)
        writer.integer(connectionID)
        writer.append(token)
        return writer.bytes
    }
}

/// The clear part of a DATA packet; it is authenticated with the rest.
package struct DataHeader: Hashable, Sendable {
    package enum Destination: Hashable, Sendable {
        case server(connectionID: UInt64)
        case client(index: UInt8)
    }

    package var destination: Destination
    package var packetNumber: UInt32

    package init(destination: Destination, packetNumber: UInt32) {
        self.destination = destination
        self.packetNumber = packetNumber
    }

    package static func parsingToServer(_ bytes: [UInt8]) throws(WireError) -> DataHeader {
        var reader = ByteReader(bytes)
        guard try reader.byte() == PacketType.data.rawValue else { throw .malformed }
        let connectionID: UInt64 = try reader.integer()
        return try finish(&reader, .server(connectionID: connectionID))
    }

    package static func parsingToClient(_ bytes: [UInt8]) throws(WireError) -> DataHeader {
        var reader = ByteReader(bytes)
        guard try reader.byte() == PacketType.data.rawValue else { throw .malformed }
        return try finish(&reader, .client(index: try reader.byte()))
    }

    private static func finish(
        _ reader: inout ByteReader,
        _ destination: Destination
    ) throws(WireError) -> DataHeader {
        let number: UInt32 = try reader.integer()
        guard reader.remaining > PacketSize.tag else { throw .truncated }
        guard reader.bytes.count <= PacketSize.maximum else { throw .tooLong }
        return DataHeader(destination: destination, packetNumber: number)
    }

    package var size: Int {
        switch destination {
        case .server: PacketSize.dataHeaderToServer
        case .client: PacketSize.dataHeaderToClient
        }
    }

    package func write(to writer: inout ByteWriter) {
        writer.byte(PacketType.data.rawValue)
        switch destination {
        case .server(let connectionID): writer.integer(connectionID)
        case .client(let index): writer.byte(index)
        }
        writer.integer(packetNumber)
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter(capacity: size)
        write(to: &writer)
        return writer.bytes
    }
}

extension ByteReader {
    fileprivate mutating func versions() throws(WireError) -> [ProtocolVersion] {
        let count = Int(try byte())
        guard count >= 1, count <= PacketSize.versionLimit else { throw .malformed }
        var versions: [ProtocolVersion] = []
        for _ in 0..<count { versions.append(ProtocolVersion(rawValue: try integer())) }
        // Whoever leaves it out would teach others that a list holds known versions only (PROTOCOL.md §1).
        guard versions.contains(where: \.isGrease) else { throw .malformed }
        return versions
    }
}

extension ByteWriter {
    package mutating func versions(_ versions: [ProtocolVersion]) {
        precondition(versions.count <= PacketSize.versionLimit, "a packet lists few versions")
        byte(UInt8(versions.count))
        for version in versions { integer(version.rawValue) }
    }
}
