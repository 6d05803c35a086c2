#if GTK
import KirimClient
import KirimErrands
import KirimGtk
import KirimRooms
import KirimScreen
import KirimWire

/// The client behind a window. Network and disk are its business, and it is never on the main thread: orders go in, and
/// facts come out of the mailbox.
nonisolated final class Wire: Sendable {
    /// What the window is told.
    enum Fact: Sendable {
        /// There is a client, and who it is.
        case opened(PublicKey)
        /// There is none, and why.
        case notOpened(KirimError)
        /// Another client takes the place of the one that stopped.
        case reconnecting
        case event(ChatEvent)
        case answer(ChatScreen.Answer)
    }

    /// Where to, and as whom.
    struct Call: Sendable {
        var address: ServerAddress
        var name: MemberName?
        var options = KirimClient.Options()
    }

    private enum Order: Sendable {
        case effect(ChatScreen.Effect)
        case askLink
        case close(@Sendable () -> Void)
    }

    let mailbox = Mailbox<Fact>()
    private let orders: AsyncStream<Order>.Continuation

    init(_ call: Call) {
        let (stream, orders) = AsyncStream.makeStream(of: Order.self)
        self.orders = orders
        let mailbox = mailbox
        Task.detached {
            var operation = Operation(call: call, mailbox: mailbox)
            await operation.connect()
            for await order in stream {
                switch order {
                case .effect(.reconnect(let remedy)): await operation.reconnect(remedy)
                case .effect(let effect): operation.line?.errands.begin(effect)
                case .askLink: operation.line?.errands.askLink()
                case .close(let closed):
                    await operation.hangUp(finishing: true)
                    mailbox.close()
                    closed()
                }
            }
        }
    }

    func carryOut(_ effect: ChatScreen.Effect) { orders.yield(.effect(effect)) }

    /// The answer is a fact.
    func askLink() { orders.yield(.askLink) }

    /// Gives what was written last a moment to get into the outbox, says goodbye, and ends.
    func close(then closed: @escaping @Sendable () -> Void = {}) {
        orders.yield(.close(closed))
        orders.finish()
    }

    /// One client after the other.
    private struct Operation {
        var call: Call
        let mailbox: Mailbox<Fact>
        var line: (client: KirimClient, errands: Errands, reading: Task<Void, Never>)?

        mutating func connect() async {
            do {
                let client = try await KirimClient.connect(
                    to: call.address,
                    as: call.name?.text,
                    options: call.options
                )
                let mailbox = mailbox
                mailbox.put(.opened(client.identity))
                for room in await client.joinedRooms() { mailbox.put(.event(.joined(room))) }
                for post in await client.queued() { mailbox.put(.event(.queued(post))) }
                let errands = Errands(client: client) { mailbox.put(.answer($0)) }
                let reading = Task {
                    for await event in client.events {
                        await mailbox.hasRoom()
                        // Why it stopped is shown with the key that was known.
                        if case .stopped = event {
                            mailbox.put(.answer(.link(await client.link())))
                        }
                        mailbox.put(.event(event))
                    }
                }
                line = (client, errands, reading)
                errands.askLink()
            } catch let error as KirimError {
                mailbox.put(.notOpened(error))
            } catch {
                mailbox.put(.notOpened(KirimError(code: .network, message: "\(error)")))
            }
        }

        mutating func reconnect(_ remedy: ChatScreen.Remedy) async {
            await hangUp(finishing: false)
            switch remedy {
            case .password(let password): call.options.password = password
            case .address(let address): call.address = address
            case .trust(let key): call.options.trust = key
            case .again: break
            }
            mailbox.put(.reconnecting)
            await connect()
        }

        mutating func hangUp(finishing: Bool) async {
            guard let line else { return }
            self.line = nil
            line.reading.cancel()
            if finishing {
                let timer = Task {
                    try? await Task.sleep(for: .seconds(2))
                    line.errands.abandon()
                }
                await line.errands.finish()
                timer.cancel()
            } else {
                line.errands.abandon()
            }
            await line.client.close()
        }
    }
}
#endif
