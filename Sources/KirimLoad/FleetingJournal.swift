package import KirimClientCore
package import KirimRooms
import KirimWire

/// A client's journal that keeps nothing but what a run needs: the numbers of posts, key and token.
///
/// Thousands of clients stand on it in one process, so it writes to no disk and forgets what was read: the
/// measured server is to be the one that works.
package struct FleetingJournal {
    package private(set) var server: KnownServer
    private var last: PostNumber?
    private var offered: PostNumber?
    private var undecided: [OutboxRow] = []

    package init(outbox: OutboxID, name: MemberName?) {
        server = KnownServer(
            row: 1,
            key: nil,
            outbox: outbox,
            name: name,
            token: nil,
            invitation: nil,
            rooms: []
        )
    }

    package var state: LocalState {
        LocalState(
            server: server,
            lastPost: last,
            offered: offered,
            undecided: undecided,
            spans: [:]
        )
    }

    package mutating func perform(_ request: StoreRequest) -> StoreResult {
        switch request {
        case .pin(let key, _):
            server.key = key
            return .state(state)
        case .renewOutbox(let outbox):
            server.outbox = outbox
            last = nil
            offered = nil
            undecided = number(undecided.map(\.post))
            return .state(state)
        case .enqueue(let posts, let known, let offering):
            let older = undecided.filter { $0.number > known ?? PostNumber(rawValue: 0) }
            let rows = number(posts)
            undecided += rows
            if offering { offered = last }
            return .rows(older + rows)
        case .offered: return .offered(offered)
        case .decide(let decisions):
            undecided.removeAll { decisions[$0.number] != nil }
        case .decided: return .decided([])
        case .addRoom(let room): if !server.rooms.contains(room) { server.rooms.append(room) }
        case .removeRoom(let room): server.rooms.removeAll { $0 == room }
        case .rooms: return .rooms(server.rooms)
        case .setName(let name): server.name = name
        case .setToken(let token): server.token = token
        case .span: return .span(nil)
        case .history: return .entries([])
        case .apply, .forget: break
        }
        return .done
    }

    private mutating func number(_ posts: [Post]) -> [OutboxRow] {
        var rows: [OutboxRow] = []
        for post in posts {
            let number = last?.next ?? .first
            last = number
            rows.append(OutboxRow(number: number, post: post, decision: nil))
        }
        return rows
    }
}
