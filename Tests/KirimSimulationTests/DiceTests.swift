import KirimSimulation
import Testing

@Suite("Dice")
struct DiceTests {
    @Test("are SplitMix64: the published first draws of seed 1234567")
    func published() {
        var dice = Dice(seed: 1_234_567)
        let drawn = (0..<3).map { _ in dice.next() }
        #expect(
            drawn == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ]
        )
    }

    @Test("a fork depends on seed and label, not on the draws made before")
    func forks() {
        let untouched = Dice(seed: 7)
        var used = Dice(seed: 7)
        for _ in 0..<100 { _ = used.next() }
        var a = untouched.fork("network")
        var b = used.fork("network")
        let (first, second) = (a.next(), b.next())
        #expect(first == second)
        var other = untouched.fork("disk")
        let third = other.next()
        #expect(first != third)
    }

    @Test("numbers stay in their range and reach both of its ends")
    func ranges() {
        var dice = Dice(seed: 3)
        var seen: Set<Int> = []
        for _ in 0..<1_000 { seen.insert(dice.number(in: -2...2)) }
        #expect(seen == [-2, -1, 0, 1, 2])
        let five = dice.number(in: 5...5)
        #expect(five == 5)
    }

    @Test("a probability comes true about as often as it says")
    func chances() {
        var dice = Dice(seed: 4)
        let hits = (0..<20_000).count { _ in dice.chance(0.3) }
        #expect((5_700...6_300).contains(hits))
        let (never, always) = (dice.chance(0), dice.chance(1))
        #expect(!never)
        #expect(always)
    }
}
