import KirimNoise
import KirimWire

/// The bytes that a string of hexadecimal digits stands for.
func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    precondition(digits.count == text.utf8.count && digits.count % 2 == 0, "not hexadecimal")
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}

func key(_ text: String) -> StaticKey {
    guard let key = StaticKey(privateBytes: hex(text)) else {
        preconditionFailure("not a private key: \(text)")
    }
    return key
}

func publicKey(_ text: String) -> PublicKey {
    guard let key = PublicKey(bytes: hex(text)) else {
        preconditionFailure("not a public key: \(text)")
    }
    return key
}
