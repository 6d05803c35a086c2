import KirimTestKit
import KirimWire
import Testing

/// Packets, frames and addresses as another program writes them (`Tests/SecondImplementation`).
@Suite("The second implementation's bytes")
struct SecondImplementationTests {
    private func versions(_ value: FrozenVector.Value) throws -> [ProtocolVersion] {
        try value.list.map { item throws in
            var reader = ByteReader(item.bytes)
            return ProtocolVersion(rawValue: try reader.integer())
        }
    }

    @Test("a varint has the same shortest form")
    func varints() throws {
        for vector in try FrozenVector.all("varint") {
            var writer = ByteWriter()
            writer.varint(vector.inputs["number"].number)
            #expect(writer.bytes == vector.outputs["bytes"].bytes, "\(vector)")
        }
    }

    @Test("HELLO and CHALLENGE are the same")
    func asking() throws {
        for vector in try FrozenVector.all("hello") {
            let hello = HelloPacket(
                ephemeral: vector.inputs["e"].bytes,
                versions: try versions(vector.inputs["versions"])
            )
            #expect(hello.bytes == vector.outputs["packet"].bytes, "\(vector)")
            #expect(try HelloPacket(parsing: hello.bytes) == hello)
        }
        for vector in try FrozenVector.all("challenge") {
            let packet = try ChallengePacket(parsing: vector.inputs["packet"].bytes)
            #expect(packet.echo == vector.outputs["e8"].bytes, "\(vector)")
            #expect(UInt64(packet.access.rawValue) == vector.outputs["access"].number)
            #expect(packet.versions == (try versions(vector.outputs["versions"])))
            #expect(packet.serverKey.bytes == vector.outputs["server_key"].bytes)
            #expect(packet.cookie == vector.outputs["cookie"].bytes)
            #expect(packet.bytes == vector.inputs["packet"].bytes)
        }
    }

    @Test("OPEN, ACCEPT and RESET are the same")
    func opening() throws {
        for vector in try FrozenVector.all("open") {
            let (inputs, bytes) = (vector.inputs, vector.outputs["packet"].bytes)
            var version = ByteReader(inputs["version"].bytes)
            let open = OpenPacket(
                version: ProtocolVersion(rawValue: try version.integer()),
                clientIndex: UInt8(inputs["client_index"].number),
                cookie: inputs["proof"].bytes,
                noise: inputs["noise1"].bytes
            )
            #expect(open.bytes == bytes, "\(vector)")
            #expect(try OpenPacket(parsing: bytes) == open)
        }
        for vector in try FrozenVector.all("accept") {
            let index = UInt8(vector.inputs["client_index"].number)
            let accept = AcceptPacket(clientIndex: index, noise: vector.inputs["noise2"].bytes)
            #expect(accept.bytes == vector.outputs["packet"].bytes, "\(vector)")
            #expect(try AcceptPacket(parsing: accept.bytes) == accept)
        }
        for vector in try FrozenVector.all("reset") {
            let reset = try ResetPacket(parsing: vector.inputs["packet"].bytes)
            var id = ByteReader(vector.outputs["connection_id"].bytes)
            #expect(reset.connectionID == (try id.integer()))
            #expect(reset.token == vector.outputs["reset_token"].bytes)
            #expect(reset.bytes == vector.inputs["packet"].bytes)
        }
    }

    @Test("every frame is read as it was meant, and is written the same")
    func frames() throws {
        for vector in try FrozenVector.all("frame") {
            let bytes = vector.outputs["bytes"].bytes
            var reader = ByteReader(bytes)
            let expected = try frame(vector.inputs["frame"].text, vector)
            #expect(try Frame.next(&reader) == expected, "\(vector)")
            #expect(reader.isAtEnd)
            guard let expected else { continue }
            let type = UInt8(vector.inputs["type"].number)
            // Nobody here leaves out a count, and what grease holds is not kept.
            if case .grease = expected { continue }
            if type & 0xFE == Frame.FrameType.record | Frame.FrameType.toTheEndFlag { continue }
            var writer = ByteWriter()
            expected.write(to: &writer)
            #expect(writer.bytes == bytes, "\(vector)")
        }
    }

    private func frame(_ name: String, _ vector: FrozenVector) throws -> Frame? {
        let values = vector.inputs["values"]
        switch name {
        case "padding": return nil
        case "ping": return .ping
        case "ack":
            let ranges = values["ranges"].list.map {
                UInt32($0[0].number)...UInt32($0[1].number)
            }
            return .ack(AckFrame(ranges: ranges, delay: values["delay"].number))
        case "ack_now": return .ackNow
        case "ack_later": return .ackLater
        case "record", "part":
            let fragment = RecordFrame.Fragment(
                offset: Int(truncatingIfNeeded: values["offset"].number),
                total: Int(truncatingIfNeeded: values["total"].number)
            )
            return .record(
                RecordFrame(
                    stream: values["stream"].number,
                    number: values["number"].number,
                    fragment: name == "part" ? fragment : nil,
                    bytes: values["bytes"].bytes
                )
            )
        case "datagram": return .datagram(values["bytes"].bytes)
        case "window": return .window(bytes: values["bytes"].number)
        case "path_challenge", "path_response":
            var data = ByteReader(values["data"].bytes)
            let number: UInt64 = try data.integer()
            return name == "path_challenge" ? .pathChallenge(number) : .pathResponse(number)
        case "token": return .token(values["token"].bytes)
        case "close":
            return .close(code: values["code"].number, reason: values["reason"].text)
        default:
            return .grease(
                type: UInt8(vector.inputs["type"].number),
                length: values["bytes"].bytes.count
            )
        }
    }

    @Test("an invitation's text is the same")
    func invitations() throws {
        for vector in try FrozenVector.all("invitation_text") {
            let bytes = vector.outputs["id"].bytes + vector.outputs["secret"].bytes
            #expect(Base32.encode(bytes) == vector.inputs["text"].text)
            #expect(Base32.decode(vector.inputs["text"].text) == bytes)
        }
    }
}
