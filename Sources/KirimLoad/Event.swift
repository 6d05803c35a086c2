#if os(Linux)
import Glibc

/// A command that is run while the load goes on: the network's misfortune.
struct Event {
    private let at: Int64
    private let command: String
    private var process: pid_t?
    private var isOver = false

    init(at: Int64, command: String) {
        self.at = at
        self.command = command
    }

    /// When it has to be looked at next.
    func wake(_ now: Int64) -> Int64 {
        if isOver { return .max }
        return process == nil ? at : now + 1_000_000
    }

    /// Starts the command when it is time; returns when it ended, once.
    mutating func look(_ now: Int64) -> Int64? {
        guard !isOver, now >= at else { return nil }
        guard let process else {
            start()
            return nil
        }
        guard process > 0 else { return nil }
        var status: Int32 = 0
        guard waitpid(process, &status, WNOHANG) == process else { return nil }
        isOver = true
        return now
    }

    private mutating func start() {
        var child: pid_t = 0
        var words: [UnsafeMutablePointer<CChar>?] = []
        for word in ["sh", "-c", command] { words.append(strdup(word)) }
        defer { for word in words { free(word) } }
        words.append(nil)
        guard posix_spawn(&child, "/bin/sh", nil, nil, words, environ) == 0 else {
            isOver = true
            return
        }
        process = child
    }
}
#endif
