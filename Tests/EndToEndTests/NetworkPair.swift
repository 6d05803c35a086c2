import Foundation
import KirimTestKit
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Two namespaces with a wire between them; gone with the last reference.
final class NetworkPair {
    private var router: String { "kirim-r-\(tag)" }
    private var hasRouter = false
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

    /// Does as `ip` is told in the client's network, where its device is called `DEVICE`.
    func atClient(_ steps: String...) { change(client, "kc\(tag)", steps) }
    func atServer(_ steps: String...) { change(server, "ks\(tag)", steps) }

    private func change(_ network: String, _ device: String, _ steps: [String]) {
        for step in steps {
            let step = step.replacingOccurrences(of: "DEVICE", with: device)
            if let fault = Self.ip("-n \(network) \(step)") { Issue.record("\(step): \(fault)") }
        }
    }

    /// Gives the two IPv6 addresses as well: fd77::1 to the server, fd77::2 to the client. `nil`, with the reason
    /// printed, where there is no IPv6.
    func addVersion6() -> Bool {
        let steps = [
            "-n \(server) addr add fd77::1/64 dev ks\(tag) nodad",
            "-n \(client) addr add fd77::2/64 dev kc\(tag) nodad",
        ]
        for step in steps {
            if let fault = Self.ip(step) {
                print("SKIPPED: no IPv6 in network namespaces here (ip \(step): \(fault)).")
                return false
            }
        }
        return true
    }

    /// What names lead to in the client's network; ip-netns(8) puts the file in place of /etc/hosts.
    func setClientHosts(_ text: String) throws {
        let folder = "/etc/netns/\(client)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try text.write(toFile: "\(folder)/hosts", atomically: true, encoding: .utf8)
    }

    /// Puts a router with NAT (nftables) between the two: the client is at 10.78.0.2 from then on, and the server
    /// sees 10.77.0.2. `false`, with the reason printed, where the system does not do that.
    func addRouter() -> Bool {
        hasRouter = true
        let steps = [
            "ip netns add \(router)", "ip -n \(router) link set lo up",
            "ip -n \(client) link set kc\(tag) netns \(router)",
            "ip -n \(router) link set kc\(tag) up",
            "ip -n \(router) addr add 10.77.0.2/24 dev kc\(tag)",
            "ip link add kr\(tag) netns \(router) type veth peer name kd\(tag) netns \(client)",
            "ip -n \(router) addr add 10.78.0.1/24 dev kr\(tag)",
            "ip -n \(router) link set kr\(tag) up",
            "ip -n \(client) addr add 10.78.0.2/24 dev kd\(tag)",
            "ip -n \(client) link set kd\(tag) up",
            "ip -n \(client) route add default via 10.78.0.1",
            "ip netns exec \(router) sysctl -qw net.ipv4.ip_forward=1",
            "ip netns exec \(router) nft add table ip nat",
            "ip netns exec \(router) nft add chain ip nat out { type nat hook postrouting priority 100 ; }",
            "ip netns exec \(router) nft add rule ip nat out oifname kc\(tag) masquerade",
        ]
        for step in steps {
            if let fault = Self.run(step) {
                print("SKIPPED: no router with NAT here (\(step): \(fault)); needs root and nft.")
                return false
            }
        }
        return true
    }

    /// The router is given another address by its provider: what it knew of its connections is void.
    func moveRouter(from old: String, to new: String) {
        for step in ["addr del \(old)/24", "addr add \(new)/24"] {
            if let fault = Self.ip("-n \(router) \(step) dev kc\(tag)") { Issue.record("\(fault)") }
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

    /// What a program complained about; `nil` when it did it.
    static func ip(_ arguments: String) -> String? { run("ip " + arguments) }

    private static func run(_ command: String) -> String? {
        let words = command.split(separator: " ").map(String.init)
        guard let process = try? ChildProcess("/usr/bin/env", words) else {
            return "does not start"
        }
        let code = process.exitCode()
        return code == 0 ? nil : process.lines.joined(separator: " ") + " (\(code ?? -1))"
    }

    deinit {
        _ = Self.ip("netns del \(server)")
        _ = Self.ip("netns del \(client)")
        if hasRouter { _ = Self.ip("netns del \(router)") }
        try? FileManager.default.removeItem(atPath: "/etc/netns/\(client)")
    }
}
