/// A part of Kirim that reads what others wrote, and what must hold whatever that is.
///
/// An input that breaks it ends the program at once, with a sentence. `make fuzz` looks for such inputs;
/// the tests replay those that taught it something.
package struct FuzzTarget: Sendable {
    package let name: String
    /// Bytes of the longest input that is worth trying.
    package let inputLimit: Int
    package let run: @Sendable ([UInt8]) -> Void

    package init(_ name: String, inputLimit: Int, run: @escaping @Sendable ([UInt8]) -> Void) {
        self.name = name
        self.inputLimit = inputLimit
        self.run = run
    }

    package init?(named name: String) {
        guard let target = Self.all.first(where: { $0.name == name }) else { return nil }
        self = target
    }

    package static let all: [FuzzTarget] = [
        FuzzTarget("packets", inputLimit: 1_300, run: PacketFuzzing.run),
        FuzzTarget("frames", inputLimit: 1_200, run: FrameFuzzing.run),
        FuzzTarget("messages", inputLimit: 1_024, run: MessageFuzzing.run),
        FuzzTarget("addresses", inputLimit: 300, run: AddressFuzzing.run),
        FuzzTarget("names", inputLimit: 256, run: NameFuzzing.run),
        FuzzTarget("commands", inputLimit: 256, run: CommandFuzzing.run),
        FuzzTarget("settings", inputLimit: 512, run: SettingFuzzing.run),
        FuzzTarget("keyboard", inputLimit: 512, run: KeyboardFuzzing.run),
        FuzzTarget("plain", inputLimit: 1_024, run: PlainFuzzing.run),
        FuzzTarget("peer", inputLimit: 1_024, run: PeerFuzzing.run),
        FuzzTarget("link", inputLimit: 256, run: LinkFuzzing.run),
        FuzzTarget("server", inputLimit: 2_048, run: ServerFuzzing.run),
        FuzzTarget("client", inputLimit: 2_048, run: ClientFuzzing.run),
        FuzzTarget("endpoints", inputLimit: 256, run: EndpointsFuzzing.run),
    ]
}

/// Ends the program where something does not hold that must.
func require(_ holds: Bool, _ sentence: @autoclosure () -> String) {
    guard !holds else { return }
    fatalError(sentence())
}
