import KirimWire
import Testing

@Suite("Instants")
struct InstantTests {
    @Test("moves by durations and saturates in the distant future")
    func advance() {
        let start = Instant(nanoseconds: 5)
        #expect(start.advanced(by: .microseconds(2)) == Instant(nanoseconds: 2005))
        #expect(start.duration(to: Instant(nanoseconds: 1)) == .nanoseconds(-4))
        #expect(start.advanced(by: .seconds(Int64.max)) == .distantFuture)
        #expect(Instant.distantFuture.advanced(by: .seconds(1)) == .distantFuture)
        #expect(start < .distantFuture)
    }

    @Test("durations saturate instead of trapping")
    func durations() {
        #expect(Duration.seconds(1).inNanoseconds == 1_000_000_000)
        #expect(Duration.seconds(Int64.max).inNanoseconds == .max)
        #expect(Duration.seconds(-Int64.max).inNanoseconds == .min)
        #expect(Duration.milliseconds(-1500).inNanoseconds == -1_500_000_000)
        #expect(Duration.microseconds(2999).inMilliseconds == 2)
    }
}
