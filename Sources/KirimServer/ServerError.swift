package import KirimRooms
package import KirimWire

/// Why a server cannot begin, or go on.
package enum ServerError: Error, Hashable, Sendable {
    case addressInUse(Address)
    /// The address is not one of this machine's.
    case addressUnknown(Address)
    case addressDenied(Address)
    case network(Address, String)
    /// The key file, or the file of rooms.
    case storage(JournalError, path: String)

    /// What happened and what to do.
    package var sentence: String {
        switch self {
        case .addressInUse(let address):
            "Another program listens on \(address); stop it, or choose another port with --port."
        case .addressUnknown(let address):
            "\(address.ip) is not an address of this machine; choose another with --host."
        case .addressDenied(let address):
            "This user may not listen on \(address); choose a port from 1024 with --port."
        case .network(let address, let reason):
            "Listening on \(address) does not work: \(Self.ended(reason))"
        case .storage(let error, let path): Self.sentence(error, path)
        }
    }

    private static func sentence(_ error: JournalError, _ path: String) -> String {
        switch error {
        case .full: "The disk is full, so \(path) cannot be written; make room and start again."
        case .locked:
            "Another server uses \(path); stop it, or choose another folder with --data."
        case .corrupt(let detail):
            "\(path) is damaged: \(ended(detail)) Move it away, or put a copy back, and start again."
        case .newer(let schema):
            "\(path) was written by a later version of Kirim (schema \(schema)); use that version."
        case .denied(let detail):
            "\(path) may not be used: \(ended(detail)) Correct that, or choose another folder with --data."
        case .failed(let detail): "\(path) cannot be used: \(ended(detail))"
        }
    }

    /// The system's own words come without a full stop.
    private static func ended(_ detail: String) -> String {
        detail.last.map { ".!?".contains($0) } ?? true ? detail : detail + "."
    }
}
