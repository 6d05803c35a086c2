package import KirimRooms
package import KirimWire

/// What an operator decides about a server.
package struct ServerOptions: Sendable {
    /// Where to listen; port 0 takes a free one. IPv6 addresses take no IPv4.
    package var addresses: [Address] = [Address(ip: .loopback, port: 12_345)]
    /// The folder of the server's key and its rooms; made where it is missing.
    package var folder: String
    /// What the server calls itself.
    package var name = "Kirim"
    /// Which sources may speak plain text.
    package var plain: Plain = .loopback
    /// A plain client that says nothing for so long has left.
    package var plainSilence: Duration = .seconds(3_600)
    package var access: Access = .open
    package var limits = ChatLimits.standard
    /// Connections at once; `nil` for the standard.
    package var connections: Int?
    /// New members that may come from one address at once; `nil` for the standard.
    package var newMembers: Int?

    /// Which sources may speak plain text: nobody, this machine, or also others that pass a challenge.
    package enum Plain: String, Sendable, CaseIterable {
        case off, loopback, lan
    }

    /// Who may come in.
    package enum Access: Sendable {
        case open
        case password([UInt8])
        case invitation
    }

    package init(folder: String) { self.folder = folder }

    package var keyPath: String { folder + "/server.key" }
    package var journalPath: String { folder + "/rooms.sqlite" }
}
