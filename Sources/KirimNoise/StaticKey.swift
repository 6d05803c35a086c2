package struct StaticKey: Sendable {}
