import Foundation
import GRDB
import KirimRooms

extension JournalError {
    /// The one place where what GRDB, SQLite and the system say becomes a ``JournalError``.
    init(wrapping error: any Error) {
        switch error {
        case let known as JournalError: self = known
        case let fault as DatabaseError: self.init(fault)
        default: self = .failed(String(describing: error))
        }
    }

    private init(_ fault: DatabaseError) {
        let said = fault.message ?? "SQLite error \(fault.extendedResultCode.rawValue)"
        switch fault.extendedResultCode {
        case .SQLITE_IOERR_SHMSIZE:
            // The index of the write-ahead log could not grow: SQLite's other name for a full disk.
            self = .full
            return
        case .SQLITE_IOERR_CORRUPTFS:
            self = .corrupt(said)
            return
        default: break
        }
        switch fault.resultCode {
        case .SQLITE_FULL: self = .full
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .locked
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupt(said)
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: self = .denied(said)
        default: self = .failed(said)
        }
    }

    /// What `errno` means for a file that a journal needs.
    init(errno code: Int32, _ doing: String) {
        let said = "\(doing): \(String(cString: strerror(code)))"
        switch code {
        case ENOSPC, EDQUOT: self = .full
        case EACCES, EPERM, EROFS, ENOTDIR, EISDIR, ELOOP: self = .denied(said)
        default: self = .failed(said)
        }
    }
}
