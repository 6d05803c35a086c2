/// A promise that was broken, as a sentence. The run stops at it.
package struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    package var promise: Promise
    package var sentence: String

    package init(_ promise: Promise, _ sentence: String) {
        self.promise = promise
        self.sentence = sentence
    }

    package var description: String { "\(promise.rawValue): \(sentence)" }

    /// What Kirim promises, as far as a simulation can see it.
    package enum Promise: String, Hashable, Sendable {
        case acceptedMeansKept = "accepted means kept"
        case oneOrder = "one order"
        case noAmplification = "no more bytes out than in before an address has proved itself"
        case authentic = "nothing is delivered that was not really posted"
        case freshNumbers = "no packet number is used twice under a key"
        case closedDoor = "nobody comes in who may not"
        case boundedMemory = "memory is bounded"
        case convergence = "everything arrives once the trouble is over"
    }
}
