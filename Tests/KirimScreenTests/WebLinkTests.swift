import KirimScreen
import Testing

@Suite("Links in a text")
struct WebLinkTests {
    private func links(_ text: String) -> [String] {
        WebLinks.ranges(in: text).map { String(text[$0]) }
    }

    @Test("are found without the punctuation around them")
    func found() {
        #expect(links("lihat https://contoh.id/a?b=c. Ya") == ["https://contoh.id/a?b=c"])
        #expect(
            links("(http://a.id) kirim://[::1]:12345/x!") == [
                "http://a.id", "kirim://[::1]:12345/x",
            ]
        )
        #expect(links("日本https://例え.jp/道👍") == ["https://例え.jp/道👍"])
    }

    @Test("lead to a host, whatever stands before it")
    func hosts() {
        #expect(WebLinks.host(of: "https://contoh.id/a@b?c") == "contoh.id")
        #expect(WebLinks.host(of: "https://bank.contoh.id-masuk:x@jahat.id:81#a") == "jahat.id:81")
        #expect(WebLinks.host(of: "kirim://[::1]:12345/x") == "[::1]:12345")
        #expect(WebLinks.host(of: "http://a.id?b@c.id") == "a.id")
    }

    @Test("are none where nothing follows the scheme, and none that hide something")
    func none() {
        #expect(links("https:// http://. javascript:alert(1)").isEmpty)
        #expect(links("https://a.id/\u{202E}gpj.exe") == ["https://a.id/"])
    }
}
