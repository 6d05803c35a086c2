import Foundation

/// The settings file: one JSON object with the keys of ``Setting``, and nothing else.
///
/// What is mistyped is refused. A server that was to be closed must not run open because of a letter.
package enum SettingsFile {
    /// What a file holds. Anything at all may be in it; `path` says where it stands.
    package static func values(
        of bytes: [UInt8],
        at path: String
    ) throws(SettingMistake) -> [Setting: Setting.Value] {
        let bytes = Data(bytes)
        let object: [String: Written]
        do {
            object = try JSONDecoder().decode([String: Written].self, from: bytes)
        } catch DecodingError.dataCorrupted {
            throw SettingMistake("The settings file \(path) is no JSON. \(reason(bytes))")
        } catch {
            throw SettingMistake(
                "The settings file \(path) holds no JSON object; it should look like {\"port\": 4000}."
            )
        }
        var values: [Setting: Setting.Value] = [:]
        // Of several mistakes always the same is told.
        for (key, written) in object.sorted(by: { $0.key < $1.key }) {
            guard let setting = Setting(rawValue: key) else { throw unknown(key, in: path) }
            values[setting] = try setting.checked(
                written.value,
                at: "\"\(key)\" in the settings file \(path)"
            )
        }
        return values
    }

    private static func unknown(_ key: String, in path: String) -> SettingMistake {
        let all = Setting.allCases.map(\.rawValue)
        let hint =
            Spelling.nearest(to: key, of: all).map { "did you mean \"\($0)\"?" }
            ?? "there are \(all.joined(separator: ", "))."
        return SettingMistake(
            "\"\(key)\" in the settings file \(path) is no setting; \(hint)"
        )
    }

    /// Where the text stops making sense, as far as that is told.
    private static func reason(_ bytes: Data) -> String {
        do {
            _ = try JSONSerialization.jsonObject(with: bytes, options: .fragmentsAllowed)
        } catch let error as NSError {
            if let place = error.userInfo[NSDebugDescriptionErrorKey] as? String {
                return line(place, bytes) + (place.hasSuffix(".") ? place : place + ".")
            }
        }
        return "It should look like {\"port\": 4000}."
    }

    /// The line, where only the place in the whole text is told.
    private static func line(_ place: String, _ bytes: Data) -> String {
        let digits = place.split { !$0.isNumber }
        guard !place.contains("line"), digits.count == 1, let offset = Int(digits[0]) else {
            return ""
        }
        return "Look at line \(bytes.prefix(offset).count { $0 == 0x0A } + 1): "
    }
}

/// A value of the file, with the type that it has there: `"yes"` is no `true`, 1 is no `true`.
private struct Written: Decodable {
    let value: Setting.Value

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            value = .nothingKnown("null")
        } else if let flag = try? container.decode(Bool.self) {
            value = .flag(flag)
        } else if let number = try? container.decode(Int.self) {
            value = .number(number)
        } else if let fraction = try? container.decode(Double.self) {
            value = .nothingKnown("\(fraction)")
        } else if let text = try? container.decode(String.self) {
            value = .text(text)
        } else if let texts = try? container.decode([String].self) {
            value = .texts(texts)
        } else {
            let isList = (try? decoder.unkeyedContainer()) != nil
            value = .nothingKnown(isList ? "a list of other things than texts" : "an object")
        }
    }
}
