import KirimWire
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Asks the system beforehand whether it would send to an address from one of the server's.
///
/// NIO closes a channel when a send fails for want of a route (ENETUNREACH), for a broadcast address
/// (EACCES) or for one that does not go with the source (EINVAL), and with the socket goes what waits in it.
/// Whoever forges such a source would make the server deaf, packet for packet. To connect a UDP
/// socket sends nothing, and fails in the same ways.
final class WayOut {
    private let probe: CInt
    private var answers: [IPAddress: Bool] = [:]
    private var askedSince: Instant?

    /// Routes change; and a stranger's address is asked about once a second at most.
    private static let memory = Duration.seconds(1)
    /// Addresses that are remembered so long, members' among them; a flood makes all be asked anew.
    private static let limit = 16_384

    /// From the address that the server's socket is bound to.
    init?(from local: Address) {
        let isV6 = if case .v6 = local.ip { true } else { false }
        #if canImport(Glibc)
        let kind = Int32(SOCK_DGRAM.rawValue)
        #else
        let kind = SOCK_DGRAM
        #endif
        probe = socket(isV6 ? AF_INET6 : AF_INET, kind, 0)
        guard probe >= 0 else { return nil }
        _ = fcntl(probe, F_SETFD, FD_CLOEXEC)
        let name = Address(ip: local.ip, port: 0).socketAddress
        let bound = name.withSockAddr { bind(probe, $0, socklen_t($1)) }
        guard bound == 0 else {
            close(probe)
            return nil
        }
    }

    deinit { close(probe) }

    func leads(to remote: Address, at now: Instant) -> Bool {
        if askedSince.map({ $0.advanced(by: Self.memory) <= now }) ?? true
            || answers.count >= Self.limit
        {
            answers.removeAll(keepingCapacity: true)
            askedSince = now
        }
        if let answer = answers[remote.ip] { return answer }
        // A socket bound to any address gets one of its own with the first connect, which may lead
        // nowhere from there: it is dissolved before the next (connect(2), AF_UNSPEC).
        var nobody = sockaddr()
        nobody.sa_family = sa_family_t(AF_UNSPEC)
        _ = connect(probe, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
        let answer = remote.socketAddress.withSockAddr { connect(probe, $0, socklen_t($1)) == 0 }
        answers[remote.ip] = answer
        return answer
    }
}
