import KirimRooms
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Holds a file for this process alone, until it is let go of or the process ends, however it ends.
///
/// It locks a file of its own beside the database: closing any descriptor of the database itself
/// would drop the POSIX locks that SQLite holds on it (sqlite.org/howtocorrupt.html §2.2).
final class FileLock: Sendable {
    private let held: Mutex<Int32?>

    /// Throws `locked` where another holder keeps it for longer than `patience`.
    init(_ path: String, patience: Duration = .zero) throws(JournalError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw JournalError(errno: errno, "The file \(path) cannot be opened")
        }
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            guard code == EWOULDBLOCK || code == EINTR else {
                close(descriptor)
                throw JournalError(errno: code, "The file \(path) cannot be locked")
            }
            guard clock.now < deadline else {
                close(descriptor)
                throw .locked
            }
            usleep(10_000)
        }
        held = Mutex(descriptor)
    }

    func release() {
        held.withLock { descriptor in
            if let descriptor { close(descriptor) }
            descriptor = nil
        }
    }

    deinit { release() }
}
