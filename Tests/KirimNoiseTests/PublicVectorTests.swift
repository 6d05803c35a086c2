import Foundation
import KirimNoise
import Testing

/// The vectors that other Noise implementations agree on (cacophony's and snow's collection).
///
/// The file is not ours to pass on, so it lies beside the package or is missing.
@Suite("Public Noise vectors")
struct PublicVectorTests {
    private struct File: Decodable {
        var vectors: [Vector]
    }

    private struct Vector: Decodable {
        var protocol_name: String
        var init_prologue: String
        var init_psks: [String]?
        var init_static: String?
        var init_ephemeral: String
        var resp_static: String?
        var resp_ephemeral: String?
        var handshake_hash: String?
        var messages: [Message]
    }

    private struct Message: Decodable {
        var payload: String
        var ciphertext: String
    }

    private static let file = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "shared/vectors/noise.json")

    private static var isHere: Bool {
        if FileManager.default.fileExists(atPath: file.path) { return true }
        print("SKIPPED: the public Noise vectors are not at \(file.path); the frozen ones run.")
        return false
    }

    @Test(
        "plays every IK and IKpsk2 vector to the byte",
        .enabled(if: isHere, "the file of public vectors is not beside the package")
    )
    func everyVector() throws {
        let file = try JSONDecoder().decode(File.self, from: Data(contentsOf: Self.file))
        let names = ["Noise_IK_25519_ChaChaPoly_SHA256", "Noise_IKpsk2_25519_ChaChaPoly_SHA256"]
        var played: [String: Int] = [:]
        for vector in file.vectors where names.contains(vector.protocol_name) {
            let handshake = HandshakeVector(
                prologue: vector.init_prologue,
                psk: vector.init_psks?.first,
                initiatorIdentity: try #require(vector.init_static),
                initiatorEphemeral: vector.init_ephemeral,
                responderIdentity: try #require(vector.resp_static),
                responderEphemeral: try #require(vector.resp_ephemeral),
                handshakeHash: vector.handshake_hash,
                messages: vector.messages.map { ($0.payload, $0.ciphertext) }
            )
            try handshake.check()
            played[vector.protocol_name, default: 0] += 1
        }
        for name in names { #expect(played[name, default: 0] > 0, "no vector of \(name)") }
    }
}
