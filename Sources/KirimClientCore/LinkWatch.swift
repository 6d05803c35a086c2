import KirimTransport
import KirimWire

/// Tells a face the truth about the link: found, lost, or silent although an answer is owed.
struct LinkWatch {
    private(set) var phase: ConnectionPhase = .idle
    private var told: ConnectionPhase = .idle
    /// Since when the server owes an answer; `nil` while it does not.
    private var owedSince: Instant?
    private var openedAt = Instant.start
    private var unreachableSince = Instant.start
    private(set) var deadline: Instant?
    private let patience: Duration
    private let idlePatience: Duration

    init(_ configuration: ClientCore.Configuration) {
        patience = configuration.silentAfter
        idlePatience = configuration.idleSilentAfter
    }

    mutating func connecting() {
        // A face that was told "unreachable" knows that it is being tried.
        if phase != .unreachable { phase = .connecting }
        deadline = nil
    }

    mutating func opened(at now: Instant) {
        phase = .connected
        openedAt = now
        owedSince = nil
    }

    mutating func unreachable(at now: Instant) {
        phase = .unreachable
        unreachableSince = now
        deadline = nil
    }

    mutating func disconnected() {
        phase = .idle
        deadline = nil
    }

    mutating func stopped(_ stop: ClientEndpoint.Stop) {
        phase = .stopped(stop)
        deadline = nil
    }

    /// Looks whether the phase is another one than was told last.
    mutating func look(_ link: LinkState?, isWaiting: Bool, at now: Instant) -> ConnectionPhase? {
        switch phase {
        case .connected, .silent: listen(link, isWaiting: isWaiting, at: now)
        case .unreachable:
            // The connection that was given up for dead is not.
            guard let link, link.lastHeard > unreachableSince else { break }
            phase = .connected
            listen(link, isWaiting: isWaiting, at: now)
        case .idle, .connecting, .stopped: break
        }
        guard phase != told else { return nil }
        told = phase
        return phase
    }

    private mutating func listen(_ link: LinkState?, isWaiting: Bool, at now: Instant) {
        let heard = max(link?.lastHeard ?? openedAt, openedAt)
        let isOwed = isWaiting || (link?.bytesInFlight ?? 0) > 0
        owedSince = isOwed ? owedSince ?? now : nil
        let limit =
            owedSince.map { max($0, heard).advanced(by: patience) }
            ?? heard.advanced(by: idlePatience)
        if limit <= now {
            // Once silent it stays so until something is heard, also when nothing is owed any more.
            phase = .silent(since: heard)
            deadline = nil
        } else if case .silent(let since) = phase, heard <= since {
            deadline = nil
        } else {
            phase = .connected
            deadline = limit
        }
    }
}
