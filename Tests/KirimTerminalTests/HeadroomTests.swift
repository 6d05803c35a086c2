import KirimTerminal
import Synchronization
import Testing

/// What keeps a face that stands still from gathering what arrives in memory.
@Suite("A face's headroom", .timeLimit(.minutes(1)))
struct HeadroomTests {
    private let passed = Counter()

    private final class Counter: Sendable {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        func add() { value.withLock { $0 += 1 } }
    }

    /// A producer that runs as far ahead as it may.
    private func produce(_ count: Int, into headroom: Headroom) -> Task<Void, Never> {
        Task { [passed] in
            for _ in 0..<count {
                await headroom.take()
                passed.add()
            }
        }
    }

    /// Lets the producer come as far as it can: it is there when it has not moved for many turns.
    private func settle() async {
        var (last, still) = (-1, 0)
        while still < 100 {
            await Task.yield()
            try? await Task.sleep(for: .microseconds(200))
            still = passed.count == last ? still + 1 : 0
            last = passed.count
        }
    }

    @Test(
        "lets a producer run so far ahead and no further, and one more for each that was consumed"
    )
    func bound() async {
        let headroom = Headroom(10)
        let producer = produce(25, into: headroom)
        await settle()
        #expect(passed.count == 10)
        for consumed in 1...15 {
            headroom.give()
            await settle()
            #expect(passed.count == 10 + consumed)
        }
        await producer.value
    }

    @Test("keeps room that was given while nobody waited")
    func early() async {
        let headroom = Headroom(1)
        headroom.give()
        headroom.give()
        let producer = produce(5, into: headroom)
        await settle()
        #expect(passed.count == 3)
        headroom.open()
        await producer.value
        #expect(passed.count == 5)
    }

    @Test("lets go of who waits, and of whoever comes, once nobody consumes any more")
    func end() async {
        let headroom = Headroom(2)
        let producer = produce(1_000, into: headroom)
        await settle()
        #expect(passed.count == 2)
        headroom.open()
        await producer.value
        #expect(passed.count == 1_000)
    }
}
