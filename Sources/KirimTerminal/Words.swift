import KirimClient
import KirimScreen
package import KirimRooms

/// What the terminal face says, in the person's language. The compiler sees to it that no sentence lacks one.
package struct Words: Hashable, Sendable {
    package enum Language: String, Hashable, Sendable, CaseIterable {
        case english = "en"
        case indonesian = "id"
    }

    package var language: Language

    package init(_ language: Language) { self.language = language }

    /// The language of the environment: the first of `LC_ALL`, `LC_MESSAGES`, `LANG` that is set decides (POSIX).
    package init(environment: [String: String]) {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy
            .compactMap { environment[$0] }
            .first { !$0.isEmpty }
        let code = locale?.prefix { $0 != "_" && $0 != "." && $0 != "@" && $0 != "-" }.lowercased()
        language = code == "id" || code == "in" || code == "ind" ? .indonesian : .english
    }

    /// A sentence with what belongs into it, in the order of its `%1`, `%2`, ….
    package func callAsFunction(_ phrase: Phrase, _ values: String...) -> String {
        let forms = phrase.forms
        return (language == .english ? forms.english : forms.indonesian).filled(with: values)
    }

    /// Why the server said no.
    package func refusal(_ refusal: Refusal) -> String {
        language == .english ? refusal.sentence : Self.indonesian(refusal)
    }

    private static func indonesian(_ refusal: Refusal) -> String {
        switch refusal {
        case .messageTooLong:
            "Pesan terlalu panjang untuk server ini; kirimlah dalam beberapa bagian."
        case .noSuchRoom: "Ruang itu tidak ada; lihat /rooms, atau buat dengan /join."
        case .notInRoom: "Anda tidak di ruang itu; masuklah dengan /join."
        case .tooFast: "Anda mengirim lebih cepat dari yang diizinkan; sebentar lagi dilanjutkan."
        case .tooManyRooms: "Server tidak menerima ruang lagi; hubungi operatornya."
        case .tooManyMembers: "Ruang atau server penuh; coba lagi nanti."
        case .nameTaken: "Nama itu milik orang lain; pilih yang lain."
        case .nameNotAllowed:
            "Itu tidak bisa menjadi nama; pakai 1 sampai 32 karakter, diawali huruf, angka atau emoji, tanpa titik dua."
        case .roomNameNotAllowed:
            "Itu tidak bisa menjadi nama ruang; pakai paling banyak 64 huruf, tanpa spasi."
        case .banned: "Operator server melarang Anda masuk."
        case .notAllowed: "Anda tidak boleh melakukan itu di sini."
        case .noSuchEntry: "Pesan yang dimaksud tidak ada."
        case .storageFailed: "Server sedang tidak bisa menyimpan pesan; akan dicoba lagi sendiri."
        case .malformed: "Server tidak mengerti permintaan; salah satu program terlalu lama."
        case .empty: "Pesan kosong; tulislah sesuatu."
        case .tooManyRequests: "Terlalu banyak permintaan sekaligus; coba lagi sebentar."
        }
    }
}

