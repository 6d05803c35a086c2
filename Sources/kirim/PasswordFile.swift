import Foundation

/// The file of a server's password, as the server and its clients read it: the first line, in UTF-8.
enum PasswordFile {
    /// Far above any password; a device that never ends is no reason to read for ever.
    static let limit = 4_096

    /// The first line without its line end (LF, CR or both).
    ///
    /// - Throws: ``Unusable``, with a sentence.
    static func password(at path: String) throws(Unusable) -> String {
        let line = try firstLine(of: path)
        guard line.count <= limit else {
            throw Unusable(sentence: "The first line of \(path) is longer than \(limit) bytes.")
        }
        guard let text = String(validating: line, as: UTF8.self), !text.isEmpty else {
            throw Unusable(
                sentence: "The first line of \(path) is no password: empty, or not UTF-8."
            )
        }
        return text
    }

    struct Unusable: Error {
        let sentence: String
    }

    private static func firstLine(of path: String) throws(Unusable) -> [UInt8] {
        let whole = Folders.expanded(path)
        var line: [UInt8] = []
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: whole))
            defer { try? file.close() }
            // A pipe gives it in pieces.
            while line.count <= limit, let more = try file.read(upToCount: limit), !more.isEmpty {
                line += more
                if let end = line.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) {
                    return Array(line[..<end])
                }
            }
        } catch {
            throw Unusable(sentence: "The password file \(path) cannot be read.")
        }
        return line
    }
}
