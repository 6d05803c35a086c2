import KirimNoise

/// OpenSSL's context of a cipher: does one packet after the other, each with its key.
///
/// The key of the last packet stays in it until the next one's; OpenSSL wipes it when the context is freed. Nobody else has the
/// context and every use changes this value, so two threads cannot use it at once.
struct CipherContext: ~Copyable, Sendable {
    private let library: Libcrypto
    /// The context's address, since pointers are not `Sendable`.
    private let address: UInt

    private enum Direction {
        static let opening: CInt = 0
        static let sealing: CInt = 1
    }

    private init(_ library: Libcrypto, _ context: Libcrypto.Context) {
        self.library = library
        address = UInt(bitPattern: context)
    }

    deinit { library.free(Libcrypto.Context(bitPattern: address)) }

    private var context: Libcrypto.Context? { Libcrypto.Context(bitPattern: address) }

    /// `nil` where the library has not got the cipher.
    static func make(_ library: Libcrypto) -> CipherContext? {
        guard let cipher = library.cipher(), let made = library.make() else { return nil }
        let context = CipherContext(library, made)
        // Looked up once, here: that takes longer than a packet.
        guard library.initialize(made, cipher, nil, nil, nil, Direction.sealing) == 1 else {
            return nil
        }
        return context
    }

    /// As ``PacketCipher/seal(_:after:nonce:key:)``.
    mutating func seal(
        _ packet: [UInt8],
        after headerSize: Int,
        nonce: UnsafeRawBufferPointer,
        key: UnsafeRawBufferPointer
    ) -> [UInt8]? {
        guard begin(Direction.sealing, nonce, key) else { return nil }
        let size = packet.count + PacketKey.tagSize
        var isSealed = false
        let sealed = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            isSealed = packet.withUnsafeBytes {
                encrypt($0, after: headerSize, to: UnsafeMutableRawBufferPointer(buffer))
            }
            if isSealed { count = size }
        }
        return isSealed ? sealed : nil
    }

    private func encrypt(
        _ packet: UnsafeRawBufferPointer,
        after headerSize: Int,
        to output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let header = UnsafeRawBufferPointer(rebasing: packet[..<headerSize])
        let text = UnsafeRawBufferPointer(rebasing: packet[headerSize...])
        let ciphertext = UnsafeMutableRawBufferPointer(rebasing: output[headerSize...])
        let tag = UnsafeMutableRawBufferPointer(rebasing: output[packet.count...])
        output.copyMemory(from: header)
        return authenticate(header) && crypt(text, to: ciphertext) && finish(tag)
            && library.control(context, Libcrypto.getTag, CInt(tag.count), tag.baseAddress) == 1
    }

    /// As ``PacketCipher/open(_:header:nonce:key:)``.
    mutating func open(
        _ sealed: ArraySlice<UInt8>,
        header: ArraySlice<UInt8>,
        nonce: UnsafeRawBufferPointer,
        key: UnsafeRawBufferPointer
    ) -> PacketOpening {
        guard begin(Direction.opening, nonce, key) else { return .failed }
        let size = sealed.count - PacketKey.tagSize
        var isAuthentic: Bool?
        let text = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            isAuthentic = sealed.withUnsafeBytes { sealed in
                header.withUnsafeBytes {
                    decrypt(sealed, header: $0, to: UnsafeMutableRawBufferPointer(buffer))
                }
            }
            if isAuthentic == true { count = size }
        }
        return switch isAuthentic {
        case true?: .text(text)
        case false?: .notAuthentic
        case nil: .failed
        }
    }

    /// Whether the tag is right; `nil` where that did not become known.
    private func decrypt(
        _ sealed: UnsafeRawBufferPointer,
        header: UnsafeRawBufferPointer,
        to output: UnsafeMutableRawBufferPointer
    ) -> Bool? {
        let size = sealed.count - PacketKey.tagSize
        let ciphertext = UnsafeRawBufferPointer(rebasing: sealed[..<size])
        let tag = UnsafeRawBufferPointer(rebasing: sealed[size...])
        // Without a tag OpenSSL would compare nothing, and find no difference.
        let hasTag = library.control(
            context,
            Libcrypto.setTag,
            CInt(tag.count),
            UnsafeMutableRawPointer(mutating: tag.baseAddress)
        )
        guard hasTag == 1, authenticate(header), crypt(ciphertext, to: output) else { return nil }
        return finish(output)
    }

    // MARK: - Steps

    /// Forgets the packet before, whatever became of it.
    private func begin(
        _ direction: CInt,
        _ nonce: UnsafeRawBufferPointer,
        _ key: UnsafeRawBufferPointer
    ) -> Bool {
        precondition(key.count == 32 && nonce.count == 12, "OpenSSL reads so many bytes unasked")
        return library.initialize(
            context,
            nil,
            nil,
            key.baseAddress,
            nonce.baseAddress,
            direction
        ) == 1
    }

    private func authenticate(_ header: UnsafeRawBufferPointer) -> Bool {
        var written: CInt = 0
        return header.isEmpty
            || library.update(context, nil, &written, header.baseAddress, CInt(header.count)) == 1
    }

    private func crypt(
        _ text: UnsafeRawBufferPointer,
        to output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        var written: CInt = 0
        return text.isEmpty
            || library.update(
                context,
                output.baseAddress,
                &written,
                text.baseAddress,
                CInt(text.count)
            ) == 1 && written == text.count
    }

    /// Computes the tag; as it opens, also compares it. Writes nothing.
    private func finish(_ output: UnsafeMutableRawBufferPointer) -> Bool {
        var written: CInt = 0
        return library.finish(context, output.baseAddress, &written) == 1 && written == 0
    }
}
