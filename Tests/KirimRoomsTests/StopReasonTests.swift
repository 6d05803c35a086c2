import KirimRooms
import Testing

@Suite("Why a client stopped")
struct StopReasonTests {
    @Test(
        "says only what a face's own sentence does not say yet",
        arguments: [
            ("The operator put you out.", ""),
            ("You are banned from this server.", ""),
            ("The operator put you out. Try again in a minute.", "Try again in a minute."),
            ("Kelas sudah selesai.", "Kelas sudah selesai."), ("", ""),
        ]
    )
    func particulars(words: String, rest: String) {
        #expect(StopReason.particulars(of: words) == rest)
    }
}
