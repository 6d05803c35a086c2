import Foundation
import KirimTestKit

/// What one face told so far, read line by line as it comes, so that a run of hours reads each line once.
///
/// The face may be killed and begun anew: what was told before stays told.
final class Witness {
    let name: String
    private(set) var person: Person
    /// Texts that were shown, in this and in earlier lives of the face.
    private(set) var seen: Set<String> = []
    /// Posts that the face has put into its outbox, in order.
    private(set) var queued: [(life: Int, post: Int, text: String)] = []
    /// Posts that it called accepted, with the place in the log.
    private(set) var accepted: [(life: Int, post: Int, sequence: Int)] = []
    /// Each life of a face counts its posts from 1.
    private var life = 1
    private(set) var last = 0
    /// What was shown that cannot be right.
    private(set) var faults: [String] = []
    private var shown: [Int: String] = [:]

    init(_ name: String, _ person: Person) {
        self.name = name
        self.person = person
    }

    /// The face was begun anew; its older lines are all read.
    func goOn(with person: Person) {
        self.person = person
        life += 1
        last = 0
    }

    /// Reads until it is so; false where it was not so in time.
    func reads(within patience: Duration, until isSo: (Witness) -> Bool) -> Bool {
        if isSo(self) { return true }
        return person.process.line(within: patience) { line in
            take(line)
            return isSo(self)
        } != nil
    }

    /// What is there already.
    func catchUp() { _ = reads(within: .zero) { _ in false } }

    private func take(_ line: String) {
        guard let event = Person.Event(line) else { return }
        switch event.name {
        case "queued":
            queued.append((life, event.fields["post"] as? Int ?? 0, event.text))
        case "decided" where event.isAccepted:
            accepted.append((life, event.fields["post"] as? Int ?? 0, event.sequence))
        case "decided": faults.append("refused: \(line)")
        case "entry":
            if last > 0, event.sequence != last + 1 {
                faults.append("\(event.sequence) came after \(last)")
            }
            last = event.sequence
            if let before = shown[event.sequence], before != event.text {
                faults.append("\(event.sequence) was \(before) and became \(event.text)")
            }
            shown[event.sequence] = event.text
            seen.insert(event.text)
        default: break
        }
    }

    /// Each place that was told is the place where the post stands, and what was shown is what the log says.
    func agrees(with log: [String]) -> [String] {
        var faults = faults
        for (sequence, text) in shown.sorted(by: { $0.key < $1.key })
        where sequence > log.count || log[sequence - 1] != text {
            faults.append("\(sequence) was shown as \(text)")
        }
        let texts = Dictionary(
            queued.map { ("\($0.life) \($0.post)", $0.text) },
            uniquingKeysWith: { $1 }
        )
        for (life, post, sequence) in accepted {
            guard let text = texts["\(life) \(post)"] else { continue }
            if sequence > log.count || log[sequence - 1] != text {
                faults.append("\(text) was accepted at \(sequence), where it is not")
            }
        }
        return faults
    }
}
