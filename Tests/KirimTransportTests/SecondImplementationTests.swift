import KirimNoise
import KirimTestKit
import KirimTransport
import KirimWire
import Testing

/// What goes into a handshake, as another program computes it (`Tests/SecondImplementation`).
@Suite("The second implementation's handshake")
struct SecondImplementationTests {
    @Test("a prologue is the same, and counts no grease")
    func prologues() throws {
        for vector in try FrozenVector.all("prologue") {
            func version(_ value: FrozenVector.Value) throws -> ProtocolVersion {
                var reader = ByteReader(value.bytes)
                return ProtocolVersion(rawValue: try reader.integer())
            }
            let access = UInt8(vector.inputs["access"].number)
            let prologue = Prologue.bytes(
                version: try version(vector.inputs["version"]),
                access: try #require(Access(rawValue: access)),
                listed: try vector.inputs["versions"].list.map(version) + [.grease(3)]
            )
            #expect(prologue == vector.outputs["prologue"].bytes, "\(vector)")
        }
    }

    @Test("an invitation has the same secret and end")
    func invitations() throws {
        for kind in ["invitation_secret", "invitation_text"] {
            for vector in try FrozenVector.all(kind) {
                let server = try #require(
                    StaticKey(privateBytes: vector.inputs["server_private"].bytes)
                )
                let bytes = (vector.inputs["id"].optional ?? vector.outputs["id"]).bytes
                let id = try #require(InvitationID(bytes: bytes))
                #expect(id.secret(of: server) == vector.outputs["secret"].bytes, "\(vector)")
                if let end = vector.outputs["end_minutes"].optional?.number {
                    #expect(UInt64(id.endMinute) == end)
                }
            }
        }
    }
}
