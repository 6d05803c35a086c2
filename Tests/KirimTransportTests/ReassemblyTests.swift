import KirimTransport
import KirimWire
import Testing

@Suite("Reassembly")
struct ReassemblyTests {
    private func piece(_ number: UInt64, _ offset: Int, _ count: Int, of total: Int) -> RecordFrame
    {
        RecordFrame(
            stream: 1,
            number: number,
            fragment: .init(offset: offset, total: total),
            bytes: (offset..<offset + count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        )
    }

    private func add(_ reassembly: inout Reassembly, _ frame: RecordFrame) -> [UInt8]? {
        frame.fragment.flatMap { reassembly.add(frame, $0) }
    }

    @Test("pieces in any order, some twice, make the record once")
    func anyOrder() {
        var reassembly = Reassembly(limit: 10_000)
        for offset in [2_000, 0, 2_000, 1_000] {
            let count = offset == 1_000 ? 1_000 : 1_000
            let whole = add(&reassembly, piece(5, offset, count, of: 3_000))
            #expect((whole != nil) == (offset == 1_000))
            if let whole {
                #expect(whole == (0..<3_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            }
        }
        #expect(reassembly.bytesHeld == 0)
    }

    @Test("a peer cannot make it hold many tiny records, nor one in crumbs")
    func crumbs() {
        var reassembly = Reassembly(limit: 300_000)
        for number in 0..<10_000 as Range<UInt64> {
            #expect(add(&reassembly, piece(number, 0, 1, of: 2)) == nil)
        }
        #expect(reassembly.bytesHeld == 0)
        for offset in stride(from: 0, to: 60_000, by: 2) {
            _ = add(&reassembly, piece(1, offset, 1, of: 60_001))
        }
        #expect(reassembly.bytesHeld <= 60_001)
    }

    @Test("what it holds stays within its limit, and what grows is kept before what does not")
    func bounded() {
        var reassembly = Reassembly(limit: 10_000)
        for number in 0..<100 as Range<UInt64> {
            _ = add(&reassembly, piece(number, 0, 100, of: 2_000))
            #expect(reassembly.bytesHeld <= 10_000)
            // Record 0 grows again and again, so it is never the one to give way.
            _ = add(&reassembly, piece(0, 100 + Int(number), 1, of: 2_000))
        }
        #expect(add(&reassembly, piece(0, 100, 1_900, of: 2_000)) != nil)
    }
}
