import KirimNoise
import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire

// Who may come in: passwords, invitations, and an operator's favour.

extension Cluster {
    /// What a person shows at a closed door.
    struct Pass {
        var secret: AccessSecret?
        /// Nobody with it may ever come in.
        var isWrong = false
        /// Somebody else has the same invitation: whoever comes first has it.
        var isShared = false
    }

    /// The drawn way in.
    struct Door {
        var dice: Dice
        let access: AccessPolicy
        private let serverKey: StaticKey

        init(_ dice: Dice, of serverKey: StaticKey) {
            var dice = dice
            self.serverKey = serverKey
            switch dice.number(below: 5) {
            case 0, 1: access = .open
            // As good as one made from a password, which would take a tenth of a second each time.
            case 2, 3: access = .password(dice.bytes(32))
            default: access = .invitation(redeemed: [:])
            }
            self.dice = dice
        }

        /// A fresh pass: a right one, as a rule.
        mutating func pass() -> (pass: Pass, invitation: InvitationID?) {
            let isWrong = dice.chance(0.25)
            switch access {
            case .open:
                // What nobody asks for does no harm.
                return (Pass(secret: isWrong ? .passwordKey(dice.bytes(32)) : nil), nil)
            case .password(let key):
                guard isWrong else { return (Pass(secret: .passwordKey(key)), nil) }
                let secret: AccessSecret? = dice.chance(0.5) ? .passwordKey(dice.bytes(32)) : nil
                return (Pass(secret: secret, isWrong: true), nil)
            case .invitation: return invitationPass(isWrong: isWrong)
            }
        }

        private mutating func invitationPass(
            isWrong: Bool
        ) -> (pass: Pass, invitation: InvitationID?) {
            let kind = isWrong ? dice.number(in: 1...3) : 0
            // One that ended in the first minute of 1970, or in some thousand years.
            let id = InvitationID(endingAt: kind == 1 ? 1 : .max, dice: &dice)
            let secret = kind == 2 ? dice.bytes(32) : id.secret(of: serverKey)
            return (
                Pass(
                    secret: kind == 3 ? nil : .invitation(id, secret: secret),
                    isWrong: isWrong
                ),
                isWrong ? nil : id
            )
        }
    }

    func givePasses(_ door: inout Door) {
        for index in people.indices {
            let key = people[index].identity.publicKey
            if case .invitation = door.access, index > 0, door.dice.chance(0.3),
                case .invitation(let id, _)? = people[index - 1].pass.secret,
                !people[index - 1].pass.isWrong
            {
                people[index - 1].pass.isShared = true
                people[index].pass = people[index - 1].pass
                ledger.invite(key, id)
                continue
            }
            let (pass, invitation) = door.pass()
            people[index].pass = pass
            if pass.isWrong { ledger.keepOut(key) }
            if let invitation { ledger.invite(key, invitation) }
        }
    }

    /// Whether a person who was turned away has to live with it.
    func staysOut(_ person: Int) -> Bool {
        let key = people[person].identity.publicKey
        return people[person].pass.isWrong || ledger.isInvitationTaken(from: key)
    }

    /// A client needs its person, who tries again later.
    func stopped(_ stop: ClientEndpoint.Stop, _ index: Int) throws(Violation) {
        counters.stops += 1
        let face = faces[index]
        let pass = people[face.person].pass
        let (name, isRight) =
            switch stop {
            case .secretRefused: ("secret refused", pass.isWrong || pass.isShared)
            case .passwordNeeded: ("password needed", pass.isWrong)
            case .invitationNeeded: ("invitation needed", pass.isWrong)
            case .kicked: ("kicked", world.faults.contains(.banishment))
            case .banned: ("banned", world.faults.contains(.banishment) || pass.isShared)
            case .serverKeyChanged, .noCommonVersion: ("astray", false)
            }
        // Forged answers can bring a client to ask for a person; those under way still arrive.
        let isForged =
            world.faults.contains(.attack)
            && healedAt.map { $0.advanced(by: .seconds(20)) > world.now } ?? true
        guard isRight || isForged else {
            throw Violation(.convergence, "face \(index) stopped for ever: \(stop).")
        }
        counters.turnedAway[name, default: 0] += 1
        guard isActive || !staysOut(face.person) else { return }
        let wait = misfortune.duration(in: .seconds(1)...(.seconds(40)))
        world.schedule(.triesAgain(index, life: face.life), after: wait)
    }

