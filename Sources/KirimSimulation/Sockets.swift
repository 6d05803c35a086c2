package import KirimTransport
import KirimWire

/// The UDP sockets of one client process: which port each has on its machine.
package struct Sockets: Sendable {
    private var open: [(id: SocketID, port: UInt16)] = []
    private var nextID: UInt32 = 1
    private var nextPort: UInt16

    /// Faces on one machine take ports from different ranges.
    package init(face: Int) { nextPort = UInt16(10_000 + face % 500 * 100) }

    /// Binds another socket. Numbers are not used again, ports only after a hundred.
    package mutating func bind() -> SocketID {
        let id = SocketID(rawValue: nextID)
        open.append((id, nextPort))
        nextID += 1
        nextPort = nextPort % 100 == 99 ? nextPort - 99 : nextPort + 1
        return id
    }

    package mutating func close(_ id: SocketID) { open.removeAll { $0.id == id } }
    package mutating func closeAll() { open = [] }

    package func port(of id: SocketID) -> UInt16? { open.first { $0.id == id }?.port }
    package func socket(at port: UInt16) -> SocketID? { open.last { $0.port == port }?.id }
    package var count: Int { open.count }
}
