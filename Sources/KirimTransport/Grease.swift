package import KirimWire

/// How much is sent along that means nothing, so that receivers stay used to passing over what they do not know.
/// Simulations send more of it than is worth its bytes: what a later version will say.
package struct Grease: Hashable, Sendable {
    /// Versions that are offered beside those that are spoken; at most ``PacketSize/versionLimit`` less two.
    package var versions: [ProtocolVersion] = []
    /// One packet in so many carries a frame of an unknown type.
    package var framesOneIn: UInt64 = 64
    /// Bytes of such a frame, fewer than this.
    package var frameBytes: UInt64 = 8
    /// Parameters of unknown ids; each is longer than the one before.
    package var parameters = 1

    package init() {}
}
