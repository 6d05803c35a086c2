import NIOCore

/// Notices what no datagram tells: that the machine slept, and that it has other addresses now.
struct NetworkWatch {
    private var addresses: [String] = []
    private var asleep: Duration?
    private var lastLook: ContinuousClock.Instant?
    private let continuous = ContinuousClock()
    private let suspending = SuspendingClock()
    private let startContinuous: ContinuousClock.Instant
    private let startSuspending: SuspendingClock.Instant

    /// How often to look: a change of network is seen within two seconds, and a look costs some 50 us.
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
        defer { addresses = present }
        if !addresses.isEmpty, present != addresses { return .moved }
        return hasSlept || wasStopped ? .woke : .nothing
    }

    private static func present() -> [String] {
        let devices = (try? System.enumerateDevices()) ?? []
        return devices.compactMap { device in
            device.address.map { "\(device.name) \($0)" }
        }.sorted()
    }
}
