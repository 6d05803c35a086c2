import KirimClientCore
import KirimRooms
import KirimServerCore
import KirimTransport
import KirimWire

/// A run whose circumstances are all drawn from its seed: which of the allowed faults there are, how many people, in
/// which rooms, on what lines, with which constants of every layer.
///
/// A run in which everything is on at once hides what needs something to be off (Groce et al., "Swarm Testing", 2012):
/// a connection that lives long enough, a queue that fills because nobody crashes.
package struct Swarm: Sendable {
    package let seed: UInt64
    package let kind: Kind
    package let faults: Faults
    package let scene: Scene
    /// How long there is trouble, and how long everything may take afterwards.
    package let active: Duration
    package let patience: Duration
    /// What differs from the defaults, for whoever reads.
    package let constants: [String]

    package enum Kind: Hashable, Sendable {
        case chat
        case transport(clients: Int)
    }

    /// `allowed` only takes away: whatever remains is what it was.
    package init(seed: UInt64, allowed: Faults, size: RunSize) {
        self.seed = seed
        let dice = Dice(seed: seed).fork("swarm")
        var crowd = dice.fork("crowd")
        let faults = Self.drawnFaults(dice.fork("faults")).intersection(allowed)
        self.faults = faults
        var scene = Scene()
        scene.people = Self.drawnPeople(size, &crowd)
        scene.rooms = Self.drawnRooms(&crowd)
        scene.lines = crowd.pick([.presets, .madeUp] + NetworkPreset.allCases.map { .all($0) })
        scene.texts = crowd.pick([.mixed, .mixed, .short, .long])
        scene.burst = crowd.pick([1...3, 5...40, 100...200])
        // Everybody hears everybody, so a crowd that talks as much as two people is only slow to simulate.
        let haste = crowd.pick([0.3, 1, 3, 8]) * (scene.texts == .long ? 4 : 1)
        scene.pace = .milliseconds(Int(haste * max(1, Double(scene.people) / 6) * 1_000))
        var constants = ConstantDice(dice.fork("constants"))
        scene.draw(&constants, isCalm: !faults.contains(.future))
        self.scene = scene
        self.constants = constants.changes
        let isTransport = crowd.chance(0.1)
        kind =
            isTransport
            ? .transport(clients: crowd.number(in: 1...(size == .small ? 3 : 8))) : .chat
        let longest: Duration = size == .small ? .seconds(40) : .seconds(240)
        active = crowd.duration(in: .seconds(10)...(longest / max(1, scene.people / 20)))
        patience = Self.patience(faults, scene, active)
    }

    private static func drawnFaults(_ dice: Dice) -> Faults {
        var dice = dice
        let share = dice.pick([0.1, 0.25, 0.5, 0.8])
        var faults = Faults.none
        for (_, fault) in Faults.names where dice.chance(share) { faults.formUnion(fault) }
        return faults
    }

    private static func drawnPeople(_ size: RunSize, _ dice: inout Dice) -> Int {
        switch (size, dice.number(below: 10)) {
        case (.small, 0..<8): dice.number(in: 2...6)
        case (.small, _): dice.number(in: 7...20)
        case (.full, 0..<5): dice.number(in: 2...8)
        case (.full, 5..<8): dice.number(in: 9...30)
        case (.full, _): dice.number(in: 31...100)
        }
    }

    private static func drawnRooms(_ dice: inout Dice) -> [RoomName] {
        let names = ["lobby", "lab", "kapal", "ruang-1"] + (5...20).map { "ruang-\($0)" }
        return names.prefix(dice.pick([1, 2, 4, 20])).compactMap { RoomName($0) }
    }

    /// What the slowest honest way takes, of which each part is an upper bound of its own.
    private static func patience(_ faults: Faults, _ scene: Scene, _ active: Duration) -> Duration {
        var patience: Duration = .seconds(120)
        // Everything that is said in vain meanwhile: at the rate that a person may post at, and in commits.
        let posts = Int(scene.postsPerSecond * Double(active.components.seconds))
        patience += .seconds(posts / scene.server.limits.postsPerSecond)
        patience += .milliseconds(20 * posts * scene.people)
        // A small window holds one long text, whose end is acknowledged as late as the reader may.
        if scene.texts == .long {
            patience += scene.client.transport.maxAckDelay * (posts * scene.people)
        }
        // The memory of a kick, and a person who tries again.
        if !faults.isDisjoint(with: [.banishment, .door]) { patience += .seconds(120) }
        return patience
    }
}

extension Swarm: CustomStringConvertible {
    package var description: String {
        let crowd =
            switch kind {
            case .chat:
                "chat of \(scene.people) in \(scene.rooms.count) rooms, each every \(scene.pace), "
                    + "\(scene.burst.upperBound) at once, \(scene.texts.rawValue) texts"
            case .transport(let clients): "transport of \(clients)"
            }
        let said = constants.isEmpty ? "" : "; " + constants.joined(separator: ", ")
        return "\(crowd); \(scene.lines); \(active) of faults \(faults)\(said)"
    }
}
