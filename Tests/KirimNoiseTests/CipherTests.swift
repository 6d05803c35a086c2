import Crypto
import Foundation
import KirimNoise
import KirimTestKit
import KirimWire
import Testing

/// The RFCs' own vectors under the keys that packets, cookies and passwords use.
@Suite("Ciphers")
struct CipherTests {
    @Test("the library seals RFC 8439 §2.8.2 to the byte")
    func rfc8439Sealing() throws {
        let text =
            "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
            + "sunscreen would be it."
        let box = try ChaChaPoly.seal(
            Array(text.utf8),
            using: SymmetricKey(data: Array(0x80...0x9F) as [UInt8]),
            nonce: ChaChaPoly.Nonce(data: hex("070000004041424344454647")),
            authenticating: hex("50515253c0c1c2c3c4c5c6c7")
        )
        #expect(
            hex([UInt8](box.ciphertext))
                == "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
                + "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
                + "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
                + "3ff4def08e4b7a9de576d26586cec64b6116"
        )
        #expect(hex([UInt8](box.tag)) == "1ae10b594f09e26a7e902ecbd0600691")
    }

    @Test("a packet key seals RFC 8439 §A.5, whose nonce has Noise's form")
    func rfc8439PacketKey() throws {
        let key = PacketKey(hex("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0"))
        let text =
            "Internet-Drafts are draft documents valid for a maximum of six months and may be updated, "
            + "replaced, or obsoleted by other documents at any time. It is inappropriate to use "
            + "Internet-Drafts as reference material or to cite them other than as "
            + "/\u{201C}work in progress./\u{201D}"
        let header = hex("f33388860000000000004e91")
        let number: UInt64 = 0x0807_0605_0403_0201
        let sealed = key.seal(Array(text.utf8), number: number, header: header)
        #expect(hex(Array(sealed.prefix(16))) == "64a0861575861af460f062c79be643bd")
        #expect(hex(Array(sealed.suffix(16))) == "eead9d67890cbb22392336fea1851f38")
        #expect(key.open(sealed[...], number: number, header: header[...]) == Array(text.utf8))
    }

    @Test("a packet key opens nothing but what was sealed, with its number and header")
    func opening() {
        let key = PacketKey([UInt8](repeating: 7, count: 32))
        let sealed = key.seal([1, 2, 3], number: 5, header: [9, 9])
        for bit in 0..<sealed.count * 8 {
            var forged = sealed
            forged[bit / 8] ^= 1 << (bit % 8)
            #expect(key.open(forged[...], number: 5, header: [9, 9]) == nil)
        }
        for count in 0..<sealed.count {
            #expect(key.open(sealed.prefix(count), number: 5, header: [9, 9]) == nil)
        }
        #expect(key.open(sealed[...], number: 6, header: [9, 9]) == nil)
        #expect(key.open(sealed[...], number: 5, header: [9]) == nil)
        // A slice of a datagram does not begin at 0.
        let datagram = [9, 9] + sealed
        #expect(key.open(datagram[2...], number: 5, header: datagram[..<2]) == [1, 2, 3])
    }

    @Test(
        "X25519 computes RFC 7748 §5.2",
        arguments: [
            (
                "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
            ),
            (
                "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"
            ),
        ]
    )
    func rfc7748(scalar: String, point: String, result: String) throws {
        #expect(hex(try key(scalar).sharedSecret(with: publicKey(point))) == result)
    }

    @Test("X25519 computes RFC 7748 §5.2, a thousand times over")
    func rfc7748Iterated() throws {
        var scalar = "0900000000000000000000000000000000000000000000000000000000000000"
        var point = scalar
        for _ in 0..<1000 {
            (scalar, point) = (hex(try key(scalar).sharedSecret(with: publicKey(point))), scalar)
        }
        #expect(scalar == "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51")
    }

    @Test("Alice and Bob of RFC 7748 §6.1 agree")
    func rfc7748Exchange() throws {
        let alice = key("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
        let bob = key("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
        let alicePublic = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
        let bobPublic = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
        #expect(hex(alice.publicKey.bytes) == alicePublic)
        #expect(hex(bob.publicKey.bytes) == bobPublic)
        let shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
        #expect(hex(try alice.sharedSecret(with: bob.publicKey)) == shared)
        #expect(hex(try bob.sharedSecret(with: alice.publicKey)) == shared)
    }

    @Test("a MAC is HMAC-SHA256 of RFC 4231 §4.2, cut to 16 bytes, and checks every bit")
    func mac() {
        let key = MACKey([UInt8](repeating: 0x0B, count: 20))
        let message = Array("Hi There".utf8)
        let tag = key.tag(message)
        #expect(hex(tag) == "b0344c61d8db38535ca8afceaf0bf12b")
        #expect(key.verifies(tag, message))
        #expect(key.verifies(tag + [0], message) == false)
        #expect(!key.verifies(tag.dropLast(), message))
        #expect(!key.verifies([], message))
        for bit in 0..<128 {
            var forged = tag
            forged[bit / 8] ^= 1 << (bit % 8)
            #expect(!key.verifies(forged, message))
        }
    }

    @Test("a key comes from the dice, and back from its bytes")
    func keys() {
        var dice = SeededDice(seed: 1)
        let first = StaticKey(dice: &dice)
        let second = StaticKey(dice: &dice)
        #expect(first.publicKey != second.publicKey)
        #expect(StaticKey(privateBytes: first.privateBytes)?.publicKey == first.publicKey)
        #expect(StaticKey(privateBytes: Array(first.privateBytes.dropLast())) == nil)
        #expect(StaticKey(privateBytes: first.privateBytes + [0]) == nil)
    }

    @Test("derived secrets differ by label, context and key, and stay the same")
    func derivation() {
        let one = key(String(repeating: "01", count: 32))
        let two = key(String(repeating: "02", count: 32))
        let secrets = [
            one.derive("token"), one.derive("reset"), one.derive("token", context: [0]),
            one.derive("token", context: Array("x".utf8)), one.derive("tokenx"),
            two.derive("token"),
        ]
        #expect(Set(secrets).count == secrets.count)
        #expect(one.derive("reset", context: [1], count: 16).count == 16)
        #expect(
            hex(one.derive("token"))
                == "8a779916d7ecfcf5afb73f2a189aa078b43ef8ae7d93f64e993d5a23e9d2bf39"
        )
    }

    @Test("a password's key depends on the password and on the server")
    func password() {
        let server = key(String(repeating: "01", count: 32)).publicKey
        let other = key(String(repeating: "02", count: 32)).publicKey
        let derived = PasswordKey.derive(password: Array("rahasia".utf8), serverKey: server)
        #expect(hex(derived) == "eb6e97771ca4cb48a3af18f13ced6a6704d08706930343a9eeb4356252913c82")
        #expect(PasswordKey.derive(password: Array("rahasiA".utf8), serverKey: server) != derived)
        #expect(PasswordKey.derive(password: Array("rahasia".utf8), serverKey: other) != derived)
    }
}
