/// A key that was pressed, or a text that was pasted.
package enum Key: Hashable, Sendable {
    case scalar(Unicode.Scalar)
    case pasted(String)
    case enter, backspace, delete, tab
    case left, right, up, down, home, end
    case wordLeft, wordRight
    /// Ctrl and a letter: `.control("a")`.
    case control(Character)
}

/// Makes keys of the bytes that a terminal sends, however they are cut into reads.
///
/// Escape sequences that mean nothing here are swallowed whole; bytes that are not UTF-8 become U+FFFD.
package struct KeyReader: Sendable {
    private var state: State = .ground

    private enum State: Sendable {
        case ground
        /// Inside a character: what came of it, and how many bytes it has.
        case character([UInt8], size: Int)
        case escape
        /// After `ESC [`: the parameters.
        case sequence([UInt8])
        /// After `ESC O`.
        case single
        /// After `ESC ]` and its like, to the terminator; whether an ESC came last.
        case string(escaped: Bool)
        case paste([UInt8])
    }

    /// A text that is pasted may be this long; the rest of it is lost. Far above what a message holds.
    package static let pasteLimit = 1 << 20

    package init() {}

    package mutating func read(_ bytes: [UInt8]) -> [Key] {
        var keys: [Key] = []
        for byte in bytes { read(byte, &keys) }
        return keys
    }

    /// Nothing came for a moment: an ESC that waits for more was the key itself, which means nothing.
    package mutating func rest() {
        if case .escape = state { state = .ground }
    }

    /// Whether ``rest()`` would change anything.
    package var isInEscape: Bool {
        if case .escape = state { return true }
        return false
    }

    private mutating func read(_ byte: UInt8, _ keys: inout [Key]) {
        switch state {
        case .ground: ground(byte, &keys)
        case .character(let bytes, let size): character(bytes + [byte], size, &keys)
        case .escape: escape(byte, &keys)
        case .sequence(let parameters): sequence(parameters, byte, &keys)
        case .single:
            state = .ground
            if let key = Self.arrow(byte) { keys.append(key) }
        case .string(let escaped):
            let isOver = byte == 0x07 || escaped && byte == 0x5C
            state = isOver ? .ground : .string(escaped: byte == 0x1B)
        case .paste(var bytes):
            state = .ground
            bytes.append(byte)
            paste(&bytes, &keys)
        }
    }

    private mutating func ground(_ byte: UInt8, _ keys: inout [Key]) {
        switch byte {
        case 0x0D, 0x0A: keys.append(.enter)
        case 0x08, 0x7F: keys.append(.backspace)
        case 0x09: keys.append(.tab)
        case 0x1B: state = .escape
        case 0x01...0x1A: keys.append(.control(Character(Unicode.Scalar(byte + 0x60))))
        case 0..<0x20: break
        case 0x20..<0x80: keys.append(.scalar(Unicode.Scalar(byte)))
        case 0xC2...0xDF: state = .character([byte], size: 2)
        case 0xE0...0xEF: state = .character([byte], size: 3)
        case 0xF0...0xF4: state = .character([byte], size: 4)
        default: keys.append(.scalar("\u{FFFD}"))
        }
    }

    private mutating func character(_ bytes: [UInt8], _ size: Int, _ keys: inout [Key]) {
        guard let last = bytes.last, last & 0xC0 == 0x80 else {
            // Torn: the byte that does not belong starts anew.
            state = .ground
            keys.append(.scalar("\u{FFFD}"))
            if let last = bytes.last { ground(last, &keys) }
            return
        }
        guard bytes.count == size else { return state = .character(bytes, size: size) }
        state = .ground
        let scalar = String(validating: bytes, as: UTF8.self)?.unicodeScalars.first
        // C1 control characters (U+0080 to U+009F) come from no keyboard.
        if let scalar, (0x80..<0xA0).contains(scalar.value) { return }
        keys.append(.scalar(scalar ?? "\u{FFFD}"))
    }

    private mutating func escape(_ byte: UInt8, _ keys: inout [Key]) {
        state = .ground
        switch byte {
        case UInt8(ascii: "["): state = .sequence([])
        case UInt8(ascii: "O"): state = .single
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"),
            UInt8(ascii: "_"):
            state = .string(escaped: false)
        case 0x1B: state = .escape
        case UInt8(ascii: "b"): keys.append(.wordLeft)
        case UInt8(ascii: "f"): keys.append(.wordRight)
        default: break
        }
    }

    private mutating func sequence(_ parameters: [UInt8], _ byte: UInt8, _ keys: inout [Key]) {
        guard (0x40...0x7E).contains(byte) else {
            // A sequence that never ends is no reason to grow.
            let kept = parameters.count < 32 ? parameters + [byte] : parameters
            state = byte == 0x1B ? .escape : .sequence(kept)
            return
        }
        state = .ground
        let text = String(decoding: parameters, as: UTF8.self)
        let isWithControl = text.hasSuffix(";5") || text.hasSuffix(";3")
        switch (byte, text) {
        case (UInt8(ascii: "~"), "200"): state = .paste([])
        case (UInt8(ascii: "~"), "1"), (UInt8(ascii: "~"), "7"): keys.append(.home)
        case (UInt8(ascii: "~"), "4"), (UInt8(ascii: "~"), "8"): keys.append(.end)
        case (UInt8(ascii: "~"), "3"): keys.append(.delete)
        case (UInt8(ascii: "C"), _) where isWithControl: keys.append(.wordRight)
        case (UInt8(ascii: "D"), _) where isWithControl: keys.append(.wordLeft)
        default:
            if let key = Self.arrow(byte), text.allSatisfy({ $0.isNumber || $0 == ";" }) {
                keys.append(key)
            }
        }
    }

    private static func arrow(_ byte: UInt8) -> Key? {
        switch byte {
        case UInt8(ascii: "A"): .up
        case UInt8(ascii: "B"): .down
        case UInt8(ascii: "C"): .right
        case UInt8(ascii: "D"): .left
        case UInt8(ascii: "H"): .home
        case UInt8(ascii: "F"): .end
        default: nil
        }
    }

    private static let pasteEnd = Array("\u{1B}[201~".utf8)

    private mutating func paste(_ bytes: inout [UInt8], _ keys: inout [Key]) {
        if bytes.last == Self.pasteEnd.last, bytes.suffix(Self.pasteEnd.count) == Self.pasteEnd[...]
        {
            bytes.removeLast(Self.pasteEnd.count)
            keys.append(.pasted(Self.text(of: bytes)))
            return
        }
        if bytes.count > Self.pasteLimit + Self.pasteEnd.count {
            // Keeps the end in sight, which must still be found.
            bytes.remove(at: Self.pasteLimit)
        }
        state = .paste(bytes)
    }

    /// Terminals send the Return key for line ends in a paste; in the text they are line feeds.
    private static func text(of bytes: [UInt8]) -> String {
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        for (index, byte) in bytes.enumerated() {
            if byte == 0x0A, index > 0, bytes[index - 1] == 0x0D { continue }
            plain.append(byte == 0x0D ? 0x0A : byte)
        }
        return String(decoding: plain, as: UTF8.self)
    }
}
