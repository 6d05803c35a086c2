import ArgumentParser
import Foundation
import KirimTerminal

/// What ends the program early: a sentence for the person, a number for the shell.
///
/// The numbers are those of sysexits.h, as ArgumentParser's own 64 (wrong usage) is.
struct Complaint: Error {
    var sentence: String
    var code: ExitCode

    /// The address cannot be used: EX_UNAVAILABLE.
    static let unavailable = ExitCode(69)
    /// A file cannot be made, read or written: EX_CANTCREAT.
    static let storage = ExitCode(73)
    /// A setting makes no sense: EX_CONFIG.
    static let configuration = ExitCode(78)

    static func setting(_ sentence: String) -> Complaint {
        Complaint(sentence: sentence, code: configuration)
    }

    /// Prints what was asked for, or complains that nobody got it.
    static func print(_ text: String) throws {
        guard StandardOutput.write(text + "\n") else {
            throw Complaint(sentence: "The output cannot be written.", code: storage)
        }
    }

    /// Says it on standard error; throw what is returned to end the program.
    func said() -> ExitCode {
        FileHandle.standardError.write(Data("kirim: \(sentence)\n".utf8))
        return code
    }
}
