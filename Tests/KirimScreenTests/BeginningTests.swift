import KirimScreen
import Testing

@Suite("The beginning of a text")
struct BeginningTests {
    @Test("is all of it where that fits")
    func whole() {
        #expect("abc".beginning(bytes: 3) == "abc")
        #expect("".beginning(bytes: 3) == "")
    }

    @Test("is counted in bytes, and ends where a scalar does", arguments: 0...12)
    func bytes(count: Int) {
        let text = "aé日👍bc"
        let beginning = text.beginning(bytes: count)
        #expect(text.utf8.starts(with: beginning.utf8))
        #expect(beginning.utf8.count <= count && count - beginning.utf8.count < 4)
        #expect(!beginning.unicodeScalars.contains("\u{FFFD}"))
    }

    @Test("is no more of one huge character")
    func huge() {
        let text = "a" + String(repeating: "\u{301}", count: 30_000)
        #expect(text.count == 1)
        #expect(text.beginning(bytes: 101).utf8.count == 101)
    }
}
