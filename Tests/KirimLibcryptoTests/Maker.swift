import KirimLibcrypto
import KirimNoise

/// Whoever seals packets: all are to do the same.
enum Maker: CaseIterable {
    case swiftCrypto
    case system

    /// Those of this machine.
    static var present: [Maker] { allCases.filter { $0 == .swiftCrypto || $0.cipher != nil } }

    /// A fresh one; `nil` for swift-crypto.
    var cipher: SystemCipher? { self == .system ? SystemCipher() : nil }
}

extension PacketKey {
    /// Header and text as a sealed packet.
    func packet(
        _ header: [UInt8],
        _ text: [UInt8],
        _ number: UInt64,
        by cipher: (any PacketCipher)?
    ) -> [UInt8] {
        var packet = header + text
        seal(&packet, after: header.count, number: number, by: cipher)
        return packet
    }
}
