import Foundation
import Synchronization

#if canImport(Glibc)
package import Glibc
#elseif canImport(Musl)
package import Musl
#elseif canImport(Darwin)
package import Darwin
#endif

/// A real process: lines go in, lines come out with a deadline, and it can be killed without mercy.
package final class ChildProcess: Sendable {
    package let pid: pid_t
    private let input: Mutex<Int32?>
    private let record = Transcript()
    private let exit = Mutex<Int32?>(nil)

    /// The program of this name that was built together with the tests.
    package static func built(_ name: String) throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(fileURLWithPath: own).deletingLastPathComponent().appending(path: name).path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw SystemFailure("\(path) was not built", code: ENOENT)
        }
        return path
    }

    private static let freshSignals = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK

    /// Starts it; output and errors come out as one stream of lines.
    ///
    /// `terminal` is the path of a terminal that takes the place of the pipes.
    package init(
        _ program: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        terminal: String? = nil
    ) throws {
        signal(SIGPIPE, SIG_IGN)
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        var ours: (input: Int32, output: Int32)?
        var theirs: [Int32] = []
        if let terminal {
            // A session of its own, whose first opened terminal becomes the controlling one.
            posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, 0, 1)
            posix_spawn_file_actions_adddup2(&actions, 0, 2)
            posix_spawnattr_setflags(&attributes, Int16(newSession | Self.freshSignals))
        } else {
            let input = try Self.pipeEnds()
            let output = try Self.pipeEnds()
            posix_spawn_file_actions_adddup2(&actions, input.read, 0)
            posix_spawn_file_actions_adddup2(&actions, output.write, 1)
            posix_spawn_file_actions_adddup2(&actions, output.write, 2)
            posix_spawnattr_setflags(&attributes, Int16(Self.freshSignals))
            ours = (input.write, output.read)
            theirs = [input.read, output.write]
        }
        defer { for descriptor in theirs { close(descriptor) } }
        Self.keepDescriptors()
        // The child must not inherit that we ignore broken pipes, nor what the runner of the tests ignores
        // or holds back: a program that is told to end would go on.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGQUIT] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)

        let words = ([program] + arguments).map { strdup($0) }
        let pairs = Self.environment(environment).map { strdup("\($0)=\($1)") }
        defer { for text in words + pairs { free(text) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, program, &actions, &attributes, words + [nil], pairs + [nil])
        guard code == 0 else { throw SystemFailure("\(program) does not start", code: code) }
        let pid = child
        self.pid = pid
        input = Mutex(ours?.input)
        if let ours { record.follow(ours.output) }
        let reaper = Thread { [self] in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            exit.withLock { $0 = status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F) }
        }
        reaper.start()
    }

    /// Nothing of the person who runs the tests, neither language nor data; a sanitizer watches them as it does us.
    private static func environment(_ more: [String: String]) -> [String: String] {
        let own = ProcessInfo.processInfo.environment
        let names = [
            "PATH", "LD_LIBRARY_PATH", "TMPDIR", "ASAN_OPTIONS", "TSAN_OPTIONS", "SWIFT_BACKTRACE",
        ]
        var kept = names.reduce(into: [String: String]()) { $0[$1] = own[$1] }
        kept["LC_ALL"] = "C.UTF-8"
        kept["TERM"] = "xterm"
        return kept.merging(more) { _, new in new }
    }

    /// The sockets of a server in this process stay here: their ports would be taken while the child lives.
    private static func keepDescriptors() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in names.compactMap({ Int32($0) }) where descriptor > 2 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    private static func pipeEnds() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemFailure("no pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Writes a line and a newline to its input; waits while the pipe is full.
    package func type(_ line: String) { feed(Array((line + "\n").utf8)) }

    package func feed(_ bytes: [UInt8]) {
        input.withLock { input in
            guard let input else { return }
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// The end of its input.
    package func closeInput() {
        input.withLock { input in
            if let input { close(input) }
            input = nil
        }
    }

    /// The first line since the last one found for which `isWanted` holds; `nil` when none came in time.
    package func line(
        within patience: Duration = .seconds(20),
        where isWanted: (String) -> Bool
    ) -> String? {
        record.line(within: patience, where: isWanted)
    }

    package func line(containing text: String, within patience: Duration = .seconds(20)) -> String?
    {
        line(within: patience) { $0.contains(text) }
    }

    /// Asks whenever something came until it is so; false when it was not so in time.
    package func comesTo(within patience: Duration, _ isSo: () -> Bool) -> Bool {
        record.wait(patience) { isSo() ? true : nil } ?? false
    }

    /// Everything it has written, line by line, the unfinished last one included.
    package var lines: [String] { record.lines }

    package func kill(_ number: Int32 = SIGKILL) {
        // Not after it was reaped: the number may be another process's by then.
        if exit.withLock({ $0 == nil }) { _ = sendSignal(pid, number) }
    }

    /// The exit code, or minus the signal that ended it; `nil` when it still runs after `patience`.
    package func exitCode(within patience: Duration = .seconds(20)) -> Int32? {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while clock.now < deadline {
            if let code = exit.withLock({ $0 }) {
                record.finish(within: .seconds(2))
                return code
            }
            usleep(2_000)
        }
        return exit.withLock { $0 }
    }

    /// Ends it, however it feels about that.
    package func end() {
        kill()
        _ = exitCode(within: .seconds(5))
        closeInput()
    }
}

/// POSIX_SPAWN_SETSID, which glibc's headers show only with its own extensions on.
private let newSession: Int32 = 0x80

private func sendSignal(_ pid: pid_t, _ number: Int32) -> Int32 { kill(pid, number) }

/// What came out of a descriptor so far, read by a thread of its own.
final class Transcript: Sendable {
    private let state = Mutex(State())
    private let changed = NSCondition()

    private struct State {
        var bytes: [UInt8] = []
        var lines: [String] = []
        /// Where the last search ended.
        var cursor = 0
        var unfinished: [UInt8] = []
        var isAtEnd = true
    }

    func follow(_ descriptor: Int32) {
        state.withLock { $0.isAtEnd = false }
        let thread = Thread { [self] in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                append(buffer.prefix(count))
            }
            close(descriptor)
            state.withLock { $0.isAtEnd = true }
            announce()
        }
        thread.start()
    }

    private func append(_ new: ArraySlice<UInt8>) {
        state.withLock { state in
            state.bytes += new
            state.unfinished += new
            guard new.contains(UInt8(ascii: "\n")) else { return }
            var parts = state.unfinished.split(
                separator: UInt8(ascii: "\n"),
                omittingEmptySubsequences: false
            )
            state.unfinished = Array(parts.removeLast())
            state.lines += parts.map { String(decoding: $0, as: UTF8.self) }
        }
        announce()
    }

    private func announce() {
        changed.lock()
        changed.broadcast()
        changed.unlock()
    }

    var bytes: [UInt8] { state.withLock { $0.bytes } }

    var lines: [String] {
        state.withLock { state in
            let rest = state.unfinished
            return state.lines + (rest.isEmpty ? [] : [String(decoding: rest, as: UTF8.self)])
        }
    }

    func line(within patience: Duration, where isWanted: (String) -> Bool) -> String? {
        wait(patience) {
            // The question is asked without the lock: it may look at the lines itself.
            while let line = next() { if isWanted(line) { return line } }
            return nil
        }
    }

    private func next() -> String? {
        state.withLock { state in
            guard state.cursor < state.lines.count else { return nil }
            defer { state.cursor += 1 }
            return state.lines[state.cursor]
        }
    }

    func finish(within patience: Duration) {
        _ = wait(patience) { state.withLock { $0.isAtEnd ? true : nil } }
    }

    /// Asks again whenever something came, until there is an answer or no time left.
    func wait<T>(_ patience: Duration, _ question: () -> T?) -> T? {
        let deadline = Date(timeIntervalSinceNow: patience / .seconds(1))
        while true {
            if let answer = question() { return answer }
            changed.lock()
            // Woken at least each 50 ms, since something may have come before the lock was taken.
            _ = changed.wait(until: min(deadline, Date(timeIntervalSinceNow: 0.05)))
            changed.unlock()
            if Date() >= deadline { return question() }
        }
    }
}
