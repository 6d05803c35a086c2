#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The standard input, read a piece at a time and only when somebody wants the next one.
package enum StandardInput {
    /// The next bytes; empty at the end. A thread of its own waits for them: a read blocks. Throws where the input
    /// cannot be read, for instance because it is a folder.
    package static func next() async throws(InputLines.Fault) -> [UInt8] {
        let result = await withCheckedContinuation { continuation in
            let isStarted = BlockingThread.run { continuation.resume(returning: readSome()) }
            if !isStarted {
                continuation.resume(returning: .failure(.unreadable("no thread could be started")))
            }
        }
        return try result.get()
    }

    private static func readSome() -> Result<[UInt8], InputLines.Fault> {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count >= 0 { return .success(Array(buffer[..<count])) }
            if errno == EINTR { continue }
            // Whoever gave us the input may have left it so that a read does not wait.
            if errno == EAGAIN {
                var wish = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
                poll(&wish, 1, -1)
                continue
            }
            return .failure(.unreadable(String(cString: strerror(errno))))
        }
    }
}
