import Configuration
import Foundation
import KirimRooms
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
        var connections: Int?
        var newMembers: Int?
        var postsPerSecond: Int?
        var settings: String?

        fileprivate var given: [Setting: Setting.Value] {
            let all: [Setting: Setting.Value?] = [
                .host: host.isEmpty ? nil : .texts(host),
                .port: port.map { .number($0) },
                .data: data.map { .text($0) },
                .name: name.map { .text($0) },
                .plain: plain.map { .text($0) },
                .plainSilence: plainSilence.map { .number($0) },
                .passwordFile: passwordFile.map { .text($0) },
                .inviteOnly: inviteOnly.map { .flag($0) },
                .logLevel: logLevel.map { .text($0) },
                .connections: connections.map { .number($0) },
                .newMembers: newMembers.map { .number($0) },
                .postsPerSecond: postsPerSecond.map { .number($0) },
            ]
            return all.compactMapValues { $0 }
        }
    }

    static func read(_ flags: Flags) throws -> ServeSettings {
        let reader = try reader(flags)
        var options = ServerOptions(folder: try folder(reader))
        let port = reader.int(forKey: "port").flatMap { UInt16(exactly: $0) }
        options.addresses = addresses(reader, port: port ?? ServerAddress.defaultPort)
        options.name = reader.string(forKey: "name", default: options.name)
        options.plain =
            reader.string(forKey: "plain", as: ServerOptions.Plain.self) ?? options.plain
        if let silence = reader.int(forKey: "plainSilence") {
            options.plainSilence = .seconds(silence * 60)
        }
        options.connections = reader.int(forKey: "connections")
        options.newMembers = reader.int(forKey: "newMembers")
        if let rate = reader.int(forKey: "postsPerSecond") {
            options.limits.postsPerSecond = rate
            options.limits.postBurst = 10 * rate
        }
        options.access = try access(
            passwordFile: reader.string(forKey: "passwordFile"),
            inviteOnly: reader.bool(forKey: "inviteOnly", default: false)
        )
        let level = reader.string(forKey: "logLevel", as: Logger.Level.self) ?? .notice
        return ServeSettings(options: options, logLevel: level)
    }

    /// Where the server of this machine has its files, and which port it was told.
    static func place(_ flags: Flags) throws -> (folder: String, port: UInt16) {
        let reader = try reader(flags)
        let port = reader.int(forKey: "port").flatMap { UInt16(exactly: $0) }
        return (try folder(reader), port ?? ServerAddress.defaultPort)
    }

    /// Whatever comes out of it has been looked at: a reader passes over what has another type.
    private static func reader(_ flags: Flags) throws -> ConfigReader {
        var given: [Setting: ConfigValue] = [:]
        for setting in Setting.allCases {
            guard let value = flags.given[setting] else { continue }
            given[setting] = try setting.checked(value, at: setting.flag)
        }
        let environment = ProcessInfo.processInfo.environment
        var variables: [Setting: ConfigValue] = [:]
        for setting in Setting.allCases {
            guard let text = environment[setting.variable] else { continue }
            variables[setting] = try setting.checked(
                setting.value(of: text),
                at: setting.variable
            )
        }
        return ConfigReader(providers: [
            provider("flags", given),
            provider("environment", variables),
            provider("file", try file(flags.settings ?? environment["KIRIM_SETTINGS"])),
        ])
    }

    private static func provider(
        _ name: String,
        _ values: [Setting: ConfigValue]
    ) -> InMemoryProvider {
        let pairs = values.map { (AbsoluteConfigKey([$0.key.rawValue]), $0.value) }
        return InMemoryProvider(name: name, values: Dictionary(uniqueKeysWithValues: pairs))
    }

    private static func file(_ named: String?) throws -> [Setting: ConfigValue] {
        guard let path = named ?? Folders.settings.map({ $0 + "/server.json" }) else { return [:] }
        guard !path.isEmpty else {
            throw Complaint.setting("The path of the settings file is empty; name a file.")
        }
        return try SettingsFile.values(at: Folders.expanded(path), isNamed: named != nil)
    }

    private static func folder(_ reader: ConfigReader) throws -> String {
        guard let folder = reader.string(forKey: "data") ?? Folders.server else {
            throw Complaint.setting(Folders.missing)
        }
        return Folders.expanded(folder)
    }

    private static func addresses(_ reader: ConfigReader, port: UInt16) -> [Address] {
        var all: [Address] = []
        for ip in reader.stringArray(forKey: "host", default: []).compactMap(Setting.address) {
            let address = Address(ip: ip, port: port)
            if !all.contains(address) { all.append(address) }
        }
        return all.isEmpty ? [Address(ip: .loopback, port: port)] : all
    }

    private static func access(
        passwordFile: String?,
        inviteOnly: Bool
    ) throws -> ServerOptions.Access {
        guard let passwordFile else { return inviteOnly ? .invitation : .open }
        guard !inviteOnly else {
            throw Complaint.setting("A server wants a password or an invitation, not both.")
        }
        do {
            return .password(Array(try PasswordFile.password(at: passwordFile).utf8))
        } catch {
            throw Complaint.setting(error.sentence)
        }
    }
}
