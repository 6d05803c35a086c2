import Foundation

/// An item of `Tests/SecondImplementation/vectors.json`: what another program computes from the same inputs,
/// byte for byte.
package struct FrozenVector: Decodable, Sendable, CustomStringConvertible {
    package let kind: String
    package let description: String
    package let inputs: Value
    package let outputs: Value

    /// Bytes are text in hexadecimal; a choice is a list of its name and its value.
    package indirect enum Value: Decodable, Hashable, Sendable {
        case nothing
        case number(UInt64)
        case text(String)
        case list([Value])
        case fields([String: Value])

        package init(from decoder: any Decoder) throws {
            let single = try decoder.singleValueContainer()
            if single.decodeNil() {
                self = .nothing
            } else if let number = try? single.decode(UInt64.self) {
                self = .number(number)
            } else if let text = try? single.decode(String.self) {
                self = .text(text)
            } else if let list = try? single.decode([Value].self) {
                self = .list(list)
            } else {
                self = .fields(try single.decode([String: Value].self))
            }
        }
    }

    /// Those of one kind, in their order.
    ///
    /// Throws where the file is not there, is not JSON, or holds none of them.
    package static func all(_ kind: String) throws -> [FrozenVector] {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Tests/SecondImplementation/vectors.json")
        let all = try JSONDecoder().decode([FrozenVector].self, from: Data(contentsOf: path))
        let some = all.filter { $0.kind == kind }
        guard !some.isEmpty else { throw Missing(kind: kind) }
        return some
    }

    package struct Missing: Error { let kind: String }
}

// A value of another form than the test takes it for is a mistake in the test: it reads as nothing, and
// the comparison fails.
extension FrozenVector.Value {
    package subscript(_ name: String) -> Self {
        if case .fields(let fields) = self { fields[name] ?? .nothing } else { .nothing }
    }

    package subscript(_ index: Int) -> Self {
        if case .list(let list) = self, index < list.count { list[index] } else { .nothing }
    }

    package var list: [Self] { if case .list(let list) = self { list } else { [] } }
    package var text: String { if case .text(let text) = self { text } else { "" } }
    package var number: UInt64 { if case .number(let number) = self { number } else { .max } }

    /// `nil` where there is none.
    package var optional: Self? { if case .nothing = self { nil } else { self } }

    /// What the hexadecimal digits stand for.
    package var bytes: [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}
