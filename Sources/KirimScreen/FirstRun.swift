package import KirimRooms
package import KirimWire

/// The page that asks for a name and an address.
package struct FirstRun: Hashable, Sendable {
    /// As typed. Empty: any name that is free.
    package var name = ""
    /// As typed: `127.0.0.1:12345`, `chat.example`, `kirim://…`.
    package var address = ServerAddress.local.endpoint
    /// As typed. Empty: any port.
    package var localPort = ""

    package init() {}

    /// What is wrong with a field.
    package enum Fault: Hashable, Sendable { case name, address, localPort }

    /// What the fields say, once they make sense.
    package struct Choice: Hashable, Sendable {
        package var name: MemberName?
        package var address: ServerAddress
        /// 0: any.
        package var localPort: UInt16
    }

    /// The fields that make no sense, from the top; connecting waits until there are none.
    package var faults: [Fault] {
        var faults: [Fault] = []
        if !name.allSatisfy({ $0 == " " }), MemberName(name) == nil { faults.append(.name) }
        if ServerAddress(trimmed(address)) == nil { faults.append(.address) }
        if port == nil { faults.append(.localPort) }
        return faults
    }

    /// `nil` while there are ``faults``.
    package var choice: Choice? {
        guard faults.isEmpty, let address = ServerAddress(trimmed(address)), let port else {
            return nil
        }
        return Choice(name: MemberName(name), address: address, localPort: port)
    }

    private var port: UInt16? {
        let text = trimmed(localPort)
        if text.isEmpty { return 0 }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt16(text)
    }

    private func trimmed(_ text: String) -> String {
        String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
