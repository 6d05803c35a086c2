import KirimWire
import Testing

@Suite("Bytes")
struct ByteTests {
    @Test(
        "reads and writes the varints of RFC 9000 §A.1",
        arguments: [
            ("c2197c5eff14e88c", 151_288_809_941_952_652), ("9d7f3e7d", 494_878_333),
            ("7bbd", 15_293), ("25", 37),
        ] as [(String, UInt64)]
    )
    func varints(text: String, value: UInt64) throws {
        let bytes = hex(text)
        var reader = ByteReader(bytes)
        #expect(try reader.varint() == value)
        try reader.finish()
        var writer = ByteWriter()
        writer.varint(value)
        #expect(writer.bytes == bytes)
        #expect(ByteWriter.varintSize(value) == bytes.count)
    }

    @Test("reads a varint that is longer than it had to be (RFC 9000 §A.1)")
    func longVarint() throws {
        var reader = ByteReader(hex("4025"))
        #expect(try reader.varint() == 37)
        try reader.finish()
    }

    @Test("varints keep their value at the border of every size, and refuse every proper prefix")
    func varintBorders() throws {
        let shifts: [UInt64] = [0, 6, 14, 30, 62]
        for shift in shifts {
            for value in [(1 << shift) - 1, 1 << shift, (1 << shift) + 1] as [UInt64]
            where value <= ByteWriter.largestVarint {
                var writer = ByteWriter()
                writer.varint(value)
                #expect(writer.count == ByteWriter.varintSize(value))
                var reader = ByteReader(writer.bytes)
                #expect(try reader.varint() == value)
                for count in 0..<writer.count {
                    var reader = ByteReader(Array(writer.bytes.prefix(count)))
                    #expect(throws: WireError.truncated) { try reader.varint() }
                }
            }
        }
    }

    @Test("reads integers of every width, high byte first, and leaves a short one alone")
    func integers() throws {
        var writer = ByteWriter()
        writer.integer(0x01 as UInt8)
        writer.integer(0x0203 as UInt16)
        writer.integer(0x0405_0607 as UInt32)
        writer.integer(0x8009_0A0B_0C0D_0E0F as UInt64)
        #expect(writer.bytes == hex("01020304050607" + "80090a0b0c0d0e0f"))
        var reader = ByteReader(writer.bytes)
        #expect(try reader.integer(UInt8.self) == 1)
        #expect(try reader.integer(UInt16.self) == 0x0203)
        #expect(try reader.integer(UInt32.self) == 0x0405_0607)
        #expect(try reader.integer(Int64.self) == Int64(bitPattern: 0x8009_0A0B_0C0D_0E0F))
        #expect(reader.isAtEnd)
        #expect(throws: WireError.truncated) { try reader.byte() }
        var short = ByteReader([1, 2, 3])
        #expect(throws: WireError.truncated) { try short.integer(UInt32.self) }
        #expect(short.remaining == 3)
    }

    @Test(
        "a length larger than its limit, or than what is left, is refused before anything is taken"
    )
    func lengths() {
        var writer = ByteWriter()
        writer.varint(ByteWriter.largestVarint)
        var huge = ByteReader(writer.bytes + [1, 2, 3])
        #expect(throws: WireError.tooLong) { try huge.prefixed(limit: 1 << 20) }
        var absent = ByteReader([5, 1, 2, 3, 4])
        #expect(throws: WireError.truncated) { try absent.prefixed(limit: 5) }
        var long = ByteReader([5, 1, 2, 3, 4, 5])
        #expect(throws: WireError.tooLong) { try long.prefixed(limit: 4) }
        var negative = ByteReader([1])
        #expect(throws: WireError.truncated) { try negative.take(-1) }
        #expect(throws: WireError.truncated) { try negative.skip(-1) }
        #expect(throws: WireError.trailingBytes) { try negative.finish() }
    }

    @Test("text is UTF-8, whole, or refused")
    func text() throws {
        var writer = ByteWriter()
        writer.text("halo 👋 دنيا")
        var reader = ByteReader(writer.bytes)
        #expect(try reader.text(limit: 100) == "halo 👋 دنيا")
        // An overlong form, a surrogate, a lone continuation, a cut character, a byte above F4.
        for bytes in ["c0af", "eda080", "80", "f09f91", "f8"] {
            var writer = ByteWriter()
            writer.prefixed(hex(bytes))
            var reader = ByteReader(writer.bytes)
            #expect(throws: WireError.malformed, "\(bytes)") { try reader.text(limit: 100) }
        }
    }

    @Test("pads up to a size and never cuts")
    func padding() {
        var writer = ByteWriter()
        writer.append([1, 2, 3])
        writer.pad(to: 5)
        #expect(writer.bytes == [1, 2, 3, 0, 0])
        writer.pad(to: 2)
        #expect(writer.count == 5)
    }
}
