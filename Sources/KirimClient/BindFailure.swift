import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Why a UDP socket could not be had on this machine.
struct BindFailure: Error, Hashable {
    /// The system's number; 0 where it gave none.
    var number: CInt
    /// The system's words.
    var reason: String
    /// The wished local port; 0 for any.
    var port: UInt16
    var isVersion6: Bool

    init(_ error: any Error, port: UInt16, isVersion6: Bool) {
        number = (error as? IOError)?.errnoCode ?? 0
        reason = number == 0 ? "\(error)" : String(cString: strerror(number))
        self.port = port
        self.isVersion6 = isVersion6
    }

    /// Whether another port would do.
    var isForPort: Bool { port != 0 && (number == EADDRINUSE || number == EACCES) }
    /// Whether this machine does not have that version of IP at all.
    var isForVersion: Bool { number == EAFNOSUPPORT || number == EADDRNOTAVAIL }
}

extension KirimError {
    init(_ failure: BindFailure) {
        let sentence =
            switch failure.number {
            case EADDRINUSE where failure.port != 0:
                "Another program has the local port \(failure.port); choose another."
            case EACCES where failure.port != 0:
                "You may not use the local port \(failure.port); choose one above 1023."
            default:
                "This machine gave no UDP socket for \(failure.isVersion6 ? "IPv6" : "IPv4")"
                    + " (\(failure.reason)); it is tried again by itself."
            }
        self.init(code: .network, message: sentence, underlying: failure)
    }
}
