import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Notices what no datagram tells: that the machine slept, and that it has other links, addresses or a new way out.
struct NetworkWatch {
    private var state: [String] = []
    private var asleep: Duration?
    private var lastLook: ContinuousClock.Instant?
    private let continuous = ContinuousClock()
    private let suspending = SuspendingClock()
    private let startContinuous: ContinuousClock.Instant
    private let startSuspending: SuspendingClock.Instant

    /// How often to look where nobody says that something changed (``NetworkNews``). A look costs some 50 us.
    static let period: TimeAmount = .seconds(2)

    init() {
        startContinuous = continuous.now
        startSuspending = suspending.now
    }

    /// What happened since the last look.
    enum Sight {
        case nothing
        /// The machine slept, or this program was stopped: NATs have forgotten us.
        case woke
        /// The machine has other addresses.
        case moved
    }

    mutating func look() -> Sight {
        let now = continuous.now
        // One of the two clocks stands still while the machine sleeps.
        let slept =
            startContinuous.duration(to: now) - startSuspending.duration(to: suspending.now)
        let hasSlept = asleep.map { slept - $0 > .seconds(1) } ?? false
        // Stopped for long: a debugger, SIGSTOP.
        let wasStopped = lastLook.map { $0.duration(to: now) > .seconds(20) } ?? false
        asleep = slept
        lastLook = now
        let present = Self.present()
        defer { state = present }
        if !state.isEmpty, present != state { return .moved }
        return hasSlept || wasStopped ? .woke : .nothing
    }

    private static func present() -> [String] {
        (interfaces() + tentativeAddresses() + defaultRoutes()).sorted()
    }

    /// Each link, with whether it is up and has a carrier, and each address of IP on it.
    private static func interfaces() -> [String] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: Set<String> = []
        var next = list
        while let item = next?.pointee {
            next = item.ifa_next
            let name = String(cString: item.ifa_name)
            found.insert("\(name) \(UInt32(item.ifa_flags) & working)")
            guard let address = item.ifa_addr else { continue }
            let size: Int? =
                switch CInt(address.pointee.sa_family) {
                case AF_INET: MemoryLayout<sockaddr_in>.size
                case AF_INET6: MemoryLayout<sockaddr_in6>.size
                default: nil
                }
            guard let size else { continue }
            found.insert("\(name) \(Array(UnsafeRawBufferPointer(start: address, count: size)))")
        }
        return Array(found)
    }

    private static let working = UInt32(IFF_UP) | UInt32(IFF_RUNNING)

    /// An IPv6 address cannot be used before the network has been asked whether somebody else has it; the list of
    /// addresses does not show when that is over (proc(5)).
    private static func tentativeAddresses() -> [String] { lines(of: "/proc/net/if_inet6") }

    /// An address is of little use before there is a way out of its network.
    private static func defaultRoutes() -> [String] {
        lines(of: "/proc/net/route").filter { $0.contains("\t00000000\t") }
    }

    /// At most the first 16 KiB; none where there is no such file.
    private static func lines(of path: String) -> [String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeMutableBytes { space in
                let rest = UnsafeMutableRawBufferPointer(rebasing: space[count...])
                return read(descriptor, rest.baseAddress, rest.count)
            }
            guard more > 0 else { break }
            count += more
        }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }
}
