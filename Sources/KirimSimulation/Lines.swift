/// The access lines of a run's machines.
package enum Lines: Hashable, Sendable {
    /// Each machine has a line of one of the presets.
    case presets
    /// All have the same kind of line.
    case all(NetworkPreset)
    /// Numbers that nobody has measured anywhere, for each line its own.
    case madeUp

    static var good: (up: LinkConditions, down: LinkConditions) {
        (NetworkPreset.lan.up, NetworkPreset.lan.down)
    }

    func drawn(_ dice: inout Dice) -> (up: LinkConditions, down: LinkConditions) {
        switch self {
        case .presets:
            let preset = dice.pick(NetworkPreset.allCases)
            return (preset.up, preset.down)
        case .all(let preset): return (preset.up, preset.down)
        case .madeUp: return (Self.madeUp(&dice), Self.madeUp(&dice))
        }
    }

    private static func madeUp(_ dice: inout Dice) -> LinkConditions {
        var link = LinkConditions()
        link.delay = dice.duration(in: .zero...(.milliseconds(dice.chance(0.2) ? 800 : 80)))
        link.jitter = dice.duration(in: .zero...(.milliseconds(dice.chance(0.2) ? 400 : 40)))
        link.loss = dice.chance(0.5) ? dice.unit() * 0.3 : 0
        if dice.chance(0.3) {
            link.bursts = .init(
                meanGood: dice.duration(in: .milliseconds(200)...(.seconds(20))),
                meanBad: dice.duration(in: .milliseconds(20)...(.seconds(2))),
                loss: 0.3 + dice.unit() * 0.7
            )
        }
        if dice.chance(0.3) {
            link.rate = dice.number(in: 64_000...10_000_000)
            link.queue = dice.number(in: 8_192...262_144)
        }
        return link
    }
}

extension Lines: CustomStringConvertible {
    package var description: String {
        switch self {
        case .presets: "lines of all presets"
        case .all(let preset): "\(preset.rawValue) lines"
        case .madeUp: "lines with drawn numbers"
        }
    }
}
