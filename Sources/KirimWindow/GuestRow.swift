#if GTK
import CGtk
import KirimGtk
import KirimRooms
import KirimScreen
import KirimWire

/// Somebody at the server, in the operator's list: name, key, address, since when, round trip, loss.
final class GuestRow {
    let row = made(adw_expander_row_new())
    private let kick = made(gtk_button_new_with_label(tr("Put Out…")))
    private let ban = made(gtk_button_new_with_label(tr("Keep Out…")))
    private let last = made(adw_action_row_new())
    private var facts: [Widget] = []
    private var shown: Guest?
    private let perform: (OperatorScreen.Intent) -> Void

    init(perform: @escaping (OperatorScreen.Intent) -> Void) {
        self.perform = perform
        adw_preferences_row_set_use_markup(row.cast(), 0)
        for _ in 0..<5 {
            let fact = made(adw_action_row_new())
            adw_preferences_row_set_use_markup(fact.cast(), 0)
            adw_action_row_set_subtitle_lines(fact.cast(), 0)
            // A fingerprint is compared letter by letter.
            fact.style("fact")
            adw_expander_row_add_row(row.cast(), fact)
            facts.append(fact)
        }
        connect(kick) { .kick($0) }
        connect(ban) { .ban($0) }
        adw_expander_row_add_action(row.cast(), kick)
        adw_preferences_row_set_use_markup(last.cast(), 0)
        adw_action_row_add_suffix(last.cast(), ban)
        adw_expander_row_add_row(row.cast(), last)
        for part in row.descendants where part.typeName == "GtkListBox" {
            part.nameForReaders(tr("What is known"))
        }
    }

    static func name(of guest: Guest) -> String {
        guest.name?.text ?? guest.address.description
    }

    /// Whose row it is, once it was shown.
    var id: Guest.ID? { shown?.id }

    func show(_ guest: Guest) {
        guard guest != shown else { return }
        shown = guest
        let name = Self.name(of: guest)
        adw_preferences_row_set_title(row.cast(), name)
        row.nameForReaders(name)
        kick.nameForReaders(tr("Put %1 out", name))
        ban.nameForReaders(tr("Keep %1 out", name))
        adw_preferences_row_set_title(
            last.cast(),
            guest.isPlain ? tr("Whoever is at this address") : tr("Whoever has this key")
        )
        var brief = [guest.isPlain ? tr("plain text") : Sentences.presence(guest.presence)]
        if guest.name != nil { brief.append(guest.address.description) }
        if let trip = guest.roundTrip {
            let trip = tr("%1 ms", "\(trip.inNanoseconds / 1_000_000)")
            brief.append(guest.presence == .offline ? tr("last: %1", trip) : trip)
        }
        adw_expander_row_set_subtitle(row.cast(), brief.joined(separator: " · "))
        let all = [
            (tr("Address"), guest.address.description),
            (tr("Fingerprint"), guest.key?.fingerprint ?? tr("none: plain text")),
            (
                tr("Since"),
                guest.since.map { Self.words.day(Self.day($0)) + ", " + Self.words.clock($0) } ?? ""
            ),
            (tr("Last heard"), guest.lastHeard.map { Sentences.ago($0) } ?? ""),
            (
                tr("Lost"),
                // Plain text has no acknowledgements: nobody knows what was lost.
                guest.isPlain
                    ? "—"
                    : Sentences.loss(guest.lossPercent, guest.packetsLost, of: guest.packetsSent)
            ),
        ]
        for (fact, (title, text)) in zip(facts, all) {
            adw_preferences_row_set_title(fact.cast(), title)
            adw_action_row_set_subtitle(fact.cast(), text)
            fact.show(!text.isEmpty)
        }
    }

    private static func day(_ time: WallTime) -> CivilDay {
        CivilDay(time, offset: LocalTime.offset(at: time))
    }

    private static var words: RowWords { RowWords(myName: "", today: day(LocalTime.wall)) }

    private func connect(
        _ button: Widget,
        _ intent: @escaping (Guest.ID) -> OperatorScreen.Intent
    ) {
        gtk_widget_set_valign(button, GTK_ALIGN_CENTER)
        button.on("clicked") { [weak self] _ in
            if let self, let shown { perform(intent(shown.id)) }
        }
    }
}
#endif
