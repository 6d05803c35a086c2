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
        // Plain text proves nothing: a closed server does not speak it unless it is told to.
        let isOpen = if case .open = options.access { true } else { false }
        options.plain =
            reader.string(forKey: "plain", as: ServerOptions.Plain.self)
            ?? (isOpen ? .loopback : .off)
        let level = reader.string(forKey: "logLevel", as: Logger.Level.self) ?? .notice
        return ServeSettings(options: options, logLevel: level)
    }

    /// Where the server of this machine has its files, which port it was told, and whether other machines reach it.
    static func place(
        _ flags: Flags
    ) throws -> (folder: String, port: UInt16, isForOthers: Bool) {
        let reader = try reader(flags)
        let port =
            reader.int(forKey: "port").flatMap { UInt16(exactly: $0) } ?? ServerAddress.defaultPort
        let isForOthers = addresses(reader, port: port).contains { !$0.ip.isLoopback }
        return (try folder(reader), port, isForOthers)
    }

    /// Whatever comes out of it has been looked at: a reader passes over what has another type.
    private static func reader(_ flags: Flags) throws -> ConfigReader {
        let environment = ProcessInfo.processInfo.environment
        try refuseMistyped(environment.keys)
        do {
            var given: [Setting: Setting.Value] = [:]
            for setting in Setting.allCases {
                guard let value = flags.given[setting] else { continue }
                given[setting] = try setting.checked(value, at: setting.flag)
            }
            var variables: [Setting: Setting.Value] = [:]
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
        } catch let mistake as SettingMistake {
            throw Complaint.setting(mistake.sentence)
        }
    }

    /// A variable that looks like one of the settings and is none was meant as one.
    private static func refuseMistyped(_ names: some Sequence<String>) throws {
        let known = Setting.allCases.map(\.variable) + ["KIRIM_SETTINGS"]
        for name in names.sorted() where name.hasPrefix("KIRIM_") && !known.contains(name) {
            let begun = known.first { $0.hasPrefix(name) && name.count > "KIRIM_xx".count }
            // A short name of somebody else's is near to many.
            let reach = name.count > "KIRIM_xxxxxx".count ? 2 : 1
            guard let meant = begun ?? Spelling.nearest(to: name, of: known, within: reach) else {
                continue
            }
            throw Complaint.setting(
                "The variable \(ServerLog.visible(name)) is no setting; did you mean \(meant)?"
            )
        }
    }

    private static func provider(
        _ name: String,
        _ values: [Setting: Setting.Value]
    ) -> InMemoryProvider {
        let pairs = values.compactMap { setting, value in
            value.content.map {
                (AbsoluteConfigKey([setting.rawValue]), ConfigValue($0, isSecret: false))
            }
        }
        return InMemoryProvider(name: name, values: Dictionary(uniqueKeysWithValues: pairs))
    }

    /// What the file says. A file that nobody named need not be there.
    private static func file(_ named: String?) throws -> [Setting: Setting.Value] {
        guard let path = named ?? Folders.settings.map({ $0 + "/server.json" }) else { return [:] }
        guard !path.isEmpty else {
            throw Complaint.setting("The path of the settings file is empty; name a file.")
        }
        let full = Folders.expanded(path)
        guard let bytes = FileManager.default.contents(atPath: full) else {
            if named == nil, !FileManager.default.fileExists(atPath: full) { return [:] }
            throw Complaint.setting(
                "The settings file \(full) cannot be read; is it there, and may it be read?"
            )
        }
        return try SettingsFile.values(of: Array(bytes), at: full)
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

extension Setting.Value {
    /// As a reader of settings wants it.
    fileprivate var content: ConfigContent? {
        switch self {
        case .text(let text): .string(text)
        case .texts(let texts): .stringArray(texts)
        case .number(let number): .int(number)
        case .flag(let isOn): .bool(isOn)
        case .nothingKnown: nil
        }
    }
}
