import KirimClientCore
import KirimJournal
import KirimNoise
import KirimRooms
import KirimTransport
import KirimWire
import NIOPosix

/// What a client starts from: the key, the journal, and what that knows about the server.
struct Belongings: Sendable {
    var identity: StaticKey
    var journal: any ClientJournal
    var local: LocalState
    /// The newest entries of the rooms that are read, the oldest first, up to where reading goes on.
    var recent: [Entry]
    /// The key that is vouched for by the address or by a person.
    var trusted: PublicKey?
    var secret: AccessSecret?

    /// Opens, or makes, everything. Blocks, so not on an event loop.
    init(
        address: ServerAddress,
        name: MemberName?,
        options: KirimClient.Options
    ) throws(KirimError) {
        secret = try AccessSecret(address: address, options: options)
        let folder: String
        if let named = options.dataFolder {
            folder = named
        } else {
            folder = try Machine.dataFolder()
        }
        do throws(JournalError) {
            let bytes = try KeyFile.loadOrCreate(at: folder + "/key") {
                var dice = SystemRandomNumberGenerator()
                return StaticKey(dice: &dice).privateBytes
            }
            guard let key = StaticKey(privateBytes: bytes) else {
                throw .corrupt("the key file \(folder)/key does not hold 32 bytes")
            }
            identity = key
            let journal = try SQLiteClientJournal(path: folder + "/client.sqlite")
            self.journal = journal
            var place = address
            place.invitation = nil
            var server = try journal.server(at: place.description)
            if let trust = options.trust, let pinned = server.key, pinned != trust {
                try journal.unpin(address: place.description)
                server = try journal.server(at: place.description)
            }
            if let name { server.name = name }
            trusted = options.trust ?? address.key
            local = try LocalState(of: server, in: journal)
            recent = []
            guard options.history > 0 else { return }
            for room in [.lobby] + server.rooms.filter({ $0 != .lobby }) {
                guard let span = local.spans[room] else { continue }
                recent += try journal.history(
                    of: room,
                    from: server,
                    before: span.last.next,
                    limit: options.history
                )
            }
        } catch {
            throw KirimError(error)
        }
    }
}

extension AccessSecret {
    /// What the options or the address bring to a closed server; `nil` for nothing.
    init?(address: ServerAddress, options: KirimClient.Options) throws(KirimError) {
        if let invitation = address.invitation {
            guard let bytes = Base32.decode(invitation), bytes.count == InvitationID.size + 32,
                let id = InvitationID(bytes: Array(bytes.prefix(InvitationID.size)))
            else {
                throw KirimError(
                    code: .invalid,
                    message: "The invitation in the address is not whole; copy the address again."
                )
            }
            self = .invitation(id, secret: Array(bytes.dropFirst(InvitationID.size)))
        } else if let password = options.password {
            self = .password(Array(password.utf8))
        } else {
            return nil
        }
    }
}

extension ServerAddress {
    /// The text of an invitation: base 32 of its 12 public and its 32 secret bytes.
    package static func invitation(_ id: [UInt8], secret: [UInt8]) -> String {
        Base32.encode(id + secret)
    }
}
