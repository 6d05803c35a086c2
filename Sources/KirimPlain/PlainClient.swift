package import KirimWire

/// Speaks plain text to one server, as the programs do that this protocol comes from.
///
/// Nothing is acknowledged, repeated, or kept in order: what the network loses is lost.
package struct PlainClient: Sendable {
    private let server: Address
    /// Datagrams from elsewhere, dropped: anybody could send them.
    package private(set) var strangers = 0

    package init(server: Address) { self.server = server }

    /// The datagrams that say a line, in order; a long line is cut between characters. None for no text.
    package func say(_ line: String) -> [[UInt8]] { PlainText.datagrams(of: line) }

    /// The text that came from the server; `nil` for what is nobody's business here.
    ///
    /// Bytes that are not UTF-8 become U+FFFD: a server that cuts text at 1024 bytes tears characters,
    /// and the rest of the line is still worth reading.
    package mutating func receive(_ datagram: [UInt8], from address: Address) -> String? {
        guard address.port == server.port, address.ip.unmapped == server.ip.unmapped else {
            strangers += 1
            return nil
        }
        guard !datagram.isEmpty else { return nil }
        if let (text, _) = PlainText.read(datagram) { return text }
        return String(decoding: datagram, as: UTF8.self)
    }
}
