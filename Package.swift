// swift-tools-version: 6.2
import PackageDescription

/// One list for every target: what a machine can check, it checks here.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .treatAllWarnings(as: .error),
]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(
    name: "ServiceLifecycle",
    package: "swift-service-lifecycle"
)
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
/// SQLite itself, as GRDB imports it.
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")

/// GTK and libadwaita, which only the trait of that name asks for.
let gtk = Target.Dependency.target(name: "CGtk", condition: .when(traits: ["GTK"]))

/// What Swift's module of the C library leaves out, where there is Linux.
let linux = Target.Dependency.target(name: "CLinux", condition: .when(platforms: [.linux]))

/// The arrows of docs/ARCHITECTURE.md: each target may import what stands in its line, no more.
let modules: [(name: String, dependencies: [Target.Dependency])] = [
    ("KirimWire", []),
    ("KirimNoise", ["KirimWire", crypto, cryptoExtras]),
    ("KirimLibcrypto", ["KirimNoise"]),
    ("KirimTransport", ["KirimWire", "KirimNoise", deque, heap]),
    ("KirimRooms", ["KirimWire"]),
    ("KirimPlain", ["KirimWire", "KirimRooms"]),
    (
        "KirimServerCore",
        ["KirimWire", "KirimNoise", "KirimTransport", "KirimRooms", "KirimPlain", deque]
    ),
    ("KirimClientCore", ["KirimWire", "KirimNoise", "KirimTransport", "KirimRooms", deque]),
    ("KirimJournal", ["KirimWire", "KirimRooms", grdb, sqlite]),
    (
        "KirimServer",
        [
            "KirimWire", "KirimNoise", "KirimTransport", "KirimRooms", "KirimPlain",
            "KirimServerCore",
            "KirimLibcrypto", "KirimJournal", nioCore, nioPosix, logging, metrics, lifecycle, deque,
            linux,
        ]
    ),
    (
        "KirimClient",
        [
            "KirimWire", "KirimNoise", "KirimTransport", "KirimRooms", "KirimPlain",
            "KirimClientCore",
            "KirimJournal", nioCore, nioPosix, deque,
        ]
    ),
    ("KirimScreen", ["KirimWire", "KirimRooms"]),
    ("KirimErrands", ["KirimWire", "KirimRooms", "KirimClient", "KirimScreen"]),
    (
        "KirimTerminal",
        ["KirimWire", "KirimRooms", "KirimClient", "KirimScreen", "KirimErrands"]
    ),
    (
        "KirimSimulation",
        [
            "KirimWire", "KirimNoise", "KirimTransport", "KirimRooms", "KirimPlain",
            "KirimServerCore",
            "KirimClientCore", deque, heap,
        ]
    ),
    (
        "KirimFuzzing",
        [
            "KirimWire", "KirimNoise", "KirimTransport", "KirimRooms", "KirimPlain", "KirimScreen",
            "KirimServer", "KirimTerminal",
        ]
    ),
    (
        "KirimLoad",
        [
            "KirimWire", "KirimNoise", "KirimLibcrypto", "KirimTransport", "KirimRooms",
            "KirimClientCore", linux, heap,
        ]
    ),
    ("KirimTestKit", ["KirimWire", nioCore, nioPosix, linux]),
]

/// The window's modules. Their code runs on the main thread unless it says otherwise; without the trait they are empty.
let windows: [(name: String, dependencies: [Target.Dependency])] = [
    ("KirimGtk", ["KirimScreen", gtk]),
    (
        "KirimWindow",
        [
            "KirimWire", "KirimRooms", "KirimScreen", "KirimErrands", "KirimClient", "KirimGtk",
            gtk,
        ]
    ),
]

let forms: [Resource] = [
    "window.ui", "start.ui", "chat.ui", "stopped.ui", "shortcuts.ui", "operator.ui",
    "operatorkeys.ui", "style.css",
].map { .embedInCode("Resources/\($0)") }

let executables: [(name: String, dependencies: [Target.Dependency])] = [
    (
        "kirim",
        [
            "KirimWire", "KirimNoise", "KirimRooms", "KirimServer", "KirimClient", "KirimTerminal",
            "KirimJournal", "KirimWindow",
            arguments, configuration, logging, lifecycle, signals, nioCore, nioPosix,
        ]
    ),
    ("kirim-sim", ["KirimSimulation", arguments]),
    ("kirim-load", ["KirimLoad", "KirimWire", arguments]),
    (
        "kirim-bench",
        [
            "KirimLoad", "KirimSimulation", "KirimJournal", "KirimServerCore", "KirimClientCore",
            "KirimTransport", "KirimLibcrypto", "KirimNoise", "KirimRooms", "KirimWire", arguments,
        ]
    ),
]

/// `make fuzz` alone sets it: our own modules then count what they reach, and libFuzzer drives them.
let isFuzzed = Context.environment["KIRIM_FUZZ"] != nil
let watched: [SwiftSetting] = isFuzzed ? [.unsafeFlags(["-sanitize=fuzzer,address"])] : []
/// Gold cannot link it.
let fuzzer: [LinkerSetting] = [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]
let fuzzing: [Target] =
    isFuzzed
    ? [
        .executableTarget(
            name: "kirim-fuzz",
            dependencies: ["KirimFuzzing"],
            swiftSettings: house + watched + [.unsafeFlags(["-parse-as-library"])],
            linkerSettings: fuzzer
        )
    ] : []

