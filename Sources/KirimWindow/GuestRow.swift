#if GTK
import CGtk
import KirimGtk
import KirimRooms
import KirimScreen
import KirimWire

/// Somebody at the server, in the operator's list: name, key, address, since when, round trip, loss.
final class GuestRow {
    let row = made(adw_expander_row_new())
    private var facts: [Widget] = []
    private var shown: Guest?
    private let perform: (OperatorScreen.Intent) -> Void

    init(perform: @escaping (OperatorScreen.Intent) -> Void) {
        self.perform = perform
        adw_preferences_row_set_use_markup(row.cast(), 0)
        for _ in 0..<4 {
            let fact = made(adw_action_row_new())
            adw_preferences_row_set_use_markup(fact.cast(), 0)
            adw_action_row_set_subtitle_lines(fact.cast(), 0)
            // A fingerprint is compared letter by letter.
            fact.style("fact")
            adw_expander_row_add_row(row.cast(), fact)
            facts.append(fact)
        }
        adw_expander_row_add_action(row.cast(), button(tr("Put Out…")) { .kick($0) })
        let last = made(adw_action_row_new())
        adw_action_row_add_suffix(last.cast(), button(tr("Keep Out…")) { .ban($0) })
        adw_expander_row_add_row(row.cast(), last)
        for part in row.descendants where part.typeName == "GtkListBox" {
            part.nameForReaders(tr("What is known"))
        }
    }

    static func name(of guest: Guest) -> String {
        guest.name?.text ?? guest.address.description
    }

    func show(_ guest: Guest) {
        guard guest != shown else { return }
        shown = guest
        adw_preferences_row_set_title(row.cast(), Self.name(of: guest))
        var brief = [guest.isPlain ? tr("plain text") : Sentences.presence(guest.presence)]
        if guest.name != nil { brief.append(guest.address.description) }
        if let trip = guest.roundTrip {
            brief.append(tr("%1 ms", "\(trip.inNanoseconds / 1_000_000)"))
        }
        adw_expander_row_set_subtitle(row.cast(), brief.joined(separator: " · "))
        let percent = (guest.lossPercent * 10).rounded() / 10
        let all = [
            (tr("Address"), guest.address.description),
            (tr("Fingerprint"), guest.key?.fingerprint ?? tr("none: plain text")),
            (
                tr("Since"),
                guest.since.map { Self.words.day(Self.day($0)) + ", " + Self.words.clock($0) } ?? ""
            ),
            (
                tr("Lost"),
                tr(
                    "%1 % (%2 of %3 packets)",
                    "\(percent)",
                    "\(guest.packetsLost)",
                    "\(guest.packetsSent)"
                )
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

    private func button(
        _ name: String,
        _ intent: @escaping (Guest.ID) -> OperatorScreen.Intent
    ) -> Widget {
        let button = made(gtk_button_new_with_label(name))
        gtk_widget_set_valign(button, GTK_ALIGN_CENTER)
        button.on("clicked") { [weak self] _ in
            if let self, let shown { perform(intent(shown.id)) }
        }
        return button
    }
}
#endif
