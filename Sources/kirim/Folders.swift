import Foundation

/// Where files go when nobody says otherwise (XDG Base Directory Specification).
enum Folders {
    /// Keys, messages, rooms: `~/.local/share/kirim`.
    static var data: String? { folder("XDG_DATA_HOME", ".local/share") }
    /// Settings: `~/.config/kirim`.
    static var settings: String? { folder("XDG_CONFIG_HOME", ".config") }
    /// A server's key and rooms.
    static var server: String? { data.map { $0 + "/server" } }

    private static func folder(_ variable: String, _ usual: String) -> String? {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment[variable], named.hasPrefix("/") { return named + "/kirim" }
        guard let home = environment["HOME"], !home.isEmpty else { return nil }
        return "\(home)/\(usual)/kirim"
    }

    static let missing = "There is no home folder; say where the server's files go with --data."

    /// The whole path: `~` is the home folder, and what does not begin with `/` is in the current one.
    static func expanded(_ path: String) -> String {
        let whole = NSString(string: path).expandingTildeInPath
        return whole.hasPrefix("/") ? whole : FileManager.default.currentDirectoryPath + "/" + whole
    }
}
