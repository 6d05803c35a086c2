#if GTK
/// A QR code of a text: bytes, error correction level M, versions 1 to 20 (ISO/IEC 18004).
package nonisolated struct QRCode: Hashable, Sendable {
    /// Modules on each side, without the quiet zone.
    package let size: Int
    private var dark: [Bool]
    private var isFunction: [Bool]
    private let version: Int

    /// Correction codewords of a block, and blocks, of each version at level M (table 9).
    private static let correction = [
        10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
    ]
    private static let blocks = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16]

    /// `nil` where the text is longer than version 20 holds: 666 bytes.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let version = (1...20).first(where: { Self.fits(bytes.count, $0) }) else {
            return nil
        }
        self.version = version
        size = version * 4 + 17
        dark = Array(repeating: false, count: size * size)
        isFunction = dark
        drawFunctions()
        let codewords = Self.withCorrection(Self.data(bytes, version), version)
        draw(codewords)
        var best = (penalty: Int.max, mask: 0)
        for mask in 0..<8 {
            var tried = self
            tried.finish(mask: mask)
            let penalty = tried.penalty
            if penalty < best.penalty { best = (penalty, mask) }
        }
        finish(mask: best.mask)
    }

    /// Whether the module is dark.
    package subscript(_ x: Int, _ y: Int) -> Bool { dark[y * size + x] }

    // MARK: - Codewords

    private static func allCodewords(_ version: Int) -> Int {
        var bits = (16 * version + 128) * version + 64
        if version >= 2 {
            let count = version / 7 + 2
            bits -= (25 * count - 10) * count - 55
            if version >= 7 { bits -= 36 }
        }
        return bits / 8
    }

    private static func dataCodewords(_ version: Int) -> Int {
        allCodewords(version) - correction[version - 1] * blocks[version - 1]
    }

    private static func fits(_ count: Int, _ version: Int) -> Bool {
        4 + (version < 10 ? 8 : 16) + count * 8 <= dataCodewords(version) * 8
    }

    private static func data(_ bytes: [UInt8], _ version: Int) -> [UInt8] {
        var bits: [Bool] = []
        func put(_ value: Int, _ count: Int) {
            for place in (0..<count).reversed() { bits.append(value >> place & 1 == 1) }
        }
        put(0b0100, 4)
        put(bytes.count, version < 10 ? 8 : 16)
        for byte in bytes { put(Int(byte), 8) }
        let capacity = dataCodewords(version) * 8
        put(0, min(4, capacity - bits.count))
        put(0, (8 - bits.count % 8) % 8)
        var pad = 0xEC
        while bits.count < capacity {
            put(pad, 8)
            pad ^= 0xEC ^ 0x11
        }
        return stride(from: 0, to: bits.count, by: 8).map { start in
            bits[start..<start + 8].reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
        }
    }

    /// The blocks, each with its correction, read across.
    private static func withCorrection(_ data: [UInt8], _ version: Int) -> [UInt8] {
        let count = blocks[version - 1]
        let length = correction[version - 1]
        let all = allCodewords(version)
        let short = count - all % count
        let shortLength = all / count - length
        let divisor = generator(length)
        var parts: [(data: [UInt8], correction: [UInt8])] = []
        var start = 0
        for number in 0..<count {
            let end = start + shortLength + (number < short ? 0 : 1)
            let part = Array(data[start..<end])
            parts.append((part, remainder(part, divisor)))
            start = end
        }
        var result: [UInt8] = []
        for place in 0...shortLength {
            for part in parts where place < part.data.count { result.append(part.data[place]) }
        }
        for place in 0..<length {
            for part in parts { result.append(part.correction[place]) }
        }
        return result
    }

    // MARK: - Arithmetic in GF(2⁸) modulo 0x11D

    private static func product(_ a: UInt8, _ b: UInt8) -> UInt8 {
        var result = 0
        for place in (0..<8).reversed() {
            result = result << 1 ^ (result >> 7) * 0x11D
            result ^= Int(b >> place & 1) * Int(a)
        }
        return UInt8(result & 0xFF)
    }

    private static func generator(_ degree: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: degree - 1) + [1]
        var root: UInt8 = 1
        for _ in 0..<degree {
            for place in result.indices {
                result[place] = product(result[place], root)
                if place + 1 < degree { result[place] ^= result[place + 1] }
            }
            root = product(root, 2)
        }
        return result
    }

    private static func remainder(_ data: [UInt8], _ divisor: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: divisor.count)
        for byte in data {
            let factor = byte ^ result.removeFirst()
            result.append(0)
            for place in result.indices { result[place] ^= product(divisor[place], factor) }
        }
        return result
    }

    // MARK: - Drawing

    private mutating func set(_ x: Int, _ y: Int, _ isDark: Bool) {
        dark[y * size + x] = isDark
        isFunction[y * size + x] = true
    }

    private mutating func drawFunctions() {
        for place in 0..<size {
            set(6, place, place % 2 == 0)
            set(place, 6, place % 2 == 0)
        }
        for (x, y) in [(3, 3), (size - 4, 3), (3, size - 4)] { drawFinder(x, y) }
        let positions = alignments
        for x in positions {
            for y in positions {
                let isCorner =
                    (x == 6 && y == 6) || (x == 6 && y == size - 7) || (x == size - 7 && y == 6)
                if !isCorner { drawAlignment(x, y) }
            }
        }
        drawFormat(mask: 0)
        drawVersion()
    }

    private var alignments: [Int] {
        guard version > 1 else { return [] }
        let count = version / 7 + 2
        let step = (version * 8 + count * 3 + 5) / (count * 4 - 4) * 2
        return [6] + (0..<count - 1).map { size - 7 - $0 * step }.reversed()
    }

    private mutating func drawFinder(_ x: Int, _ y: Int) {
        for dx in -4...4 {
            for dy in -4...4 where (0..<size).contains(x + dx) && (0..<size).contains(y + dy) {
                let distance = max(abs(dx), abs(dy))
                set(x + dx, y + dy, distance != 2 && distance != 4)
            }
        }
    }

    private mutating func drawAlignment(_ x: Int, _ y: Int) {
        for dx in -2...2 {
            for dy in -2...2 { set(x + dx, y + dy, max(abs(dx), abs(dy)) != 1) }
        }
    }

    private mutating func drawFormat(mask: Int) {
        // Level M is 00.
        var rest = mask
        for _ in 0..<10 { rest = rest << 1 ^ (rest >> 9) * 0x537 }
        let bits = (mask << 10 | rest) ^ 0x5412
        func bit(_ place: Int) -> Bool { bits >> place & 1 == 1 }
        for place in 0...5 { set(8, place, bit(place)) }
        set(8, 7, bit(6))
        set(8, 8, bit(7))
        set(7, 8, bit(8))
        for place in 9..<15 { set(14 - place, 8, bit(place)) }
        for place in 0..<8 { set(size - 1 - place, 8, bit(place)) }
        for place in 8..<15 { set(8, size - 15 + place, bit(place)) }
        set(8, size - 8, true)
    }

    private mutating func drawVersion() {
        guard version >= 7 else { return }
        var rest = version
        for _ in 0..<12 { rest = rest << 1 ^ (rest >> 11) * 0x1F25 }
        let bits = version << 12 | rest
        for place in 0..<18 {
            let isDark = bits >> place & 1 == 1
            let (a, b) = (size - 11 + place % 3, place / 3)
            set(a, b, isDark)
            set(b, a, isDark)
        }
    }

    private mutating func draw(_ codewords: [UInt8]) {
        var place = 0
        var right = size - 1
        while right >= 1 {
            // The column of the timing pattern is passed over.
            if right == 6 { right = 5 }
            for step in 0..<size {
                for column in 0..<2 {
                    let x = right - column
                    let y = (right + 1) & 2 == 0 ? size - 1 - step : step
                    guard !isFunction[y * size + x], place < codewords.count * 8 else { continue }
                    dark[y * size + x] = codewords[place >> 3] >> (7 - place & 7) & 1 == 1
                    place += 1
                }
            }
            right -= 2
        }
    }

    private mutating func finish(mask: Int) {
        for y in 0..<size {
            for x in 0..<size where !isFunction[y * size + x] && Self.inverts(mask, x, y) {
                dark[y * size + x].toggle()
            }
        }
        drawFormat(mask: mask)
    }

    private static func inverts(_ mask: Int, _ x: Int, _ y: Int) -> Bool {
        switch mask {
        case 0: (x + y) % 2 == 0
        case 1: y % 2 == 0
        case 2: x % 3 == 0
        case 3: (x + y) % 3 == 0
        case 4: (x / 3 + y / 2) % 2 == 0
        case 5: x * y % 2 + x * y % 3 == 0
        case 6: (x * y % 2 + x * y % 3) % 2 == 0
        default: ((x + y) % 2 + x * y % 3) % 2 == 0
        }
    }

    /// How hard it is to read: long runs, blocks, and too much of one colour (§7.8.3, without the third rule).
    private var penalty: Int {
        var penalty = 0
        for line in 0..<size {
            for isRow in [true, false] {
                var run = 0
                var last = false
                for place in 0..<size {
                    let now = isRow ? self[place, line] : self[line, place]
                    run = place > 0 && now == last ? run + 1 : 1
                    last = now
                    if run == 5 { penalty += 3 } else if run > 5 { penalty += 1 }
                }
            }
        }
        for y in 0..<size - 1 {
            for x in 0..<size - 1 {
                let colour = self[x, y]
                let isBlock =
                    colour == self[x + 1, y] && colour == self[x, y + 1]
                    && colour == self[x + 1, y + 1]
                if isBlock { penalty += 3 }
            }
        }
        let percent = dark.count { $0 } * 100 / dark.count
        return penalty + abs(percent - 50) / 5 * 10
    }
}
#endif
