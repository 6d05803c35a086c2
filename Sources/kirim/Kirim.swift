import ArgumentParser

/// The program: one command for each thing that a person does with Kirim.
struct Kirim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kirim",
        abstract:
            "The chat that stays live where others stall: text over UDP, for one room or many.",
        discussion: """
            A first try, in two terminals:
              kirim serve
              kirim chat
            or, on a desktop: kirim window
            """,
        version: "0.1.0",
        subcommands: [
            ServeCommand.self, ChatCommand.self, WindowCommand.self, SendCommand.self,
            InviteCommand.self, KeyCommand.self,
        ]
    )
}
