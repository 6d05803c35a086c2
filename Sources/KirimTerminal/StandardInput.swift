#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The standard input, read a piece at a time and only when somebody wants the next one.
package enum StandardInput {
    /// The next bytes; empty at the end. A thread of its own waits for them: a read blocks.
    package static func next() async -> [UInt8] {
        await withCheckedContinuation { continuation in
            let isStarted = BlockingThread.run { continuation.resume(returning: readSome()) }
            if !isStarted { continuation.resume(returning: []) }
        }
    }

    private static func readSome() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            return count > 0 ? Array(buffer[..<count]) : []
        }
    }
}
