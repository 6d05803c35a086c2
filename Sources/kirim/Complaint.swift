import ArgumentParser
import Foundation

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

    /// Says it on standard error; throw what is returned to end the program.
    func said() -> ExitCode {
        FileHandle.standardError.write(Data("kirim: \(sentence)\n".utf8))
        return code
    }
}
