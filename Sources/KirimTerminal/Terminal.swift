#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The terminal that the program runs in: raw while a line is edited, and put back as it was on every way out.
///
/// One object for the process. Bytes and changes of size come through ``events``; a thread of its own waits for them,
/// because a read from a terminal blocks.
package final class Terminal: Sendable {
    package enum Event: Hashable, Sendable {
        case bytes([UInt8])
        /// Nothing came for a moment after an ESC.
        case rest
        case resized
        /// The terminal is gone.
        case ended
    }

    /// What happens, from ``start()`` on.
    package let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation

    package init() {
        (events, continuation) = AsyncStream.makeStream()
    }

    /// Whether a file descriptor is a terminal.
    package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Makes the terminal raw and begins to read. `false` where it cannot be made raw.
    ///
    /// With `leavesStopping` SIGINT and SIGTERM are somebody else's, who will call ``stop()``.
    package func start(leavesStopping: Bool = false) -> Bool {
        guard pipe(&TerminalState.wake) == 0, Self.makeRaw() else { return false }
        TerminalState.watch(
            leavesStopping ? [SIGHUP, SIGQUIT] : [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
        )
        let continuation = continuation
        return BlockingThread.run { Self.readLoop(continuation) }
    }

    /// Puts the terminal back as it was.
    package func stop() { TerminalState.restore() }

    /// Stops the program as Ctrl-Z does, and goes on when it is continued.
    package func suspend() {
        TerminalState.restore()
        raise(SIGSTOP)
        _ = Self.makeRaw()
    }

    /// Columns of the window; 80 where nobody knows.
    package var width: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Writes all of it, however often the terminal takes only a part.
    package func write(_ text: String) { StandardOutput.write(text) }

    private static func makeRaw() -> Bool {
        var attributes = termios()
        guard tcgetattr(STDIN_FILENO, &attributes) == 0 else { return false }
        if !TerminalState.isRaw { TerminalState.saved = attributes }
        cfmakeraw(&attributes)
        // Output is processed as before: others may write to this terminal too.
        attributes.c_oflag |= tcflag_t(OPOST)
        guard tcsetattr(STDIN_FILENO, TCSADRAIN, &attributes) == 0 else { return false }
        TerminalState.isRaw = true
        StandardOutput.write("\u{1B}[?2004h")
        return true
    }

    private static func readLoop(_ continuation: AsyncStream<Event>.Continuation) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var isAfterEscape = false
        while true {
            var polled = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: TerminalState.wake[0], events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&polled, 2, isAfterEscape ? 50 : -1)
            if count < 0 {
                if errno == EINTR { continue }
                break
            }
            if count == 0 {
                isAfterEscape = false
                continuation.yield(.rest)
                continue
            }
            if polled[1].revents != 0 {
                _ = read(TerminalState.wake[0], &buffer, 64)
                continuation.yield(.resized)
            }
            guard polled[0].revents != 0 else { continue }
            let length = read(STDIN_FILENO, &buffer, buffer.count)
            if length < 0, errno == EINTR || errno == EAGAIN { continue }
            guard length > 0 else { break }
            isAfterEscape = buffer[length - 1] == 0x1B
            continuation.yield(.bytes(Array(buffer[..<length])))
        }
        continuation.yield(.ended)
        continuation.finish()
    }
}

/// What signal handlers need: they can reach nothing but globals, and may call almost nothing.
private enum TerminalState {
    nonisolated(unsafe) static var saved = termios()
    nonisolated(unsafe) static var isRaw = false
    nonisolated(unsafe) static var wake: [Int32] = [-1, -1]
    nonisolated(unsafe) static var wakeWriter: Int32 = -1

    static func watch(_ ends: [Int32]) {
        wakeWriter = wake[1]
        signal(SIGWINCH) { _ in
            var byte: UInt8 = 0
            _ = write(TerminalState.wakeWriter, &byte, 1)
        }
        for number in ends {
            signal(number) { number in
                TerminalState.restore()
                _exit(128 + number)
            }
        }
        atexit { TerminalState.restore() }
    }

    /// Safe in a signal handler: two system calls.
    static func restore() {
        guard isRaw else { return }
        isRaw = false
        let off: StaticString = "\u{1B}[?2004l\r\u{1B}[J"
        _ = write(STDOUT_FILENO, off.utf8Start, off.utf8CodeUnitCount)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &saved)
    }
}

/// A thread that runs one closure to its end.
package struct BlockingThread: Sendable {
    /// Starts it; `false` where the system gives no thread.
    package static func run(_ body: @escaping @Sendable () -> Void) -> Bool {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        let box = Unmanaged.passRetained(Box(body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        #if canImport(Darwin)
        var thread: pthread_t?
        let result = pthread_create(
            &thread,
            &attributes,
            { argument in
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            box.toOpaque()
        )
        #else
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            box.toOpaque()
        )
        #endif
        if result != 0 { box.release() }
        return result == 0
    }
}

/// The standard output, unbuffered.
package enum StandardOutput {
    /// Why nothing more can be written.
    package enum Trouble: Hashable, Sendable {
        /// Nobody reads any more: a pager was left, `head` has seen enough.
        case readerGone
        /// What the system says: the disk is full.
        case failed(String)
    }

    /// Writes all of it. `false` where that cannot be.
    @discardableResult
    package static func write(_ text: String, to descriptor: Int32 = STDOUT_FILENO) -> Bool {
        trouble(writing: text, to: descriptor) == nil
    }

    /// Writes all of it, or says why that cannot be.
    package static func trouble(
        writing text: String,
        to descriptor: Int32 = STDOUT_FILENO
    ) -> Trouble? {
        var text = text
        return text.withUTF8 { bytes in
            var written = 0
            while written < bytes.count {
                guard let base = bytes.baseAddress else { return nil }
                let count = platformWrite(descriptor, base + written, bytes.count - written)
                if count < 0 {
                    guard errno == EINTR || errno == EAGAIN else {
                        return errno == EPIPE
                            ? .readerGone : .failed(String(cString: strerror(errno)))
                    }
                    var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&polled, 1, 1000)
                    continue
                }
                written += count
            }
            return nil
        }
    }

    /// A sentence about what went wrong, where it disturbs no one who reads the output.
    package static func complain(_ text: String) { write(text + "\n", to: STDERR_FILENO) }
}

private func platformWrite(_ descriptor: Int32, _ base: UnsafePointer<UInt8>, _ count: Int) -> Int {
    write(descriptor, base, count)
}

/// Hours and minutes of a moment, where the person lives.
package enum LocalTime {
    package static func clock(milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return "" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(parts.tm_hour)):\(two(parts.tm_min))"
    }

    /// The day, where the person lives: 2026-11-28 (ISO 8601), which reads alike in all languages.
    package static func day(milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return "" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }
}
