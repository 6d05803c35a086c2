package import KirimClient
import KirimRooms

/// How a chat ended: the exit code of `kirim chat` and `kirim send`. The numbers never change.
package enum ChatExit: Int32, Error, Hashable, Sendable, CaseIterable {
    /// Everything that was to be said was accepted.
    case done = 0
    /// Something was refused, or cannot be a message.
    case notAccepted = 1
    /// The server did not answer in time. What was to be said is kept, and sent the next time.
    case unreachable = 3
    /// Another server than before answers there.
    case serverKeyChanged = 4
    /// A password or an invitation is wanted, or the one that was given was not taken.
    case noAccess = 5
    /// The operator put this key out.
    case putOut = 6
    /// Something on this machine is in the way: the disk, the port, the key file.
    case local = 7
    /// Ctrl-C.
    case interrupted = 130

    package init(_ reason: KirimClient.StopReason) {
        switch reason {
        case .serverKeyChanged: self = .serverKeyChanged
        case .passwordNeeded, .invitationNeeded, .secretRefused: self = .noAccess
        case .noCommonVersion: self = .unreachable
        case .kicked, .banned: self = .putOut
        }
    }

    package init(_ error: KirimError) {
        switch error.code {
        case .serverKeyChanged: self = .serverKeyChanged
        case .passwordNeeded, .invitationNeeded, .secretRefused: self = .noAccess
        case .kicked, .banned: self = .putOut
        case .refused, .invalid: self = .notAccepted
        case .storage, .network: self = .local
        default: self = .unreachable
        }
    }
}

extension KirimError {
    /// The library throws nothing else; whatever it is all the same is this machine's.
    package init(of error: any Error) {
        self = error as? KirimError ?? KirimError(code: .storage, message: "\(error)")
    }
}
