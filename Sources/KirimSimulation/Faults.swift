/// The kinds of trouble that a simulation may meet. Each can be switched off to see what is left.
package struct Faults: OptionSet, Hashable, Sendable, LosslessStringConvertible {
    package var rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Lines that lose, delay, reorder and limit: the presets instead of a lan.
    package static let loss = Faults(rawValue: 1 << 0)
    package static let duplicate = Faults(rawValue: 1 << 1)
    /// Flipped bits and cut ends.
    package static let damage = Faults(rawValue: 1 << 2)
    /// Spells in which datagrams above some size vanish.
    package static let mtu = Faults(rawValue: 1 << 3)
    /// One-way cuts, black holes, partitions.
    package static let cut = Faults(rawValue: 1 << 4)
    /// Routers that forget and give another port or address.
    package static let rebind = Faults(rawValue: 1 << 5)
    /// Routers that forget after a short silence.
    package static let expiry = Faults(rawValue: 1 << 6)
    /// Clients that change their address.
    package static let move = Faults(rawValue: 1 << 7)
    /// Clients that are frozen for up to minutes.
    package static let sleep = Faults(rawValue: 1 << 8)
    /// Client processes that die and come back with their journal.
    package static let clientCrash = Faults(rawValue: 1 << 9)
    /// A server that dies between any two steps and comes back with its journal.
    package static let serverCrash = Faults(rawValue: 1 << 10)
    /// A server that says goodbye and comes back.
    package static let restart = Faults(rawValue: 1 << 11)
    /// Disks that are slow, or full for a while.
    package static let disk = Faults(rawValue: 1 << 12)
    package static let attack = Faults(rawValue: 1 << 13)
    /// Plain text clients beside the others.
    package static let plain = Faults(rawValue: 1 << 14)
    /// Two faces of one person on one journal.
    package static let faces = Faults(rawValue: 1 << 15)
    /// Outboxes and histories that are lost, or come back from an older copy, while the key is kept.
    package static let journalLoss = Faults(rawValue: 1 << 16)
    /// Servers with a password or invitations, and people who have none, a wrong or another's one.
    package static let door = Faults(rawValue: 1 << 17)
    /// An operator who puts people out, bans keys and prefixes, and lets them in again.
    package static let banishment = Faults(rawValue: 1 << 18)
    /// Clocks that are set to other times, forth and back.
    package static let clock = Faults(rawValue: 1 << 19)

    /// Everybody loses the server, and all come back at once.
    package static let storm = Faults(rawValue: 1 << 20)
    /// A server that is frozen for up to a minute, as when its machine is moved.
    package static let stall = Faults(rawValue: 1 << 21)
    /// Disks that report an error, and what was written is there all the same after the process's death.
    package static let limbo = Faults(rawValue: 1 << 22)
    /// Lines so slow that their readers stay behind.
    package static let slow = Faults(rawValue: 1 << 23)
    /// Peers of a later time: unknown versions, parameters, frames and extensions, many of each.
    package static let future = Faults(rawValue: 1 << 24)

    package static let none: Faults = []
    package static let all = Faults(rawValue: 1 << 25 - 1)
    /// Those that only a ``Swarm`` knows: with them the other runs' seeds would come to mean something else.
    package static let swarmOnly: Faults = [.storm, .stall, .limbo, .slow, .future]

    /// In the order of their bits.
    package static let names: [(name: String, fault: Faults)] = [
        ("loss", .loss), ("duplicate", .duplicate), ("damage", .damage), ("mtu", .mtu),
        ("cut", .cut), ("rebind", .rebind), ("expiry", .expiry), ("move", .move),
        ("sleep", .sleep), ("client-crash", .clientCrash), ("server-crash", .serverCrash),
        ("restart", .restart), ("disk", .disk), ("attack", .attack), ("plain", .plain),
        ("faces", .faces), ("journal-loss", .journalLoss), ("door", .door),
        ("banishment", .banishment), ("clock", .clock), ("storm", .storm), ("stall", .stall),
        ("limbo", .limbo), ("slow", .slow), ("future", .future),
    ]

    /// Reads `all`, `none`, or names with commas between them; a leading `-` takes one away:
    /// `all,-attack`. `nil` where a name is not known.
    package init?(_ description: String) {
        self = .none
        for part in description.split(separator: ",") {
            switch part {
            case "all": self = .all
            case "none": self = .none
            default:
                let isRemoval = part.first == "-"
                let name = isRemoval ? part.dropFirst() : part
                guard let known = Self.names.first(where: { $0.name == name }) else { return nil }
                if isRemoval { subtract(known.fault) } else { formUnion(known.fault) }
            }
        }
    }

    package var description: String {
        if self == .all { return "all" }
        if isEmpty { return "none" }
        return Self.names.filter { contains($0.fault) }.map(\.name).joined(separator: ",")
    }
}
