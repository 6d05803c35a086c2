public import KirimWire

extension KirimClient {
    /// How a client behaves. The defaults fit a person's chat.
    public struct Options: Sendable {
        /// The folder of the key, the outbox and the history; made when it is not there. Several clients of
        /// one person may use it at once. `nil`: `$XDG_DATA_HOME/kirim`, else `~/.local/share/kirim`.
        public var dataFolder: String?
        /// Whether ``KirimClient/connect(to:as:options:)`` returns only when the server has said welcome, or
        /// throws when it did not. `false`: returns at once, also offline, and goes on trying for ever.
        public var waitForServer = true
        /// How long to wait then, and for the answer to a request.
        public var patience: Duration = .seconds(20)
        /// How many of a room's newest entries are told before what is new. 0 for only what is new since the
        /// last time (bots).
        public var history = 50
        /// For a server that wants one.
        public var password: String?
        /// Trust this server key from now on, even where another one was pinned for the address.
        public var trust: PublicKey?
        /// The local UDP port; 0 for any. A fixed one cannot be shared by two clients.
        public var localPort: UInt16 = 0
        /// What the server's operator sees this program named as.
        public var agent = "KirimClient"

        /// The defaults.
        public init() {}
    }
}