    func triesAgain(_ index: Int, life: Int) throws(Violation) {
        let face = faces[index]
        guard face.life == life, face.process != nil else { return }
        face.process = nil
        face.sockets.closeAll()
        try begin(index)
    }
}

// MARK: - The operator

extension Cluster {
    func operatorPutsOut() throws(Violation) {
        world.schedule(.operatorPutsOut, after: misfortune.duration(around: .seconds(20)))
        guard let server, !isServerStalled else { return }
        let person = misfortune.pick(people)
        let key = person.identity.publicKey
        switch misfortune.number(below: 10) {
        case 0..<3:
            guard server.core.kick(key, at: world.now, wall: wall) else { break }
            counters.kicks += 1
            // Exactly then the memory of it may have ended already.
            let memory = serverConfiguration.kickMemory - .milliseconds(1)
            kickedUntil[key] = world.now.advanced(by: memory)
        case 3, 4: ban(.key(key), server)
        case 5:
            let visitors = server.core.visitors
            guard !visitors.isEmpty else { break }
            let ip = misfortune.pick(visitors).address.ip
            let bits: UInt8 =
                ip.isVersion4 ? misfortune.pick([24, 32]) : misfortune.pick([64, 128])
            ban(.prefix(ip, bits: bits), server)
        case 6:
            guard !plainPeers.isEmpty else { break }
            let address = misfortune.pick(plainPeers).address
            if misfortune.chance(0.5) {
                counters.kicks += 1
                server.core.kick(address, at: world.now)
            } else {
                ban(.prefix(address.ip, bits: 32), server)
            }
        default:
            let bans = server.core.bans
            guard !bans.isEmpty else { break }
            unban(misfortune.pick(bans), server)
        }
        try drainServer()
        if let server = self.server { try checkBanished(server.core.visitors) }
    }

    private func ban(_ ban: Ban, _ server: ServerNode) {
        guard server.core.ban(ban, at: world.now, wall: wall) else { return }
        counters.bans += 1
        if case .key(let key) = ban { bannedSince[key] = world.now }
    }

    private func unban(_ ban: Ban, _ server: ServerNode) {
        counters.unbans += 1
        server.core.unban(ban)
        if case .key(let key) = ban { bannedSince[key] = nil }
    }

    /// The operator forgives everybody.
    func liftBans() throws(Violation) {
        guard let server else { return }
        for ban in server.core.bans { unban(ban, server) }
        try drainServer()
    }

    /// Whoever was put out is not here.
    func checkBanished(_ visitors: [ServerCore.Visitor]) throws(Violation) {
        guard let server else { return }
        let bans = server.core.bans
        guard !bans.isEmpty || !kickedUntil.isEmpty else { return }
        for visitor in visitors {
            let isKicked = kickedUntil[visitor.member.key].map { world.now < $0 } ?? false
            guard !isKicked, !bans.contains(where: { Self.meets($0, visitor) }) else {
                throw Violation(
                    .closedDoor,
                    "\(visitor.member.name) is here from \(visitor.address), though put out."
                )
            }
        }
        for address in server.core.plainVisitors
        where bans.contains(where: { Self.holds($0, address.ip) }) {
            throw Violation(.closedDoor, "\(address) speaks plain text, though banned.")
        }
    }

    private static func meets(_ ban: Ban, _ visitor: ServerCore.Visitor) -> Bool {
        ban == .key(visitor.member.key) || holds(ban, visitor.address.ip)
    }

    /// Bit by bit, unlike the server does it.
    static func holds(_ ban: Ban, _ ip: IPAddress) -> Bool {
        guard case .prefix(let prefix, let bits) = ban else { return false }
        let (a, b) = (prefix.octets, ip.octets)
        guard a.count == b.count else { return false }
        for bit in 0..<Int(bits) {
            let mask: UInt8 = 0x80 >> UInt8(bit % 8)
            guard a[bit / 8] & mask == b[bit / 8] & mask else { return false }
        }
        return true
    }

    /// Nothing is taken from a banned key but what was here before the ban.
    func checkAuthors(of writes: [JournalWrite]) throws(Violation) {
        guard !bannedSince.isEmpty else { return }
        for case .append(let draft) in writes {
            guard case .member(let id, let name) = draft.author, let key = ledger.key(of: id),
                let since = bannedSince[key], since.advanced(by: .seconds(10)) < world.now
            else { continue }
            throw Violation(.closedDoor, "\(name) speaks, though banned.")
        }
    }
}
