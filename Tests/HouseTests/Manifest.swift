/// What `Package.swift` says, read as text: which target may import what.
struct Manifest {
    /// Target name to the modules in its line.
    var targets: [String: Set<String>] = [:]
    /// The last part of each package's address: `swift-nio`.
    var packages: [String] = []

    init() throws {
        let text = try Tree.file("Package.swift").text
        var products: [String: String] = [:]
        for match in try text.matches(
            of: #"let (\w+) = Target\.Dependency\.(?:product|target)\(\s*name: "(\w+)""#
        ) {
            products[match[1]] = match[2]
        }
        for match in try text.matches(of: #"\(\s*"([\w-]+)",\s*\[([^\]]*)\]\s*\)"#) {
            let names = try match[2].matches(of: #""?([\w-]+)"?"#).map { products[$0[1]] ?? $0[1] }
            targets[match[1]] = Set(names)
        }
        packages = try text.matches(of: #"\.package\(\s*url: "[^"]*/([^"/]+?)(?:\.git)?""#).map {
            $0[1]
        }
    }
}
