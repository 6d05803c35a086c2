/// Where a server is, and, where it is known, who it is.
///
/// Four ways to write one, all read by ``init(_:)``:
///
///     kirim://chat.example:12345/<key>?invite=<token>   the key is checked from the first packet on
///     chat.example                                      port 12345, the key is pinned at the first contact
///     chat.example:50000        192.0.2.7:50000
///     [::1]:12345               ::1
public struct ServerAddress: Hashable, Sendable {
    /// A name or an IP address, lower case, without brackets.
    public var host: String
    /// A UDP port, 1 to 65,535.
    public var port: UInt16
    /// The server's public key, when the address came with one.
    public var key: PublicKey?
    /// What a closed server's operator gave: `kirim invite` prints it. Lets one key in, once.
    public var invitation: String?

    /// The port of a server that was told none.
    public static let defaultPort: UInt16 = 12345
    /// A server on this machine.
    public static let local = ServerAddress(host: "127.0.0.1")

    /// Takes the parts as they are; ``init(_:)`` checks them.
    public init(
        host: String,
        port: UInt16 = ServerAddress.defaultPort,
        key: PublicKey? = nil,
        invitation: String? = nil
    ) {
        self.host = host
        self.port = port
        self.key = key
        self.invitation = invitation
    }
}

extension ServerAddress: LosslessStringConvertible {
    /// `nil` where the text is not an address: no host, a port outside 1 to 65,535, a key that is none.
    public init?(_ text: String) {
        var rest = Substring(text)
        var isLink = false
        if let scheme = rest.prefixRange(of: "kirim://") {
            rest = rest[scheme...]
            isLink = true
        }
        var key: PublicKey?
        var invitation: String?
        if isLink {
            if let question = rest.firstIndex(of: "?") {
                guard let found = Self.invitation(in: rest[rest.index(after: question)...]) else {
                    return nil
                }
                invitation = found
                rest = rest[..<question]
            }
            if let slash = rest.firstIndex(of: "/") {
                let path = rest[rest.index(after: slash)...]
                rest = rest[..<slash]
                if !path.isEmpty {
                    guard let found = PublicKey(String(path)) else { return nil }
                    key = found
                }
            }
        }
        guard let (host, port) = Self.hostAndPort(rest) else { return nil }
        self.init(host: host, port: port, key: key, invitation: invitation)
    }

    /// The canonical text: a link when there is a key or an invitation, else `host:port`.
    public var description: String {
        guard key != nil || invitation != nil else { return endpoint }
        var text = "kirim://\(endpoint)/"
        if let key { text += key.description }
        if let invitation { text += "?invite=\(invitation)" }
        return text
    }

    /// `host:port`, an IPv6 address in brackets.
    public var endpoint: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension ServerAddress {
    private static func hostAndPort(_ text: Substring) -> (host: String, port: UInt16)? {
        let host: Substring
        let port: Substring?
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<close]
            let tail = text[text.index(after: close)...]
            guard tail.isEmpty || tail.first == ":" else { return nil }
            port = tail.isEmpty ? nil : tail.dropFirst()
            guard host.contains(":") else { return nil }
        } else if let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        } else {
            // None, or several: a bare IPv6 address.
            host = text
            port = nil
        }
        guard isHost(host) else { return nil }
        guard let port else { return (host.lowercased(), defaultPort) }
        guard port.utf8.count <= 5, port.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt16(port), number > 0
        else { return nil }
        return (host.lowercased(), number)
    }

    /// Letters of any script, digits, `-`, `.`, `_`; what has a colon is an IPv6 address, perhaps with a zone.
    private static func isHost(_ host: Substring) -> Bool {
        guard !host.isEmpty, host.utf8.count <= 253 else { return false }
        if host.contains(":") {
            // The zone may be an interface's name, which only the system can look up.
            let parts = host.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
            return IPAddress(String(parts[0])) != nil && parts.dropFirst().allSatisfy(isName)
        }
        return isName(host)
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy { scalar in
                if scalar == "-" || scalar == "." || scalar == "_" { return true }
                let properties = scalar.properties
                return properties.isAlphabetic || properties.numericType == .decimal
                    || properties.canonicalCombiningClass != .notReordered
            }
    }

    /// The `invite=` of a query; other parameters mean nothing yet. `nil` for an invitation that is empty.
    private static func invitation(in query: Substring) -> String?? {
        for pair in query.split(separator: "&") where pair.hasPrefix("invite=") {
            let value = pair.dropFirst("invite=".count)
            guard Base32.decode(String(value))?.isEmpty == false else { return nil }
            return .some(String(value))
        }
        return .some(nil)
    }
}

extension Substring {
    /// Where the text goes on after `prefix`, whatever the case of its letters.
    fileprivate func prefixRange(of prefix: String) -> Index? {
        guard let end = index(startIndex, offsetBy: prefix.count, limitedBy: endIndex),
            self[..<end].lowercased() == prefix
        else { return nil }
        return end
    }
}
