import Foundation
import KirimServer

/// The operator's side of standard input and output: whole lines in, whole lines out.
struct OperatorConsole: Sendable {
    /// Lines as they are typed. It ends with the input; a server without an operator goes on.
    let lines: AsyncStream<String>

    init() {
        let (lines, tell) = AsyncStream.makeStream(of: String.self)
        self.lines = lines
        // Reading blocks, so it has a thread of its own; it ends with the process.
        Thread.detachNewThread {
            while let line = readLine(strippingNewline: true) { tell.yield(line) }
            tell.finish()
        }
    }

    /// Writes one line at once: nobody should wait for a log that is a pipe or a file.
    static func show(_ line: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
    }
}
