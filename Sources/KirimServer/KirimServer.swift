#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import KirimJournal
import KirimLibcrypto
package import KirimNoise
import KirimPlain
package import KirimRooms
import KirimServerCore
import KirimTransport
package import KirimWire
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// A server with its sockets and its files: open it, run it, type at it.
///
///     let server = try await KirimServer.open(options, log: log)
///     Task { for await notes in server.notes { for note in notes { print(ServerLog.line(for: note)) } } }
///     try await server.run()
///
/// ``run()`` returns when the task is cancelled or the service group shuts down gracefully.
package final class KirimServer: Service {
    /// Where it listens, with the ports that it got.
    package let addresses: [Address]
    /// The key that clients trust.
    package let publicKey: PublicKey
    /// What the operator's log shows, that of some milliseconds together. For one reader; the oldest are dropped where nobody reads.
    package let notes: AsyncStream<[ServerNote]>

    private let engine: NIOLoopBound<Engine>
    private let loop: any EventLoop
    private let journal: SQLiteRoomJournal
    private let disk: NIOThreadPool
    private let tell: AsyncStream<[ServerNote]>.Continuation

    /// Reads the key and the rooms, and binds the sockets.
    ///
    /// - Throws: ``ServerError``.
    package static func open(_ options: ServerOptions, log: Logger) async throws -> KirimServer {
        let identity = try key(in: options)
        let journal: SQLiteRoomJournal
        let snapshot: JournalSnapshot
        do {
            journal = try SQLiteRoomJournal(path: options.journalPath)
            snapshot = try journal.snapshot()
        } catch {
            throw ServerError.storage(error, path: options.journalPath)
        }
        let clock = ShellClock()
        let settings = configuration(options, identity: identity, startedAt: clock.startedAt)
        let cipher =
            settings.endpoint.transport.cipher == nil ? "swift-crypto" : SystemCipher.library
        log.debug("packets are sealed", metadata: ["by": "\(cipher)"])
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let disk = NIOThreadPool(numberOfThreads: 1)
        disk.start()
        let (notes, tell) = AsyncStream.makeStream(
            of: [ServerNote].self,
            bufferingPolicy: .bufferingNewest(1_000)
        )
        let engine = try await loop.submit {
            let core = ServerCore(
                identity: identity,
                snapshot: snapshot,
                configuration: settings,
                dice: SystemRandomNumberGenerator()
            )
            let engine = Engine(
                loop: loop,
                core: core,
                journal: journal,
                disk: disk,
                clock: clock,
                log: log
            ) { tell.yield($0) }
            return NIOLoopBound(engine, eventLoop: loop)
        }.get()
        let server: KirimServer
        do {
            let addresses = try await bind(options.addresses, engine, on: loop)
            if options.plain != .off {
                try await loop.submit { engine.value.listenForUnreachables() }.get()
            }
            server = KirimServer(
                addresses: addresses,
                publicKey: identity.publicKey,
                notes: notes,
                engine: engine,
                loop: loop,
                journal: journal,
                disk: disk,
                tell: tell
            )
        } catch {
            try? await loop.flatSubmit { engine.value.stop() }.get()
            try? await disk.shutdownGracefully()
            try? journal.close()
            throw error
        }
        return server
    }

    private init(
        addresses: [Address],
        publicKey: PublicKey,
        notes: AsyncStream<[ServerNote]>,
        engine: NIOLoopBound<Engine>,
        loop: any EventLoop,
        journal: SQLiteRoomJournal,
        disk: NIOThreadPool,
        tell: AsyncStream<[ServerNote]>.Continuation
    ) {
        self.addresses = addresses
        self.publicKey = publicKey
        self.notes = notes
        self.engine = engine
        self.loop = loop
        self.journal = journal
        self.disk = disk
        self.tell = tell
    }

    /// Serves until it is told to stop, then says goodbye and closes its files.
    package func run() async throws {
        try? await gracefulShutdown()
        let engine = engine
        try await loop.flatSubmit { engine.value.stop() }.get()
        try await disk.shutdownGracefully()
        tell.finish()
        do { try journal.close() } catch {
            throw ServerError.storage(error, path: "The file of rooms")
        }
    }

    /// Does what the operator typed: a command, or a line for everybody. Returns what to show.
    package func operatorLine(_ line: String) async -> OperatorAnswer {
        let engine = engine
        let answer = try? await loop.submit {
            let answer = engine.value.obey(OperatorCommand(line))
            engine.value.endTurn()
            return answer
        }.get()
        return answer ?? .quit
    }

    /// How the server stands now, for an operator's window; `nil` once it has stopped.
    package func status() async -> ServerStatus? {
        let engine = engine
        return try? await loop.submit { engine.value.status }.get()
    }

    /// Does what the operator wishes. What comes of it is told as a note.
    package func carryOut(_ wish: OperatorWish) async {
        let engine = engine
        try? await loop.submit {
            engine.value.carryOut(wish)
            engine.value.endTurn()
        }.get()
    }

    // MARK: - Parts

    /// The server's key, made at the first start.
    package static func key(in options: ServerOptions) throws(ServerError) -> StaticKey {
        let bytes: [UInt8]
        do {
            bytes = try KeyFile.loadOrCreate(at: options.keyPath) {
                // ThreadSanitizer looks at its address, which an empty value has not.
                var dice: any RandomNumberGenerator = SystemRandomNumberGenerator()
                return StaticKey(dice: &dice).privateBytes
            }
        } catch {
            throw .storage(error, path: options.keyPath)
        }
        guard let key = StaticKey(privateBytes: bytes) else {
            throw .storage(.corrupt("It holds no key."), path: options.keyPath)
        }
        return key
    }

    /// An invitation to this server: the token that a client brings, as text.
    package static func invitation(
        to identity: StaticKey,
        endingAt minute: UInt32
    ) -> (id: [UInt8], secret: [UInt8]) {
        // ThreadSanitizer looks at its address, which an empty value has not.
        var dice: any RandomNumberGenerator = SystemRandomNumberGenerator()
        let invitation = InvitationID(endingAt: minute, dice: &dice)
        return (invitation.bytes, invitation.secret(of: identity))
    }

    private static func configuration(
        _ options: ServerOptions,
        identity: StaticKey,
        startedAt: UInt32
    ) -> ServerCore.Configuration {
        var settings = ServerCore.Configuration()
        settings.name = options.name
        settings.limits = options.limits
        if let limit = options.connections { settings.endpoint.connectionLimit = limit }
        if let burst = options.newMembers { settings.enrolments.burst = burst }
        settings.plain.policy =
            switch options.plain {
            case .off: .off
            case .loopback: .loopback
            case .lan: .lan
            }
        settings.plain.silence = options.plainSilence
        settings.endpoint.startedAt = startedAt
        settings.endpoint.transport.cipher = SystemCipher()
        switch options.access {
        case .open: settings.endpoint.access = .open
        case .password(let password):
            let key = PasswordKey.derive(password: password, serverKey: identity.publicKey)
            settings.endpoint.access = .password(key)
        case .invitation: settings.endpoint.access = .invitation(redeemed: [:])
        }
        return settings
    }

    private static func bind(
        _ addresses: [Address],
        _ engine: NIOLoopBound<Engine>,
        on loop: any EventLoop
    ) async throws -> [Address] {
        var bound: [Address] = []
        for (number, address) in addresses.enumerated() {
            let socket = SocketID(rawValue: UInt32(number))
            do {
                bound.append(
                    try await loop.flatSubmit { engine.value.open(address, as: socket) }.get()
                )
            } catch let error as IOError {
                switch error.errnoCode {
                case EADDRINUSE: throw ServerError.addressInUse(address)
                case EADDRNOTAVAIL: throw ServerError.addressUnknown(address)
                case EACCES, EPERM: throw ServerError.addressDenied(address)
                default: throw ServerError.network(address, error.description)
                }
            }
        }
        return bound
    }
}
