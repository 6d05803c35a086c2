import KirimRooms
package import KirimWire

/// How text looks in plain datagrams.
package enum PlainText {
    /// Bytes of a datagram that is sent: the buffer of the programs that this protocol comes from.
    package static let datagramLimit = 1024

    /// The text of a datagram, or `nil` where it is not UTF-8. One line end at the close is not part of
    /// the text (`nc` sends one); `endsLine` says that it was there.
    package static func read(_ datagram: [UInt8]) -> (text: String, endsLine: Bool)? {
        var end = datagram.count
        let endsLine = datagram.last == 0x0A
        if endsLine {
            end -= 1
            if end > 0, datagram[end - 1] == 0x0D { end -= 1 }
        }
        guard let text = String(validating: datagram[..<end], as: UTF8.self) else { return nil }
        return (text, endsLine)
    }

    /// The datagrams for a text, each with the prefix before it and at most `limit` bytes long.
    ///
    /// Cuts fall between characters as people see them; within one only where it alone is too long,
    /// and then between its scalars, so that each datagram stays valid UTF-8. No text: no datagram.
    package static func datagrams(
        of text: String,
        prefix: String = "",
        limit: Int = datagramLimit
    ) -> [[UInt8]] {
        let prefix = Array(prefix.utf8)
        let room = limit - prefix.count
        precondition(room >= 4, "a datagram holds its prefix and at least one scalar")
        if !text.isEmpty, text.utf8.count <= room { return [prefix + text.utf8] }
        var datagrams: [[UInt8]] = []
        var current = prefix
        func close() {
            if current.count > prefix.count { datagrams.append(current) }
            current = prefix
        }
        for character in text {
            let size = character.utf8.count
            if size <= room {
                if current.count + size > limit { close() }
                current.append(contentsOf: character.utf8)
                continue
            }
            for scalar in character.unicodeScalars {
                let bytes = UTF8.encode(scalar).map(Array.init) ?? []
                if current.count + bytes.count > limit { close() }
                current.append(contentsOf: bytes)
            }
        }
        close()
        return datagrams
    }

    /// About the datagrams that a relayed text takes, never less: each line but the first is moved in by two spaces,
    /// and a control character becomes one of three bytes.
    package static func pieces(of text: String) -> Int {
        let longer = text.utf8.count { $0 < 0x20 || $0 == 0x7F || $0 == 0xC2 }
        return 1 + (text.utf8.count + 2 * longer) / (datagramLimit / 2)
    }

    /// What somebody else's text becomes before it is sent to a program that shows bytes as they are:
    /// a terminal's `nc` must not obey an escape sequence of a stranger's. Line ends and tabs stay.
    package static func disarmed(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isArmed) else { return text }
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where scalar != "\r" {
            scalars.append(isArmed(scalar) ? "\u{FFFD}" : scalar)
        }
        return String(scalars)
    }

    /// The same, with every line but the first moved in: a line in the text must not pass for somebody else's.
    package static func indented(_ text: String) -> String {
        disarmed(text).replacing("\n", with: "\n  ")
    }

    private static func isArmed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: false
        case 0..<0x20, 0x7F..<0xA0: true
        default: false
        }
    }

    /// How an entry reads for a plain receiver: what stands before each datagram, and the text.
    static func line(for entry: Entry) -> (prefix: String, text: String) {
        let name = authorName(entry.author)
        switch entry.kind {
        case .broadcast: return ("", entry.text)
        case .notice: return ("", disarmed(entry.text))
        case .text, .reply: return ("\(name): ", indented(entry.text))
        case .edit: return ("\(name) (edited): ", indented(entry.text))
        case .action: return ("* \(name) ", indented(entry.text))
        case .reaction: return ("* \(name) reacts: ", indented(entry.text))
        case .delete: return ("", "* \(name) deletes a message")
        }
    }

    private static func authorName(_ author: Author) -> String {
        switch author {
        case .server: "Server"
        case .member(_, let name): name.text
        case .plain(let address): name(of: address)
        }
    }

    /// What a plain client is called: its address as text.
    package static func name(of address: Address) -> String {
        Address(ip: address.ip.unmapped, port: address.port).description
    }

    /// How many addresses stand before the text, as relays put them there: `1.2.3.4:5: 6.7.8.9:1: hi` has 2.
    static func relayDepth(of text: String) -> Int {
        var rest = Substring(text)
        var depth = 0
        while depth < 2, let end = rest.firstRange(of: ": ") {
            guard isAddressLike(rest[..<end.lowerBound]) else { break }
            depth += 1
            rest = rest[end.upperBound...]
        }
        return depth
    }

    private static func isAddressLike(_ text: Substring) -> Bool {
        guard text.utf8.count <= 64, let colon = text.lastIndex(of: ":") else { return false }
        let port = text[text.index(after: colon)...]
        guard UInt16(port) != nil else { return false }
        let host = text[..<colon]
        // A time of day (`12:30: lunch`) is not an address.
        guard host.first == "[" || host.count(where: { $0 == "." }) == 3 else { return false }
        return host.allSatisfy { $0.isHexDigit || "[]:.%".contains($0) }
    }
}
