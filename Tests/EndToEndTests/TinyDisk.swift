import Foundation

#if canImport(Glibc)
import Glibc
#endif

/// A file system of so many KiB in a folder; gone with the last reference.
final class TinyDisk {
    private let path: String

    /// `nil`, with the reason printed, where this process may not mount one.
    init?(at path: String, kilobytes: Int) {
        self.path = path
        mkdir(path, 0o700)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(kilobytes)k,mode=700") == 0 else {
            print("SKIPPED: a tiny disk cannot be mounted here; needs root.")
            return nil
        }
    }

    /// Whether it was done.
    func resize(kilobytes: Int) -> Bool {
        mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT), "size=\(kilobytes)k") == 0
    }

    /// Only while nobody has a file open for writing.
    func setReadOnly(_ isReadOnly: Bool) -> Bool {
        mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT) | (isReadOnly ? UInt(MS_RDONLY) : 0), "")
            == 0
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }
}
