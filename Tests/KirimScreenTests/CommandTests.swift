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
}
