import Foundation
import Synchronization

/// What is told when a run ends the whole program: the lines that repeat the runs under way. A precondition that
/// fails is a broken promise too, and nobody else could say whose.
enum LastWords {
    private static let places = 64
    /// Read by a signal handler, which may neither allocate nor wait.
    nonisolated(unsafe) private static let lines =
        UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: places)
    private static let taken = Mutex<Set<Int>>([])

    static func prepare() {
        lines.initialize(repeating: nil, count: places)
        for number in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS] {
            signal(number) { number in
                LastWords.say()
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }

    static func during<Result>(_ line: String, _ body: () -> Result) -> Result {
        let place = taken.withLock { taken in
            let free = (0..<places).first { !taken.contains($0) }
            if let free { taken.insert(free) }
            return free
        }
        guard let place else { return body() }
        let text = strdup(line)
        lines[place] = text
        defer {
            lines[place] = nil
            free(text)
            taken.withLock { _ = $0.remove(place) }
        }
        return body()
    }

    private static func say() {
        put("CRASH. It was in one of these:\n")
        for place in 0..<places {
            if let line = lines[place] { _ = write(STDERR_FILENO, line, strlen(line)) }
        }
    }

    private static func put(_ text: StaticString) {
        _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }
}
