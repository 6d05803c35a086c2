package import KirimRooms
package import KirimWire

struct RoomPage: Sendable {}
struct ChangeLedger: Sendable {}
struct Acquaintances: Sendable {}

extension ChatScreen {
    mutating func begin() {}

    // Facts.

    /// The client told something.
    package mutating func receive(_ event: ChatEvent, at now: Instant) {}
    /// Something came of an effect.
    package mutating func take(_ answer: Answer, at now: Instant) {}
    /// Time moved on; calling early is harmless.
    package mutating func timePassed(to now: Instant) {}
    /// When something that is shown changes by itself: the seconds of a silent link.
    package var deadline: Instant? { nil }
    /// Another client takes the place of the one that stopped.
    package mutating func reconnecting(at now: Instant) {}

    // Intents.

    package mutating func perform(_ intent: Intent) {}

    // Work.

    /// The next thing to do, in the order of what caused it.
    package mutating func nextEffect() -> Effect? { nil }
    /// What to draw again since this was asked last.
    package mutating func takeChanges() -> [Change] { [] }
    /// Goes on searching through at most so many rows, so that no frame is late.
    ///
    /// - Returns: Whether there is more to look through.
    package mutating func searchOn(rows: Int) -> Bool { false }

    // Questions.

    /// The rooms: those that are read, in the order in which they were joined, the lobby first.
    package var rooms: [RoomItem] { [] }
    package func room(_ name: RoomName) -> RoomItem? { nil }
    package func rowCount(in room: RoomName) -> Int { 0 }
    /// A row, made when it is asked for. The index counts from the top.
    package func row(_ index: Int, in room: RoomName) -> Row { .newMessages }
    /// Where the entry stands; `nil`: it is not loaded, or has no row of its own.
    package func index(of sequence: SequenceNumber, in room: RoomName) -> Int? { nil }
    package var composer: Composer { Composer(text: "", mode: .plain, bytes: 0) }
    package var link: Link { Link(state: .connecting, waiting: 0) }
    package var view: View { View(isAtEnd: true, below: 0) }
    /// Who is in the open room: those who are here first, then by name.
    package var members: [Person] { [] }
    /// What of mine is not decided yet, in all rooms, in the order in which it goes out.
    package var waiting: [OwnPost] { [] }
    /// What to keep for the next start.
    package var memory: Memory { Memory() }
}
