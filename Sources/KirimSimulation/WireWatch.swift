package import KirimWire

/// Watches the server's door from outside: who got how many bytes, and which packet numbers were used.
///
/// It knows no keys. An address counts as proved as soon as a datagram left it, after one of the
/// server's had arrived there, and reached the server: only then can any server know that somebody
/// hears it there. An answer to a challenge proves the path that was challenged, whichever way it came and
/// whoever brought it (RFC 9000 §8.2.3). So it may be more lenient than the server must be, and never
/// stricter.
package struct WireWatch: Sendable {
    private var strangers: [Address: Balance] = [:]
    private var heard: Set<Address> = []
    /// A token proves an address without its port, also after a restart (PROTOCOL.md §1).
    private var provedIPs: Set<IPAddress> = []
    private var proving: Set<UInt64> = []
    /// Digests of DATA that real clients sent and that have not reached the server yet.
    private var genuine: Set<UInt64> = []
    /// The one that reached the server last, if it was new to it.
    private var newest: UInt64?
    /// Digests of DATA that may answer a challenge, and the address from which they left.
    private var answering: [UInt64: Address] = [:]
    private var lastToServer: [UInt64: UInt32] = [:]
    private var numbersToFace: [FaceIndex: Numbers] = [:]
    private var faces: [Address: Int] = [:]
    private var strays: [UInt8: Set<UInt32>] = [:]
    private var strayAccepts: [UInt8: Int] = [:]
    package private(set) var bytesIn = 0
    package private(set) var bytesOut = 0

    private let isAttacked: Bool

    /// Under attack packets go to addresses for reasons that cannot be known here, so that gaps in the
    /// server's packet numbers prove nothing.
    package init(isAttacked: Bool) { self.isAttacked = isAttacked }

    private struct Balance: Sendable {
        var bytesIn = 0
        var genuineIn = 0
        var bytesOut = 0
        var isProved = false
    }

    private struct FaceIndex: Hashable, Sendable {
        var face: Int
        var index: UInt8
    }

    /// The packet numbers that a face got under one connection index. Several connections may have
    /// borne the index; each counts 0, 1, 2, … so each number must continue one of them.
    private struct Numbers: Sendable {
        var accepts: [UInt64] = []
        var last: [UInt32] = []
    }
}

extension WireWatch {
    /// A client sent this, and it bears the source `from` on the wire.
    package mutating func clientSent(
        _ bytes: [UInt8],
        from: Address,
        face: Int,
        origin: UInt64
    ) throws(Violation) {
        faces[from] = face
        if heard.contains(from) { proving.insert(origin) }
        guard bytes.first == PacketType.data.rawValue else { return }
        let digest = TraceHash.digest(bytes)
        genuine.insert(digest)
        if heard.contains(from) { answering[digest] = from }
        guard let header = try? DataHeader.parsingToServer(bytes),
            case .server(let connection) = header.destination
        else { return }
        if let last = lastToServer[connection], header.packetNumber <= last {
            throw Violation(
                .freshNumbers,
                "client \(face) sent packet \(header.packetNumber) after \(last) on \(connection)."
            )
        }
        lastToServer[connection] = header.packetNumber
    }

    /// A datagram from the server reached a client that is behind `to` on the wire.
    package mutating func clientReceived(at to: Address) { heard.insert(to) }

    /// Anything at all reached the server.
    package mutating func serverReceived(
        _ bytes: [UInt8],
        from: Address,
        origin: UInt64,
        isIntact: Bool
    ) {
        newest = nil
        bytesIn += bytes.count
        strangers[from, default: Balance()].bytesIn += bytes.count
        // The door drops what it cannot answer unread: the packet is as new as before.
        if isIntact, from.isAnswerable, bytes.first == PacketType.data.rawValue {
            let digest = TraceHash.digest(bytes)
            if genuine.remove(digest) != nil {
                strangers[from, default: Balance()].genuineIn += bytes.count
                newest = digest
            }
            if let proved = answering.removeValue(forKey: digest) { prove(proved) }
        }
        if isIntact, proving.remove(origin) != nil { prove(from) }
    }

    /// The server dropped unread what reached it last, as its source is banned: the packet is as new as before.
    package mutating func droppedUnread() { if let newest { genuine.insert(newest) } }

    private mutating func prove(_ address: Address) {
        strangers[address, default: Balance()].isProved = true
        provedIPs.insert(address.ip)
    }

    package mutating func serverSent(_ bytes: [UInt8], to: Address) throws(Violation) {
        bytesOut += bytes.count
        var balance = strangers[to] ?? Balance()
        balance.bytesOut += bytes.count
        strangers[to] = balance
        // An authentic packet from a new address allows three times its size until the path has
        // answered (PROTOCOL.md §4); anything else allows its own size.
        let allowance = balance.bytesIn + 2 * balance.genuineIn
        let isProved = balance.isProved || provedIPs.contains(to.ip)
        if !isProved, !to.ip.isLoopback, balance.bytesOut > allowance {
            throw Violation(
                .noAmplification,
                "\(balance.bytesOut) bytes went to \(to), which sent \(balance.bytesIn) "
                    + "(\(balance.genuineIn) of them authentic) and has not proved itself."
            )
        }
        if to.port == 0 {
            throw Violation(.noAmplification, "the server sent to port 0 of \(to.ip).")
        }
        try watchNumbers(of: bytes, to: to)
    }

    /// What goes to an address that no client has spoken from (an attacker raced, or a router changed
    /// its mind) has no face; it only explains a gap.
    private mutating func watchNumbers(of bytes: [UInt8], to: Address) throws(Violation) {
        guard let first = bytes.first else { return }
        if first == PacketType.accept.rawValue, bytes.count > 1 {
            noteAccept(bytes, face: faces[to])
        }
        guard first == PacketType.data.rawValue,
            let header = try? DataHeader.parsingToClient(bytes),
            case .client(let index) = header.destination
        else { return }
        let number = header.packetNumber
        guard let face = faces[to] else {
            strays[index, default: []].insert(number)
            return
        }
        let key = FaceIndex(face: face, index: index)
        var numbers = numbersToFace[key] ?? Numbers()
        let astray = strays[index] ?? []
        if let stream = numbers.last.indices.first(where: {
            numbers.last[$0] < number && (numbers.last[$0] + 1..<number).allSatisfy(astray.contains)
        }) {
            numbers.last[stream] = number
        } else if numbers.last.count < numbers.accepts.count + strayAccepts[index, default: 0],
            (0..<number).allSatisfy(astray.contains)
        {
            numbers.last.append(number)
        } else if isAttacked {
            // Somebody sent one client's packet from another's address, and the server followed.
            strays[index, default: []].insert(number)
            return
        } else {
            throw Violation(
                .freshNumbers,
                "the server sent packet \(number) of index \(index) to client \(face), "
                    + "which continues none of \(numbers.last)."
            )
        }
        numbersToFace[key] = numbers
    }

    private mutating func noteAccept(_ bytes: [UInt8], face: Int?) {
        let index = bytes[1]
        guard let face else {
            strayAccepts[index, default: 0] += 1
            return
        }
        let digest = TraceHash.digest(bytes)
        let key = FaceIndex(face: face, index: index)
        guard numbersToFace[key]?.accepts.contains(digest) != true else { return }
        numbersToFace[key, default: Numbers()].accepts.append(digest)
    }

    /// The server lost its memory, and with it all proofs.
    package mutating func serverRestarted() {
        strangers = [:]
    }
}
