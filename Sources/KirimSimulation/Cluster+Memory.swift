import KirimClientCore
import KirimServerCore

// Promise 7: nobody's memory grows beyond its limits.

extension Cluster {
    func checkMemory() throws(Violation) {
        for (index, face) in faces.enumerated() {
            guard let process = face.process else { continue }
            try memory.check(client: process.core.load, face: index)
        }
        // In the middle of a turn things wait for its end.
        guard let server, !server.isTurnPlanned, !isServerStalled else { return }
        try memory.check(server: server.core.load)
        try checkBanished(server.core.visitors)
        try memory.check(readers: server.core.readerLoads, at: world.now)
    }
}
