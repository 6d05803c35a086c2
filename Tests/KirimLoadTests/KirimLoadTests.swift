import KirimLoad
import Testing

@Suite("What the load notes down")
struct KirimLoadTests {
    @Test(
        "a message comes back as it was written, whatever its size",
        arguments: [33, 34, 120, 1_400]
    )
    func message(size: Int) throws {
        let message = Message(stamp: 0x0123_4567_89AB_CDEF, number: 0xFEDC_BA98, client: 0xABCDE)
        let text = message.text(size: size)
        #expect(text.utf8.count == size)
        #expect(Message(text) == message)
        #expect(Message(String(text.dropFirst())) == nil)
        #expect(Message(String(text.prefix(32))) == nil)
    }

    @Test("numbers are counted once, and a number behind a later one as overtaken")
    func arrivals() {
        var arrivals = Arrivals()
        let kinds = [0, 2, 1, 1, 0, 3, 2].map { arrivals.take($0) }
        #expect(
            kinds == [
                .inOrder, .inOrder, .overtaken, .repeated, .repeated, .inOrder, .repeated,
            ]
        )
    }

    @Test("a quantile is within a hundredth of the value, from nanoseconds to hours")
    func quantiles() {
        for scale in [1.0, 1_000, 1e6, 3.6e12] {
            var histogram = Histogram()
            for step in 1...100 { histogram.add(Int64(Double(step) * scale)) }
            for part in [0.01, 0.5, 0.9, 0.99, 1] {
                let wanted = (part * 100).rounded() * scale
                let found = histogram.quantile(part)
                #expect(abs(found - wanted) <= wanted / 100 + 1, "\(part) of \(scale): \(found)")
            }
        }
    }

    @Test("a histogram without values has no quantile, and two add up")
    func sums() {
        var one = Histogram()
        #expect(one.quantile(0.99) == 0)
        var other = Histogram()
        other.add(5)
        one.add(3)
        one.add(other)
        #expect(one.count == 2)
        #expect(one.mean == 4)
        #expect(one.quantile(1) == 5)
    }
}
