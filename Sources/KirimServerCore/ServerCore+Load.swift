package import KirimPlain
import KirimRooms
package import KirimTransport
import KirimWire

extension ServerCore {
    /// What a server keeps in memory, part by part, beside the operator's bans and the invitations that were
    /// used. Each part is bounded by the configuration; what a reader has yet to read is no part of it.
    package struct Load: Hashable, BitwiseCopyable, Sendable {
        package var transport = ServerEndpoint.Load()
        package var chat = Chat.Load()
        package var plain = PlainServer.Load()

        package init() {}

        /// The most that the configuration allows when a turn has ended.
        package init(limitsOf configuration: Configuration) {
            // The control stream beside the subscriptions.
            transport = ServerEndpoint.Load(
                limitsOf: configuration.endpoint,
                streams: configuration.limits.subscriptions + 1
            )
            chat = Chat.Load(limitsOf: configuration, connections: transport.connections)
            plain = PlainServer.Load(limitsOf: configuration.plain)
        }
    }

    /// Costs a look at everything that is counted: for tests, simulations and an operator's question.
    package var load: Load {
        var load = Load()
        load.transport = endpoint.load
        load.chat = chat.load
        load.plain = plain.load
        return load
    }

    /// What one reader costs, and how it is heard.
    package struct ReaderLoad: Hashable, Sendable {
        package var connection: ConnectionHandle
        package var link: LinkState
        package var load: ConnectionLoad

        package init(connection: ConnectionHandle, link: LinkState, load: ConnectionLoad) {
            self.connection = connection
            self.link = link
            self.load = load
        }
    }

    /// What each connection costs, in the order in which they opened.
    package var readerLoads: [ReaderLoad] {
        chat.sessions.keys.sorted { $0.rawValue < $1.rawValue }.compactMap { connection in
            guard let load = endpoint.load(of: connection),
                let link = endpoint.link(of: connection)
            else { return nil }
            return ReaderLoad(connection: connection, link: link, load: load)
        }
    }
}
