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
        let invitation = try Self.invitation(in: address)
        let folder: String
        if let named = options.dataFolder {
            folder = named
        } else {
            folder = try Machine.dataFolder()
        }
        do throws(JournalError) {
            let bytes = try KeyFile.loadOrCreate(at: folder + "/key") {
                // ThreadSanitizer looks at its address, which an empty value has not.
                var dice: any RandomNumberGenerator = SystemRandomNumberGenerator()
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
            // With or without its key, it is the same place: what was learned there stays known.
            place.key = nil
            trusted = options.trust ?? address.key
            var server = try journal.server(at: place.description)
            var unproved: String?
            if let trusted, server.key != trusted {
                // What is written now is for that key alone. What is known about the address stays as it is
                // until the key has proved itself there: a mistyped one must not make room for another.
                server = try journal.server(bearing: trusted)
                unproved = place.description
            }
            if let name { server.name = name }
            if let invitation { try journal.setInvitation(invitation, of: server) }
            secret = AccessSecret(invitation: invitation ?? server.invitation, options: options)
            local = try LocalState(of: server, in: journal)
            local.address = unproved
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

extension Belongings {
    /// The bytes of the address's invitation, public and secret half; `nil` where it has none.
    private static func invitation(in address: ServerAddress) throws(KirimError) -> [UInt8]? {
        guard let text = address.invitation else { return nil }
        guard let bytes = Base32.decode(text), bytes.count == InvitationID.size + 32 else {
            throw KirimError(
                code: .invalid,
                message: "The invitation in the address is not whole; copy the address again."
            )
        }
        return bytes
    }
}

extension AccessSecret {
    /// What the person brings to a closed server; `nil` for nothing. A password is meant for now, so it
    /// goes before an invitation that was kept.
    init?(invitation: [UInt8]?, options: KirimClient.Options) {
        if let password = options.password {
            self = .password(Array(password.utf8))
        } else if let invitation,
            let id = InvitationID(bytes: Array(invitation.prefix(InvitationID.size)))
        {
            self = .invitation(id, secret: Array(invitation.dropFirst(InvitationID.size)))
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
