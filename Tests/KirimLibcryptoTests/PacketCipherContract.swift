import KirimLibcrypto
import KirimNoise
import KirimTestKit
import Testing

/// What whoever seals packets must do; that they do the same is the point of each.
@Suite("Every cipher of packets")
struct PacketCipherContract {
    private static let key = PacketKey([UInt8](repeating: 7, count: 32))

    @Test("seals RFC 8439 §A.5 to the byte, whose nonce has Noise's form", arguments: Maker.present)
    func vector(_ maker: Maker) {
        let key = PacketKey([
            0x1C, 0x92, 0x40, 0xA5, 0xEB, 0x55, 0xD3, 0x8A, 0xF3, 0x33, 0x88, 0x86, 0x04, 0xF6,
            0xB5, 0xF0, 0x47, 0x39, 0x17, 0xC1, 0x40, 0x2B, 0x80, 0x09, 0x9D, 0xCA, 0x5C, 0xBC,
            0x20, 0x70, 0x75, 0xC0,
        ])
        let text = Array(
            """
            Internet-Drafts are draft documents valid for a maximum of six months and may be \
            updated, replaced, or obsoleted by other documents at any time. It is inappropriate \
            to use Internet-Drafts as reference material or to cite them other than as \
            /\u{201C}work in progress./\u{201D}
            """.utf8
        )
        let header: [UInt8] = [0xF3, 0x33, 0x88, 0x86, 0, 0, 0, 0, 0, 0, 0x4E, 0x91]
        let cipher = maker.cipher
        let packet = key.packet(header, text, 0x0807_0605_0403_0201, by: cipher)
        #expect(packet.count == header.count + text.count + PacketKey.tagSize)
        #expect(packet.starts(with: header + [0x64, 0xA0, 0x86, 0x15, 0x75, 0x86, 0x1A, 0xF4]))
        #expect(
            packet.suffix(16) == [
                0xEE, 0xAD, 0x9D, 0x67, 0x89, 0x0C, 0xBB, 0x22, 0x39, 0x23, 0x36, 0xFE, 0xA1, 0x85,
                0x1F, 0x38,
            ]
        )
    }

    @Test("agrees with swift-crypto at every size up to 1,500 bytes", arguments: Maker.present)
    func sizes(_ maker: Maker) {
        var dice = SeededDice(seed: 1)
        let cipher = maker.cipher
        for size in 0...1_500 {
            let key = PacketKey(dice.bytes(32))
            let text = dice.bytes(size), header = dice.bytes(dice.below(40))
            let number = dice.next()
            let packet = key.packet(header, text, number, by: cipher)
            guard packet == key.packet(header, text, number, by: nil) else {
                Issue.record("\(size) bytes behind \(header.count) are sealed in another way")
                return
            }
            // A slice of a datagram does not begin at 0.
            let sealed = packet[header.count...]
            let opened = key.open(sealed, number: number, header: header[...], by: cipher)
            guard opened == text else {
                Issue.record("\(size) bytes behind \(header.count) are not opened")
                return
            }
        }
    }

    @Test(
        "refuses a packet with any bit flipped in header, text or tag, and opens the next",
        arguments: Maker.present
    )
    func flips(_ maker: Maker) {
        let header: [UInt8] = [9, 8, 7, 6, 5]
        let cipher = maker.cipher
        for size in [0, 1, 16, 63, 64, 65, 200] {
            let packet = Self.key.packet(header, [UInt8](repeating: 3, count: size), 5, by: cipher)
            func opened(_ packet: [UInt8]) -> [UInt8]? {
                Self.key.open(packet[5...], number: 5, header: packet[..<5], by: cipher)
            }
            var refused = 0
            for bit in 0..<packet.count * 8 {
                var forged = packet
                forged[bit / 8] ^= 1 << (bit % 8)
                if opened(forged) == nil { refused += 1 }
            }
            #expect(refused == packet.count * 8)
            #expect(opened(packet) == [UInt8](repeating: 3, count: size))
        }
    }

    @Test(
        "refuses another number, another key, another header and a packet cut short",
        arguments: Maker.present
    )
    func others(_ maker: Maker) {
        let cipher = maker.cipher
        let sealed = Array(Self.key.packet([1, 2], [3, 4, 5], 5, by: cipher)[2...])
        func opened(
            _ sealed: ArraySlice<UInt8>,
            by key: PacketKey = Self.key,
            number: UInt64 = 5,
            header: [UInt8] = [1, 2]
        ) -> [UInt8]? {
            key.open(sealed, number: number, header: header[...], by: cipher)
        }
        for bit in 0..<64 as Range<UInt64> {
            #expect(opened(sealed[...], number: 5 ^ 1 << bit) == nil)
        }
        #expect(opened(sealed[...], by: PacketKey([UInt8](repeating: 8, count: 32))) == nil)
        for header in [[], [1], [1, 2, 0], [2, 1]] as [[UInt8]] {
            #expect(opened(sealed[...], header: header) == nil)
        }
        for count in 0..<sealed.count { #expect(opened(sealed.prefix(count)) == nil) }
        #expect(opened(sealed[...]) == [3, 4, 5])
    }

    @Test("serves several threads at once", arguments: Maker.present)
    func threads(_ maker: Maker) async {
        let cipher = maker.cipher
        let right = await withTaskGroup(of: Bool.self) { group in
            for seed in 0..<8 as Range<UInt64> {
                group.addTask {
                    var dice = SeededDice(seed: seed)
                    let key = PacketKey(dice.bytes(32))
                    return (0..<500 as Range<UInt64>).allSatisfy { number in
                        let text = dice.bytes(100)
                        let packet = key.packet([1], text, number, by: cipher)
                        return packet == key.packet([1], text, number, by: nil)
                            && key.open(
                                packet[1...],
                                number: number,
                                header: [1],
                                by: cipher
                            ) == text
                    }
                }
            }
            return await group.allSatisfy { $0 }
        }
        #expect(right)
    }
}
