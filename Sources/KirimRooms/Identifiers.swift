/// A member of a server: one device key, once and for ever. 0 is the server itself.
public struct MemberID: Hashable, Sendable, RawRepresentable, Comparable {
    /// The number itself.
    public var rawValue: UInt64
    /// Takes the parts as they are.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The server itself.
    public static let server = MemberID(rawValue: 0)
    /// In the order of the numbers, or of the text.
    public static func < (a: MemberID, b: MemberID) -> Bool { a.rawValue < b.rawValue }
}

/// The place of an entry in its room's log: 1, 2, 3, … without a gap.
public struct SequenceNumber: Hashable, Sendable, RawRepresentable, Comparable {
    /// The number itself.
    public var rawValue: UInt64
    /// Takes the parts as they are.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Before the first entry; the cursor of somebody who has read nothing is `zero.next`.
    public static let zero = SequenceNumber(rawValue: 0)
    /// The number after this one.
    public var next: SequenceNumber { SequenceNumber(rawValue: rawValue + 1) }
    /// In the order of the numbers, or of the text.
    public static func < (a: SequenceNumber, b: SequenceNumber) -> Bool { a.rawValue < b.rawValue }
}

/// The place of a post in its outbox: 1, 2, 3, … without a gap.
public struct PostNumber: Hashable, Sendable, RawRepresentable, Comparable {
    /// The number itself.
    public var rawValue: UInt64
    /// Takes the parts as they are.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The number of an outbox's first post.
    public static let first = PostNumber(rawValue: 1)
    /// The number after this one.
    public var next: PostNumber { PostNumber(rawValue: rawValue + 1) }
    /// In the order of the numbers, or of the text.
    public static func < (a: PostNumber, b: PostNumber) -> Bool { a.rawValue < b.rawValue }
}

/// One outbox file: a random number drawn when the outbox is made, never 0.
///
/// A key that is copied to a second machine, or whose outbox was lost, starts a new outbox; without
/// this number its posts would begin again at 1 and be taken for repeats (docs/decisions/0003).
public struct OutboxID: Hashable, Sendable, RawRepresentable {
    /// The number itself.
    public var rawValue: UInt64
    /// Takes the parts as they are.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Names a post for ever: who wrote it, in which outbox, at which place.
public struct PostID: Hashable, Sendable {
    /// Who wrote it.
    public var member: MemberID
    /// In which outbox.
    public var outbox: OutboxID
    /// At which place.
    public var number: PostNumber

    /// Takes the parts as they are.
    public init(member: MemberID, outbox: OutboxID, number: PostNumber) {
        self.member = member
        self.outbox = outbox
        self.number = number
    }
}

/// Civil time in milliseconds since 1970-01-01 UTC. Shown to people; never used to decide anything.
public struct WallTime: Hashable, Sendable, Comparable {
    /// Milliseconds since 1970-01-01 UTC; negative before.
    public var milliseconds: Int64
    /// Takes the parts as they are.
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }
    /// In the order of the numbers, or of the text.
    public static func < (a: WallTime, b: WallTime) -> Bool { a.milliseconds < b.milliseconds }
}

/// The name of a room: 1 to 64 bytes, no space, no control character, no `/` or `#` at its start.
public struct RoomName: Hashable, Sendable, CustomStringConvertible, Comparable {
    /// The name, in the one form in which it is stored and sent.
    public let text: String

    /// The room that everybody is in, where plain clients and the operator speak.
    public static let lobby = RoomName(unchecked: "lobby")
    /// Bytes of UTF-8.
    public static let limit = 64

    private init(unchecked text: String) { self.text = text }

    /// `nil` where the text is not a room's name. A leading `#` is dropped, letters become lower case.
    public init?(_ text: String) {
        let bare = (text.first == "#" ? String(text.dropFirst()) : text).lowercased()
        guard Label.isAllowed(bare, limit: Self.limit), !bare.contains(" ") else { return nil }
        self.text = bare
    }

    /// The name.
    public var description: String { text }
    /// In the order of the numbers, or of the text.
    public static func < (a: RoomName, b: RoomName) -> Bool { a.text < b.text }
}

/// What a member is called: 1 to 32 characters, at most 64 bytes, nothing that a terminal would obey, and
/// nothing that could be taken for a mark or another's words.
///
/// A name begins with a letter, a number or an emoji that is no mark, holds no colon, and single spaces only:
/// so a line `name: text` can be read in one way.
public struct MemberName: Hashable, Sendable, CustomStringConvertible, Comparable {
    /// The name, in the one form in which it is stored and sent.
    public let text: String

    /// Bytes of UTF-8.
    public static let limit = 64
    /// Characters.
    public static let length = 32

    /// `nil` where the text is not a name. Space at both ends is dropped.
    public init?(_ text: String) {
        let bare = Self.trimmed(text)
        guard Self.fits(bare), Label.isAllowed(bare, limit: Self.limit), Label.isPlain(bare) else {
            return nil
        }
        self.text = bare
    }

