import KirimNoise
import Testing

/// Our own handshakes, written down once: they fail when a byte of the format moves.
@Suite("Frozen Noise vectors")
struct FrozenVectorTests {
    private static let base = HandshakeVector(
        prologue: "6b6972696d2f31",
        psk: nil,
        initiatorIdentity: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        initiatorEphemeral: "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
        responderIdentity: "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f",
        responderEphemeral: "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f",
        handshakeHash: "5c5221693f878d4c0a469274c3f8cdb6a289a0547cd584567e8a906ae8b80bec",
        messages: [
            (
                "68616c6f20736572766572",
                "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd1662547e923248"
                    + "8899909b08d1fa72a80e3d522f7bf021397325c4e2fb1e9593dd7da1b25e6c80c334877c"
                    + "c5479deec736b7a4c0e363021725f77c690f7ee4befc9f9fc1cdd7997985aceb96fb80"
            ),
            (
                "68616c6f206a75676120636c69656e74",
                "675dd574ed7789310b3d2e7681f3790b466c773b1521fecf36577958371ea52f18c0adcd"
                    + "7c9aa57351e6e67bbe5cf1b2f6440c3ff78d61085a2e5a5d39deac02"
            ),
            ("", "f79dc0d29a84e4055cb0a64aa9b42c29"),
            ("6b6972696d", "a44935b9a24f2d3aa0ef3c017bc3a6edd075241a1e"),
            ("ff", "7d55035b47002ab618c2afb1dcd2bc0475"),
        ]
    )

    @Test("IK writes the bytes that it always wrote")
    func plain() throws { try Self.base.check() }

    @Test("IKpsk2 writes the bytes that it always wrote")
    func withKey() throws {
        var vector = Self.base
        vector.psk = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
        vector.handshakeHash =
            "e4b5ca70bbfced89896c1fc3f45482a88f777ebd3feb3e47ebaafbbaeb076dec"
        vector.messages = [
            (
                "68616c6f20736572766572",
                "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254f15fbe14"
                    + "559b3584b0b553d8475e3ddca5fb6d244707aaf94bc8bda6d511e1a4c36dc4e7221ce321"
                    + "dcddbebcdbf1eb58d25bbea578f1e9adbdeac6345f8f6788e23a84c0391407bff2ea04"
            ),
            (
                "68616c6f206a75676120636c69656e74",
                "675dd574ed7789310b3d2e7681f3790b466c773b1521fecf36577958371ea52f4122d3b5"
                    + "4b69db3ea8c5dae5a7e0b558001975d135b77500b14b55e48821b4a3"
            ),
            ("", "86e350845115e017e883759b563a88c5"),
            ("6b6972696d", "d3f01bc4a907a1acee38bb33ba03ee397fe87f7e82"),
            ("ff", "a06e14c050ab741dab5d955b04f8efa6c6"),
        ]
        try vector.check()
    }
}
