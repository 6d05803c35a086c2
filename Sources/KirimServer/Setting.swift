package import KirimWire
import Logging

/// A thing that a server is told: its key in the settings file, its variable, and what may stand there.
package enum Setting: String, CaseIterable, Sendable {
    case host, port, data, name, plain, plainSilence, passwordFile, inviteOnly, logLevel
    case connections, newMembers, postsPerSecond

    /// What was written somewhere, before it is looked at.
    package enum Value: Hashable, Sendable {
        case text(String)
        case texts([String])
        case number(Int)
        case flag(Bool)
        /// Something that no setting is: a fraction, an object, `null`.
        case nothingKnown(String)
    }

    /// `KIRIM_PLAIN_SILENCE`
    package var variable: String {
        "KIRIM_" + rawValue.map { $0.isUppercase ? "_\($0)" : $0.uppercased() }.joined()
    }

    /// `--plain-silence`
    package var flag: String {
        "--" + rawValue.map { $0.isUppercase ? "-\($0.lowercased())" : String($0) }.joined()
    }

    /// A value of the environment or of a command line, which has texts only.
    package func value(of text: String) -> Value {
        switch self {
        case .host:
            .texts(
                text.split(separator: ",", omittingEmptySubsequences: false).map {
                    String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
                }
            )
        case .port, .plainSilence, .connections, .newMembers, .postsPerSecond:
            Int(text).map { .number($0) } ?? .text(text)
        case .inviteOnly:
            switch text.lowercased() {
            case "true", "yes", "1": .flag(true)
            case "false", "no", "0": .flag(false)
            default: .text(text)
            }
        case .data, .name, .plain, .passwordFile, .logLevel: .text(text)
        }
    }

    /// The value in its one form, in which hosts are a list; a sentence where that cannot be meant. `place` is where
    /// the value stands, as a person finds it again.
    package func checked(_ value: Value, at place: String) throws(SettingMistake) -> Value {
        if self == .port, case .number(let number) = value, let port = UInt16(exactly: number) {
            try Self.check(port, at: place)
        }
        guard let usable = usable(value) else {
            throw SettingMistake("\(place) is \(value); it should be \(expectation).")
        }
        return usable
    }

    private func usable(_ value: Value) -> Value? {
        switch (self, value) {
        case (.host, .text(let host)): Self.isAddress(host) ? .texts([host]) : nil
        case (.host, .texts(let hosts)):
            !hosts.isEmpty && hosts.allSatisfy(Self.isAddress) ? value : nil
        case (.port, .number(let port)): UInt16(exactly: port) == nil ? nil : value
        case (.plainSilence, .number(let minutes)):
            (1...525_600).contains(minutes) ? value : nil
        case (.connections, .number(let count)), (.newMembers, .number(let count)),
            (.postsPerSecond, .number(let count)):
            (1...1_000_000).contains(count) ? value : nil
        case (.inviteOnly, .flag): value
        case (.plain, .text(let text)): ServerOptions.Plain(rawValue: text) == nil ? nil : value
        case (.logLevel, .text(let text)): Logger.Level(rawValue: text) == nil ? nil : value
        case (.data, .text(let text)), (.name, .text(let text)), (.passwordFile, .text(let text)):
            text.isEmpty ? nil : value
        default: nil
        }
    }

    private var expectation: String {
        switch self {
        case .host:
            "an IP address of this machine, or several: 127.0.0.1 for this machine alone, 0.0.0.0 or :: for all"
        case .port: "a port from 1 to 65535, or 0 for a free one"
        case .data: "the path of a folder"
        case .name: "what the server calls itself"
        case .plain: "off, loopback or lan"
        case .plainSilence: "a number of minutes from 1 to 525600"
        case .connections, .newMembers, .postsPerSecond: "a number from 1 to 1000000"
        case .passwordFile: "the path of a file whose first line is the password"
        case .inviteOnly: "true or false"
        case .logLevel: Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        }
    }

    /// Clients send to none of the ports that are never answered, and servers answer none (PROTOCOL.md §5).
    private static func check(_ port: UInt16, at place: String) throws(SettingMistake) {
        guard port != 0, ReflectablePorts.contains(port) else { return }
        throw SettingMistake(
            "\(place) is \(port); \(unusable(port)); take another, such as \(ServerAddress.defaultPort)."
        )
    }

    /// Why no chat is there.
    package static func unusable(_ port: UInt16) -> String {
        "port \(port) belongs to a service that answers anything, so no chat is sent there or answered from there"
    }

    /// The address that somebody wrote: brackets around IPv6 are welcome, as is `localhost`.
    package static func address(_ host: String) -> IPAddress? {
        if host == "localhost" { return .loopback }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        return IPAddress(isBracketed ? String(host.dropFirst().dropLast()) : host)
    }

    private static func isAddress(_ host: String) -> Bool { address(host) != nil }
}

extension Setting.Value: CustomStringConvertible {
    package var description: String {
        switch self {
        case .text(let text): text.isEmpty ? "empty" : "\"\(text)\""
        case .texts(let texts): "[" + texts.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
        case .number(let number): "\(number)"
        case .flag(let isOn): "\(isOn)"
        case .nothingKnown(let what): what
        }
    }
}

/// Something written that keeps a server from starting: the sentence for whoever wrote it. What it quotes, itself or
/// Foundation, commands no terminal.
package struct SettingMistake: Error, Hashable {
    package let sentence: String

    package init(_ sentence: String) { self.sentence = ServerLog.visible(sentence) }
}
