import KirimWire

/// Datagrams as packets: what is read is written as it was.
enum PacketFuzzing {
    static func run(_ bytes: [UInt8]) {
        read(bytes)
        // The two packets of full size seldom come about by chance.
        guard bytes.count < PacketSize.maximum else { return }
        read(bytes + [UInt8](repeating: 0, count: PacketSize.maximum - bytes.count))
    }

    private static func read(_ bytes: [UInt8]) {
        if let packet = try? HelloPacket(parsing: bytes) { same(packet.bytes, bytes, "HELLO") }
        if let packet = try? ChallengePacket(parsing: bytes) {
            same(packet.bytes, bytes, "CHALLENGE")
        }
        if let packet = try? OpenPacket(parsing: bytes) {
            same(packet.bytes, bytes, "OPEN")
            require(packet.ephemeral.count == PublicKey.size, "an OPEN names its key")
        }
        if let packet = try? AcceptPacket(parsing: bytes) { same(packet.bytes, bytes, "ACCEPT") }
        if let packet = try? ResetPacket(parsing: bytes) { same(packet.bytes, bytes, "RESET") }
        let headers = [
            try? DataHeader.parsingToServer(bytes), try? DataHeader.parsingToClient(bytes),
        ]
        for header in headers.compactMap({ $0 }) {
            same(header.bytes, Array(bytes[..<header.size]), "the header of DATA")
            require(PacketType.claims(bytes), "DATA is none of plain text's business")
        }
    }

    private static func same(_ written: [UInt8], _ read: [UInt8], _ what: String) {
        require(written == read, "\(what) is written as it was read")
    }
}

/// A packet's plaintext as frames: what is read and written is read again as the same.
enum FrameFuzzing {
    static func run(_ bytes: [UInt8]) {
        let plaintext = Array(bytes.prefix(PacketSize.maximum))
        guard let frames = try? Frame.all(in: plaintext) else { return }
        require(!frames.isEmpty, "a packet without a frame is malformed")
        var writer = ByteWriter()
        for frame in frames {
            if case .ack(let ack) = frame {
                require(ack.ranges.count <= AckFrame.rangeLimit, "an ACK has few ranges")
            }
            frame.write(to: &writer)
        }
        require(
            (try? Frame.all(in: writer.bytes)) == frames,
            "frames are read again as they were written: \(frames)"
        )
    }
}
