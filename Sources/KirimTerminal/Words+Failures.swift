package import KirimClient
package import KirimRooms
import KirimWire

// What went wrong, in the person's language.

extension Words {
    /// Why outbox or history could not be used, and what to do.
    package func storage(_ error: JournalError) -> String {
        guard language == .indonesian else { return error.sentence }
        return switch error {
        case .full: "Disk penuh, jadi tidak ada lagi yang dicatat di sini; kosongkan sebagian."
        case .locked: "Program lain memegang berkas kotak keluar dan riwayat; tutuplah program itu."
        case .corrupt(let detail):
            "Berkas kotak keluar dan riwayat rusak (\(detail)); pindahkan dan mulai lagi."
        case .newer(let version):
            "Kotak keluar dan riwayat ditulis oleh Kirim yang lebih baru (skema \(version)); perbarui."
        case .denied(let detail):
            "Kotak keluar dan riwayat tidak boleh dibaca atau ditulis (\(detail)); periksa izinnya."
        case .failed(let detail): "Kotak keluar dan riwayat tidak bisa dipakai: \(detail)."
        }
    }

    /// What the library could not do at that server, and what to do at a prompt.
    package func sentence(for error: KirimError, at server: ServerAddress) -> String {
        if let refusal = error.underlying as? Refusal { return self.refusal(refusal) }
        if let error = error.underlying as? JournalError { return storage(error) }
        switch error.code {
        case .serverKeyChanged: return self(.otherServer, server.endpoint)
        case .passwordNeeded: return self(.passwordNeeded, server.endpoint)
        case .invitationNeeded: return self(.invitationNeeded)
        case .secretRefused: return self(.secretRefused)
        case .noCommonVersion: return self(.noCommonVersion)
        case .unknownHost: return self(.lookupFailed, VisibleText.row(server.host))
        case .unreachable, .timedOut: return self(.noAnswer, server.endpoint)
        default: return VisibleText.row(error.message)
        }
    }

    /// Why a line of the input cannot be a message.
    package func sentence(for fault: InputLines.Fault) -> String {
        switch fault {
        case .tooLong(let line, let limit):
            self(.lineTooLong, "\(line)", LineEditor.grouped(limit))
        case .notUTF8(let line): self(.lineNotUTF8, "\(line)")
        case .unreadable(let reason): self(.inputUnreadable, VisibleText.row(reason))
        }
    }
}
