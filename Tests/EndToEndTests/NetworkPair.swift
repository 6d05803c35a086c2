import Foundation
import KirimTestKit
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Two namespaces with a wire between them; gone with the last reference.
final class NetworkPair {
    let tag = "\(UInt16.random(in: 0 ... .max))"
    var server: String { "kirim-s-\(tag)" }
    var client: String { "kirim-c-\(tag)" }

    /// `nil`, with the reason printed, where this process may not make them.
    init?() {
        let steps = [
            "netns add \(server)", "netns add \(client)",
            "link add ks\(tag) netns \(server) type veth peer name kc\(tag) netns \(client)",
            "-n \(server) link set lo up", "-n \(client) link set lo up",
            "-n \(server) addr add 10.77.0.1/24 dev ks\(tag)",
            "-n \(client) addr add 10.77.0.2/24 dev kc\(tag)",
            "-n \(server) link set ks\(tag) up", "-n \(client) link set kc\(tag) up",
        ]
        for step in steps {
            if let fault = Self.ip(step) {
                print("SKIPPED: no network namespaces here (ip \(step): \(fault)); needs root.")
                return nil
            }
        }
    }

    func moveClient(from old: String, to new: String) {
        move(client, "kc\(tag)", from: old, to: new)
    }

    func moveServer(from old: String, to new: String) {
        move(server, "ks\(tag)", from: old, to: new)
    }

    private func move(_ network: String, _ device: String, from old: String, to new: String) {
        // In this order: the kernel removes later addresses of a network together with its first.
        for step in ["addr del \(old)/24", "addr add \(new)/24"] {
            if let fault = Self.ip("-n \(network) \(step) dev \(device)") {
                Issue.record("\(fault)")
            }
        }
    }

    /// A program in one of the two networks.
    func run(
        in network: String,
        _ program: String,
        _ arguments: [String],
        folder: String
    ) throws -> ChildProcess {
        try ChildProcess(
            "/usr/bin/env",
            ["ip", "netns", "exec", network, program] + arguments,
            environment: ["HOME": folder]
        )
    }

    /// Makes a socket in one of the two networks, where it stays.
    func open<Socket: Sendable>(
        in network: String,
        _ make: @escaping @Sendable () throws -> Socket
    ) throws -> Socket {
        let outcome = Mutex<Result<Socket, any Error>?>(nil)
        let done = DispatchSemaphore(value: 0)
        // A thread of its own, as a thread is in one network at a time.
        let thread = Thread {
            let result = Result {
                try Self.enter(network)
                return try make()
            }
            outcome.withLock { $0 = result }
            done.signal()
        }
        thread.start()
        done.wait()
        guard let result = outcome.withLock({ $0 }) else { preconditionFailure("it was set") }
        return try result.get()
    }

    private static func enter(_ network: String) throws {
        // Found by name: the headers show it only with glibc's own extensions on.
        guard let found = dlsym(nil, "setns") else { throw SystemFailure("no setns", code: ENOSYS) }
        let setns = unsafeBitCast(found, to: (@convention(c) (Int32, Int32) -> Int32).self)
        let descriptor = Glibc.open("/var/run/netns/\(network)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure("no network \(network)") }
        defer { close(descriptor) }
        guard setns(descriptor, 0) == 0 else { throw SystemFailure("not let into \(network)") }
    }

    /// What `ip` complained about; `nil` when it did it.
    private static func ip(_ arguments: String) -> String? {
        let words = ["ip"] + arguments.split(separator: " ").map(String.init)
        guard let process = try? ChildProcess("/usr/bin/env", words) else {
            return "does not start"
        }
        let code = process.exitCode()
        return code == 0 ? nil : process.lines.joined(separator: " ") + " (\(code ?? -1))"
    }

    deinit {
        _ = Self.ip("netns del \(server)")
        _ = Self.ip("netns del \(client)")
    }
}
