import KirimFuzzing

/// libFuzzer's own loop, which hands over one input after another until there is a reason to stop.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ run: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_silgen_name("getenv")
private func variable(_ name: UnsafePointer<CChar>) -> UnsafePointer<CChar>?

/// What `KIRIM_FUZZ_TARGET` names.
private let target: FuzzTarget? = variable("KIRIM_FUZZ_TARGET").flatMap {
    FuzzTarget(named: String(cString: $0))
}

/// `KIRIM_FUZZ_TARGET=name kirim-fuzz`, then whatever libFuzzer understands. `scripts/fuzz` calls it.
@main
enum KirimFuzz {
    static func main() {
        guard target != nil else {
            for target in FuzzTarget.all { print(target.name, target.inputLimit) }
            return
        }
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        _ = withUnsafeMutablePointer(to: &arguments) { arguments in
            runFuzzer(&count, arguments) { bytes, size in
                target?.run(Array(UnsafeBufferPointer(start: bytes, count: size)))
                return 0
            }
        }
    }
}
