import KirimClientCore
import KirimServerCore

// Promise 7: nobody's memory grows beyond its limits.

extension Cluster {
    /// Counting costs about as much as a step, and what grows stays grown.
    static let stepsPerLook = 16

    func checkMemory() throws(Violation) {
        for (index, face) in faces.enumerated() {
            guard let process = face.process else { continue }
            try memory.check(client: process.core.load, face: index)
        }
        // In the middle of a turn things wait for its end.
        guard let server, !server.isTurnPlanned else { return }
        try memory.check(server: server.core.load)
        try checkBanished(server.core.visitors)
        try memory.check(readers: server.core.readerLoads, at: world.now)
    }
}
