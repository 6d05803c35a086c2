import Foundation
import Testing

/// A table's row whose first cell is a constant's name in code font quotes it, in any document.
@Suite("Constants that documents quote")
struct ConstantTests {
    private struct Quote {
        var document: String
        var name: String
        var cell: String
    }

    private func quotes() throws -> [Quote] {
        try Tree.documents().flatMap { document in
            try document.text.matches(of: #"^\| `((?:[A-Z]\w+\.)+[a-z]\w+)` \| ([^|]+?) *\|"#).map {
                Quote(document: document.path, name: $0[1], cell: $0[2])
            }
        }
    }

    @Test("are the code's own")
    func equal() throws {
        let constants = try Constants()
        let quotes = try quotes()
        #expect(quotes.count > 30)
        for quote in quotes {
            let names = constants.names(endingIn: quote.name)
            guard names.count == 1, let value = constants.value(of: names[0]) else {
                Issue.record(
                    "\(quote.document): \(quote.name) is \(names.isEmpty ? "not in" : "unclear in") the code"
                )
                continue
            }
            let quoted = try #require(
                try Constants.quoted(quote.cell),
                "\(quote.name): \(quote.cell)"
            )
            #expect(quoted == value, "\(quote.document): \(quote.name)")
        }
    }

    @Test(
        "every knob of the transport and every limit of the chat is in LIMITS",
        arguments: ["TransportConfiguration", "ChatLimits"]
    )
    func complete(type: String) throws {
        let quoted = Set(try quotes().filter { $0.document == "docs/LIMITS.md" }.map(\.name))
        let constants = try Constants()
        // What is no number has its own words elsewhere.
        let names = constants.expressions.keys
            .filter { $0.hasPrefix(type + ".") && constants.value(of: $0) != nil }
        #expect(names.count > 5)
        for name in names.sorted() { #expect(quoted.contains(name)) }
    }

    @Test("the reader of constants can count")
    func arithmetic() throws {
        let constants = try Constants()
        #expect(constants.value(of: "PacketSize.maximum") == 1200)
        #expect(constants.value(of: "PacketSize.reset") == 25)
        #expect(constants.value(of: "OpenPacket.parametersSize") == 1077)
        #expect(constants.value(of: "TransportConfiguration.idleTimeout") == 1800e9)
        #expect(constants.value(of: "PasswordKey.rounds") == 32_768)
        #expect(try Constants.quoted("30 min") == 1800e9)
        #expect(try Constants.quoted("65,536 bytes") == 65_536)
        #expect(try Constants.quoted("none") == nil)
    }
}
