import KirimTestKit
import KirimWire
import Testing

@Suite("Addresses")
struct AddressTests {
    @Test(
        "writes the one form that RFC 5952 recommends, and reads it back",
        arguments: [
            // §1 and §4: what people write, and what it should be.
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:AAAA", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"),
            ("0:0:0:0:0:0:0:0", "::"), ("0:0:0:0:0:0:0:1", "::1"), ("1::", "1::"),
            ("::8:0:0", "::8:0:0"),
            ("1:0:0:0:0:0:0:0", "1::"), ("0:1:0:1:0:1:0:1", "0:1:0:1:0:1:0:1"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("::FFFF:c000:0201", "::ffff:192.0.2.1"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("0:0:0:0:0:0:13.1.68.3", "::d01:4403"),
            ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("fe80::1%3", "fe80::1%3"),
            ("fe80::1%4294967295", "fe80::1%4294967295"),
            ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"),
            ("255.255.255.255", "255.255.255.255"),
        ]
    )
    func forms(written: String, expected: String) throws {
        let address = try #require(IPAddress(written))
        #expect(address.description == expected)
        #expect(IPAddress(expected) == address)
    }

    @Test("the loopback network's broadcast address is one, and no other loopback address is")
    func loopbackBroadcast() {
        #expect(IPAddress("127.255.255.255")?.isMulticastOrBroadcast == true)
        #expect(IPAddress("127.255.255.254")?.isMulticastOrBroadcast == false)
        #expect(IPAddress("::ffff:127.255.255.255")?.isMulticastOrBroadcast == true)
    }

    @Test("reads the bits")
    func bits() {
        #expect(IPAddress("192.0.2.1") == .v4(0xC000_0201))
        #expect(
            IPAddress("2001:db8::8:800:200c:417a")
                == .v6(0x2001_0DB8_0000_0000, 0x0008_0800_200C_417A, zone: 0)
        )
        #expect(IPAddress("::ffff:10.0.0.1")?.unmapped == IPAddress("10.0.0.1"))
        #expect(IPAddress("fe80::2%7") == .v6(0xFE80 << 48, 2, zone: 7))
    }

    @Test(
        "refuses what only looks like an address",
        arguments: [
            "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.",
            ".1.2.3",
            "1..2.3", "+1.2.3.4", "1.2.3.-4", "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4%1",
            "١.2.3.4",
            ":", ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
            "1:2:3:4::5:6:7:8",
            "::1:2:3:4:5:6:7:8", "12345::", "g::", "::1%", "::1%0", "::1%03", "::1%4294967296",
            "::1%eth0",
            "::1%1%2", "[::1]", "::1.2.3", "::1.2.3.4.5", "1.2.3.4::", "1.2.3.4:5::",
            "1:2:3:4:5:6:7:1.2.3.4",
            "::1.2.3.4:5", "::256.1.1.1", "1:::2", "::-1", "::+1", "::１", ":1::2", "1::2:",
            "localhost",
        ]
    )
    func refused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("an endpoint is an address and a port, with brackets around version 6 alone")
    func endpoints() {
        #expect(Address("127.0.0.1:50001") == Address(ip: .loopback, port: 50_001))
        #expect(Address("[::1]:12345") == Address(ip: .loopback6, port: 12_345))
        #expect(Address(ip: .loopback, port: 50_001).description == "127.0.0.1:50001")
        #expect(Address(ip: .v6(0xFE80 << 48, 1, zone: 3), port: 1).description == "[fe80::1%3]:1")
        #expect(Address("[fe80::1%3]:65535")?.port == 65_535)
        #expect(Address("1.2.3.4:0")?.port == 0)
        for text in [
            "", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:+1", "1.2.3.4:01",
            "1.2.3.4: 1",
            "::1:12345", "[::1]", "[::1]12345", "[::1:12345", "::1]:12345", "[1.2.3.4]:1", "[]:1",
            "[:1",
            "[[::1]]:1", "1.2.3.4:1:2", ":1", "host:1",
        ] {
            #expect(Address(text) == nil, "\(text)")
        }
    }

    @Test("any address survives its text")
    func roundTrip() {
        var dice = SeededDice(seed: 12)
        for _ in 0..<20_000 {
            // Groups that are often zero, so that gaps of every length and place occur.
            var halves: [UInt64] = [0, 0]
            for group in 0..<8 where dice.next() % 2 == 0 {
                halves[group / 4] |=
                    UInt64(UInt16(truncatingIfNeeded: dice.next())) << (group % 4 * 16)
            }
            let zone = dice.next() % 2 == 0 ? 0 : UInt32(truncatingIfNeeded: dice.next())
            for ip in [
                IPAddress.v6(halves[0], halves[1], zone: zone),
                .v4(UInt32(truncatingIfNeeded: dice.next())),
            ] {
                #expect(IPAddress(ip.description) == ip)
                let address = Address(ip: ip, port: UInt16(truncatingIfNeeded: dice.next()))
                #expect(Address(address.description) == address)
            }
        }
    }

    @Test("knows the addresses that must not be answered, mapped ones too")
    func kinds() {
        func ip(_ text: String) -> IPAddress? { IPAddress(text) }
        #expect(ip("127.9.9.9")?.isLoopback == true)
        #expect(ip("::ffff:127.0.0.1")?.isLoopback == true)
        #expect(ip("::1")?.isLoopback == true)
        #expect(ip("128.0.0.1")?.isLoopback == false)
        #expect(ip("0.1.2.3")?.isUnspecified == true)
        #expect(ip("::")?.isUnspecified == true)
        #expect(ip("::2")?.isUnspecified == false)
        #expect(ip("224.0.0.1")?.isMulticastOrBroadcast == true)
        #expect(ip("255.255.255.255")?.isMulticastOrBroadcast == true)
        #expect(ip("::ffff:239.1.1.1")?.isMulticastOrBroadcast == true)
        #expect(ip("ff02::1")?.isMulticastOrBroadcast == true)
        #expect(ip("223.255.255.255")?.isMulticastOrBroadcast == false)
        #expect(ip("fe80::1")?.isMulticastOrBroadcast == false)
    }

    @Test("counts strangers by /32 and /64, and gives a MAC 4 or 16 bytes")
    func prefixes() {
        #expect(IPAddress("2001:db8:1:2:3:4:5:6")?.prefix == IPAddress("2001:db8:1:2::"))
        #expect(IPAddress("::ffff:10.1.2.3")?.prefix == IPAddress("10.1.2.3"))
        #expect(IPAddress("10.1.2.3")?.octets == [10, 1, 2, 3])
        #expect(IPAddress("::ffff:10.1.2.3")?.octets == [10, 1, 2, 3])
        #expect(IPAddress("2001:db8::1")?.octets == hex("20010db8" + "000000000000000000000001"))
    }
}
