/// What a server tells a room of its own accord, as an entry of the kind ``EntryKind/notice``.
///
/// The log has it as an English sentence, so that whoever reads it raw, with `nc` or in another program, understands it. A
/// face that speaks another language reads the sentence back, and shows one that it cannot read as it is.
package enum Notice: Hashable, Sendable {
    case joined(MemberName, RoomName)
    case left(MemberName, RoomName)
    case renamed(from: MemberName, to: MemberName)
    case putOut(MemberName)
    case banned(MemberName)

    /// The sentence in the log.
    package var text: String {
        switch self {
        case .joined(let name, let room): "\(name) joined \(room)"
        case .left(let name, let room): "\(name) left \(room)"
        case .renamed(let old, let new): "\(old) is now \(new)"
        case .putOut(let name): "\(name) was put out by the operator"
        case .banned(let name): "\(name) was banned by the operator"
        }
    }

    /// `nil` for a sentence that is none of these, or that can be read in two ways: names may hold any words.
    package init?(_ text: String) {
        let readings = [
            Self.member(text, before: Self.putOut), Self.member(text, before: Self.banned),
            Self.inRoom(text, Self.joined), Self.inRoom(text, Self.left), Self.renaming(text),
        ].compactMap { $0 }
        guard readings.count == 1, let reading = readings.first, reading.text == text else {
            return nil
        }
        self = reading
    }

    /// A sentence that begins with a name.
    private static func member(_ text: String, before make: (MemberName) -> Notice) -> Notice? {
        guard let example = MemberName("x") else { return nil }
        let end = make(example).text.dropFirst("x".count)
        guard text.hasSuffix(end) else { return nil }
        return MemberName(kept: String(text.dropLast(end.count))).map(make)
    }

    /// A sentence between a name and a room's; a room's has no spaces.
    private static func inRoom(
        _ text: String,
        _ make: (MemberName, RoomName) -> Notice
    ) -> Notice? {
        guard let space = text.lastIndex(of: " "),
            let room = RoomName(String(text[text.index(after: space)...]))
        else { return nil }
        return member(text) { make($0, room) }
    }

    private static func renaming(_ text: String) -> Notice? {
        let parts = text.split(separator: " is now ", omittingEmptySubsequences: false)
        guard parts.count == 2, let old = MemberName(kept: String(parts[0])),
            let new = MemberName(kept: String(parts[1]))
        else { return nil }
        return .renamed(from: old, to: new)
    }
}
