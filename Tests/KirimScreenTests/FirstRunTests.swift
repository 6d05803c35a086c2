import KirimScreen
import KirimWire
import Testing

@Suite("The first page")
struct FirstRunTests {
    @Test("connects to this machine, from any port, under any name, where nothing else is typed")
    func defaults() throws {
        let choice = try #require(FirstRun().choice)
        #expect(choice.address == .local)
        #expect(choice.localPort == 0 && choice.name == nil)
    }

    @Test("names the fields that make no sense")
    func faults() {
        var page = FirstRun()
        page.name = "\u{1B}"
        page.address = "host:99999"
        page.localPort = "-1"
        #expect(page.faults == [.name, .address, .localPort])
        #expect(page.choice == nil)
        page.localPort = " 50001 "
        page.address = " chat.example "
        page.name = "ani"
        #expect(page.choice?.localPort == 50_001)
        #expect(page.choice?.address.endpoint == "chat.example:12345")
    }
}
