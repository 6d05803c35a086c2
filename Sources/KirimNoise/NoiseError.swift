/// Why a handshake message was refused.
///
/// Whoever reads it counts it and answers nothing.
package enum NoiseError: Error, Hashable, Sendable {
    /// The message ended before its last field did.
    case truncated
    /// Somebody without the keys wrote the message, or changed it.
    case notAuthentic
    /// A key of low order, with which everybody would share the same secret.
    case badKey
}
