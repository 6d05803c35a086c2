/// Addresses as people write them: RFC 4291 and RFC 6874's zone are read, RFC 5952 is written.
extension IPAddress: LosslessStringConvertible {
    /// `192.0.2.1`, `2001:db8::1`, `fe80::1%3`: one text for each address (RFC 5952 §4).
    public var description: String {
        switch self {
        case .v4(let bits):
            return Self.dotted(bits)
        case .v6(0, let low, let zone) where low >> 32 == 0xFFFF:
            return "::ffff:" + Self.dotted(UInt32(truncatingIfNeeded: low)) + Self.suffix(zone)
        case .v6(let high, let low, let zone):
            let groups = [high, low].flatMap { half in
                stride(from: 48 as UInt64, through: 0, by: -16).map {
                    UInt16(truncatingIfNeeded: half >> $0)
                }
            }
            return Self.compressed(groups) + Self.suffix(zone)
        }
    }

    /// Reads an address with nothing before, behind or within it; `nil` for all that is not one.
    ///
    /// Strict: four decimal parts without leading zeros, or the forms of RFC 4291 §2.2 with an
    /// optional zone index from 1 (`%3`). No names of interfaces, no brackets, no spaces.
    public init?(_ description: String) {
        // The longest text of all: eight groups, the last two in dotted form, and a zone.
        guard description.utf8.count <= 45 + 11 else { return nil }
        let text = Array(description.utf8)
        if text.contains(UInt8(ascii: ":")) {
            self.init(version6: text)
        } else {
            guard let bits = Self.dotted(text[...]) else { return nil }
            self = .v4(bits)
        }
    }

    private init?(version6 text: [UInt8]) {
        var address = text[...]
        var zone: UInt32 = 0
        if let percent = text.firstIndex(of: UInt8(ascii: "%")) {
            address = text[..<percent]
            guard
                let index = UInt32(decimal: text[(percent + 1)...]), index > 0
            else { return nil }
            zone = index
        }
        guard let groups = Self.groups(address) else { return nil }
        let halves = [groups[..<4], groups[4...]].map { half in
            half.reduce(0 as UInt64) { $0 << 16 | UInt64($1) }
        }
        self = .v6(halves[0], halves[1], zone: zone)
    }
}

extension IPAddress {
    private static func suffix(_ zone: UInt32) -> String { zone == 0 ? "" : "%\(zone)" }

    private static func dotted(_ bits: UInt32) -> String {
        "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
    }

    private static func dotted(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard let value = UInt8(decimal: part) else { return nil }
            bits = bits << 8 | UInt32(value)
        }
        return bits
    }

    /// The longest run of zeros becomes `::`, the first of equals, and never a single zero (RFC 5952 §4.2).
    private static func compressed(_ groups: [UInt16]) -> String {
        var longest = 0..<0
        var start = 0
        while start < groups.count {
            let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
            if end - start > max(longest.count, 1) { longest = start..<end }
            start = end + 1
        }
        func text(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !longest.isEmpty else { return text(groups[...]) }
        return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
    }

    /// Eight groups, or `nil`.
    private static func groups(_ text: ArraySlice<UInt8>) -> [UInt16]? {
        let colon = UInt8(ascii: ":")
        let gap = text.indices.dropLast().first { text[$0] == colon && text[$0 + 1] == colon }
        guard let gap else {
            guard let groups = plainGroups(text), groups.count == 8 else { return nil }
            return groups
        }
        // Nothing, or groups, on either side of the gap; the dotted form only at the very end.
        let front = text[..<gap]
        let back = text[(gap + 2)...]
        guard
            !front.contains(UInt8(ascii: ".")),
            let before = front.isEmpty ? [] : plainGroups(front),
            let after = back.isEmpty ? [] : plainGroups(back),
            before.count + after.count < 8
        else { return nil }
        return before + repeatElement(0, count: 8 - before.count - after.count) + after
    }

    /// Groups between single colons, the last two perhaps in dotted form (RFC 4291 §2.2).
    private static func plainGroups(_ text: ArraySlice<UInt8>) -> [UInt16]? {
        var parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var tail: [UInt16] = []
        if let last = parts.last, last.contains(UInt8(ascii: ".")) {
            guard let bits = dotted(last) else { return nil }
            tail = [UInt16(bits >> 16), UInt16(truncatingIfNeeded: bits)]
            parts.removeLast()
        }
        var groups: [UInt16] = []
        for part in parts {
            guard (1...4).contains(part.count) else { return nil }
            var group: UInt16 = 0
            for character in part {
                guard let digit = Character(UnicodeScalar(character)).hexDigitValue else {
                    return nil
                }
                group = group << 4 | UInt16(digit)
            }
            groups.append(group)
        }
        return groups + tail
    }
}

extension Address: LosslessStringConvertible {
    /// `127.0.0.1:50001`, `[::1]:12345`.
    public var description: String {
        switch ip {
        case .v4: "\(ip):\(port)"
        case .v6: "[\(ip)]:\(port)"
        }
    }

    /// Reads an address and a port; an IPv6 address stands in brackets (RFC 5952 §6).
    public init?(_ description: String) {
        guard let colon = description.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let digits = description.utf8[description.utf8.index(after: colon)...]
        guard let port = UInt16(decimal: digits) else { return nil }
        var host = description[..<colon]
        let isBracketed = host.utf8.first == UInt8(ascii: "[")
        if isBracketed {
            guard host.utf8.last == UInt8(ascii: "]") else { return nil }
            host = host.dropFirst().dropLast()
        }
        guard let ip = IPAddress(String(host)) else { return nil }
        switch ip {
        case .v4 where isBracketed: return nil
        case .v6 where !isBracketed: return nil
        default: self.init(ip: ip, port: port)
        }
    }
}

extension FixedWidthInteger {
    /// Reads decimal digits and nothing else: no sign, no leading zero, no overflow.
    fileprivate init?(decimal text: some Collection<UInt8>) {
        guard let first = text.first, first != UInt8(ascii: "0") || text.count == 1 else {
            return nil
        }
        var value: Self = 0
        for character in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character) else { return nil }
            let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let digit = Self(character - UInt8(ascii: "0"))
            let (sum, overflow) = tens.addingReportingOverflow(digit)
            guard !tooLarge, !overflow else { return nil }
            value = sum
        }
        self = value
    }
}
