import KirimTestKit
import KirimWire
import Testing

@Suite("Keys as text")
struct KeyTextTests {
    @Test(
        "base 32 is RFC 4648 §10's, lower case and without padding",
        arguments: [
            ("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"),
            ("fooba", "mzxw6ytb"), ("foobar", "mzxw6ytboi"),
        ]
    )
    func vectors(plain: String, encoded: String) {
        #expect(Base32.encode(Array(plain.utf8)) == encoded)
        #expect(Base32.decode(encoded) == Array(plain.utf8))
        #expect(Base32.decode(encoded.uppercased()) == Array(plain.utf8))
    }

    @Test(
        "refuses other letters, lengths that no bytes have, and bits left over",
        arguments: ["m", "mzx", "mzxw6y", "mz", "my======", "m1", "m8", "m y", "ẞy", "mé"]
    )
    func refused(text: String) {
        #expect(Base32.decode(text) == nil)
    }

    @Test("a key survives its text, in capitals and in groups too")
    func keys() throws {
        var dice = SeededDice(seed: 13)
        for _ in 0..<200 {
            let key = try #require(PublicKey(bytes: dice.bytes(32)))
            #expect(key.description.utf8.count == 52)
            #expect(PublicKey(key.description) == key)
            #expect(PublicKey(key.description.uppercased()) == key)
            let groups = stride(from: 0, to: 52, by: 13).map {
                String(key.description.dropFirst($0).prefix(13))
            }
            #expect(PublicKey(groups.joined(separator: "-")) == key)
            #expect(PublicKey(String(key.description.dropLast())) == nil)
            #expect(PublicKey(key.description + "a") == nil)
        }
        #expect(PublicKey(bytes: [UInt8](repeating: 0, count: 31)) == nil)
        #expect(PublicKey(bytes: [UInt8](repeating: 0, count: 33)) == nil)
    }

    @Test(
        "a fingerprint is the key's first 20 letters in fours of five, and keys sort by their bytes"
    )
    func fingerprint() throws {
        let low = try #require(PublicKey(bytes: [UInt8](repeating: 0, count: 32)))
        let high = try #require(PublicKey(bytes: [UInt8](repeating: 0xFF, count: 32)))
        #expect(low.fingerprint == "aaaaa-aaaaa-aaaaa-aaaaa")
        #expect(high.fingerprint == "77777-77777-77777-77777")
        #expect(low < high)
        #expect(!(high < low))
    }
}
