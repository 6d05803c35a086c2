#if os(Linux)
import Glibc

/// What processes have spent until now, as the kernel counts it.
struct Costs {
    var wall: Int64
    /// CPU of the measured processes, all threads, in nanoseconds; and in ticks of 10 ms, user and system.
    var server: Int64 = 0
    var user = 0.0
    var system = 0.0
    /// CPU of this process.
    var own: Int64
    /// CPU of everything on the machine, in seconds.
    var machine = 0.0
    /// Network work that the kernel put off and charges to nobody, in seconds.
    var deferred = 0.0

    private static let tick = 1 / Double(sysconf(Int32(_SC_CLK_TCK)))

    init(of pids: [Int32]) {
        wall = now(CLOCK_MONOTONIC)
        own = now(CLOCK_PROCESS_CPUTIME_ID)
        for pid in pids {
            var clock = clockid_t()
            if clock_getcpuclockid(pid, &clock) == 0 { server += now(clock) }
            let (user, system) = Self.ticks(of: "\(pid)")
            self.user += user
            self.system += system
        }
        let words = Self.lines(of: "/proc/stat").first?.split(separator: " ") ?? []
        let all = words.dropFirst().compactMap { Double($0) }
        if all.count >= 8 {
            machine = (all[0] + all[1] + all[2] + all[5] + all[6] + all[7]) * Self.tick
        }
        for pid in Self.softInterrupts {
            let (user, system) = Self.ticks(of: pid)
            deferred += user + system
        }
    }

    /// Resident memory of the processes, in KiB.
    static func resident(_ pids: [Int32]) -> Int {
        pids.reduce(0) { sum, pid in
            let words = lines(of: "/proc/\(pid)/statm").first?.split(separator: " ") ?? []
            let pages = words.count > 1 ? Int(words[1]) ?? 0 : 0
            return sum + pages * Int(sysconf(Int32(_SC_PAGESIZE))) / 1_024
        }
    }

    /// The kernel's own objects, of the whole machine, in KiB.
    static var slab: Int {
        let line = lines(of: "/proc/meminfo").first { $0.hasPrefix("Slab:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }

    private static let softInterrupts: [String] = {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var found: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard Int(name) != nil,
                lines(of: "/proc/\(name)/comm").first?.hasPrefix("ksoftirqd/") == true
            else { continue }
            found.append(name)
        }
        return found
    }()

    private static func ticks(of pid: String) -> (user: Double, system: Double) {
        guard let line = lines(of: "/proc/\(pid)/stat").first,
            let name = line.lastIndex(of: ")")
        else { return (0, 0) }
        let words = line[name...].split(separator: " ")
        guard words.count > 13, let user = Double(words[12]), let system = Double(words[13]) else {
            return (0, 0)
        }
        return (user * tick, system * tick)
    }

    private static func lines(of path: String) -> [Substring] {
        guard let file = fopen(path, "re") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n")
    }
}

/// Nanoseconds of one of the system's clocks.
func now(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
#endif
