#if GTK
import KirimGtk
import Testing

@Suite("The window's mailbox")
struct MailboxTests {
    @Test("what was put in from many tasks comes out whole, in each one's order, in few visits")
    func burst() async {
        let mailbox = Mailbox<Int>()
        var received: [Int] = []
        var visits = 0
        let reading = Task {
            await mailbox.deliver { items in
                visits += 1
                received += items
                if received.count == 4_000 { mailbox.close() }
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    for number in 0..<1_000 {
                        await mailbox.hasRoom()
                        mailbox.put(writer * 1_000 + number)
                    }
                }
            }
        }
        await reading.value
        #expect(received.sorted() == Array(0..<4_000))
        for writer in 0..<4 {
            let own = received.filter { $0 / 1_000 == writer }
            #expect(own == own.sorted())
        }
        #expect(visits < 4_000)
    }

    @Test("a writer waits while nobody takes, and goes on when the mailbox is closed")
    func headroom() async {
        let mailbox = Mailbox<Int>()
        for number in 0..<Mailbox<Int>.capacity { mailbox.put(number) }
        let writer = Task.detached {
            await mailbox.hasRoom()
            return true
        }
        mailbox.close()
        #expect(await writer.value)
        mailbox.put(1)
        await mailbox.deliver { _ in Issue.record("a closed mailbox delivers nothing") }
    }
}
#endif