    /// A name that somebody has already, in a journal or at a server that allowed more than ``init(_:)`` does.
    ///
    /// What would break the rule now is mended so that it deceives nobody: `✓ budi` is read as `?✓ budi`, and
    /// `budi: ya` as `?budi¦ ya`. Its bearer may take another at any time; nobody can choose such a one.
    package init?(kept text: String) {
        if let name = MemberName(text) {
            self = name
            return
        }
        let bare = Self.trimmed(text)
        guard Self.fits(bare), Label.isAllowed(bare, limit: Self.limit) else { return nil }
        var mended = Label.mended(bare)
        while !Self.fits(mended) || mended.utf8.count > Self.limit { mended.removeLast() }
        self.text = Label.withoutLooseEnd(mended)
    }

    /// Whether somebody may take it today.
    package var isAllowed: Bool { Label.isPlain(text) }

    private static func trimmed(_ text: String) -> String {
        let space = UInt8(ascii: " ")
        guard text.utf8.first == space || text.utf8.last == space else { return text }
        return String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    private static func fits(_ text: String) -> Bool {
        text.utf8.count <= length || text.count <= length
    }

    /// The name.
    public var description: String { text }

    /// Two names with the same folded form are the same name: `Ani` and `ani`.
    package var folded: String { text.lowercased() }

    /// In the order of the numbers, or of the text.
    public static func < (a: MemberName, b: MemberName) -> Bool { a.text < b.text }
}

/// The rules of names. Rooms need only the first, ``isAllowed(_:limit:)``: a room's name holds no space, and
/// stands behind its `#`.
///
/// A client reads a name with every message: what is ASCII is told without the tables of Unicode.
enum Label {
    static func isAllowed(_ text: String, limit: Int) -> Bool {
        guard !text.isEmpty, text.utf8.count <= limit, text.first != "/", text.first != "#" else {
            return false
        }
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            guard isAllowed(scalar, after: previous) else { return false }
            previous = scalar
        }
        // A joiner with nothing behind it would make two names that look alike.
        return previous?.value != joiner
    }

    private static func isAllowed(_ scalar: Unicode.Scalar, after previous: Unicode.Scalar?) -> Bool
    {
        if scalar.isASCII {
            return scalar.value >= 0x20 && scalar.value != 0x7F && previous?.value != joiner
        }
        if scalar.value == joiner || scalar.value == emojiStyle {
            // They hold emoji together; anywhere else they are invisible.
            return previous.map(isEmoji) ?? false
        }
        if previous?.value == joiner, !isEmoji(scalar) { return false }
        // Letters that show nothing (fillers, joiners, the braille blank) could copy another's name.
        if scalar.properties.isDefaultIgnorableCodePoint || scalar.value == 0x2800 { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
            .paragraphSeparator:
            return false
        case .spaceSeparator: return false
        default: return true
        }
    }

    /// Whether a line that begins with it can be read in one way only.
    static func isPlain(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, canBegin(first) else { return false }
        var previous = first
        for scalar in text.unicodeScalars {
            if isColon(scalar) || scalar == " " && previous == " " { return false }
            previous = scalar
        }
        return true
    }

    /// The same name, recognisable as one that broke the rule of ``isPlain(_:)``.
    static func mended(_ text: String) -> String {
        var mended = String.UnicodeScalarView("?".unicodeScalars)
        var rest = text.unicodeScalars[...]
        // Mended before, by somebody else; a sign that combines with the mark is no part of it.
        if rest.first == "?" { rest.removeFirst() }
        for scalar in rest {
            if isColon(scalar) {
                mended.append("\u{A6}")
            } else if scalar != " " || mended.last != " " {
                mended.append(scalar)
            }
        }
        return String(mended)
    }

    /// The same without what a name that was cut must not end with.
    static func withoutLooseEnd(_ text: String) -> String {
        var scalars = text.unicodeScalars
        while let last = scalars.last, last == " " || last.value == joiner { scalars.removeLast() }
        return String(scalars)
    }

    private static func canBegin(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return isLetterOrDigit(scalar) }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .decimalNumber, .letterNumber, .otherNumber:
            return true
        // Below are arrows, bullets, marks: signs that a face may use itself.
        default: return isEmoji(scalar) && scalar.value >= 0x2600 && !isMark(scalar)
        }
    }

    private static func isLetterOrDigit(_ ascii: Unicode.Scalar) -> Bool {
        switch ascii {
        case "a"..."z", "A"..."Z", "0"..."9": true
        default: false
        }
    }

    /// The emoji that say yes, no, more, or look there.
    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x2611, 0x2705, 0x2714, 0x2716, 0x274C, 0x274E, 0x2753...0x2757, 0x2795...0x2797,
            0x27A1, 0x2934, 0x2935, 0x2B05...0x2B07, 0x3030:
            true
        default: false
        }
    }

    /// A colon, or what looks like one.
    private static func isColon(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3A, 0x2D0, 0x2F8, 0x589, 0x5C3, 0x205A, 0x2236, 0xA789, 0xFE13, 0xFE30, 0xFE55,
            0xFF1A:
            true
        default: false
        }
    }

    private static let joiner: UInt32 = 0x200D
    private static let emojiStyle: UInt32 = 0xFE0F

    private static func isEmoji(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value == emojiStyle || scalar.properties.isEmoji && scalar.value > 0xFF
    }
}
