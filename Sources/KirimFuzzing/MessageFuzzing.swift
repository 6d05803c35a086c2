import KirimRooms
import KirimWire

/// The chat's messages: what is read and written is read again as the same.
enum MessageFuzzing {
    static func run(_ bytes: [UInt8]) {
        again(bytes, { (bytes) throws(WireError) in try Request(parsing: bytes) }, \.bytes)
        again(bytes, { (bytes) throws(WireError) in try Reply(parsing: bytes) }, \.bytes)
        again(bytes, { (bytes) throws(WireError) in try Signal(parsing: bytes) }, \.bytes)
        again(bytes, { (bytes) throws(WireError) in try Post(parsing: bytes) }, \.bytes)
        again(
            bytes,
            { (bytes) throws(WireError) in
                try Entry(parsing: bytes, room: .lobby, sequence: SequenceNumber(rawValue: 7))
            },
            \.bytes
        )
    }

    private static func again<Message: Equatable>(
        _ bytes: [UInt8],
        _ read: ([UInt8]) throws(WireError) -> Message,
        _ written: (Message) -> [UInt8]
    ) {
        guard let message = try? read(bytes) else { return }
        do {
            let second = try read(written(message))
            require(second == message, "\(message) is not \(second)")
        } catch {
            fatalError("\(message) cannot be read again: \(error)")
        }
    }
}
