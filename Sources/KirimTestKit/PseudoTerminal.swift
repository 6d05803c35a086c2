import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A program in a terminal: keys go in, and one can look at the screen.
package final class PseudoTerminal: Sendable {
    package let process: ChildProcess
    package let columns: Int
    package let rows: Int
    private let master: Int32
    private let record = Transcript()

    package init(
        _ program: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        columns: Int = 80,
        rows: Int = 24
    ) throws {
        self.columns = columns
        self.rows = rows
        var size = winsize(
            ws_row: UInt16(rows),
            ws_col: UInt16(columns),
            ws_xpixel: 0,
            ws_ypixel: 0
        )
        var master: Int32 = -1
        var slave: Int32 = -1
        var name = [CChar](repeating: 0, count: 128)
        guard openpty(&master, &slave, &name, nil, &size) == 0 else {
            throw SystemFailure("no pseudo terminal")
        }
        _ = fcntl(master, F_SETFD, FD_CLOEXEC)
        _ = fcntl(slave, F_SETFD, FD_CLOEXEC)
        // Held until the program has it, or the reader would see the end before the beginning.
        defer { close(slave) }
        self.master = master
        process = try ChildProcess(
            program,
            arguments,
            environment: environment,
            terminal: String(decoding: name.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        )
        // The reader closes its own copy when the last program has left the terminal.
        record.follow(fcntl(master, F_DUPFD_CLOEXEC, 0))
    }

    deinit { close(master) }

    /// Presses keys: text as it is, `\r` for Return, `\u{3}` for Ctrl-C.
    package func press(_ keys: String) {
        var rest = Array(keys.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    package func resize(columns: Int, rows: Int) {
        var size = winsize(
            ws_row: UInt16(rows),
            ws_col: UInt16(columns),
            ws_xpixel: 0,
            ws_ypixel: 0
        )
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    /// What the screen shows now.
    package var screen: TerminalScreen {
        var screen = TerminalScreen(columns: columns, rows: rows)
        screen.obey(record.bytes)
        return screen
    }

    /// Every byte that was written to it.
    package var transcript: String { String(decoding: record.bytes, as: UTF8.self) }

    /// Looks at the screen until it is as wanted; false when it never was in time.
    package func shows(
        within patience: Duration = .seconds(20),
        _ isWanted: (TerminalScreen) -> Bool
    ) -> Bool {
        record.wait(patience) { isWanted(screen) ? true : nil } ?? false
    }

    package func shows(_ text: String, within patience: Duration = .seconds(20)) -> Bool {
        shows(within: patience) { $0.contains(text) }
    }
}
