import Foundation
import KirimRooms

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The folders and files on a disk that only their owner may read.
enum Folder {
    /// Makes the folder of `path`, and those above it that are missing, with mode 0700.
    static func makeParent(of path: String) throws(JournalError) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try make(folder)
    }

    private static func make(_ folder: String) throws(JournalError) {
        guard mkdir(folder, 0o700) != 0 else { return }
        switch errno {
        case EEXIST: return
        case ENOENT:
            let above = URL(fileURLWithPath: folder).deletingLastPathComponent().path
            guard above != folder else {
                throw JournalError(errno: ENOENT, "The folder \(folder) cannot be made")
            }
            try make(above)
            // Another process may have made it meanwhile.
            if mkdir(folder, 0o700) != 0, errno != EEXIST {
                throw JournalError(errno: errno, "The folder \(folder) cannot be made")
            }
        case let code: throw JournalError(errno: code, "The folder \(folder) cannot be made")
        }
    }

    /// Makes the names in the folder of `path` durable.
    static func sync(parentOf path: String) throws(JournalError) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw JournalError(errno: errno, "The folder \(folder) cannot be opened")
        }
        defer { close(descriptor) }
        // EINVAL: a file system whose folders cannot be synced, which then need not be.
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw JournalError(errno: errno, "The folder \(folder) cannot be written")
        }
    }
}
