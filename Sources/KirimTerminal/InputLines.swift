import KirimRooms

/// Cuts bytes into lines that can be messages, and says which line cannot.
package struct InputLines: Sendable {
    private var rest: [UInt8] = []
    /// Lines begun so far; the number of the next one to end is one more than those that ended.
    private var number = 0
    private let limit: Int

    /// Why a line cannot be a message.
    package enum Fault: Error, Hashable, Sendable {
        /// Longer than a message may be.
        case tooLong(line: Int, limit: Int)
        case notUTF8(line: Int)
        /// The system gives no more of the input, and says this.
        case unreadable(String)

        package var exit: ChatExit {
            if case .unreadable = self { .local } else { .notAccepted }
        }
    }

    package init(limit: Int = ChatLimits.standard.messageBytes) { self.limit = limit }

    /// The lines that end in the input's next bytes, of which none mean that it is over; up to a line that cannot
    /// be a message, after which nothing more is to be cut.
    package mutating func cut(_ bytes: [UInt8]) -> (lines: [String], fault: Fault?) {
        var lines: [String] = []
        do throws(Fault) {
            if bytes.isEmpty { try finish(into: &lines) } else { try take(bytes, into: &lines) }
            return (lines, nil)
        } catch {
            return (lines, error)
        }
    }

    /// Takes bytes in, appends the lines that ended to `lines`; empty ones are passed over. A line end may be LF or CR LF.
    package mutating func take(
        _ bytes: some Sequence<UInt8>,
        into lines: inout [String]
    ) throws(Fault) {
        for byte in bytes {
            if byte == 0x0A {
                try end(&lines)
            } else {
                rest.append(byte)
                // A carriage return at the very end does not count.
                if rest.count > limit + 1 { throw .tooLong(line: number + 1, limit: limit) }
            }
        }
    }

    /// The input is over; a last line needs no line end.
    package mutating func finish(into lines: inout [String]) throws(Fault) {
        if !rest.isEmpty { try end(&lines) }
    }

    private mutating func end(_ lines: inout [String]) throws(Fault) {
        number += 1
        if rest.last == 0x0D { rest.removeLast() }
        defer { rest.removeAll(keepingCapacity: true) }
        guard rest.count <= limit else { throw .tooLong(line: number, limit: limit) }
        guard let line = String(validating: rest, as: UTF8.self) else {
            throw .notUTF8(line: number)
        }
        if !line.isEmpty { lines.append(line) }
    }
}
