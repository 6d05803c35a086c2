#if GTK
import KirimWindow
import Testing

@Suite("A QR code")
struct QRCodeTests {
    @Test(
        "takes the smallest version that holds the text",
        arguments: [(1, 21), (14, 21), (15, 25), (180, 53), (181, 57), (666, 97)]
    )
    func sizes(count: Int, size: Int) throws {
        let code = try #require(QRCode(String(repeating: "k", count: count)))
        #expect(code.size == size)
    }

    @Test("holds no text that is longer than it can be")
    func tooLong() {
        #expect(QRCode(String(repeating: "k", count: 667)) == nil)
    }

    @Test("has its three finders, its timing, and a quiet edge between")
    func patterns() throws {
        let code = try #require(QRCode("kirim://127.0.0.1:12345/"))
        let last = code.size - 1
        for (x, y) in [(0, 0), (last - 6, 0), (0, last - 6)] {
            #expect((0..<7).allSatisfy { code[x + $0, y] && code[x, y + $0] })
            #expect(code[x + 3, y + 3] && !code[x + 1, y + 1])
        }
        #expect((8..<last - 7).allSatisfy { code[$0, 6] == ($0 % 2 == 0) })
        #expect((0..<8).allSatisfy { !code[7, $0] })
    }

    @Test("is drawn as it was when zbarimg read it")
    func known() throws {
        let code = try #require(QRCode("kirim"))
        let rows = (0..<code.size).map { y in
            (0..<code.size).map { code[$0, y] ? "#" : "." }.joined()
        }
        #expect(rows == Self.kirim)
    }

    private static let kirim = [
        "#######.##.#..#######",
        "#.....#...###.#.....#",
        "#.###.#.#...#.#.###.#",
        "#.###.#...#...#.###.#",
        "#.###.#..#.##.#.###.#",
        "#.....#.#..##.#.....#",
        "#######.#.#.#.#######",
        ".........#..#........",
        "#.#...##.#.....#..#.#",
        "###..#.#.###.###..#.#",
        ".#.#.##..#####.##.#.#",
        "....##.#..##.###.#.##",
        "#..#.####.#######..#.",
        "........#...........#",
        "#######.###...#..#..#",
        "#.....#..#..#...##.#.",
        "#.###.#.......#..#..#",
        "#.###.#..#.#.##...#..",
        "#.###.#.#.####.##.###",
        "#.....#..#.#.###.#...",
        "#######.#######..#..#",
    ]
}
#endif