/// Everything that the terminal face may have to say.
package enum Phrase: Hashable, Sendable, CaseIterable {
    case looking, welcome, connectedAgain, unreachable, unknownHost, offlineMark, connectingMark,
        silentMark
    case firstContact, keyChanged, passwordNeeded, invitationNeeded, secretRefused, noCommonVersion
    case kicked, kickedPlainly, banned, bannedPlainly, closed
    case joined, left, putOut, nowIn, notIn, lobbyStays, renamed, nameRefused, setBack,
        storageFailed, postponed,
        refusedPost, keptForLater, notJoinedYet
    case cameIn, wentOut, wentAway, waitingMore
    case rooms, room, members, online, away, offline, nothingThere
    case linkState, linkRoundTrip, linkLoss, linkHeard, linkQueued, linkAddress, linkServerKey,
        linkOwnKey
    case unknown, neverYet, connected
    case unknownCommand, usage, help, failed, tooLong, historyHeader
    case otherServer, noAnswer, noAnswerInTime, lineTooLong, lineNotUTF8, inputNotUTF8,
        nothingToSend,
        textTooLong, isKept, sentNextTime, lookupFailed, inputUnreadable,
        outputFailed, onlyAuthor, welcomeOnly, noAnswerYet, whenConnected, pastedLines, pastedBytes
    case saidJoined, saidLeft, saidRenamed, saidPutOut, saidBanned
    case edited, deleted, reacted, repliedTo, plainMark, server
    case plainStart, plainRegister, plainRefused, plainNoCommand

    package var forms: (english: String, indonesian: String) {
        switch self {
        case .looking: ("Looking for the server at %1 …", "Mencari server di %1 …")
        case .welcome:
            (
                "You are %1 on %2, in #%3. /help lists the commands.",
                "Anda %1 di %2, di ruang #%3. /help menampilkan perintah."
            )
        case .welcomeOnly: ("You are %1 on %2, in #%3.", "Anda %1 di %2, di ruang #%3.")
        case .noAnswerYet:
            (
                """
                No answer from %1 yet. Is a server running there? (kirim serve starts one on this machine.)
                It goes on trying; what you write is kept and sent later.
                """,
                """
                Belum ada jawaban dari %1. Apakah ada server di sana? (kirim serve menjalankannya di mesin ini.)
                Terus dicoba; tulisan Anda disimpan dan dikirim nanti.
                """
            )
        case .whenConnected:
            (
                "The server is not heard now; the name is wished for as soon as it is.",
                "Server sedang tidak terdengar; nama itu diminta begitu terdengar."
            )
        case .onlyAuthor:
            (
                "Only its author may change a message or take it back, and only a text can be changed.",
                "Hanya penulisnya yang boleh mengubah atau menarik kembali pesan, dan hanya teks yang bisa diubah."
            )
        case .inputUnreadable:
            (
                "The input cannot be read any further (%1).",
                "Masukan tidak bisa dibaca lagi (%1)."
            )
        case .outputFailed:
            (
                "The output cannot be written (%1); nothing more is shown.",
                "Keluaran tidak bisa ditulis (%1); tidak ada lagi yang ditampilkan."
            )
        case .pastedLines: ("[pasted %1 lines, %2 bytes]", "[tempelan %1 baris, %2 bita]")
        case .pastedBytes: ("[pasted %1 bytes]", "[tempelan %1 bita]")
        case .connectedAgain: ("Connected again.", "Tersambung lagi.")
        case .unreachable:
            (
                "Nobody answers at %1. It goes on trying; what you write is kept and sent later.",
                "Tidak ada jawaban dari %1. Terus dicoba; tulisan Anda disimpan dan dikirim nanti."
            )
        case .unknownHost:
            (
                """
                The name %1 could not be looked up (%2); check the spelling and the network.
                It goes on trying; what you write is kept and sent later.
                """,
                """
                Nama %1 tidak dapat dicari (%2); periksa ejaan dan jaringan.
                Terus dicoba; tulisan Anda disimpan dan dikirim nanti.
                """
            )
        case .offlineMark: ("offline", "luring")
        case .connectingMark: ("connecting", "menyambung")
        case .silentMark: ("silent for %1 s", "diam %1 detik")
        case .firstContact:
            (
                """
                First contact with this server. Its key has the fingerprint
                  %1
                and is remembered from now on. Compare it with the one its operator sees (kirim key).
                """,
                """
                Kontak pertama dengan server ini. Sidik kuncinya
                  %1
                dan diingat mulai sekarang. Bandingkan dengan yang dilihat operatornya (kirim key).
                """
            )
        case .keyChanged:
            (
                """
                STOP: another server answers at %1. Nothing was sent to it.
                  key of the one that answers: %2
                Either its operator set it up anew, or somebody stands between you and it. Ask the operator for the
                fingerprint (kirim key prints it). Only if it is the same, type:
                  kirim chat %1 --trust %3
                """,
                """
                BERHENTI: server lain menjawab di %1. Tidak ada yang dikirim kepadanya.
                  kunci server yang menjawab: %2
                Mungkin operatornya memasang ulang, mungkin ada orang di tengah. Tanyakan sidik kuncinya kepada
                operator (kirim key menampilkannya). Hanya bila sama, ketik:
                  kirim chat %1 --trust %3
                """
            )
        case .passwordNeeded:
            (
                "This server wants a password: kirim chat %1 --password-file FILE",
                "Server ini meminta kata sandi: kirim chat %1 --password-file BERKAS"
            )
        case .invitationNeeded:
            (
                "This server lets in whom it invited. Ask its operator for an address (kirim invite prints it).",
                "Server ini hanya untuk yang diundang. Mintalah alamat kepada operatornya (kirim invite)."
            )
        case .secretRefused:
            (
                "The password or the invitation was not taken: wrong, used up, or too old. Ask the operator.",
                "Kata sandi atau undangan ditolak: salah, sudah dipakai, atau terlalu lama. Hubungi operator."
            )
        case .noCommonVersion:
            (
                "This program and the server have no version in common; update the older one.",
                "Program ini dan server tidak punya versi yang sama; perbarui yang lebih lama."
            )
        case .kicked: ("The operator put you out: %1", "Operator mengeluarkan Anda: %1")
        case .kickedPlainly: ("The operator put you out.", "Operator mengeluarkan Anda.")
        case .banned: ("The operator keeps you out: %1", "Operator melarang Anda masuk: %1")
        case .bannedPlainly: ("The operator keeps you out.", "Operator melarang Anda masuk.")
        case .closed: ("Goodbye.", "Sampai jumpa.")
        case .joined: ("You read #%1 now.", "Anda sekarang membaca #%1.")
        case .left: ("You left #%1.", "Anda keluar dari #%1.")
        case .putOut: ("You are out of #%1: %2", "Anda dikeluarkan dari #%1: %2")
        case .nowIn: ("You write to #%1 now.", "Anda sekarang menulis ke #%1.")
        case .notIn:
            ("You are not in #%1; /join %1 goes there.", "Anda tidak di #%1; /join %1 untuk masuk.")
        case .lobbyStays:
            (
                "Nobody leaves the lobby; /quit ends the chat.",
                "Tidak ada yang keluar dari lobi; /quit mengakhiri obrolan."
            )
        case .renamed: ("Your name is %1 now.", "Nama Anda sekarang %1.")
        case .nameRefused:
            (
                "You are %3 here, not %1: %2",
                "Di sini Anda %3, bukan %1: %2"
            )
        case .setBack:
            (
                "The server was set back to an earlier state; #%1 is read anew.",
                "Server dikembalikan ke keadaan sebelumnya; #%1 dibaca ulang."
            )
        case .storageFailed: ("Nothing can be kept on this machine: %1", "Tidak bisa menyimpan: %1")
        case .postponed:
            ("%1 (again in %2 s)", "%1 (dicoba lagi dalam %2 detik)")
        case .refusedPost: ("✗ not sent: %1 — %2", "✗ tidak terkirim: %1 — %2")
        case .keptForLater:
            (
                "Your messages that wait here, to be sent the next time: %1.",
                "Pesan Anda yang menunggu di sini, untuk dikirim lain kali: %1."
            )
        case .notJoinedYet: ("#%1 was never reached.", "#%1 belum pernah tercapai.")
        case .cameIn: ("%1 is here (%2 online)", "%1 hadir (%2 daring)")
        case .wentOut: ("%1 is gone (%2 online)", "%1 pergi (%2 daring)")
        case .wentAway: ("%1 is away (%2 online)", "%1 sedang pergi sebentar (%2 daring)")
        case .waitingMore: ("… and %1 more are waiting", "… dan %1 lagi menunggu")
        case .rooms: ("Rooms:", "Ruang:")
        case .room: ("#%1 (members: %2, entries: %3)", "#%1 (anggota: %2, catatan: %3)")
        case .members: ("In #%1:", "Di #%1:")
        case .online: ("online", "daring")
        case .away: ("away", "pergi sebentar")
        case .offline: ("offline", "luring")
        case .nothingThere: ("There is nothing there.", "Tidak ada apa-apa.")
        case .linkState: ("state: %1", "keadaan: %1")
        case .linkRoundTrip: ("round trip: %1", "waktu pulang pergi: %1")
        case .linkLoss:
            ("loss: %1 % (%2 of %3 packets)", "hilang: %1 % (%2 dari %3 paket)")
        case .linkHeard: ("last heard: %1", "terakhir terdengar: %1")
        case .linkQueued: ("queued: %1", "antrean: %1")
        case .linkAddress: ("address: %1", "alamat: %1")
        case .linkServerKey: ("server's fingerprint: %1", "sidik kunci server: %1")
        case .linkOwnKey: ("your fingerprint: %1", "sidik kunci Anda: %1")
        case .unknown: ("unknown", "tidak diketahui")
        case .neverYet: ("not yet", "belum")
        case .connected: ("connected", "tersambung")
        case .unknownCommand:
            (
                "There is no command %1; /help lists them. To send a text that begins with /, begin with //.",
                "Tidak ada perintah %1; lihat /help. Untuk mengirim teks yang diawali /, mulailah dengan //."
            )
        case .usage: ("It is used like this: %1", "Pemakaiannya: %1")
        case .help: (Self.englishHelp, Self.indonesianHelp)
        case .failed: ("That did not work: %1", "Tidak berhasil: %1")
        case .tooLong:
            (
                "The text has %1 bytes; a message holds at most %2. Send it in parts.",
                "Teks itu %1 bita; satu pesan memuat paling banyak %2. Kirimlah dalam beberapa bagian."
            )
        case .otherServer:
            (
                "Another server than before, or than the link says, answers at %1. Nothing was sent to it. kirim chat %1 shows its key, and how it is trusted.",
                "Server lain daripada sebelumnya, atau daripada yang disebut tautan, menjawab di %1. Tidak ada yang dikirim kepadanya. kirim chat %1 menampilkan kuncinya dan cara memercayainya."
            )
        case .noAnswer:
            ("Nobody answered at %1 in time.", "Tidak ada jawaban dari %1 pada waktunya.")
        case .noAnswerInTime:
            (
                "The server at %1 did not answer in time.",
                "Server di %1 tidak menjawab pada waktunya."
            )
        case .lookupFailed:
            ("The name %1 could not be looked up.", "Nama %1 tidak dapat ditemukan.")
        case .sentNextTime:
            (
                "What it has not accepted is kept, and sent the next time you chat there.",
                "Yang belum diterimanya disimpan, dan dikirim saat Anda mengobrol di sana lagi."
            )
        case .isKept:
            (
                "The message is kept, and sent the next time.",
                "Pesan itu disimpan, dan dikirim lain kali."
            )
        case .lineTooLong:
            (
                "Line %1 is longer than a message may be (%2 bytes). It is not sent, nor what follows it; cut it, and send the rest.",
                "Baris %1 lebih panjang daripada satu pesan (%2 bita). Baris itu dan sesudahnya tidak dikirim; potonglah, lalu kirim sisanya."
            )
        case .lineNotUTF8:
            (
                "Line %1 is not valid UTF-8. It is not sent, nor what follows it; convert it (iconv -t UTF-8), and send the rest.",
                "Baris %1 bukan UTF-8 yang sah. Baris itu dan sesudahnya tidak dikirim; ubahlah (iconv -t UTF-8), lalu kirim sisanya."
            )
        case .inputNotUTF8:
            (
                "The input is not valid UTF-8; convert it (iconv -t UTF-8).",
                "Masukan bukan UTF-8 yang sah; ubahlah (iconv -t UTF-8)."
            )
        case .nothingToSend:
            (
                "There is nothing to send: no words, and an empty input.",
                "Tidak ada yang dikirim: tanpa kata, dan masukan kosong."
            )
        case .textTooLong:
            (
                "The text has %1 bytes; a message holds %2.",
                "Teks itu %1 bita; satu pesan memuat %2."
            )
        case .historyHeader: ("#%1, earlier:", "#%1, sebelumnya:")
        case .saidJoined: ("%1 joined #%2", "%1 masuk #%2")
        case .saidLeft: ("%1 left #%2", "%1 keluar dari #%2")
        case .saidRenamed: ("%1 is now %2", "%1 sekarang bernama %2")
        case .saidPutOut: ("%1 was put out by the operator", "%1 dikeluarkan operator")
        case .saidBanned: ("%1 was banned by the operator", "%1 dilarang masuk oleh operator")
        case .edited: ("%1 changes #%2: %3", "%1 mengubah #%2: %3")
        case .deleted: ("%1 takes back #%2", "%1 menarik kembali #%2")
        case .reacted: ("%1 reacts to #%2: %3", "%1 menanggapi #%2: %3")
        case .repliedTo: ("%1 (to #%2): %3", "%1 (kepada #%2): %3")
        case .plainMark: ("plain", "polos")
        case .server: ("Server", "Server")
        case .plainStart:
            (
                "Plain text with %1, from port %2: no encryption, no receipts, nothing is repeated.",
                "Teks polos dengan %1, dari port %2: tanpa enkripsi, tanpa tanda terima, tanpa pengulangan."
            )
        case .plainRegister:
            (
                "The server knows you once you have written something.",
                "Server mengenal Anda setelah Anda menulis sesuatu."
            )
        case .plainRefused:
            (
                "Nobody listens at %1; what you wrote may be lost.",
                "Tidak ada yang mendengar di %1; tulisan Anda mungkin hilang."
            )
        case .plainNoCommand:
            (
                "In plain text there are only /help and /quit; // sends a text that begins with /.",
                "Dalam teks polos hanya ada /help dan /quit; // mengirim teks yang diawali /."
            )
        }
    }

    // No line is longer than 76 columns: with what stands before a notice it fits a terminal of 80.

    private static let englishHelp = """
        Type a line and press Return to send it: … waits, ✓ is kept by the server.
          /name NAME       take another name        /who [ROOM]     who is here
          /join ROOM       go to a room, or make it /rooms          all rooms
          /leave [ROOM]    leave a room             /me DOES        say what you do
          /history [COUNT] earlier messages, with their numbers
          /reply N TEXT    answer message N         /react N EMOJI  react to it
          /edit N TEXT     change your message N    /delete N       take it back
          /link            how the connection is    /quit           leave (Ctrl-D)
          //TEXT           send text that begins with /
        Keys: arrows, Home, End, Ctrl-A E K U W Y L; up and down: earlier lines;
        Ctrl-C empties the line.
        """

    private static let indonesianHelp = """
        Ketik satu baris lalu Enter untuk mengirim: … menunggu, ✓ disimpan server.
          /name NAMA       ganti nama               /who [RUANG]    siapa yang ada
          /join RUANG      masuk ruang, atau buat   /rooms          semua ruang
          /leave [RUANG]   keluar dari ruang        /me LAKU        ceritakan laku
          /history [BANYAK] pesan lama, dengan nomornya
          /reply N TEKS    jawab pesan N            /react N EMOJI  tanggapi pesan N
          /edit N TEKS     ubah pesan N Anda        /delete N       tarik kembali
          /link            keadaan sambungan        /quit           keluar (Ctrl-D)
          //TEKS           kirim teks yang diawali /
        Tombol: panah, Home, End, Ctrl-A E K U W Y L; atas dan bawah: baris lama;
        Ctrl-C mengosongkan baris.
        """
}
