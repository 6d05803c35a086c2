import KirimRooms

/// Whose names are known: a name that is new, or that somebody else bore before, is shown as such.
struct Acquaintances: Sendable {
    private struct Known: Sendable {
        var name: MemberName
        var id: MemberID
        var standing: Standing
    }

    private var known: [String: Known] = [:]
    /// Folded names, the latest last.
    private var order: [String] = []
    /// Nobody was known at the start: then everybody of the past is new, and nobody is worth a word.
    private let isFirstVisit: Bool

    init(_ memory: [ChatScreen.Memory.Acquaintance] = []) {
        isFirstVisit = memory.isEmpty
        for acquaintance in memory.prefix(ChatScreen.Memory.acquaintanceLimit).reversed() {
            let folded = acquaintance.name.folded
            guard known[folded] == nil else { continue }
            known[folded] = Known(name: acquaintance.name, id: acquaintance.id, standing: .known)
            order.append(folded)
        }
    }

    /// What a name tells.
    enum Meeting {
        case old
        case new
        /// Somebody else bore it before: what stands beside earlier rows is another thing now.
        case changed
    }

    /// Somebody bears this name. `isLive`: it happens now, and is no history.
    mutating func meet(_ name: MemberName, _ id: MemberID, isLive: Bool) -> Meeting {
        let folded = name.folded
        if let before = known[folded] {
            // An old entry says who bore the name then, not who does now.
            guard before.id != id, isLive || before.id < id else { return .old }
            known[folded] = Known(name: name, id: id, standing: .changed)
            return .changed
        }
        let isNew = isLive || !isFirstVisit
        known[folded] = Known(name: name, id: id, standing: isNew ? .new : .known)
        order.append(folded)
        if order.count > ChatScreen.Memory.acquaintanceLimit {
            // Many at once, so that each costs little.
            let gone = ChatScreen.Memory.acquaintanceLimit / 10
            for folded in order.prefix(gone) { known[folded] = nil }
            order.removeFirst(gone)
        }
        return .new
    }

    func standing(of author: Author) -> Standing {
        switch author {
        case .server: return .server
        case .plain: return .plain
        case .member(let id, let name):
            guard let known = known[name.folded] else { return .known }
            return known.id == id ? known.standing : .changed
        }
    }

    /// The latest first.
    var memory: [ChatScreen.Memory.Acquaintance] {
        order.reversed().compactMap { folded in
            known[folded].map { ChatScreen.Memory.Acquaintance(name: $0.name, id: $0.id) }
        }
    }
}
