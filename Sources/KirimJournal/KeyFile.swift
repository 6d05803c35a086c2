import Foundation
package import KirimRooms

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A file that holds a secret key: 32 bytes that only their owner may read.
package enum KeyFile {
    /// Bytes in the file.
    package static let size = 32

    /// The key in the file; made from `makeBytes` where there is no file yet.
    ///
    /// Two processes may ask at once: both get the key of the one that was first. The key is on the
    /// disk before this returns. A file of another size is `corrupt`, one that others may read is
    /// `denied`: a key that may have leaked must not be used without a word.
    package static func loadOrCreate(
        at path: String,
        makeBytes: () -> [UInt8]
    ) throws(JournalError) -> [UInt8] {
        if let bytes = try load(from: path) { return bytes }
        try Folder.makeParent(of: path)
        let bytes = makeBytes()
        precondition(bytes.count == size, "a key has \(size) bytes")
        try create(path, bytes)
        guard let kept = try load(from: path) else {
            throw .failed("The key file \(path) was removed while it was made.")
        }
        return kept
    }

    /// The key in the file; `nil` where there is no file.
    package static func load(from path: String) throws(JournalError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw JournalError(errno: errno, "The key file \(path) cannot be read")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw JournalError(errno: errno, "The key file \(path) cannot be read")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .denied("The key file \(path) is not a file.")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw .denied(
                "Others may read the key file \(path). If nobody did, type: chmod 600 \(path)"
            )
        }
        var bytes = [UInt8](repeating: 0, count: size + 1)
        let count = read(descriptor, &bytes, bytes.count)
        guard count >= 0 else {
            throw JournalError(errno: errno, "The key file \(path) cannot be read")
        }
        guard count == size else {
            throw .corrupt("The key file \(path) does not have \(size) bytes.")
        }
        return Array(bytes.prefix(size))
    }

    /// Writes a file beside it, then gives that its name in one step, unless the name is taken.
    private static func create(_ path: String, _ bytes: [UInt8]) throws(JournalError) {
        let draft = "\(path).\(UInt64.random(in: 0 ... .max))"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw JournalError(errno: errno, "The key file \(path) cannot be made")
        }
        defer { unlink(draft) }
        let written = write(descriptor, bytes, bytes.count)
        let code = written == bytes.count && fsync(descriptor) == 0 ? 0 : errno
        close(descriptor)
        guard code == 0, written == bytes.count else {
            throw JournalError(
                errno: code == 0 ? ENOSPC : code,
                "The key file \(path) cannot be written"
            )
        }
        if link(draft, path) != 0, errno != EEXIST {
            throw JournalError(errno: errno, "The key file \(path) cannot be made")
        }
        try Folder.sync(parentOf: path)
    }
}
