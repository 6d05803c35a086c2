#if GTK
import KirimWindow
import Testing

@Suite("Links in a message")
struct LinkTextTests {
    private func links(_ text: String) -> [String] {
        LinkText(text).pieces.filter(\.isLink).map { String($0.text) }
    }

    @Test(
        "end where the address ends, and not with the sentence around it",
        arguments: [
            ("see https://kirim.example/a?b=c&d.", ["https://kirim.example/a?b=c&d"]),
            ("(http://a.example)", ["http://a.example"]),
            ("http://a.example/x_(y) ok", ["http://a.example/x_(y)"]),
            ("HTTPS://A.EXAMPLE, http://b.example!", ["HTTPS://A.EXAMPLE", "http://b.example"]),
            ("kirim://192.0.2.7:12345/ now", ["kirim://192.0.2.7:12345/"]),
            ("lihat:https://a.example", ["https://a.example"]),
            ("file:///etc/passwd javascript://x", []),
            ("xhttp://a.example https:// http://,", []),
            ("日本https://a.example/語", []),
            ("", []),
        ]
    )
    func found(text: String, expected: [String]) {
        #expect(links(text) == expected)
        #expect(LinkText(text).pieces.map { String($0.text) }.joined() == text)
    }
}
#endif
