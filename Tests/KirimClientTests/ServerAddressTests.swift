import KirimClient
import KirimWire
import Testing

@Suite("Server addresses")
struct ServerAddressTests {
    static let key = PublicKey(bytes: (0..<32).map { UInt8($0) })

    @Test(
        "reads what people type, and writes it in one form",
        arguments: [
            ("chat.example", "chat.example:12345"),
            ("Chat.Example:50000", "chat.example:50000"),
            ("127.0.0.1", "127.0.0.1:12345"),
            ("::1", "[::1]:12345"),
            ("[::1]", "[::1]:12345"),
            ("[FE80::1%eth0]:7", "[fe80::1%eth0]:7"),
            ("kirim://chat.example", "chat.example:12345"),
            ("KIRIM://chat.example:9/", "chat.example:9"),
            ("kirim://chat.example/?invite=mfrgg", "kirim://chat.example:12345/?invite=mfrgg"),
            ("rumah_ani.lokal", "rumah_ani.lokal:12345"),
            ("größe.example", "größe.example:12345"),
        ]
    )
    func reads(_ typed: String, _ canonical: String) throws {
        let address = try #require(ServerAddress(typed))
        #expect(address.description == canonical)
        #expect(ServerAddress(canonical) == address)
    }

    @Test("carries the server's key and an invitation")
    func link() throws {
        let key = try #require(Self.key)
        let address = ServerAddress(host: "::1", port: 7, key: key, invitation: "mfrgg")
        #expect(address.description == "kirim://[::1]:7/\(key)?invite=mfrgg")
        #expect(ServerAddress(address.description) == address)
    }

    @Test(
        "refuses what is no address",
        arguments: [
            "", ":1", "host:", "host:0", "host:65536", "host:+1", "host:1x", "[::1", "[::1]x",
            "[]:1",
            "[host]:1", "two words", "a/b", "kirim://", "kirim:///key", "kirim://h/notakey",
            "h\u{7}",
            "kirim://h/?invite=", "kirim://h/?invite=!", "h?invite=mfrgg", "http://h", "h:1:2:x y",
            "h:1:2", "192.0.2.7:1:2", "[1:2]", "fe80::1%",
        ]
    )
    func refuses(_ typed: String) {
        #expect(ServerAddress(typed) == nil)
    }
}
