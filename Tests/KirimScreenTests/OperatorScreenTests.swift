import KirimRooms
import KirimScreen
import KirimWire
import Testing

@Suite("The operator's screen")
struct OperatorScreenTests {
    private static let key = known(PublicKey(bytes: [UInt8](repeating: 7, count: 32)))
    private let home = Address(ip: .loopback, port: 50_001)
    private var screen = OperatorScreen(
        addresses: [Address(ip: .v4(0), port: 4_000)],
        key: key,
        name: "Kelas",
        limit: 80
    )

    private var guest: Guest {
        Guest(id: .member(Self.key), address: home, name: known(MemberName("ani")))
    }

    private func status(_ guests: [Guest]) -> ServerStatus {
        ServerStatus(guests: guests, rooms: [], bans: [], counters: [], connections: guests.count)
    }

    @Test("keeps the log as rows that a face follows, and only so many")
    mutating func log() {
        var shown = 0
        for number in 0..<1_000 {
            screen.note(.broadcast("\(number)"), at: WallTime(milliseconds: 0))
            guard number % 7 == 0 else { continue }
            for case .rows(_, let removed, let added) in screen.takeChanges() {
                shown += added - removed
            }
            #expect(shown == screen.rowCount)
        }
        #expect(screen.rowCount <= 90)
        #expect(screen.row(screen.rowCount - 1).note == .broadcast("999"))
    }

    @Test("counts rows that come below while the operator reads above")
    mutating func view() {
        screen.perform(.scroll(atEnd: false))
        screen.note(.storageWorks, at: WallTime(milliseconds: 0))
        #expect(screen.view == .init(isAtEnd: false, below: 1))
        screen.perform(.jumpToLatest)
        #expect(screen.view == .init(isAtEnd: true, below: 0))
        #expect(screen.takeChanges().contains(.follow))
    }

    @Test("asks before anybody is put or kept out, and before the server stops")
    mutating func questions() {
        let plain = Guest(id: .plain(home), address: home)
        screen.take(status([guest, plain]))
        screen.perform(.kick(guest.id))
        #expect(screen.question == .kick(guest))
        #expect(screen.nextEffect() == nil)
        screen.perform(.confirm)
        #expect(screen.nextEffect() == .wish(.kick(guest.id)))
        screen.perform(.ban(plain.id))
        screen.perform(.cancel)
        #expect(screen.nextEffect() == nil && screen.question == nil)
        screen.perform(.ban(plain.id))
        screen.perform(.confirm)
        #expect(screen.nextEffect() == .wish(.ban(.prefix(.loopback, bits: 32))))
        screen.perform(.ban(guest.id))
        screen.perform(.confirm)
        #expect(screen.nextEffect() == .wish(.ban(.key(Self.key))))
        screen.perform(.stop)
        #expect(screen.question == .stop(guests: 2))
        screen.perform(.confirm)
        #expect(screen.nextEffect() == .stop)
    }

    @Test("takes its question back when whom it is about has left")
    mutating func gone() {
        screen.take(status([guest]))
        screen.perform(.kick(guest.id))
        screen.take(status([]))
        #expect(screen.question == nil)
        #expect(screen.takeChanges().contains(.guests))
        screen.take(status([]))
        #expect(screen.takeChanges().isEmpty)
    }

    @Test(
        "counts nobody as here who has gone without a word, and lets them be kept out all the same"
    )
    mutating func silent() {
        var gone = guest
        gone.presence = .offline
        screen.take(status([gone]))
        #expect(screen.guests.isEmpty && screen.silent == [gone])
        screen.perform(.stop)
        #expect(screen.question == .stop(guests: 0))
        screen.perform(.cancel)
        screen.perform(.ban(gone.id))
        #expect(screen.question == .ban(gone, .key(Self.key)))
        screen.take(status([guest]))
        #expect(screen.guests == [guest] && screen.silent.isEmpty)
    }

    @Test("says a line to everybody, and empties the entry")
    mutating func say() {
        screen.perform(.type("halo semua"))
        screen.perform(.say)
        screen.perform(.say)
        #expect(screen.nextEffect() == .wish(.say("halo semua")))
        #expect(screen.nextEffect() == nil)
        #expect(screen.entry.isEmpty)
    }

    @Test("gives an address with the key, and an invitation once there is one")
    mutating func address() {
        let text = "kirim://127.0.0.1:4000/\(Self.key)"
        #expect(screen.address.description == text)
        screen.perform(.copyAddress)
        #expect(screen.nextEffect() == .copy(text))
        screen.perform(.copyInvitation)
        #expect(screen.nextEffect() == nil)
        screen.perform(.invite)
        #expect(screen.nextEffect() == .invite)
        screen.invited(ServerAddress(host: "chat.example", key: Self.key, invitation: "abcd"))
        screen.perform(.copyInvitation)
        #expect(screen.nextEffect() == .copy(screen.invitation ?? ""))
    }

    @Test("gives an address that others can reach, and knows where there is none")
    func reach() {
        let outside = known(IPAddress("192.0.2.7"))
        let open = OperatorScreen(
            addresses: [Address(ip: .v4(0), port: 4_000)],
            outside: outside,
            key: Self.key,
            name: "Kelas"
        )
        #expect(open.address.description == "kirim://192.0.2.7:4000/\(Self.key)")
        #expect(!open.isLocalOnly)
        let closed = OperatorScreen(addresses: [home], key: Self.key, name: "Kelas")
        #expect(closed.isLocalOnly)
    }

    @Test("knows the names of those who are kept out")
    mutating func banned() {
        var status = status([])
        status.bans = [.key(Self.key)]
        screen.take(status)
        #expect(screen.takeChanges().contains(.bans))
        status.banned = [Self.key: known(MemberName("ani"))]
        screen.take(status)
        #expect(screen.takeChanges().contains(.bans))
        #expect(screen.banned[Self.key]?.text == "ani")
    }

    @Test("shows trouble with the disk until it is over")
    mutating func trouble() {
        screen.note(.storageFailed(.full), at: WallTime(milliseconds: 0))
        #expect(screen.trouble == .full)
        screen.note(.storageWorks, at: WallTime(milliseconds: 0))
        #expect(screen.trouble == nil)
    }
}
