import Configuration
import Foundation
import KirimServer
import KirimWire
import Logging

/// What a server is told, from four places: flags, then the environment (`KIRIM_PORT`), then the settings
/// file (`{"port": 12345}`), then the defaults.
struct ServeSettings {
    var options: ServerOptions
    var logLevel: Logger.Level

    /// The flags that were given.
    struct Flags {
        var host: [String] = []
        var port: Int?
        var data: String?
        var name: String?
        var plain: String?
        var plainSilence: Int?
        var passwordFile: String?
        var inviteOnly: Bool?
        var logLevel: String?
        var settings: String?
    }

    static func read(_ flags: Flags) async throws -> ServeSettings {
        let other = try await reader(file: flags.settings)
        guard let folder = flags.data ?? other.string(forKey: "data") ?? Folders.server else {
            throw Complaint.setting(Folders.missing)
        }
        var options = ServerOptions(folder: expanded(folder))
        let hosts = flags.host.isEmpty ? other.stringArray(forKey: "host", default: []) : flags.host
        let port = flags.port ?? other.int(forKey: "port", default: 12_345)
        options.addresses = try addresses(hosts.isEmpty ? ["127.0.0.1"] : hosts, port: port)
        options.name = flags.name ?? other.string(forKey: "name", default: options.name)
        let plain = flags.plain ?? other.string(forKey: "plain", default: "loopback")
        guard let allowed = ServerOptions.Plain(rawValue: plain) else {
            throw Complaint.setting("Plain text is off, loopback or lan, not \(plain).")
        }
        options.plain = allowed
        let silence = flags.plainSilence ?? other.int(forKey: "plainSilence", default: 60)
        guard (1...525_600).contains(silence) else {
            throw Complaint.setting("A plain client may be silent for 1 to 525600 minutes.")
        }
        options.plainSilence = .seconds(silence * 60)
        options.access = try access(
            passwordFile: flags.passwordFile ?? other.string(forKey: "passwordFile"),
            inviteOnly: flags.inviteOnly ?? other.bool(forKey: "inviteOnly", default: false)
        )
        let level = flags.logLevel ?? other.string(forKey: "logLevel", default: "notice")
        guard let logLevel = Logger.Level(rawValue: level) else {
            let all = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw Complaint.setting("There is no log level \(level); there are \(all).")
        }
        return ServeSettings(options: options, logLevel: logLevel)
    }

    private static func reader(file: String?) async throws -> ConfigReader {
        let environment = EnvironmentVariablesProvider().prefixKeys(with: "kirim")
        let named = file ?? ConfigReader(provider: environment).string(forKey: "settings")
        guard let path = named ?? Folders.settings.map({ $0 + "/server.json" }) else {
            return ConfigReader(provider: environment)
        }
        do {
            let file = ConfigReader(
                provider: InMemoryProvider(values: [
                    "filePath": .init(.string(expanded(path)), isSecret: false),
                    "allowMissing": .init(.bool(named == nil), isSecret: false),
                ])
            )
            let settings = try await FileProvider<JSONSnapshot>(config: file)
            return ConfigReader(providers: [environment, settings])
        } catch {
            throw Complaint.setting("The settings file \(path) cannot be read: \(error)")
        }
    }

    private static func addresses(_ hosts: [String], port: Int) throws -> [Address] {
        guard let port = UInt16(exactly: port) else {
            throw Complaint.setting("\(port) is no port; a port is a number from 1 to 65535.")
        }
        var all: [Address] = []
        for host in hosts {
            var name = host
            if name.hasPrefix("["), name.hasSuffix("]") {
                name = String(name.dropFirst().dropLast())
            }
            if name == "localhost" { name = "127.0.0.1" }
            guard let ip = IPAddress(name) else {
                throw Complaint.setting(
                    "\(host) is no IP address; listen on 127.0.0.1 for this machine, 0.0.0.0 or :: for all."
                )
            }
            let address = Address(ip: ip, port: port)
            if !all.contains(address) { all.append(address) }
        }
        return all
    }

    private static func access(
        passwordFile: String?,
        inviteOnly: Bool
    ) throws -> ServerOptions.Access {
        guard let passwordFile else { return inviteOnly ? .invitation : .open }
        guard !inviteOnly else {
            throw Complaint.setting("A server wants a password or an invitation, not both.")
        }
        let path = expanded(passwordFile)
        guard var bytes = FileManager.default.contents(atPath: path).map({ [UInt8]($0) }) else {
            throw Complaint.setting("The password file \(passwordFile) cannot be read.")
        }
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        guard !bytes.isEmpty else {
            throw Complaint.setting("The password file \(passwordFile) is empty.")
        }
        return .password(bytes)
    }

    private static func expanded(_ path: String) -> String {
        let whole = NSString(string: path).expandingTildeInPath
        return whole.hasPrefix("/") ? whole : FileManager.default.currentDirectoryPath + "/" + whole
    }
}