let tests: [(name: String, dependencies: [Target.Dependency])] = [
    ("KirimWireTests", ["KirimWire", "KirimTestKit"]),
    ("KirimNoiseTests", ["KirimNoise", "KirimWire", "KirimTestKit", crypto]),
    ("KirimLibcryptoTests", ["KirimLibcrypto", "KirimNoise", "KirimTestKit"]),
    (
        "KirimTransportTests",
        ["KirimTransport", "KirimLibcrypto", "KirimWire", "KirimNoise", "KirimTestKit"]
    ),
    ("KirimRoomsTests", ["KirimRooms", "KirimWire", "KirimTestKit"]),
    ("KirimPlainTests", ["KirimPlain", "KirimRooms", "KirimWire"]),
    (
        "KirimServerCoreTests",
        [
            "KirimServerCore", "KirimTransport", "KirimNoise", "KirimRooms", "KirimPlain",
            "KirimWire", "KirimTestKit",
        ]
    ),
    (
        "KirimClientCoreTests",
        [
            "KirimClientCore", "KirimTransport", "KirimNoise", "KirimRooms", "KirimWire",
            "KirimSimulation",
            "KirimServerCore",
        ]
    ),
    (
        "KirimServerTests",
        ["KirimServer", "KirimServerCore", "KirimRooms", "KirimWire", "KirimTestKit", logging]
    ),
    (
        "KirimClientTests",
        [
            "KirimClient", "KirimServer", "KirimServerCore", "KirimNoise", "KirimRooms",
            "KirimWire", "KirimTestKit", logging,
        ]
    ),
    ("KirimJournalTests", ["KirimJournal", "KirimRooms", "KirimWire", "KirimSimulation", grdb]),
    (
        "KirimSimulationTests",
        [
            "KirimSimulation", "KirimServerCore", "KirimClientCore", "KirimTransport", "KirimNoise",
            "KirimRooms", "KirimWire",
        ]
    ),
    ("KirimLoadTests", ["KirimLoad"]),
    ("KirimScreenTests", ["KirimScreen", "KirimRooms", "KirimWire", "KirimTestKit"]),
    (
        "KirimTerminalTests",
        ["KirimTerminal", "KirimScreen", "KirimClient", "KirimRooms", "KirimWire"]
    ),
    (
        "EndToEndTests",
        [
            "KirimTestKit", "KirimClient", "KirimServer", "KirimRooms", "KirimWire", "KirimNoise",
            "KirimTransport", "KirimJournal",
            "kirim", "kirim-load",
        ]
    ),
    ("KirimFuzzTests", ["KirimFuzzing"]),
    ("HouseTests", []),
]

/// What tests read from where it stands: the old programs that are chatted with, and inputs of old findings.
let asides = ["EndToEndTests": ["Fixtures"], "KirimFuzzTests": ["Corpus"]]

let windowTests: [(name: String, dependencies: [Target.Dependency])] = [
    ("KirimGtkTests", ["KirimGtk", gtk]),
    (
        "KirimWindowTests",
        ["KirimWindow", "KirimWire", "KirimRooms", "KirimScreen", "KirimGtk", gtk]
    ),
]

let package = Package(
    name: "kirim",
    platforms: [.macOS(.v15), .iOS(.v18)],
    products: [
        .library(name: "KirimClient", targets: ["KirimClient", "KirimRooms", "KirimWire"]),
        .executable(name: "kirim", targets: ["kirim"]),
    ],
    traits: [
        .default(enabledTraits: ["GTK"]),
        .trait(
            name: "GTK",
            description:
                "The windows; without libadwaita on the machine: --disable-default-traits."
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: modules.map {
        .target(name: $0.name, dependencies: $0.dependencies, swiftSettings: house + watched)
    }
        + fuzzing
        + windows.map {
            .target(
                name: $0.name,
                dependencies: $0.dependencies,
                // What the window is made of stands in the program itself: nothing to look for at run time.
                resources: $0.name == "KirimWindow" ? forms : [],
                swiftSettings: house + [.defaultIsolation(MainActor.self)]
            )
        }
        + executables.map {
            .executableTarget(name: $0.name, dependencies: $0.dependencies, swiftSettings: house)
        }
        + [
            .systemLibrary(
                name: "CGtk",
                pkgConfig: "libadwaita-1",
                providers: [.apt(["libadwaita-1-dev"]), .brew(["libadwaita"])]
            ),
            .systemLibrary(name: "CLinux"),
            .executableTarget(
                name: "kirim-echo-bot",
                dependencies: ["KirimClient", "KirimRooms", "KirimWire"],
                path: "Examples/EchoBot",
                swiftSettings: house
            ),
        ]
        + tests.map {
            .testTarget(
                name: $0.name,
                dependencies: $0.dependencies,
                exclude: asides[$0.name] ?? [],
                swiftSettings: house
            )
        }
        + windowTests.map {
            .testTarget(
                name: $0.name,
                dependencies: $0.dependencies,
                swiftSettings: house + [.defaultIsolation(MainActor.self)]
            )
        },
    swiftLanguageModes: [.v6]
)
