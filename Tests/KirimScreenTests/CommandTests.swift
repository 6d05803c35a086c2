import KirimRooms
import KirimScreen
import Testing

@Suite("What a typed line asks for")
struct CommandTests {
    @Test("reads commands and their misuse")
    func commands() {
        let three = SequenceNumber(rawValue: 3)
        #expect(Command("/me waves ") == .act("waves "))
        #expect(Command("/reply #3 ya, benar") == .reply(three, "ya, benar"))
        #expect(Command("/react 3 👍") == .react(three, "👍"))
        #expect(Command("/edit 3 b") == .edit(three, "b"))
        #expect(Command("/delete 3") == .delete(three))
        #expect(Command("/reply x") == .misused("/reply N TEXT"))
        #expect(Command("/delete 0") == .misused("/delete N"))
        #expect(Command("/name  Ani B ") == .name(MemberName("Ani B")!))
        #expect(Command("/name") == .misused("/name NAME"))
        #expect(Command("/name \u{1B}") == .impossible(.nameNotAllowed))
        #expect(Command("/join /x") == .impossible(.roomNameNotAllowed))
        #expect(Command("/history 99999999999999999999") == .misused("/history [COUNT]"))
        #expect(Command("/history 9999") == .history(500))
        #expect(Command("/WHO") == .who(nil))
        #expect(Command("/") == .unknown("/"))
        #expect(Command(" /quit") == .say(" /quit"))
    }

    @Test(
        "words that no command takes are no command: they were meant as something else",
        arguments: [
            ("/join dev ops", "/join ROOM"), ("/leave kelas now", "/leave [ROOM]"),
            ("/rooms all", "/rooms"), ("/link x", "/link"), ("/quit now", "/quit"),
            ("/delete 3 4", "/delete N"), ("/who a b", "/who [ROOM]"),
        ]
    )
    func moreWords(_ line: String, _ usage: String) { #expect(Command(line) == .misused(usage)) }

    @Test(
        "a text of several lines was pasted, and is said as it is",
        arguments: ["/quit\nbaris dua", "/usr/bin/env\r\nls", "/unknown\nx\n"]
    )
    func pasted(_ text: String) { #expect(Command(text) == .say(text)) }

    @Test("a text behind a command may have several lines, and a line end behind one means nothing")
    func lines() throws {
        let three = SequenceNumber(rawValue: 3)
        #expect(Command("/reply 3 one\ntwo") == .reply(three, "one\ntwo"))
        #expect(Command("/edit 3 one\ntwo\n") == .edit(three, "one\ntwo"))
        #expect(Command("/me one\ntwo") == .act("one\ntwo"))
        #expect(Command("//usr/bin\nls") == .say("/usr/bin\nls"))
        #expect(Command("/quit\n") == .quit)
        #expect(Command("/unknown x\r\n") == .unknown("/unknown"))
        #expect(Command("two\nlines\n") == .say("two\nlines\n"))
    }
}
