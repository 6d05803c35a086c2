// swift-format-ignore-file: NeverForceUnwrap

import KirimRooms
import Testing

@Suite("Notices")
struct NoticeTests {
    private static let names = ["ani", "Si Budi 2", "a joined b", "x left", "?✓ budi", "日本 語"]
        .map { MemberName(kept: $0)! }

    @Test("what the server tells is read back, whatever the names are", arguments: names)
    func roundTrip(_ name: MemberName) {
        let room = RoomName("kelas-1")!
        let all: [Notice] = [
            .joined(name, room), .left(name, room), .renamed(from: name, to: Self.names[0]),
            .putOut(name), .banned(name),
        ]
        for notice in all { #expect(Notice(notice.text) == notice) }
    }

    @Test("a new name that reads like the end of another sentence leaves it as it is")
    func ambiguous() {
        let (ani, plain) = (Self.names[0], Self.names[1])
        #expect(Notice(Notice.renamed(from: ani, to: plain).text) == .renamed(from: ani, to: plain))
        #expect(Notice(Notice.renamed(from: ani, to: Self.names[2]).text) == nil)
    }

    @Test(
        "a sentence that can be read in two ways, or in none, stays as it is",
        arguments: [
            "", "ani", "ani joined", " joined lobby", "ani joined a room", "ani  joined lobby",
            "ani is now budi is now citra", "ani is now budi joined lobby", "ani joined /x",
            "ani was put out by the operator.",
        ]
    )
    func unread(_ text: String) { #expect(Notice(text) == nil) }
}
