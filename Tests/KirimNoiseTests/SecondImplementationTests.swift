import KirimNoise
import KirimTestKit
import KirimWire
import Testing

/// Keys, handshakes and sealed packets as another program computes them (`Tests/SecondImplementation`).
@Suite("The second implementation's keys")
struct SecondImplementationTests {
    private func key(_ value: FrozenVector.Value) throws -> StaticKey {
        try #require(StaticKey(privateBytes: value.bytes))
    }

    @Test("a private key has the same public one")
    func publicKeys() throws {
        for vector in try FrozenVector.all("public_key") {
            let key = try key(vector.inputs["private"])
            #expect(key.publicKey.bytes == vector.outputs["public"].bytes, "\(vector)")
        }
    }

    @Test("a password gives the same shared key")
    func password() throws {
        for vector in try FrozenVector.all("password_key") {
            let server = try #require(PublicKey(bytes: vector.inputs["server_key"].bytes))
            let password = Array(vector.inputs["password"].text.utf8)
            let derived = PasswordKey.derive(password: password, serverKey: server)
            #expect(derived == vector.outputs["shared_key"].bytes)
        }
    }

    @Test("a server's key gives the same secrets")
    func derived() throws {
        for vector in try FrozenVector.all("derived") {
            let label = "kirim/1 \(vector.inputs["label"].text)"
            let context = vector.inputs["context"].bytes
            let secret = try key(vector.inputs["server_private"]).derive(label, context: context)
            #expect(secret == vector.outputs["secret"].bytes, "\(vector)")
        }
    }

    @Test("a proof has the same tag")
    func proofs() throws {
        for vector in try FrozenVector.all("proof") {
            var head = ByteWriter(capacity: 5)
            head.byte(UInt8(vector.inputs["kind"].number))
            head.integer(UInt32(vector.inputs["issued"].number))
            let secret = MACKey(vector.inputs["secret"].bytes)
            let tag = secret.tag(head.bytes + vector.inputs["rest"].bytes)
            #expect(head.bytes + tag == vector.outputs["proof"].bytes, "\(vector)")
        }
    }

    @Test("a handshake with the same keys has the same messages, hash and session keys")
    func handshakes() throws {
        for vector in try FrozenVector.all("handshake") {
            let (inputs, outputs) = (vector.inputs, vector.outputs)
            let psk = inputs["shared_key"].optional?.bytes
            let (client, server) = (
                try key(inputs["initiator_static"]), try key(inputs["responder_static"])
            )
            var initiator = InitiatorHandshake(
                identity: client,
                ephemeral: try key(inputs["initiator_ephemeral"]),
                remote: server.publicKey,
                prologue: inputs["prologue"].bytes,
                psk: psk
            )
            var responder = ResponderHandshake(
                identity: server,
                prologue: inputs["prologue"].bytes,
                usesPSK: psk != nil
            )
            let message1 = try initiator.writeMessage1(inputs["payload1"].bytes)
            #expect(message1 == outputs["message1"].bytes, "\(vector)")
            let heard = try responder.readMessage1(message1)
            #expect(heard.payload == inputs["payload1"].bytes)
            #expect(heard.remote == client.publicKey)
            let (message2, theirs) = try responder.writeMessage2(
                inputs["payload2"].bytes,
                ephemeral: try key(inputs["responder_ephemeral"]),
                psk: psk
            )
            #expect(message2 == outputs["message2"].bytes, "\(vector)")
            let (payload, ours) = try initiator.readMessage2(message2)
            #expect(payload == inputs["payload2"].bytes)
            #expect(ours.handshakeHash == outputs["handshake_hash"].bytes)
            // A key shows only in what it seals.
            for (key, name) in [(ours.sealing, "key_to_server"), (theirs.sealing, "key_to_client")]
            {
                let same = PacketKey(outputs[name].bytes)
                #expect(
                    key.seal([1, 2, 3], number: 9, header: [4])
                        == same.seal([1, 2, 3], number: 9, header: [4]),
                    "\(vector): \(name)"
                )
            }
        }
    }

    @Test("DATA is sealed the same in both directions, and opens")
    func sealed() throws {
        for vector in try FrozenVector.all("sealed") {
            let number = UInt32(vector.inputs["number"].number)
            var header = ByteWriter(capacity: 13)
            header.append(vector.inputs["header"].bytes)
            header.integer(number)
            let key = PacketKey(vector.inputs["key"].bytes)
            let plaintext = vector.outputs["plaintext"].bytes
            let packet =
                header.bytes
                + key.seal(plaintext, number: UInt64(number), header: header.bytes)
            #expect(packet == vector.outputs["packet"].bytes, "\(vector)")
            // As an endpoint reads it: from the packet's first byte on.
            let isToServer = header.bytes.count == PacketSize.dataHeaderToServer
            let read =
                try isToServer
                ? DataHeader.parsingToServer(packet) : DataHeader.parsingToClient(packet)
            #expect(read.packetNumber == number)
            #expect(read.bytes == header.bytes)
            let opened = key.open(
                packet[read.size...],
                number: UInt64(read.packetNumber),
                header: packet[..<read.size]
            )
            #expect(opened == plaintext)
            #expect(try !Frame.all(in: plaintext).isEmpty)
        }
    }
}
