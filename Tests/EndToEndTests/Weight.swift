import Foundation
import KirimTestKit

/// Whether programs are built with a sanitizer (`make asan`, `make tsan`), which needs memory and time of its own.
let isSanitized = ["ASAN_OPTIONS", "TSAN_OPTIONS"].contains {
    ProcessInfo.processInfo.environment[$0] != nil
}

/// What a process holds of the machine (proc(5)); 0 where that cannot be seen.
extension ChildProcess {
    var residentBytes: Int {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(separator: " ").dropFirst().first).flatMap { Int($0) }.map {
            $0 * 1_024
        }
            ?? 0
    }

    var descriptorCount: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? 0
    }
}
